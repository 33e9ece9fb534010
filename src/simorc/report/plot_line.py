"""A measure or aggregate against a parameter, a colour for each value of another."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from simorc.core.plan import PlotSpec
from simorc.report.chart import Chart, Legend, Mark, Panel, PlotAxis, parameter_scale
from simorc.report.data import ReportData
from simorc.report.display import Scale, axis_key, count, is_numeric, quantity, value_text
from simorc.report.plot_limits import fitted_range, join, limit_rules, missing_sentence, scale_of
from simorc.report.plot_style import MANY, MARKERS, colours
from simorc.report.points import Point, Quantities, by, grouped, quantities

_MOST_CIRCLES = 4
MOST_LINES = 30
"""Above so many lines in one panel the spread is drawn as a band."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What is needed to place the points of one panel."""

    q: Quantities
    spec: PlotSpec
    scale: Scale
    positions: dict[object, float]

    def x(self, point: Point) -> float:
        return self.positions[axis_key(point.conditions[self.spec.x])]

    def y(self, value: float | None) -> float:
        return math.nan if value is None else value / self.scale.factor


@dataclass(frozen=True, slots=True)
class _Group:
    """The points of one colour; `shift` moves bars over texts aside."""

    name: str
    points: Sequence[Point]
    colour: str
    marker: str
    shift: float


def line_chart(spec: PlotSpec, data: ReportData) -> Chart:
    """A panel for each of the measures.

    Where more parameters vary than x and group, every combination of them has a thin line of its own; above
    `MOST_LINES` lines a band from minimum to maximum with the median in it.

    Raises
    ------
    UsageError: an unknown measure or parameter
    """
    return chart_of([quantities(data, name, spec.where) for name in spec.y], spec)


def chart_of(asked: Sequence[Quantities], spec: PlotSpec) -> Chart:
    """Lines of quantities over the spec's x, grouped as it says.

    Raises
    ------
    UsageError: they do not have the parameter
    """
    panels, sentences = [], []
    for q in asked:
        q.demand(spec.x)
        if spec.group:
            q.demand(spec.group)
        panel, said = _panel(q, spec)
        panels.append(panel)
        sentences += said
    values = asked[0].values(spec.group) if spec.group else []
    legend = Legend(spec.group, values, colours(values), markers=True) if spec.group else None
    return Chart(panels, join(sentences), legend)


def _panel(q: Quantities, spec: PlotSpec) -> tuple[Panel, list[str]]:
    xs = q.values(spec.x)
    log_y = spec.y_scale == "log" and all(value > 0 for value in q.known)
    scale = Scale(1.0, q.unit) if log_y else scale_of(q)
    x_axis, positions = parameter_scale(spec.x, xs, spec.x_scale == "log")
    place = _Place(q, spec, scale, {axis_key(x): at for x, at in zip(xs, positions, strict=True)})
    if log_y:
        y_axis = PlotAxis(q.name, "log", q.unit)
    else:
        low, high = fitted_range(q, scale)
        y_axis = PlotAxis(scale.label(q.name), low=low, high=high)
    marks, said = _spread(place)
    rings, circled = _circles(place)
    rules, limits = limit_rules(q, scale)
    return Panel(x_axis, y_axis, [*marks, *rings], rules), [*said, *circled, *limits, *missing_sentence(q)]


def _spread(place: _Place) -> tuple[list[Mark], list[str]]:
    """All points, and the sentence that says how they are drawn."""
    spec, q = place.spec, place.q
    others = q.others(spec.x, spec.group)
    groups = _groups(place)
    lines = [list(grouped(group.points, by(*others)).values()) for group in groups]
    total = sum(len(members) for members in lines)
    single = all(_one_value_each(place, line) for members in lines for line in members)
    if total > MOST_LINES or not single:
        named = ", ".join(others)
        said = [f"Line: median; band: minimum to maximum{f' over {named}' if named else ''}."]
        return [mark for group in groups for mark in _band(place, group)], said
    marks = [
        _line(place, line, group, thin=len(members) > 1)
        for group, members in zip(groups, lines, strict=True)
        for line in members
    ]
    several = total > len(groups) and others
    return marks, [f"One thin line for each combination of {', '.join(others)}."] if several else []


def _groups(place: _Place) -> list[_Group]:
    name, q = place.spec.group, place.q
    if not name:
        return [_Group(q.name, q.points, "s0", MARKERS[0], 0.0)] if q.points else []
    values = q.values(name)
    members = grouped(q.points, by(name))
    return [
        _Group(
            f"{name}={value_text(value)}",
            members[(axis_key(value),)],
            colour,
            MARKERS[i] if len(values) <= MANY else "",
            (i - (len(values) - 1) / 2) * 0.06,
        )
        for i, (value, colour) in enumerate(zip(values, colours(values), strict=True))
    ]


def _one_value_each(place: _Place, line: Sequence[Point]) -> bool:
    return len({place.x(point) for point in line}) == len(line)


def _line(place: _Place, points: Sequence[Point], group: _Group, thin: bool) -> Mark:
    ordered = sorted(points, key=place.x)
    return Mark(
        "line",
        [place.x(point) for point in ordered],
        [place.y(point.value) for point in ordered],
        colour=group.colour,
        cases=_cases(ordered),
        name=group.name,
        marker=group.marker,
        thin=thin,
        dotted=not is_numeric(place.q.values(place.spec.x)),
    )


def _cases(points: Sequence[Point]) -> list[int]:
    known = [point.case_id for point in points if point.case_id is not None]
    return known if len(known) == len(points) else []


def _band(place: _Place, group: _Group) -> list[Mark]:
    """Median line and band from minimum to maximum; for texts a bar at each of them, moved aside by its group."""
    at: dict[float, list[Point]] = {place.x(point): [] for point in sorted(group.points, key=place.x)}
    for point in group.points:
        if point.value is not None:
            at[place.x(point)].append(point)
    numeric = is_numeric(place.q.values(place.spec.x))
    x = [position + (0.0 if numeric else group.shift) for position in at]
    low = [min(members, key=_value, default=None) for members in at.values()]
    high = [max(members, key=_value, default=None) for members in at.values()]
    middle = [statistics.median(map(_value, members)) if members else None for members in at.values()]
    bottom, top = ([place.y(p.value if p else None) for p in ends] for ends in (low, high))
    marks = [Mark("band" if numeric else "stems", x, bottom, (), top, group.colour)]
    unit = place.q.unit
    texts = [
        f"{group.name}: median {quantity(m, unit)}, {quantity(a.value, unit)} to {quantity(b.value, unit)}"
        f" in {count(len(members), 'value')}"
        if a and b
        else ""
        for m, a, b, members in zip(middle, low, high, at.values(), strict=True)
    ]
    marks.append(
        Mark(
            "line",
            x,
            [place.y(m) for m in middle],
            colour=group.colour,
            texts=texts,
            name=group.name,
            marker=group.marker,
            dotted=not numeric,
        )
    )
    ends = [(where, p) for where, p in zip([*x, *x], [*low, *high], strict=True) if p and p.case_id is not None]
    if ends:
        found = [p for _, p in ends]
        marks.append(Mark("targets", [e for e, _ in ends], [place.y(p.value) for p in found], cases=_cases(found)))
    return marks


def _value(point: Point) -> float:
    return math.nan if point.value is None else point.value


def _circles(place: _Place) -> tuple[list[Mark], list[str]]:
    """Rings around what is out of spec; of many values at one place the lowest and the highest."""
    out = [point for point in place.q.points if point.out]
    if not out:
        return [], []
    circled: list[Point] = []
    for members in grouped(out, by(place.spec.x)).values():
        ordered = sorted(members, key=_value)
        circled += ordered if len(ordered) <= _MOST_CIRCLES else [ordered[0], ordered[-1]]
    some = ", the lowest and highest of many" if len(circled) < len(out) else ""
    x, y = [place.x(point) for point in circled], [place.y(point.value) for point in circled]
    mark = Mark("rings", x, y, colour="fail", cases=_cases(circled))
    return [mark], [f"Circled: out of spec ({count(len(out), 'value')}{some})."]


def tempco_chart(spec: PlotSpec, data: ReportData) -> Chart:
    """The deviation of each line from its own value at room temperature, in ppm, over a temperature axis.

    The reference of a line is its value at the point nearest to 25, where a tempco has its own, which interpolates; a
    line without one is missing.

    Raises
    ------
    UsageError: an unknown measure or parameter
    """
    asked = [_relative(quantities(data, name, spec.where), spec) for name in spec.y]
    made = chart_of(asked, spec)
    return replace(
        made, caption=join([f"Relative to each line's value at {spec.x} nearest to {_ROOM:g}.", made.caption])
    )


_ROOM = 25.0


def _relative(q: Quantities, spec: PlotSpec) -> Quantities:
    q.demand(spec.x)
    others = q.others(spec.x)
    made: list[Point] = []
    numeric = is_numeric(q.values(spec.x))
    for line in grouped(q.points, by(*others)).values():
        known = [point for point in line if point.value]
        near = min(known, key=lambda p: abs(_number(p, spec.x) - _ROOM), default=None) if numeric else None
        made += [_deviation(point, near) for point in line]
    return Quantities(q.name, "ppm", made, q.free)


def _number(point: Point, name: str) -> float:
    key = axis_key(point.conditions[name])
    return key if isinstance(key, (int, float)) else math.nan


def _deviation(point: Point, reference: Point | None) -> Point:
    value = None
    if point.value is not None and reference is not None and reference.value:
        value = (point.value / reference.value - 1.0) * 1e6
    return replace(point, value=value, low=None, high=None, margin=None, out=False)
