"""A measure or aggregate against a parameter, a colour for each value of another."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simorc.core.plan import PlotSpec
from simorc.report.data import ReportData
from simorc.report.display import Scale, axis_key, count, is_numeric
from simorc.report.plot_limits import draw_limits, fit_range, join, missing_sentence, scale_of
from simorc.report.plot_style import (
    MANY,
    MARKERS,
    Theme,
    colours,
    legend,
    log_axis,
    new_figure,
    parameter_axis,
    value_axis,
)
from simorc.report.points import Key, Point, Quantities, by, grouped, quantities

_MOST_CIRCLES = 4
MOST_LINES = 30
"""Above so many lines in one panel the spread is drawn as a band."""


@dataclass(frozen=True, slots=True)
class _Panel:
    """One panel: the points by colour and what is needed to place them."""

    ax: Axes
    q: Quantities
    spec: PlotSpec
    scale: Scale
    positions: dict[object, float]

    def x(self, point: Point) -> float:
        return self.positions[axis_key(point.conditions[self.spec.x])]

    def y(self, value: float | None) -> float:
        return math.nan if value is None else value / self.scale.factor


def draw_line(spec: PlotSpec, data: ReportData, theme: Theme) -> tuple[Figure, str]:
    """The figure and its caption; a panel for each of the measures.

    Where more parameters vary than x and group, every combination of them has a thin line of its own; above
    `MOST_LINES` lines a band from minimum to maximum with the median in it.

    Raises
    ------
    UsageError: an unknown measure or parameter
    """
    asked = [quantities(data, name, spec.where) for name in spec.y]
    for q in asked:
        q.demand(spec.x)
        if spec.group:
            q.demand(spec.group)
    figure, axes = new_figure(theme, len(asked))
    sentences: list[str] = []
    for ax, q in zip(axes, asked, strict=True):
        sentences += _panel(ax, q, spec, theme)
    for ax in axes[:-1]:
        ax.set_xlabel("")
    if spec.group:
        values = asked[0].values(spec.group)
        legend(figure, theme, spec.group, values, colours(values, theme), markers=True)
    return figure, join(sentences)


def _panel(ax: Axes, q: Quantities, spec: PlotSpec, theme: Theme) -> list[str]:
    xs = q.values(spec.x)
    log_y = spec.y_scale == "log" and all(value > 0 for value in q.known)
    scale = Scale(1.0, q.unit) if log_y else scale_of(q)
    positions = parameter_axis(ax, spec.x, xs, spec.x_scale == "log")
    panel = _Panel(ax, q, spec, scale, {axis_key(x): at for x, at in zip(xs, positions, strict=True)})
    value_axis(ax, q.name, scale)
    drawn = _spread(panel, theme)
    limits = draw_limits(ax, theme, q, scale)
    if log_y:
        log_axis(ax, "y", q.unit)
        ax.set_ylabel(q.name)
    else:
        fit_range(ax, q, scale)
    return [*drawn, *_mark_out(panel, theme), *limits, *missing_sentence(q)]


def _spread(panel: _Panel, theme: Theme) -> list[str]:
    """Draw all points; gives the sentence that says how."""
    spec, q = panel.spec, panel.q
    others = q.others(spec.x, spec.group)
    names = (spec.group,) if spec.group else ()
    groups = grouped(q.points, by(*names))
    values = q.values(spec.group) if spec.group else []
    paints = colours(values, theme) if values else [theme.series[0]]
    places: dict[Key, int] = {(axis_key(value),): i for i, value in enumerate(values)} or {(): 0}
    lines = {key: list(grouped(points, by(*others)).values()) for key, points in groups.items()}
    total = sum(len(members) for members in lines.values())
    single = all(_one_value_each(panel, line) for members in lines.values() for line in members)
    banded = total > MOST_LINES or not single
    for key, members in lines.items():
        place = places[key]
        marker = MARKERS[place] if len(places) <= MANY else ""
        if banded:
            _band(panel, groups[key], paints[place], marker, (place - (len(places) - 1) / 2) * 0.06)
        else:
            for line in members:
                _line(panel, line, paints[place], marker, thin=len(members) > 1)
    return _how(others, banded, total > len(groups))


def _how(others: Sequence[str], banded: bool, several: bool) -> list[str]:
    named = ", ".join(others)
    if banded:
        return [f"Line: median; band: minimum to maximum{f' over {named}' if named else ''}."]
    return [f"One thin line for each combination of {named}."] if several and named else []


def _one_value_each(panel: _Panel, line: Sequence[Point]) -> bool:
    return len({panel.x(point) for point in line}) == len(line)


def _line(panel: _Panel, points: Sequence[Point], colour: str, marker: str, thin: bool) -> None:
    ordered = sorted(points, key=panel.x)
    numeric = is_numeric(panel.q.values(panel.spec.x))
    panel.ax.plot(
        [panel.x(point) for point in ordered],
        [panel.y(point.value) for point in ordered],
        color=colour,
        marker=marker,
        markersize=3.2 if thin else 4.2,
        markevery=_sparse(len(ordered)),
        linewidth=1.0 if thin else 1.7,
        alpha=0.8 if thin else 1.0,
        linestyle="-" if numeric else ":",
    )


def _band(panel: _Panel, points: Sequence[Point], colour: str, marker: str, shift: float) -> None:
    """Median line and band from minimum to maximum; for texts a bar at each of them, moved aside by its group."""
    at: dict[float, list[float]] = {panel.x(point): [] for point in sorted(points, key=panel.x)}
    for point in points:
        if point.value is not None:
            at[panel.x(point)].append(panel.y(point.value))
    numeric = is_numeric(panel.q.values(panel.spec.x))
    x = [position + (0.0 if numeric else shift) for position in at]
    low = [min(values, default=math.nan) for values in at.values()]
    high = [max(values, default=math.nan) for values in at.values()]
    middle = [statistics.median(values) if values else math.nan for values in at.values()]
    if numeric:
        panel.ax.fill_between(x, low, high, color=colour, alpha=0.16, linewidth=0)
    else:
        panel.ax.vlines(x, low, high, color=colour, alpha=0.55, linewidth=2.2)
    panel.ax.plot(
        x,
        middle,
        color=colour,
        marker=marker,
        markersize=4,
        markevery=_sparse(len(x)),
        linewidth=1.7,
        linestyle="-" if numeric else ":",
    )


def _sparse(points: int) -> int:
    """Every how manieth point has a marker."""
    return max(1, points // 15)


def _mark_out(panel: _Panel, theme: Theme) -> list[str]:
    """Circle what is out of spec; of many values at one place the lowest and the highest."""
    out = [point for point in panel.q.points if point.out]
    if not out:
        return []
    circled = []
    for members in grouped(out, by(panel.spec.x)).values():
        ordered = sorted(members, key=lambda point: point.value or 0.0)
        circled += ordered if len(ordered) <= _MOST_CIRCLES else [ordered[0], ordered[-1]]
    panel.ax.scatter(
        [panel.x(point) for point in circled],
        [panel.y(point.value) for point in circled],
        marker="o",
        s=46,
        facecolors="none",
        edgecolors=theme.fail,
        linewidths=1.3,
        zorder=5,
    )
    some = ", the lowest and highest of many" if len(circled) < len(out) else ""
    return [f"Circled: out of spec ({count(len(out), 'value')}{some})."]
