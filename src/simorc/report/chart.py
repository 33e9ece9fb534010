"""Pure: a plot as data: axes, marks, limits. `chart_figure` draws it for files, the page's script for the reader."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, cast

from simorc.core.units import Value, as_number
from simorc.report.case_columns import short
from simorc.report.display import is_numeric, value_text

MOST_LABELS = 16

MOST_POINTS = 40_000
"""Of more points in a panel than this the page draws a selection; PNG and SVG have all."""


@dataclass(frozen=True, slots=True)
class PlotAxis:
    """One axis of a panel, in the numbers that are shown.

    Parameters
    ----------
    form: `plain`, `engineering` (prefixes at the ticks), `log` (the same at decades), `texts` (names at 0, 1, 2 …)
    unit: stands at engineering and log ticks
    ticks: places that have a name of their own; empty for round numbers
    low, high: the range; None where the data say it
    whole: only whole numbers are ticks
    down: runs from the top
    """

    label: str
    form: str = "plain"
    unit: str = ""
    ticks: Sequence[tuple[float, str]] = ()
    low: float | None = None
    high: float | None = None
    whole: bool = False
    down: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Something drawn; `x`, `y` and, where the kind has them, `x2`, `y2` are of one length.

    Parameters
    ----------
    kind: `line`, `dots`, `rings`, `band` (from y to y2), `stems` (upright, from y to y2), `bars` (rectangles),
        `cells` (rectangles with `colours` and `labels`; without a colour: missing), `frames` (dashed rectangles),
        `targets` (not drawn; the pointer finds them)
    colour: a name of the theme (`s0`, `fail` …) or `#rrggbb`
    cases: one a point, or one for all points
    texts: what is said of each point, or of all; else where it lies, and its case
    labels: written into cells; `inks` their colours
    """

    kind: str
    x: Sequence[float]
    y: Sequence[float]
    x2: Sequence[float] = ()
    y2: Sequence[float] = ()
    colour: str = "s0"
    colours: Sequence[str] = ()
    inks: Sequence[str] = ()
    cases: Sequence[int] = ()
    texts: Sequence[str] = ()
    labels: Sequence[str] = ()
    name: str = ""
    marker: str = ""
    thin: bool = False
    dotted: bool = False
    hatched: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit: a dashed line across the panel at a value of `axis`, with its name at the end."""

    at: float
    text: str
    axis: str = "y"


@dataclass(frozen=True, slots=True)
class ColourBar:
    """What the colours of cells mean: the ends, the name of a matplotlib colour map, colours evenly taken from it."""

    label: str
    low: float
    high: float
    colours: str
    stops: Sequence[str]


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes; later marks lie over earlier ones."""

    x: PlotAxis
    y: PlotAxis
    marks: Sequence[Mark]
    rules: Sequence[Rule] = ()
    bar: ColourBar | None = None


@dataclass(frozen=True, slots=True)
class Legend:
    """What colours and markers stand for: values of `name`; `dots` are the places of those that are drawn as dots."""

    name: str
    values: Sequence[Value]
    colours: Sequence[str]
    markers: bool = False
    dots: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """A plot: panels one above the other, a legend, a caption of full sentences.

    `share_x` is for a common x axis, `wide` for a plot that takes the whole width of the page.
    """

    panels: Sequence[Panel]
    caption: str
    legend: Legend | None = None
    share_x: bool = True
    wide: bool = False


def parameter_scale(name: str, values: Sequence[Value], log: bool = False) -> tuple[PlotAxis, list[float]]:
    """The axis of a parameter, and where on it each value lies: at its number, or for texts at 0, 1, 2 …

    >>> parameter_scale("corner", ["tt", "ff"])[0].ticks
    ((0, 'tt'), (1, 'ff'))
    """
    if not is_numeric(values):
        ends = (-0.5, max(len(values), 1) - 0.5)
        named = tuple((i, value_text(value)) for i, value in enumerate(values))
        return PlotAxis(name, "texts", ticks=named, low=ends[0], high=ends[1]), [float(i) for i in range(len(values))]
    at = [as_number(value) or 0.0 for value in values]
    if log and all(position > 0 for position in at):
        return PlotAxis(name, "log"), at
    if needs_prefix(at):
        return PlotAxis(name, "engineering"), at
    ticks = tuple((place, value_text(value)) for place, value in zip(at, values, strict=True)) if _fit(at) else ()
    return PlotAxis(name, ticks=ticks), at


def needs_prefix(numbers: Sequence[float]) -> bool:
    """Whether numbers read better with an engineering prefix: below 0.01 or from 10,000 on."""
    largest = max((abs(n) for n in numbers), default=0.0)
    return largest != 0 and not 0.01 <= largest < 1e4


def _fit(at: Sequence[float]) -> bool:
    """Whether the values themselves make good ticks: few, and none too near to its neighbour."""
    ordered = sorted(at)
    gaps = [after - before for before, after in itertools.pairwise(ordered)]
    return len(at) <= 9 and (not gaps or min(gaps) > 0.05 * sum(gaps))


def for_page(chart: Chart) -> dict[str, Any]:
    """A chart as what JSON can hold, its long lines thinned.

    Of a panel with many points each line keeps, in even stretches, its lowest and its highest point and both ends.
    """
    made = [replace(panel, marks=_thinned(panel.marks)) for panel in chart.panels]
    legend = chart.legend and replace(chart.legend, values=[value_text(value) for value in chart.legend.values])
    return cast("dict[str, Any]", plain(replace(chart, panels=made, legend=legend)))


def _thinned(marks: Sequence[Mark]) -> list[Mark]:
    total = sum(len(mark.x) for mark in marks)
    if total <= MOST_POINTS:
        return list(marks)
    return [_extremes(mark, max(MOST_POINTS * len(mark.x) // total, 8)) for mark in marks]


def _extremes(mark: Mark, most: int) -> Mark:
    if mark.kind not in ("line", "band") or len(mark.x) <= most or len(mark.cases) > 1 or mark.texts:
        return mark
    stretch = -(-2 * len(mark.x) // most)
    kept = {0, len(mark.x) - 1}
    for start in range(0, len(mark.x), stretch):
        places = range(start, min(start + stretch, len(mark.x)))
        kept |= {min(places, key=mark.y.__getitem__), max(places, key=(mark.y2 or mark.y).__getitem__)}
    at = sorted(kept)
    return replace(
        mark, x=[mark.x[i] for i in at], y=[mark.y[i] for i in at], y2=[mark.y2[i] for i in at] if mark.y2 else ()
    )


def plain(value: Any) -> Any:
    """A chart as what JSON can hold: short numbers, null for what is none; fields at their defaults are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(v) for f in fields(value) if (v := getattr(value, f.name)) != f.default}
    if isinstance(value, float):
        return short(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
