"""A measure over two parameters, where over all others the worst value counts; and how measures go together."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np

from simorc.core.errors import UsageError
from simorc.core.plan import PlotSpec
from simorc.core.units import Value
from simorc.report.chart import MOST_LABELS, Chart, ColourBar, Mark, Panel, PlotAxis
from simorc.report.data import ReportData
from simorc.report.display import axis_key, count, is_numeric, quantity, scale_for, value_text
from simorc.report.plot_limits import join, missing_sentence
from simorc.report.plot_style import heat, ink_on
from simorc.report.points import Point, Quantities, by, grouped, quantities

_MOST_LABELLED = 150
_MAP, _SIGNED_MAP = "cividis", "RdBu_r"


def heatmap_chart(spec: PlotSpec, data: ReportData) -> Chart:
    """Rows are the values of `group`, columns those of `x`.

    Raises
    ------
    UsageError: an unknown measure or parameter, or one of the two axes is not given
    """
    if not spec.x or not spec.group:
        raise UsageError("a heat map needs two parameters", hint="give `x` and `group`")
    panels, sentences = [], []
    for q in [quantities(data, name, spec.where) for name in spec.y]:
        q.demand(spec.x)
        q.demand(spec.group)
        panel, said = _panel(q, spec)
        panels.append(panel)
        sentences += said
    return Chart(panels, join(sentences), share_x=False)


def _panel(q: Quantities, spec: PlotSpec) -> tuple[Panel, list[str]]:
    xs, ys = q.values(spec.x), q.values(spec.group)
    groups = grouped(q.points, by(spec.x, spec.group))
    worst = [[_worst(groups.get((axis_key(x), axis_key(y)), [])) for x in xs] for y in ys]
    scale = scale_for(q.known, q.unit)
    values = [[point.value if point else None for point, _ in row] for row in worst]
    partial = [[some and point is not None for point, some in row] for row in worst]
    labelled = len(xs) * len(ys) <= _MOST_LABELLED
    texts, labels = [], []
    for y, row in zip(ys, worst, strict=True):
        for x, (point, some) in zip(xs, row, strict=True):
            shown = "missing" if point is None or point.value is None else quantity(point.value, q.unit, 5)
            texts.append(f"{spec.x}={value_text(x)}, {spec.group}={value_text(y)}: {shown}")
            number = scale.text(point.value) if point and point.value is not None else "missing"
            labels.append(number + ("*" if some and point else ""))
    ids = [point.case_id if point else None for row in worst for point, _ in row]
    shown_values = [v for row in values for v in row if v is not None]
    ends = (min(shown_values, default=0.0), max(shown_values, default=1.0))
    cells = _cells(values, ends, _MAP, labels if labelled else [], texts, ids)
    out = [i for i, (point, _) in enumerate(p for row in worst for p in row) if point and point.out]
    marks = [cells, *_frames(cells, out)]
    low, high = (end / scale.factor for end in ends)
    bar = ColourBar(scale.label(q.name), low, high, _MAP, _stops(_MAP)) if shown_values else None
    panel = Panel(_named(spec.x, xs), _named(spec.group, ys, down=not is_numeric(ys)), marks, bar=bar)
    starred = labelled and any(some for row in partial for some in row)
    stars = ["Star: of some values only."] if starred else []
    framed = [f"Dashed frame: out of spec ({count(len(out), 'cell')})."] if out else []
    return panel, [*_how(q, spec), *framed, *stars, *missing_sentence(q)]


def _stops(colour_map: str) -> list[str]:
    return heat([i / 8 for i in range(9)], colour_map)


def _named(name: str, values: Sequence[Value], down: bool = False) -> PlotAxis:
    """An axis of cells; texts read from the top, in the order of the sweep; at most sixteen are named."""
    step = max(1, -(-len(values) // MOST_LABELS))
    ticks = tuple((float(i), value_text(values[i])) for i in range(0, len(values), step))
    return PlotAxis(name, "texts", ticks=ticks, low=-0.5, high=max(len(values), 1) - 0.5, down=down)


def _cells(
    values: Sequence[Sequence[float | None]],
    ends: tuple[float, float],
    colour_map: str,
    labels: Sequence[str],
    texts: Sequence[str],
    ids: Sequence[int | None] = (),
) -> Mark:
    """Cells of shape (rows, columns), row 0 at y = 0."""
    flat = [(x, y, value) for y, row in enumerate(values) for x, value in enumerate(row)]
    known = heat([value for _, _, value in flat if value is not None], colour_map, ends)
    paints = iter(known)
    colours = [next(paints) if value is not None else "" for _, _, value in flat]
    return Mark(
        "cells",
        [x - 0.5 for x, _, _ in flat],
        [y - 0.5 for _, y, _ in flat],
        [x + 0.5 for x, _, _ in flat],
        [y + 0.5 for _, y, _ in flat],
        colours=colours,
        inks=[ink_on(colour) if colour else "muted" for colour in colours],
        labels=labels,
        texts=texts,
        cases=[-1 if case is None else case for case in ids] if any(case is not None for case in ids) else (),
    )


def _frames(cells: Mark, which: Sequence[int]) -> list[Mark]:
    if not which:
        return []
    return [
        Mark(
            "frames",
            [cells.x[i] + 0.05 for i in which],
            [cells.y[i] + 0.06 for i in which],
            [cells.x2[i] - 0.05 for i in which],
            [cells.y2[i] - 0.06 for i in which],
            inks=[cells.inks[i] for i in which],
        )
    ]


def _worst(points: Sequence[Point]) -> tuple[Point | None, bool]:
    """The point with the smallest margin, else one with the median; and whether some points are missing."""
    known = [point for point in points if point.value is not None]
    some = len(known) < len(points)
    judged = [point for point in known if point.margin is not None]
    if judged:
        return min(judged, key=lambda point: point.margin or 0.0), some
    if not known:
        return None, some
    middle = statistics.median([point.value for point in known if point.value is not None])
    only = known[0].case_id if len(known) == 1 else None
    return Point(known[0].conditions, middle, None, None, None, False, only), some


def _how(q: Quantities, spec: PlotSpec) -> list[str]:
    others = q.others(spec.x, spec.group)
    if not others:
        return []
    judged = any(point.margin is not None for point in q.points)
    word = "worst value (smallest margin)" if judged else "median"
    return [f"Each cell: the {word} over {', '.join(others)}."]


def correlation_chart(spec: PlotSpec, data: ReportData) -> Chart:
    """Pearson's correlation of measures, each pair over the cases that have both; all measures where `y` names none.

    Raises
    ------
    UsageError: an unknown measure, an aggregate, or fewer than two measures
    """
    names = spec.y or tuple(measure.name for measure in data.measures_here)
    asked = [quantities(data, name, spec.where) for name in names]
    if any(point.case_id is None for q in asked for point in q.points):
        raise UsageError("aggregates have no value a case", hint="name measures in `y`")
    if len(asked) < 2:
        raise UsageError("a correlation needs two measures", hint="name them in `y`")
    table = np.array([[np.nan if p.value is None else p.value for p in q.points] for q in asked], dtype=float)
    values = [[_pearson(a, b) for b in table] for a in table]
    labels = [("–" if value is None else f"{value:.2f}") for row in values for value in row]
    texts = [
        f"{a} and {b}: {'no correlation can be computed' if value is None else f'r = {value:.3f}'}"
        for a, row in zip(names, values, strict=True)
        for b, value in zip(names, row, strict=True)
    ]
    marks = [_cells(values, (-1.0, 1.0), _SIGNED_MAP, labels if len(labels) <= _MOST_LABELLED else [], texts)]
    bar = ColourBar("Pearson's r", -1.0, 1.0, _SIGNED_MAP, _stops(_SIGNED_MAP))
    panel = Panel(_named("", names), _named("", names, down=True), marks, bar=bar)
    said = f"Pearson's correlation over {count(table.shape[1], 'case')}, of each pair those that have both."
    return Chart([panel], said)


def _pearson(a: np.ndarray, b: np.ndarray) -> float | None:
    """Pearson's r of the places where both are numbers; None below three of them or where one does not vary."""
    both = np.isfinite(a) & np.isfinite(b)
    x, y = a[both], b[both]
    if len(x) < 3 or np.ptp(x) <= 1e-12 * np.max(np.abs(x)) or np.ptp(y) <= 1e-12 * np.max(np.abs(y)):
        return None
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))
