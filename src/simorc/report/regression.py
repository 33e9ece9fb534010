"""Pure: what became of a run since a baseline: changed, newly failing, newly passing, missing.

A baseline is an earlier run of its target, or a file of values. What a file does not say of a value, the limits of the
later run say: whether it was in spec.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from msgspec import structs

from simorc.core.aggregates import AggregateResult
from simorc.core.spec import Verdict
from simorc.core.tolerance import Agreement, Tolerance, agreements
from simorc.core.units import Value, conversion
from simorc.report.compare import NOT_THERE, Comparison
from simorc.report.compare_difference import Difference
from simorc.report.compare_join import ABSENT
from simorc.report.compare_side import FILE, SPARED, Side
from simorc.report.display import axis_key


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


@dataclass(frozen=True, slots=True)
class Line:
    """One change: of a measure in one condition, or of an aggregate of one group; values None where there is none."""

    kind: Change
    name: str
    unit: str
    conditions: Mapping[str, Value]
    before: float | None
    now: float | None


@dataclass(frozen=True, eq=False, slots=True)
class Regression:
    """The diff of one side against the first.

    Parameters
    ----------
    side: its position
    changes: measure -> the change of every row
    aggregates: the aggregates that are not as they were
    note: a sentence where the runs are of different sweeps, so that much is missing or added on purpose; else empty
    """

    side: int
    changes: Mapping[str, Any]
    aggregates: Sequence[Line] = ()
    note: str = ""

    @property
    def counts(self) -> dict[Change, int]:
        """How many of each kind, over all measures and aggregates."""
        over = {kind: sum(int((found == str(kind)).sum()) for found in self.changes.values()) for kind in _ORDER}
        return {kind: over[kind] + sum(line.kind is kind for line in self.aggregates) for kind in _ORDER}

    @property
    def is_regression(self) -> bool:
        """Whether anything became worse."""
        return any(self.counts[kind] for kind in REGRESSIONS)

    def lines(self, comparison: Comparison, kinds: Sequence[Change] = _ORDER) -> Iterator[Line]:
        """Every change, worst first, of each kind the aggregates before the measures."""
        for kind in kinds:
            yield from (line for line in self.aggregates if line.kind is kind)
            for measure, found in self.changes.items():
                before, now = (comparison.values(n, measure) for n in (0, self.side))
                for row in np.flatnonzero(found == str(kind)):
                    unit, at = comparison.measures[measure], comparison.conditions(int(row))
                    yield Line(kind, measure, unit, at, _number(before[row]), _number(now[row]))


def regressions(comparison: Comparison) -> list[Regression]:
    """The diff of every later run that the first input is a baseline of; points of curves against a file have none."""
    first = comparison.sides[0]
    return [
        _regression(comparison, number)
        for number, side in enumerate(comparison.sides)
        if side.source != first.source
        and side.data is not None
        and (side.target == first.target or (first.target == FILE and not side.is_curves))
    ]


def _regression(comparison: Comparison, side: int) -> Regression:
    changes = {d.measure: _changes(comparison, side, d) for d in comparison.differences if d.side == side}
    return Regression(side, changes, _aggregates(comparison, side), _note(comparison.sides[0], comparison.sides[side]))


def _note(old: Side, new: Side) -> str:
    if old.data is None or new.data is None:
        return ""
    plans = old.data.plan, new.data.plan
    before, now = ((plan.testbench, plan.sweep.name) for plan in plans)
    if before == now:
        return ""
    told = (
        f"{side.short} is of sweep {name}, testbench {testbench}"
        for side, (testbench, name) in ((old, before), (new, now))
    )
    return f"{', '.join(told)}: conditions that only one of them has are missing or added."


def _aggregates(comparison: Comparison, side: int) -> list[Line]:
    """The aggregates that are not as they were; none where only a part of the runs is compared."""
    if comparison.options.where or comparison.options.by:
        return []
    old = _by_group(comparison, 0, {})
    new = _by_group(comparison, side, {key: before.unit for key, before in old.items()})
    data = comparison.sides[side].data
    spared = data is not None and data.tally.spared  # an aggregate over samples that need not run says nothing
    lines = []
    for key, before in old.items():
        kind = _aggregate_change(before, new.get(key), comparison.options.tolerance(before.name))
        if kind is Change.MISSING and key in new and spared:
            continue
        if kind is not Change.SAME:
            now = new[key].value if key in new else None
            lines.append(Line(kind, before.name, before.unit, before.group, before.value, now))
    return lines


def _by_group(comparison: Comparison, number: int, units: Mapping[object, str]) -> dict[object, AggregateResult]:
    """The aggregates of a side, in these units where they are stated; one whose unit does not fit is left out."""
    data = comparison.sides[number].data
    found: dict[object, AggregateResult] = {}
    for result in data.aggregates if data is not None else ():
        groups = sorted((name, str(axis_key(value))) for name, value in result.group.items())
        key = (result.name, *groups)
        way = _way(result.unit, units.get(key, result.unit))
        if result.measure in comparison.measures and way is not None:
            value = None if result.value is None else result.value * way[0] + way[1]
            found[key] = structs.replace(result, value=value)
    return found


def _way(unit: str, wanted: str) -> tuple[float, float] | None:
    return (1.0, 0.0) if unit == wanted else conversion(unit, wanted)


def _aggregate_change(before: AggregateResult, now: AggregateResult | None, tolerance: Tolerance | None) -> Change:
    was_fine = before.value is not None and before.verdict is not Verdict.FAIL
    if now is None or now.value is None:
        return Change.MISSING if before.value is not None else Change.SAME
    if now.verdict is Verdict.FAIL and was_fine:
        return Change.NEWLY_FAILING
    if now.verdict is not Verdict.FAIL and not was_fine:
        return Change.NEWLY_PASSING
    if before.value is None or before.value == now.value:
        return Change.SAME
    if tolerance is None:
        return Change.CHANGED
    reference, value = np.array([before.value]), np.array([now.value])
    judged = agreements(
        value - reference, tolerance.allowed(reference), np.full(1, np.nan), np.abs([reference, value]).max(0)
    )
    return Change.BEYOND if judged[0] == str(Agreement.DIFFERS) else Change.SAME


def _changes(comparison: Comparison, side: int, difference: Difference) -> Any:
    """The change of one measure in every row; what both lack is the same."""
    old, new = (_State(comparison, number, difference.measure) for number in (0, side))
    if comparison.sides[0].target == FILE:
        old.fine &= ~_out_by_limits(comparison, side, difference.measure)
    found = np.full(len(comparison), str(Change.SAME), dtype=object)
    moved = old.has & new.has & (difference.values != 0)
    found[moved] = str(Change.CHANGED)
    if difference.tolerance is not None:
        found[moved & (difference.judged == str(Agreement.DIFFERS))] = str(Change.BEYOND)
        found[moved & (difference.judged == str(Agreement.AGREES))] = str(Change.SAME)
    found[old.has & new.broken & ~new.has] = str(Change.CHANGED)  # also one that was out of spec before
    found[new.fine & ~old.fine & old.there] = str(Change.NEWLY_PASSING)
    found[old.fine & new.broken] = str(Change.NEWLY_FAILING)
    found[old.there & new.absent & ~new.spared] = str(Change.MISSING)
    found[~old.there & new.has] = str(Change.ADDED)
    return found


class _State:
    """One measure of one side in every row, as masks."""

    def __init__(self, comparison: Comparison, number: int, measure: str) -> None:
        side, index = comparison.sides[number], comparison.index[number]
        reason = comparison.reasons[number]
        self.has = ~np.isnan(comparison.values(number, measure))
        self.out = side.measures[measure].out[index] & (index != ABSENT)
        self.spared = reason == SPARED
        self.absent = np.isin(reason, (NOT_THERE, "pending", "in progress", SPARED))
        if not side.is_record:
            self.absent |= ~self.has
        self.there = ~self.absent
        self.fine = self.has & ~self.out
        self.broken = self.there & (self.out | ~self.has)


def _out_by_limits(comparison: Comparison, side: int, name: str) -> Any:
    """Where a value of the first side, of which it does not say itself that it is in spec, is out of a run's limits."""
    out = np.zeros(len(comparison), dtype=bool)
    first, run = comparison.sides[0], comparison.sides[side]
    data = run.data
    measure = next((m for m in data.measures_here if m.name == name), None) if data is not None else None
    way = conversion(comparison.measures[name], measure.unit) if measure is not None else None
    if data is None or measure is None or way is None:
        return out
    values, bounds = comparison.values(0, name), np.nan_to_num(comparison.uncertainty(0, name))
    told, cases = first.measures[name].judged[comparison.index[0]], {case.case_id: case for case in data.cases}
    for row in np.flatnonzero((comparison.index[side] != ABSENT) & ~np.isnan(values) & ~told):
        spec = measure.spec_for(cases[int(run.ids[comparison.index[side, row]])])
        verdict, _ = spec.judge(float(values[row] * way[0] + way[1]), float(bounds[row] * way[0]))
        out[row] = verdict is Verdict.FAIL
    return out


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
