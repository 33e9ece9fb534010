"""Pure: the numbers of a range, computed in exact decimals so that 0.1 + 0.2 is 0.3."""

from __future__ import annotations

import math
from fractions import Fraction

from simorc.core.sweep import MAX_CASES
from simorc.core.units import Value

_DIGITS = 12


class RangeError(ValueError):
    """A range that has no values; `found` and `expected` say why."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found, expected)
        self.found = found
        self.expected = expected


def linear(start: float, stop: float, num: int) -> tuple[Value, ...]:
    """`num` values at even distances, `start` and `stop` included; whole numbers where all of them are.

    >>> linear(0, 1, 3), linear(0, 100, 3)
    ((0.0, 0.5, 1.0), (0, 50, 100))

    Raises
    ------
    RangeError: too many values, or one value for two ends
    """
    first, last = _exact(start), _exact(stop)
    _check_count(num, first == last)
    pace = (last - first) / (num - 1) if num > 1 else Fraction(0)
    return _written([first + pace * i for i in range(num)], start, stop)


def stepped(start: float, stop: float, step: float) -> tuple[Value, ...]:
    """Values `start`, `start + step`, … up to `stop`, which is included where it is met exactly.

    >>> stepped(0, 0.3, 0.1)
    (0.0, 0.1, 0.2, 0.3)

    Raises
    ------
    RangeError: too many values, or `step` does not lead from `start` to `stop`
    """
    first, last, pace = _exact(start), _exact(stop), _exact(step)
    if pace == 0 or (last - first) / pace < 0:
        raise RangeError(f"the step {step}", f"one that leads from {start} to {stop}")
    num = math.floor((last - first) / pace) + 1
    _check_count(num, single=True)
    return _written([first + pace * i for i in range(num)], start, stop, step)


def logarithmic(start: float, stop: float, num: int) -> tuple[Value, ...]:
    """`num` values at even ratios, `start` and `stop` included; those between have 12 digits.

    >>> logarithmic(1, 1000, 4)
    (1.0, 10.0, 100.0, 1000.0)

    Raises
    ------
    RangeError: an end that is not above 0, too many values, or one value for two ends
    """
    if start <= 0 or stop <= 0:
        raise RangeError(f"a logarithmic range from {start} to {stop}", "ends above 0")
    _check_count(num, start == stop)
    low, high = math.log10(start), math.log10(stop)
    between = (float(f"{10 ** (low + (high - low) * i / (num - 1)):.{_DIGITS}g}") for i in range(1, num - 1))
    return (float(start), *between, *([float(stop)] if num > 1 else []))


def _exact(number: float) -> Fraction:
    return Fraction(number) if isinstance(number, int) else Fraction(repr(float(number)))


def _check_count(num: int, single: bool) -> None:
    if num > MAX_CASES:
        raise RangeError(f"{num:,} values" if num < 10**15 else "too many values", f"at most {MAX_CASES:,}")
    if num == 1 and not single:
        raise RangeError("one value for two different ends", "a `num` of at least 2")


def _written(values: list[Fraction], *ends: float) -> tuple[Value, ...]:
    if all(isinstance(end, int) for end in ends) and all(value.denominator == 1 for value in values):
        return tuple(int(value) for value in values)
    return tuple(float(value) for value in values)
