"""Pure: the cases in a test's name."""

from __future__ import annotations

import re

from simorc.core.ranges import parse_ranges


def case_of(nodeid: str) -> int:
    """The id of the case that a test is about, -1 where it is about none.

    >>> case_of("test_pvt.py::test_pvt[12-vin:5]"), case_of("test_pvt.py::test_pvt[7]"), case_of("test_own.py::test_it")
    (12, 7, -1)
    """
    found = re.search(r"\[(\d+)[\]-]", nodeid)
    return int(found[1]) if found else -1


def cases_of(nodeid: str) -> list[int]:
    """The ids of the cases that a test is about: one, or those of a block.

    >>> cases_of("test_pvt.py::test_pvt[12-vin:5]"), cases_of("test_pvt.py::test_pvt[cases 3,7-9]"), cases_of("test_it")
    ([12], [3, 7, 8, 9], [])
    """
    block = re.search(r"\[cases ([0-9,-]+)\]", nodeid)
    if block:
        return parse_ranges(block[1])
    return [case_of(nodeid)] if case_of(nodeid) >= 0 else []
