"""How the values of a measure are distributed, with its limits and what lies beyond them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from simorc.core.plan import PlotSpec
from simorc.core.units import Value
from simorc.report.data import ReportData
from simorc.report.display import axis_key, count, quantity
from simorc.report.plot_limits import draw_limits, join, missing_sentence, near_and_far, scale_of
from simorc.report.plot_style import Theme, colours, legend, new_figure
from simorc.report.points import Quantities, quantities

_MOST_BINS = 60


def draw_histogram(spec: PlotSpec, data: ReportData, theme: Theme) -> tuple[Figure, str]:
    """The figure and its caption; a panel for each of the measures, stacked by `group` where there is one.

    Raises
    ------
    UsageError: an unknown measure or parameter
    """
    asked = [quantities(data, name, spec.where) for name in spec.y]
    figure, axes = new_figure(theme, len(asked), share_x=False)
    sentences: list[str] = []
    for ax, q in zip(axes, asked, strict=True):
        if spec.group:
            q.demand(spec.group)
        sentences += _panel(ax, q, spec, theme)
    if spec.group:
        values = asked[0].values(spec.group)
        legend(figure, theme, spec.group, values, colours(values, theme))
    return figure, join(sentences)


def _panel(ax: Axes, q: Quantities, spec: PlotSpec, theme: Theme) -> list[str]:
    scale = scale_of(q)
    ax.set_xlabel(scale.label(q.name))
    ax.set_ylabel("cases")
    ax.ticklabel_format(axis="x", useOffset=False, style="plain")
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    ax.grid(False, axis="x")
    if q.known:
        edges = bin_edges([value / scale.factor for value in q.known])
        stacks, paints, hatches = _stacks(q, spec.group, theme)
        floor = np.zeros(len(edges) - 1)
        for values, paint, hatch in zip(stacks, paints, hatches, strict=True):
            heights, _ = np.histogram([value / scale.factor for value in values], bins=edges)
            bars = ax.bar(edges[:-1], heights, np.diff(edges), floor, align="edge", color=paint, hatch=hatch)
            for bar in bars:
                bar.set(edgecolor=theme.paper, linewidth=0.5)
            floor += heights
        _room(ax, q, scale.factor)
        ax.set_ylim(0, float(floor.max()) * 1.15)
    return [_summary(q), *draw_limits(ax, theme, q, scale, along="x"), *missing_sentence(q)]


def bin_edges(values: Sequence[float]) -> list[float]:
    """Edges of the bins (Freedman-Diaconis, at most 60); one bin around equal values.

    >>> bin_edges([1.0, 1.0])
    [0.95, 1.05]
    """
    low, high = min(values), max(values)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        half = abs(low) * 0.05 or 0.5
        return [low - half, low + half]
    wanted = len(np.histogram_bin_edges(values, bins="fd")) - 1 if len(values) < 100_000 else _MOST_BINS
    return [float(edge) for edge in np.linspace(low, high, min(max(wanted, 8), _MOST_BINS) + 1)]


def _stacks(q: Quantities, group: str, theme: Theme) -> tuple[list[list[float]], list[str], list[str]]:
    """Values, colour and hatch of each part of the bars: the groups, else in spec and out of it."""
    if group:
        values: list[Value] = q.values(group)
        parts = [
            [p.value for p in q.points if p.value is not None and axis_key(p.conditions[group]) == axis_key(value)]
            for value in values
        ]
        return parts, colours(values, theme), [""] * len(values)
    inside = [p.value for p in q.points if p.value is not None and not p.out]
    outside = [p.value for p in q.points if p.value is not None and p.out]
    return [inside, outside], [theme.series[0], theme.fail], ["", "////"]


def _room(ax: Axes, q: Quantities, factor: float) -> None:
    near, _ = near_and_far(q)
    shown = [value / factor for value in [*q.known, *(limit for _, limit in near)]]
    pad = (max(shown) - min(shown)) * 0.12 or abs(max(shown)) * 0.12 or 1.0
    ax.set_xlim(min(shown) - pad, max(shown) + pad)


def _summary(q: Quantities) -> str:
    known = q.known
    if not known:
        return f"{q.name}: no values."
    sigma = f", sigma {quantity(statistics.stdev(known), q.unit)}" if len(known) > 1 else ""
    out = sum(point.out for point in q.points)
    beyond = f", {out} out of spec" if q.limits != [(None, None)] else ""
    return f"{q.name}: {count(len(known), 'value')}, mean {quantity(statistics.fmean(known), q.unit)}{sigma}{beyond}."
