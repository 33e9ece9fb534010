"""Pure: what became of a run since an earlier one of its target: changed, newly failing, newly passing, missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from simorc.core.tolerance import Agreement
from simorc.report.compare import Comparison, Difference
from simorc.report.compare_join import ABSENT
from simorc.report.compare_side import FILE


class Change(StrEnum):
    """What became of one measure in one condition."""

    SAME = "same"
    CHANGED = "changed"
    BEYOND = "beyond tolerance"
    NEWLY_FAILING = "newly failing"
    NEWLY_PASSING = "newly passing"
    MISSING = "missing"
    ADDED = "added"


REGRESSIONS = (Change.NEWLY_FAILING, Change.MISSING, Change.BEYOND)
"""What makes the diff a regression, worst first."""
_ORDER = (*REGRESSIONS, Change.NEWLY_PASSING, Change.CHANGED, Change.ADDED)


@dataclass(frozen=True, eq=False, slots=True)
class Regression:
    """The diff of one side against the first.

    Parameters
    ----------
    side: its position
    changes: measure -> the change of every row
    """

    side: int
    changes: Mapping[str, Any]

    @property
    def counts(self) -> dict[Change, int]:
        """How many of each kind, over all measures."""
        return {kind: sum(int((found == str(kind)).sum()) for found in self.changes.values()) for kind in _ORDER}

    @property
    def is_regression(self) -> bool:
        """Whether anything became worse."""
        return any(self.counts[kind] for kind in REGRESSIONS)

    def listed(self, kinds: Sequence[Change] = _ORDER) -> list[tuple[Change, str, int]]:
        """Kind, measure and row of every change, worst first."""
        return [
            (kind, measure, int(row))
            for kind in kinds
            for measure, found in self.changes.items()
            for row in np.flatnonzero(found == str(kind))
        ]


def regressions(comparison: Comparison) -> list[Regression]:
    """The diff of every later run that has the target of the first; tables have none."""
    first = comparison.sides[0]
    if first.target == FILE or first.data is None:
        return []
    return [
        _regression(comparison, number)
        for number, side in enumerate(comparison.sides)
        if side.target == first.target and side.source != first.source
    ]


def _regression(comparison: Comparison, side: int) -> Regression:
    by_name = {d.measure: d for d in comparison.differences if d.side == side}
    return Regression(side, {name: _changes(comparison, side, by_name[name]) for name in comparison.measures})


def _changes(comparison: Comparison, side: int, difference: Difference) -> Any:
    """The change of one measure in every row; what both lack is the same."""
    old, new = (_State(comparison, number, difference.measure) for number in (0, side))
    found = np.full(len(comparison), str(Change.SAME), dtype=object)
    moved = old.has & new.has & (difference.values != 0)
    found[moved] = str(Change.CHANGED)
    if difference.tolerance is not None:
        found[moved & (difference.judged == str(Agreement.DIFFERS))] = str(Change.BEYOND)
        found[moved & (difference.judged == str(Agreement.AGREES))] = str(Change.SAME)
    found[new.fine & ~old.fine & old.there] = str(Change.NEWLY_PASSING)
    found[old.fine & new.broken] = str(Change.NEWLY_FAILING)
    found[old.there & new.absent] = str(Change.MISSING)
    found[~old.there & new.has] = str(Change.ADDED)
    return found


class _State:
    """One measure of one side in every row, as masks."""

    def __init__(self, comparison: Comparison, number: int, measure: str) -> None:
        side, index = comparison.sides[number], comparison.index[number]
        values = comparison.values(number, measure)
        reason = np.where(index == ABSENT, "", side.reason[index])
        self.has = ~np.isnan(values)
        self.out = side.measures[measure].out[index] & (index != ABSENT)
        self.absent = (index == ABSENT) | (reason == "pending") | (reason == "in progress")
        self.there = ~self.absent
        self.fine = self.has & ~self.out
        self.broken = self.there & (self.out | ~self.has)
