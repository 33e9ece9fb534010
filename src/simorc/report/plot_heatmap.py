"""A measure over two parameters; over all others the worst value counts."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from simorc.core.errors import UsageError
from simorc.core.plan import PlotSpec
from simorc.report.data import ReportData
from simorc.report.display import Scale, axis_key, count, is_numeric, scale_for, value_text
from simorc.report.plot_limits import join, missing_sentence
from simorc.report.plot_style import Theme, new_figure, slant_labels
from simorc.report.points import Point, Quantities, by, grouped, quantities

_MOST_LABELLED = 150
_DARK_TEXT, _LIGHT_TEXT = "#101418", "#fefefe"  # no colours of a theme: a cell keeps its own in light and dark

Cells = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def draw_heatmap(spec: PlotSpec, data: ReportData, theme: Theme) -> tuple[Figure, str]:
    """The figure and its caption; rows are the values of `group`, columns those of `x`.

    Raises
    ------
    UsageError: an unknown measure or parameter, or one of the two axes is not given
    """
    if not spec.x or not spec.group:
        raise UsageError("a heat map needs two parameters", hint="give `x` and `group`")
    asked = [quantities(data, name, spec.where) for name in spec.y]
    figure, axes = new_figure(theme, len(asked), share_x=False)
    sentences: list[str] = []
    for ax, q in zip(axes, asked, strict=True):
        q.demand(spec.x)
        q.demand(spec.group)
        sentences += _panel(figure, ax, q, spec, theme)
    return figure, join(sentences)


def _panel(figure: Figure, ax: Axes, q: Quantities, spec: PlotSpec, theme: Theme) -> list[str]:
    xs, ys = q.values(spec.x), q.values(spec.group)
    cells, out, partial = _cells(q, spec)
    scale = scale_for(q.known, q.unit)
    shown = np.ma.masked_invalid(cells / scale.factor)
    ax.grid(False)
    if not is_numeric(ys):
        ax.invert_yaxis()  # texts read from the top, in the order of the sweep
    mesh = ax.pcolormesh(
        np.arange(len(xs) + 1) - 0.5, np.arange(len(ys) + 1) - 0.5, shown, cmap="cividis", edgecolors=theme.paper
    )
    mesh.set_linewidth(1.0)
    if q.known:
        bar = figure.colorbar(mesh, ax=ax, label=scale.label(q.name), pad=0.02)
        bar.outline.set_visible(False)
        bar.ax.tick_params(colors=theme.muted, labelcolor=theme.muted)
        bar.ax.yaxis.label.set_color(theme.ink)
    across, down = range(0, len(xs), _every(len(xs))), range(0, len(ys), _every(len(ys)))
    ax.set_xticks(across, [value_text(xs[i]) for i in across])
    ax.set_yticks(down, [value_text(ys[i]) for i in down])
    slant_labels(ax, [xs[i] for i in across])
    ax.set_xlabel(spec.x)
    ax.set_ylabel(spec.group)
    for spine in ax.spines.values():
        spine.set_visible(False)
    _annotate(ax, cells, out, partial, scale, theme)
    stars = ["Star: of some values only."] if partial.any() and cells.size <= _MOST_LABELLED else []
    return [*_how(q, spec), *_marked(out), *stars, *missing_sentence(q)]


def _every(labels: int) -> int:
    """Every how manieth value is named, so that at most sixteen are."""
    return max(1, -(-labels // 16))


def _cells(q: Quantities, spec: PlotSpec) -> tuple[Cells, Flags, Flags]:
    """Worst values, which are out of spec, and which stand for a part of their points only.

    All of shape (values of group, values of x); a cell without any value is NaN.
    """
    columns = {axis_key(x): i for i, x in enumerate(q.values(spec.x))}
    rows = {axis_key(y): i for i, y in enumerate(q.values(spec.group))}
    cells = np.full((len(rows), len(columns)), np.nan)
    out, partial = np.zeros(cells.shape, dtype=bool), np.zeros(cells.shape, dtype=bool)
    for (x, y), points in grouped(q.points, by(spec.x, spec.group)).items():
        value, is_out = _worst(points)
        if value is not None:
            at = rows[y], columns[x]
            cells[at], out[at], partial[at] = value, is_out, any(point.value is None for point in points)
    return cells, out, partial


def _worst(points: Sequence[Point]) -> tuple[float | None, bool]:
    """The value with the smallest margin; the median where nothing has limits."""
    known = [point.value for point in points if point.value is not None]
    judged = [point for point in points if point.margin is not None]
    if judged:
        tightest = min(judged, key=lambda point: point.margin or 0.0)
        return tightest.value, tightest.out
    return (statistics.median(known) if known else None), False


def _annotate(ax: Axes, cells: Cells, out: Flags, partial: Flags, scale: Scale, theme: Theme) -> None:
    labelled = cells.size <= _MOST_LABELLED
    known = cells[~np.isnan(cells)]
    norm = Normalize(known.min(), known.max()) if known.size else Normalize(0, 1)
    colormap = colormaps["cividis"]
    for (row, column), value in np.ndenumerate(cells):
        corner = (column - 0.5, row - 0.5)
        if np.isnan(value):
            ax.add_patch(Rectangle(corner, 1, 1, fill=False, hatch="///", edgecolor=theme.grid, linewidth=0))
            if labelled:
                ax.text(column, row, "missing", ha="center", va="center", fontsize=7, color=theme.muted)
            continue
        ink = _DARK_TEXT if _is_light(colormap(norm(value))) else _LIGHT_TEXT
        if labelled:
            text = scale.text(value) + ("*" if partial[row, column] else "")
            ax.text(column, row, text, ha="center", va="center", fontsize=7.5, color=ink)
        if out[row, column]:
            inset = (column - 0.45, row - 0.44)
            ax.add_patch(Rectangle(inset, 0.9, 0.88, fill=False, edgecolor=ink, linewidth=1.4, linestyle=(0, (3, 2))))


def _is_light(rgba: tuple[float, float, float, float]) -> bool:
    red, green, blue, _ = rgba
    return bool(0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 > 0.2)


def _how(q: Quantities, spec: PlotSpec) -> list[str]:
    others = q.others(spec.x, spec.group)
    if not others:
        return []
    judged = any(point.margin is not None for point in q.points)
    word = "worst value (smallest margin)" if judged else "median"
    return [f"Each cell: the {word} over {', '.join(others)}."]


def _marked(out: Flags) -> list[str]:
    number = int(out.sum())
    return [f"Dashed frame: out of spec ({count(number, 'cell')})."] if number else []
