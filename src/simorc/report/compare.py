"""Pure: runs joined on their conditions, and how far apart their measures are.

The first run is the reference: a difference is a run's value minus the first one's. Whether two runs agree is not
judged here.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simorc.core.case import Case
from simorc.core.errors import UsageError
from simorc.core.measurement import Measure, Measurement
from simorc.core.record import Status
from simorc.core.units import Value
from simorc.report.data import ReportData
from simorc.report.display import axis_key, axis_values, value_text

_MOST_NAMED = 6

Conditions = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the runs. `label` is unique among them: `<run id>/<target>`; `short` is as short as it can be."""

    label: str
    short: str
    data: ReportData


@dataclass(frozen=True, slots=True)
class Row:
    """One condition: the case of each run that stands for it, None where a run has none."""

    conditions: Conditions
    cases: tuple[Case | None, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one run is from the first in one measure; numbers in `unit`, None where nothing can be said.

    Parameters
    ----------
    n: conditions in which both have a value
    bias, sigma: mean and standard deviation of the differences; a single one has no deviation
    largest: the difference that is largest without its sign, and `where` it is
    uncertainty: bound of the error of that difference, the sum of those of both values; None where neither has one
    values: all differences, in the order of the rows
    """

    measure: str
    unit: str
    side: Side
    n: int
    bias: float | None
    sigma: float | None
    largest: float | None
    where: Conditions | None
    uncertainty: float | None
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs joined on their conditions.

    Parameters
    ----------
    columns: the parameters that they are joined on
    measures: those that all runs have values of
    rows: every condition of any run, in the order of the first run
    left_out: measures that not all runs have: name, labels of those that do
    """

    sides: tuple[Side, ...]
    columns: tuple[str, ...]
    measures: tuple[Measure, ...]
    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]
    left_out: tuple[tuple[str, tuple[str, ...]], ...]

    def measurement(self, row: Row, side: int, name: str) -> Measurement | None:
        """What one run measured in one condition; None where its case is missing or did not complete."""
        case = row.cases[side]
        return None if case is None else self.sides[side].data.finished(case.case_id, name)

    @property
    def joined(self) -> list[Row]:
        """The conditions that stand in all runs."""
        return [row for row in self.rows if None not in row.cases]

    def lacking(self) -> list[tuple[Row, str]]:
        """The conditions that some run has no values for, and a phrase that says why."""
        return [(row, reason) for row in self.rows if (reason := self._reason(row))]

    def _reason(self, row: Row) -> str:
        words = []
        for side, case in zip(self.sides, row.cases, strict=True):
            if case is None:
                words.append(f"not in {side.label}")
            elif (status := side.data.status(case.case_id)) is not Status.COMPLETED:
                words.append(f"{status.replace('_', ' ')} in {side.label}")
        return ", ".join(words)


def sides_of(runs: Sequence[ReportData]) -> tuple[Side, ...]:
    """The runs with labels that tell them apart.

    Raises
    ------
    UsageError: fewer than two, or one of them has no completed case
    """
    if len(runs) < 2:
        raise UsageError("a comparison takes two runs or more")
    for data in runs:
        if not data.tally[Status.COMPLETED]:
            raise UsageError(f"no case of {data.run_id} has completed", hint=f"type: simorc run {data.run_id}")
    labels = _told_apart([f"{data.run_id}/{data.plan.target}" for data in runs])
    targets = [data.plan.target for data in runs]
    letters = [chr(ord("A") + number) for number in range(len(runs))]
    shorts = targets if len(set(targets)) == len(runs) else letters
    return tuple(Side(*each) for each in zip(labels, shorts, runs, strict=True))


def compare(runs: Sequence[ReportData]) -> Comparison:
    """Join runs on the parameters that any of them sweeps and all of them have.

    Numbers are equal by value: 4.0, 4 and 4000m are one condition.

    Raises
    ------
    UsageError: they have no condition or no measure in common, a condition stands in one run twice, units differ
    """
    sides = sides_of(runs)
    columns = _columns(sides)
    rows = _rows(sides, columns)
    measures, left_out = _measures(sides)
    bare = Comparison(sides, columns, measures, rows, (), left_out)
    if not bare.joined:
        raise UsageError("no condition stands in all of these runs", hint=_axes_apart(sides, columns))
    found = [_difference(bare, m, number) for m in measures for number in range(1, len(sides))]
    return Comparison(sides, columns, measures, rows, tuple(found), left_out)


def conditions_text(conditions: Conditions) -> str:
    """Conditions for people: `corner=ff, temp=85`."""
    return ", ".join(f"{name}={value_text(value)}" for name, value in conditions.items()) or "the only case"


def _told_apart(labels: Sequence[str]) -> list[str]:
    """Labels with a number behind those that another one has before them: two copies of one run."""
    return [
        label if labels.index(label) == number else f"{label} ({labels[:number].count(label) + 1})"
        for number, label in enumerate(labels)
    ]


def _columns(sides: Sequence[Side]) -> tuple[str, ...]:
    swept = list(dict.fromkeys(name for side in sides for name in side.data.plan.sweep.swept))
    shared = tuple(name for name in swept if all(name in side.data.cases[0].parameters for side in sides))
    if swept and not shared:
        each = "; ".join(f"{side.label}: {', '.join(side.data.plan.sweep.swept) or 'none'}" for side in sides)
        raise UsageError("these runs have no parameter in common to be joined on", hint=f"they sweep: {each}")
    return shared


def _rows(sides: Sequence[Side], columns: Sequence[str]) -> tuple[Row, ...]:
    found: dict[tuple[object, ...], list[Case | None]] = {}
    for number, side in enumerate(sides):
        for case in side.data.cases:
            key = tuple(axis_key(case.parameters[name]) for name in columns)
            cases = found.setdefault(key, [None] * len(sides))
            if (other := cases[number]) is not None:
                raise _twice(side, columns, other, case)
            cases[number] = case
    return tuple(Row(_conditions(cases, columns), tuple(cases)) for cases in found.values())


def _conditions(cases: Sequence[Case | None], columns: Sequence[str]) -> dict[str, Value]:
    case = next(case for case in cases if case is not None)
    return {name: case.parameters[name] for name in columns}


def _twice(side: Side, columns: Sequence[str], first: Case, second: Case) -> UsageError:
    at = conditions_text({name: first.parameters[name] for name in columns})
    what = f"two cases of {side.label} stand for one condition, {at}: {first.case_id} and {second.case_id}"
    apart = [name for name in first.swept if axis_key(first.parameters[name]) != axis_key(second.parameters[name])]
    return UsageError(what, hint=f"they differ in {', '.join(apart)}, which not every run has" if apart else "")


def _axes_apart(sides: Sequence[Side], columns: Sequence[str]) -> str:
    """The first parameter that has no value in common, with the values of each run."""
    for name in columns:
        values = [axis_values(case.parameters[name] for case in side.data.cases) for side in sides]
        keys = [{axis_key(value) for value in listed} for listed in values]
        if not set.intersection(*keys):
            each = [f"{side.label}: {_named(listed)}" for side, listed in zip(sides, values, strict=True)]
            return f"values of {name}: {'; '.join(each)}"
    return f"every value of {', '.join(columns)} is there, but never together"


def _named(values: Sequence[Value]) -> str:
    more = ", …" if len(values) > _MOST_NAMED else ""
    return ", ".join(value_text(value) for value in values[:_MOST_NAMED]) + more


def _measures(sides: Sequence[Side]) -> tuple[tuple[Measure, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    """The measures that all runs have values of, and those that only some have, each with the labels of these."""
    having: dict[str, dict[str, Measure]] = {}
    for side in sides:
        for measure in side.data.measures_here:
            if _has_values(side, measure.name):
                having.setdefault(measure.name, {})[side.label] = measure
    shared = {name: by_label for name, by_label in having.items() if len(by_label) == len(sides)}
    left_out = tuple((name, tuple(by_label)) for name, by_label in having.items() if name not in shared)
    if not shared:
        each = "; ".join(f"{name} in {', '.join(labels)}" for name, labels in left_out) or "none in any"
        raise UsageError("these runs have no measure in common", hint=f"there are: {each}")
    _check_units(shared)
    return tuple(next(iter(by_label.values())) for by_label in shared.values()), left_out


def _has_values(side: Side, name: str) -> bool:
    found = (side.data.finished(case.case_id, name) for case in side.data.cases)
    return any(m is not None and m.value is not None for m in found)


def _check_units(shared: Mapping[str, Mapping[str, Measure]]) -> None:
    problems = []
    for name, by_label in shared.items():
        units = {label: measure.unit or "no unit" for label, measure in by_label.items()}
        if len(set(units.values())) > 1:
            problems.append(f"{name}: {', '.join(f'{unit} in {label}' for label, unit in units.items())}")
    if problems:
        raise UsageError("units differ", hint="\n".join(problems))


def _difference(comparison: Comparison, measure: Measure, number: int) -> Difference:
    side = comparison.sides[number]
    found = []
    for row in comparison.rows:
        first, other = (comparison.measurement(row, k, measure.name) for k in (0, number))
        if first and other and first.value is not None and other.value is not None:
            found.append((other.value - first.value, _bound(first, other), row.conditions))
    if not found:
        return Difference(measure.name, measure.unit, side, 0, None, None, None, None, None, ())
    values = tuple(difference for difference, _, _ in found)
    largest, uncertainty, where = max(found, key=lambda entry: abs(entry[0]))
    sigma = statistics.stdev(values) if len(values) > 1 else None
    bias = statistics.fmean(values)
    return Difference(measure.name, measure.unit, side, len(values), bias, sigma, largest, where, uncertainty, values)


def _bound(*measurements: Measurement) -> float | None:
    """Bounds add up linearly, as those of readings do."""
    known = [m.uncertainty for m in measurements if m.uncertainty is not None]
    return sum(known) if known else None
