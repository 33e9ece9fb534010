"""Pure: case numbers as text, such as `3,7-9`."""

from __future__ import annotations

import re
from collections.abc import Iterable

from simorc.core.errors import UsageError
from simorc.core.sweep import MAX_CASES

_PART = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


def parse_ranges(text: str) -> list[int]:
    """The numbers of a text such as `3,7-9`, sorted, each once.

    >>> parse_ranges("7-9, 3")
    [3, 7, 8, 9]

    Raises
    ------
    UsageError: a part is neither a number nor an ascending range, or has more numbers than a sweep has cases
    """
    numbers: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        first = int(match.group(1)) if match else 0
        last = int(match.group(2) or first) if match else -1
        if last < first:
            raise UsageError(f"{part.strip()!r} is not a case number or a range", hint="write for instance 3,7-9")
        if last - first >= MAX_CASES:
            raise UsageError(f"{part.strip()!r} is more than the {MAX_CASES:,} cases that a sweep may have")
        numbers.update(range(first, last + 1))
    return sorted(numbers)


def format_ranges(numbers: Iterable[int]) -> str:
    """The shortest text that `parse_ranges` reads back; empty for no numbers.

    >>> format_ranges([3, 7, 8, 9])
    '3,7-9'
    """
    parts: list[list[int]] = []
    for number in numbers if isinstance(numbers, range) else sorted(set(numbers)):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)
