"""Pure: the case in a test's name."""

from __future__ import annotations

import re


def case_of(nodeid: str) -> int:
    """The id of the case that a test is about, -1 where it is about none.

    >>> case_of("test_pvt.py::test_pvt[12-vin:5]"), case_of("test_pvt.py::test_pvt[7]"), case_of("test_own.py::test_it")
    (12, 7, -1)
    """
    found = re.search(r"\[(\d+)[\]-]", nodeid)
    return int(found[1]) if found else -1
