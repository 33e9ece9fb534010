"""How the values of a measure are distributed, with its limits and what lies beyond them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simorc.core.plan import PlotSpec
from simorc.core.ranges import format_ranges
from simorc.core.sweep import SAMPLE_COLUMNS
from simorc.report.chart import Chart, Legend, Mark, Panel, PlotAxis
from simorc.report.data import ReportData
from simorc.report.display import Scale, axis_key, count, quantity, value_text
from simorc.report.plot_limits import fitted_range, join, limit_rules, missing_sentence, scale_of
from simorc.report.plot_style import colours
from simorc.report.points import Point, Quantities, quantities

_MOST_BINS = 60
_LEAST_BINS = 8
_LEAST_FITTED = 20
_MOST_NAMED = 12
_FIT_POINTS = 121


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of the bars."""

    name: str
    points: Sequence[Point]
    colour: str
    hatched: bool = False


def histogram_chart(spec: PlotSpec, data: ReportData) -> Chart:
    """A panel for each of the measures, stacked by `group` where there is one.

    Random samples of one point have a normal curve over the bars; a grid, or several points, is no sample of anything.

    Raises
    ------
    UsageError: an unknown measure or parameter
    """
    asked = [quantities(data, name, spec.where) for name in spec.y]
    panels, sentences = [], []
    for q in asked:
        if spec.group:
            q.demand(spec.group)
        panel, said = _panel(q, spec)
        panels.append(panel)
        sentences += said
    values = asked[0].values(spec.group) if spec.group else []
    legend = Legend(spec.group, values, colours(values)) if spec.group else None
    return Chart(panels, join(sentences), legend, share_x=False)


def _panel(q: Quantities, spec: PlotSpec) -> tuple[Panel, list[str]]:
    scale = scale_of(q)
    marks: list[Mark] = []
    said: list[str] = []
    top = 0.0
    if q.known:
        edges = np.asarray(bin_edges([value / scale.factor for value in q.known]))
        marks, top = _bars(_parts(q, spec.group), edges, scale, q.unit)
        if _is_sample(q) and not spec.group and len(q.known) >= _LEAST_FITTED and len(edges) > 2:
            fit = _normal(q, scale, edges)
            top = max(top, max(fit.y))
            marks.append(fit)
            said = ["Curve: normal distribution with this mean and sigma."]
    rules, limits = limit_rules(q, scale, "x")
    low, high = fitted_range(q, scale, 0.12)
    x_axis = PlotAxis(scale.label(q.name), low=low, high=high)
    y_axis = PlotAxis("cases", low=0.0 if top else None, high=top * 1.15 if top else None, whole=True)
    return Panel(x_axis, y_axis, marks, rules), [_summary(q), *said, *limits, *missing_sentence(q)]


def _is_sample(q: Quantities) -> bool:
    """Whether the values are random samples of one point: nothing else varies."""
    return bool(q.free) and all(set(names) <= set(SAMPLE_COLUMNS) for names in q.free)


def _bars(parts: Sequence[_Part], edges: np.ndarray, scale: Scale, unit: str) -> tuple[list[Mark], float]:
    """The bars, part upon part, and the height of the highest."""
    floor = np.zeros(len(edges) - 1)
    marks = []
    for part in parts:
        shown = np.asarray([point.value for point in part.points], dtype=float) / scale.factor
        heights, _ = np.histogram(shown, bins=edges)
        places = np.clip(np.searchsorted(edges, shown, side="right") - 1, 0, len(floor) - 1)
        texts = []
        for i, height in enumerate(heights):
            ids = [p.case_id for p, at in zip(part.points, places, strict=True) if at == i] if 0 < height <= 200 else []
            ends = f"{quantity(edges[i] * scale.factor, unit)} to {quantity(edges[i + 1] * scale.factor, unit)}"
            texts.append(f"{part.name}{ends}: {count(int(height), 'value')}{_named(ids)}")
        here = [i for i, height in enumerate(heights) if height]
        marks.append(
            Mark(
                "bars",
                [float(edges[i]) for i in here],
                [float(floor[i]) for i in here],
                [float(edges[i + 1]) for i in here],
                [float(floor[i] + heights[i]) for i in here],
                part.colour,
                texts=[texts[i] for i in here],
                hatched=part.hatched,
            )
        )
        floor += heights
    return marks, float(floor.max())


def _named(ids: Sequence[int | None]) -> str:
    known = [case_id for case_id in ids if case_id is not None]
    if not known:
        return ""
    more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
    return f", case{'s' if len(known) > 1 else ''} {format_ranges(known[:_MOST_NAMED])}{more}"


def _normal(q: Quantities, scale: Scale, edges: np.ndarray) -> Mark:
    """The normal density with the values' mean and sample sigma, times number of values and width of a bin."""
    shown = np.asarray(q.known) / scale.factor
    mean, sigma = float(shown.mean()), float(shown.std(ddof=1))
    x = np.linspace(edges[0], edges[-1], _FIT_POINTS)
    width = float(edges[1] - edges[0])
    y = len(shown) * width / (sigma * math.sqrt(2 * math.pi)) * np.exp(-0.5 * ((x - mean) / sigma) ** 2)
    return Mark("line", x.tolist(), y.tolist(), colour="s1", name="normal distribution", texts=("normal distribution",))


def bin_edges(values: Sequence[float]) -> list[float]:
    """Edges of the bins (Freedman-Diaconis, 8 to 60); one bin around equal values.

    >>> bin_edges([1.0, 1.0])
    [0.95, 1.05]
    """
    low, high = min(values), max(values)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        half = abs(low) * 0.05 or 0.5
        return [low - half, low + half]
    first, third = np.quantile(values, (0.25, 0.75))
    width = 2.0 * float(third - first) / len(values) ** (1 / 3)
    wanted = math.ceil(min((high - low) / width, _MOST_BINS)) if width else 0  # one wild value asks for billions
    return [float(edge) for edge in np.linspace(low, high, max(wanted, _LEAST_BINS) + 1)]


def _parts(q: Quantities, group: str) -> list[_Part]:
    """The parts of the bars: the groups, else in spec and out of it."""
    known = [point for point in q.points if point.value is not None]
    if group:
        values = q.values(group)
        members: dict[object, list[Point]] = {axis_key(value): [] for value in values}
        for point in known:
            members[axis_key(point.conditions[group])].append(point)
        return [
            _Part(f"{group}={value_text(value)}, ", members[axis_key(value)], colour)
            for value, colour in zip(values, colours(values), strict=True)
        ]
    inside, outside = [p for p in known if not p.out], [p for p in known if p.out]
    return [_Part("", inside, "s0"), _Part("out of spec, ", outside, "fail", hatched=True)]


def _summary(q: Quantities) -> str:
    known = q.known
    if not known:
        return f"{q.name}: no values."
    sigma = f", sigma {quantity(statistics.stdev(known), q.unit)}" if len(known) > 1 else ""
    out = sum(point.out for point in q.points)
    beyond = f", {out} out of spec" if q.limits != [(None, None)] else ""
    return f"{q.name}: {count(len(known), 'value')}, mean {quantity(statistics.fmean(known), q.unit)}{sigma}{beyond}."
