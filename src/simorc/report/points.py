"""Pure: what a plot spec asks for, as points: conditions, a value, limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from simorc.core.case import Case
from simorc.core.errors import UsageError
from simorc.core.expression import compile_condition
from simorc.core.measurement import Measure
from simorc.core.record import Status
from simorc.core.spec import Verdict
from simorc.core.units import Value
from simorc.core.wording import suggestion
from simorc.report.data import ReportData
from simorc.report.display import axis_key, axis_values

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One value to draw, or its absence; `low` and `high` are the limits in force; an aggregate has no case."""

    conditions: Mapping[str, Value]
    value: float | None
    low: float | None
    high: float | None
    margin: float | None
    out: bool
    case_id: int | None = None


@dataclass(frozen=True, slots=True)
class Quantities:
    """The points of one measure or aggregate.

    `free` names the parameters that vary among the points; parameters of one axis stand together. `n_spared` points
    were not needed, as the run stopped early.
    """

    name: str
    unit: str
    points: Sequence[Point]
    free: Sequence[tuple[str, ...]]
    n_spared: int = 0

    def others(self, *names: str) -> tuple[str, ...]:
        """The varying parameters of all axes but those that hold one of the names."""
        return tuple(name for axis in self.free if not set(axis) & set(names) for name in axis)

    def values(self, name: str) -> list[Value]:
        """The points of one axis: numbers sorted, texts in the order of the sweep."""
        return axis_values(point.conditions[name] for point in self.points)

    def demand(self, name: str) -> None:
        """Raise a UsageError unless the name is a parameter of the points."""
        known = list(self.points[0].conditions) if self.points else [name]
        if name not in known:
            raise UsageError(f"{self.name} has no parameter {name!r}", hint=suggestion(name, known))

    @property
    def known(self) -> list[float]:
        """All values that are there."""
        return [point.value for point in self.points if point.value is not None]

    @property
    def limits(self) -> list[tuple[float | None, float | None]]:
        """The different pairs of limits in force."""
        return list(dict.fromkeys((point.low, point.high) for point in self.points))


def quantities(data: ReportData, name: str, where: str = "") -> Quantities:
    """The points of a measure or an aggregate, chosen by a condition over the parameters.

    Raises
    ------
    UsageError: there is no such measure or aggregate, or the condition does not fit
    """
    for measure in data.measures:
        if measure.name == name:
            cases = chosen_cases(data, where)
            points = [_case_point(data, measure, case) for case in cases]
            open_cases = sum(data.status(case.case_id) is Status.PENDING for case in cases)
            return Quantities(name, measure.unit, points, _free(data, points), open_cases if data.tally.spared else 0)
    for aggregate in data.plan.aggregates:
        if aggregate.name == name:
            points = _aggregate_points(data, name, where)
            return Quantities(name, aggregate.unit, points, _free(data, points))
    known = [m.name for m in data.measures] + [a.name for a in data.plan.aggregates]
    raise UsageError(f"no measure or aggregate {name!r}", hint=suggestion(name, known))


def chosen_cases(data: ReportData, where: str) -> list[Case]:
    """The cases that meet a condition over the parameters; all of them where it is empty."""
    test = _condition(where)
    return [case for case in data.cases if test(case.parameters)]


def grouped(points: Sequence[Point], key: Callable[[Point], Key]) -> dict[Key, list[Point]]:
    """Points by a key, in order of appearance."""
    groups: dict[Key, list[Point]] = {}
    for point in points:
        groups.setdefault(key(point), []).append(point)
    return groups


def by(*names: str) -> Callable[[Point], tuple[object, ...]]:
    """A key for `grouped`: the values of some parameters, 1k and 1000 alike."""
    return lambda point: tuple(axis_key(point.conditions[name]) for name in names)


def _condition(where: str) -> Callable[[Mapping[str, Value]], bool]:
    return compile_condition(where) if where else lambda values: True


def _case_point(data: ReportData, measure: Measure, case: Case) -> Point:
    m = data.finished(case.case_id, measure.name)
    if m is None:
        spec = measure.spec_for(case)
        return Point(case.parameters, None, spec.min, spec.max, None, False, case.case_id)
    out = m.verdict is Verdict.FAIL and m.value is not None
    return Point(case.parameters, m.value, m.min, m.max, m.margin, out, case.case_id)


def _aggregate_points(data: ReportData, name: str, where: str) -> list[Point]:
    test = _condition(where)
    return [
        Point(r.group, r.value, r.min, r.max, r.margin, r.verdict is Verdict.FAIL and r.value is not None)
        for r in data.aggregates
        if r.name == name and test(r.group)
    ]


def _free(data: ReportData, points: Sequence[Point]) -> list[tuple[str, ...]]:
    """The varying parameters among the points, axis by axis."""
    axes = []
    for axis in data.plan.sweep.axes:
        names = [name for name in axis.names if points and name in points[0].conditions]
        varying = tuple(name for name in names if len({axis_key(p.conditions[name]) for p in points}) > 1)
        if varying:
            axes.append(varying)
    return axes
