"""Pure: how far one side of a comparison is from the first in one measure, and whether both agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simorc.core.tolerance import Agreement, Tolerance, agreements
from simorc.core.units import Value
from simorc.report.compare_side import Floats

Conditions = Mapping[str, Value]


@dataclass(frozen=True, eq=False, slots=True)
class Difference:
    """How far one side is from the first in one measure; numbers in `unit`, None where nothing can be said.

    Parameters
    ----------
    side: its position
    n: conditions in which both have a value
    missing: conditions in which the first has a value and this side has none, though nothing spared it
    bias, sigma: mean and standard deviation of the differences; a single one has no deviation
    largest: the difference that is largest without its sign, and `where` it is
    uncertainty: bound of the error of that difference, the sum of those of both values; None where neither has one
    tolerance: that was stated
    agreement: over all conditions in which both have a value: the worst of theirs
    counts: conditions by their agreement
    between: share of the conditions in which the value lies within the range of the reference's siblings, the other
        parts of the same input; None where it has none
    values: all differences, a row each, NaN where there is none
    judged: the agreement of each row
    """

    measure: str
    unit: str
    side: int
    n: int
    missing: int
    bias: float | None
    sigma: float | None
    largest: float | None
    where: Conditions | None
    uncertainty: float | None
    tolerance: Tolerance | None
    agreement: Agreement
    counts: Mapping[Agreement, int]
    between: float | None
    values: Floats
    judged: Any

    @property
    def verdict(self) -> str:
        """The agreement, with how much of it is missing: `agrees, 3 missing`."""
        return f"{self.agreement}, {self.missing} missing" if self.missing else str(self.agreement)


@dataclass(frozen=True, eq=False, slots=True)
class Readings:
    """What one side says of one measure in every condition: values and bounds of their errors, NaN where none is."""

    values: Floats
    bounds: Floats


@dataclass(frozen=True, eq=False, slots=True)
class Terms:
    """What two sides are compared by.

    Parameters
    ----------
    tolerance: that was stated
    is_judged: whether they have to agree; parts of one input have not
    spared: the rows in which the other side need not have a value
    range_of: the values of all parts of the first one's input; a single one is no range
    """

    tolerance: Tolerance | None
    is_judged: bool
    spared: Any
    range_of: Sequence[Floats]


def difference(
    name: tuple[str, str, int], first: Readings, other: Readings, terms: Terms, at: Callable[[int], Conditions]
) -> Difference:
    """How far `other` is from `first`.

    Parameters
    ----------
    name: the measure, its unit, the position of the other side
    at: the conditions of a row
    """
    apart = other.values - first.values
    error = _sum_of_bounds(first.bounds, other.bounds)
    tolerance = terms.tolerance if terms.is_judged else None
    allowed = tolerance.allowed(first.values) if tolerance is not None else None
    largest = np.maximum(np.abs(first.values), np.abs(other.values))
    judged = agreements(apart, allowed, error if terms.is_judged else np.full(len(apart), np.nan), largest)
    known = np.flatnonzero(~np.isnan(apart))
    counts = {kind: int((judged[known] == str(kind)).sum()) for kind in Agreement}
    found = apart[known]
    most = int(known[np.argmax(np.abs(found))]) if len(known) else None
    return Difference(
        *name,
        len(known),
        int((~np.isnan(first.values) & np.isnan(other.values) & ~terms.spared).sum()),
        float(found.mean()) if len(found) else None,
        float(found.std(ddof=1)) if len(found) > 1 else None,
        float(apart[most]) if most is not None else None,
        at(most) if most is not None else None,
        float(error[most]) if most is not None and not np.isnan(error[most]) else None,
        tolerance,
        _worst(counts),
        counts,
        _between(terms.range_of, other.values) if terms.is_judged else None,
        apart,
        judged,
    )


def _worst(counts: Mapping[Agreement, int]) -> Agreement:
    order = (Agreement.DIFFERS, Agreement.UNCLEAR, Agreement.AGREES)
    return next((kind for kind in order if counts[kind]), Agreement.NOT_JUDGED)


def _between(parts: Sequence[Floats], values: Floats) -> float | None:
    """Share of the values that lie within the range of all parts of the reference's input."""
    if len(parts) < 2:
        return None
    stack = np.array(parts)
    known = ~np.isnan(values) & ~np.isnan(stack).any(axis=0)
    if not known.any():
        return None
    low, high = stack[:, known].min(axis=0), stack[:, known].max(axis=0)
    return float(((values[known] >= low) & (values[known] <= high)).mean())


def _sum_of_bounds(first: Floats, other: Floats) -> Floats:
    """Bounds add up linearly, as those of readings do; NaN where neither is known."""
    both = np.nan_to_num(first) + np.nan_to_num(other)
    return np.where(np.isnan(first) & np.isnan(other), np.nan, both)
