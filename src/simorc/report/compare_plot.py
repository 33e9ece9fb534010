"""Overlays of a comparison: every side's values over one condition, runs as lines, foreign data as points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from simorc.core.units import Value
from simorc.report.chart import Chart, Legend, Mark, Panel, PlotAxis, parameter_scale
from simorc.report.compare import Comparison, conditions_text
from simorc.report.compare_side import FILE, is_numeric, set_of
from simorc.report.display import axis_key, axis_values, scale_for
from simorc.report.plot_style import colours
from simorc.report.plots import picture_of

MOST_OVERLAYS = 8
"""Of more than this the page shows the first ones and says so."""
_MOST_LINES = 8
_MOST_POINTS = 1500
_FEW = 10

Rows = Any


@dataclass(frozen=True, slots=True)
class Overlay:
    """One picture: `inline` for the page, `files` to lie beside it, `chart` for the page's script."""

    title: str
    caption: str
    inline: str
    files: dict[str, bytes]
    chart: Chart


@dataclass(frozen=True, eq=False, slots=True)
class _View:
    """What one picture shows: a measure over `x`, a line for each value of `line`, where `fixed` holds."""

    measure: str
    x: str
    line: str
    fixed: dict[str, Value]
    rows: Rows


def overlays(comparison: Comparison) -> tuple[list[Overlay], int]:
    """The pictures, and how many more there would be. A comparison of single points has none."""
    views = [view for measure in comparison.measures for view in _views(comparison, measure)]
    if not comparison.columns:
        return [], 0
    drawn = [_overlay(comparison, view, number) for number, view in enumerate(views[:MOST_OVERLAYS])]
    return drawn, max(len(views) - MOST_OVERLAYS, 0)


def _views(comparison: Comparison, measure: str) -> list[_View]:
    """The rows parted by texts first, then each part's own choice of x, lines and what is held."""
    known = (comparison.index >= 0).sum(axis=0) > 1
    rows = np.flatnonzero(known)
    texts = [name for name in comparison.columns if not is_numeric(comparison.condition(name))]
    numeric = [name for name in comparison.columns if name not in texts]
    if not numeric:
        x, *rest = texts
        return [_View(measure, x, "", fixed, part) for fixed, part in _parted(comparison, rest, rows)]
    views = []
    for fixed, part in _parted(comparison, texts, rows):
        counts = {name: len(set_of(comparison.condition(name)[part])) for name in numeric}
        x = max(numeric, key=lambda name: counts[name])
        rest = [name for name in numeric if name != x]
        lines = [name for name in rest if 1 < counts[name] <= _MOST_LINES]
        line = lines[-1] if lines else ""
        held = [name for name in rest if name != line]
        views += [_View(measure, x, line, fixed | more, few) for more, few in _parted(comparison, held, part)]
    return views


def _parted(comparison: Comparison, names: Sequence[str], rows: Rows) -> list[tuple[dict[str, Value], Rows]]:
    """Rows by the values of some conditions, in order of appearance."""
    if not names:
        return [({}, rows)]
    codes = np.zeros(len(rows), dtype=np.int64)
    for name in names:
        own, known = pd.factorize(np.array([str(axis_key(v)) for v in comparison.condition(name)[rows]], dtype=object))
        codes = codes * len(known) + own
    parts = pd.Series(rows).groupby(pd.factorize(codes)[0], sort=False)
    return [
        ({name: comparison.conditions(int(part.iloc[0]))[name] for name in names}, part.to_numpy()) for _, part in parts
    ]


def _overlay(comparison: Comparison, view: _View, number: int) -> Overlay:
    at = f" at {conditions_text(view.fixed)}" if view.fixed else ""
    title = f"{view.measure} over {view.x}{at}"
    chart = _chart(comparison, view)
    drawn = picture_of(chart, f"overlay{number + 1:02}", title, f"o{number}-")
    return Overlay(title, chart.caption, drawn.inline, dict(drawn.files), chart)


def _chart(comparison: Comparison, view: _View) -> Chart:
    values = {n: comparison.values(n, view.measure)[view.rows] for n in comparison.sides_with(view.measure)}
    every = np.concatenate(list(values.values()))
    scale = scale_for([float(v) for v in every[~np.isnan(every)]], comparison.measures[view.measure])
    held = comparison.condition(view.x)[view.rows]
    xs = axis_values(map(_plain, held))
    unit = comparison.unit_of(view.x)
    x_axis, places = parameter_scale(f"{view.x} [{unit}]" if unit else view.x, xs)
    positions = dict(zip(map(axis_key, xs), places, strict=True))
    at = np.array([positions[axis_key(x)] for x in map(_plain, held)])
    lines = _parted(comparison, [view.line] if view.line else [], view.rows)
    names = [side.short for side in comparison.sides]
    paints = colours(names)
    place = {int(row): i for i, row in enumerate(view.rows)}
    marks = [
        _mark(comparison, side, at, found / scale.factor, [place[int(row)] for row in rows], paints[side])
        for side, found in values.items()
        for _, rows in lines
    ]
    each = f"A line for each of {len(lines)} values of {view.line}. " if view.line else ""
    panel = Panel(x_axis, PlotAxis(scale.label(view.measure)), marks)
    points = [number for number, side in enumerate(comparison.sides) if side.target == FILE]
    return Chart([panel], f"{each}{_how(comparison)}", Legend("", names, paints, dots=points))


def _mark(comparison: Comparison, side: int, at: Any, found: Any, places: Sequence[int], paint: str) -> Mark:
    """One line of one side, thinned where it has very many points."""
    chosen = np.array(places)
    chosen = chosen[~np.isnan(found[chosen])]
    chosen = chosen[np.argsort(at[chosen], kind="stable")]
    chosen = chosen[:: max(1, -(-len(chosen) // _MOST_POINTS))]
    x, y = at[chosen].tolist(), found[chosen].tolist()
    if comparison.sides[side].target == FILE:
        return Mark("dots", x, y, colour=paint, name=comparison.sides[side].short)
    marker = "o" if len(chosen) < _FEW else ""
    return Mark("line", x, y, colour=paint, name=comparison.sides[side].short, marker=marker)


def _how(comparison: Comparison) -> str:
    foreign = any(side.target == FILE for side in comparison.sides)
    return "Runs are lines, foreign data are points." if foreign else ""


def _plain(value: Any) -> Value:
    return float(value) if isinstance(value, np.floating) else value
