"""Pure: what a plain YAML scalar stands for, by the core schema of YAML 1.2 (section 10.3.2)."""

from __future__ import annotations

import math
import re

from simorc.core.units import Value, value_from_text

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_BASED = re.compile(r"0x[0-9a-fA-F]{1,15}|0o[0-7]{1,20}")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def plain_scalar(text: str) -> Value | None:
    """The value of an unquoted scalar; a decimal number keeps its written form.

    Numbers with a leading zero stay text, so that neither their zeros nor their base can be misread.

    >>> plain_scalar("5e-05"), plain_scalar("5.00"), plain_scalar("0x1F"), plain_scalar("no"), plain_scalar("0777")
    (5e-05, Quantity('5.00'), 31, 'no', '0777')
    """
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _INFINITE.fullmatch(text):
        return math.nan if text.lower() == ".nan" else math.copysign(math.inf, -1 if text.startswith("-") else 1)
    if _NUMBER.fullmatch(text) and not _LEADING_ZERO.fullmatch(text):
        value = value_from_text(text)
        # What is too large for a float is a number nevertheless, and an infinite one is refused by name.
        return value if not isinstance(value, str) else math.copysign(math.inf, -1 if text.startswith("-") else 1)
    return text
