"""How plots look: colours, figures, axes with engineering units. No state of pyplot is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullLocator

from simorc.core.units import Value
from simorc.report.display import is_numeric, quantity, value_text

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
MANY = len(MARKERS)
WIDTH_IN = 5.4
_RAMP = ("#3d6fe0", "#1f9bb5", "#3aa655", "#c79a1e", "#d9602b")
_RC = {
    "font.size": 9.5,
    "axes.linewidth": 0.8,
    "lines.solid_capstyle": "round",
    "lines.solid_joinstyle": "round",
    "path.simplify_threshold": 0.25,
    "svg.fonttype": "none",
    "svg.hashsalt": "simorc",
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "hatch.linewidth": 0.6,
}


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of one rendering. The series are chosen to stay apart for colour-blind readers."""

    ink: str
    muted: str
    grid: str
    paper: str
    series: tuple[str, ...]
    limit: str
    fail: str

    def paint(self, colour: str) -> str:
        """A colour by its name, such as `s0` or `fail`; `#rrggbb` is itself."""
        return colour if colour.startswith("#") else variables(self)[colour]


LIGHT = Theme(
    "#1b2430",
    "#5b6674",
    "#e3e7ec",
    "#ffffff",
    ("#0069b4", "#d07a00", "#008a68", "#b04f8c", "#2f93cc", "#7d6200", "#5d51cc", "#68727e"),
    "#8a2846",
    "#c8102e",
)
DARK = Theme(
    "#e6eaf0",
    "#9aa6b4",
    "#2b3440",
    "#151b23",
    ("#58a9ea", "#eea33c", "#35c49d", "#e490c4", "#86ccf6", "#ccab45", "#a59bff", "#a9b3be"),
    "#f09ab4",
    "#ff6b7d",
)


def variables(theme: Theme) -> dict[str, str]:
    """The colours of a theme under the names that the page's style sheet uses."""
    named = {name: getattr(theme, name) for name in ("ink", "muted", "grid", "paper", "limit", "fail")}
    return named | {f"s{i}": colour for i, colour in enumerate(theme.series)}


def rc() -> dict[Any, Any]:
    """Settings that hold while a figure is drawn and written (for `matplotlib.rc_context`)."""
    return dict(_RC)


def new_figure(theme: Theme, panels: int = 1, share_x: bool = True, wide: bool = False) -> tuple[Figure, list[Axes]]:
    """A figure with panels one above the other, in the house style; a wide one has twice the width."""
    figure = Figure(
        figsize=(WIDTH_IN * (1 + wide), 3.2 + 2.1 * (panels - 1)), layout="constrained", facecolor=theme.paper
    )
    grid = figure.subplots(panels, 1, squeeze=False, sharex=share_x)
    axes = [row[0] for row in grid]
    for ax in axes:
        _dress(ax, theme)
    return figure, axes


def _dress(ax: Axes, theme: Theme) -> None:
    ax.set_facecolor("none")
    ax.grid(True, color=theme.grid, linewidth=0.7)
    ax.set_axisbelow(True)
    ax.tick_params(which="both", colors=theme.muted, labelcolor=theme.muted, length=3, width=0.7)
    ax.xaxis.label.set_color(theme.ink)
    ax.yaxis.label.set_color(theme.ink)
    for side, spine in ax.spines.items():
        spine.set_color(theme.muted)
        spine.set_visible(side in ("left", "bottom"))


def colours(values: Sequence[Value]) -> list[str]:
    """A colour a value: a ramp from cold to warm for numbers and for many, else colours that stand apart."""
    if len(values) > 1 and (is_numeric(values) or len(values) > MANY):
        return heat([float(i) for i in range(len(values))], LinearSegmentedColormap.from_list("simorc", list(_RAMP)))
    return [f"s{i % MANY}" for i in range(len(values))]


def heat(values: Sequence[float], colour_map: str | Colormap, ends: tuple[float, float] | None = None) -> list[str]:
    """A colour of a colour map for each value, between the smallest and the largest unless `ends` are given."""
    low, high = ends or (min(values, default=0.0), max(values, default=1.0))
    chosen = colormaps[colour_map] if isinstance(colour_map, str) else colour_map
    return [to_hex(chosen((value - low) / ((high - low) or 1.0))) for value in values]


def ink_on(colour: str) -> str:
    """Black or white, whichever is read better on `#rrggbb` (relative luminance, WCAG 2.1)."""
    red, green, blue = to_rgb(colour)
    return "#101418" if 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 > 0.2 else "#fefefe"


def legend(
    figure: Figure,
    theme: Theme,
    name: str,
    values: Sequence[Value],
    paints: Sequence[str],
    markers: bool = False,
    dots: Sequence[int] = (),
) -> None:
    """A legend under the axes; of many values it names eight, evenly chosen, with the first and the last.

    `markers` says whether lines carry one for each value, `dots` which values are dots without a line.
    """
    if not values:
        return
    shown = sorted({round(i) for i in np.linspace(0, len(values) - 1, min(len(values), MANY))})
    marked = markers and len(values) <= MANY
    signs = {i: "o" if i in dots else MARKERS[i] if marked else "" for i in shown}
    handles = [
        Line2D([], [], color=paints[i], marker=signs[i], markersize=4, linewidth=0 if i in dots else 1.6) for i in shown
    ]
    texts = [value_text(values[i]) for i in shown]
    head = [Line2D([], [], linestyle="")] if name else []
    figure.legend(
        [*head, *handles],
        [*([name] if name else []), *texts],
        loc="outside lower center",
        ncols=max(1, min(len(texts) + 1, 72 // (max(map(len, [name, *texts])) + 6))),
        frameon=False,
        labelcolor=[*[theme.muted] * len(head), *[theme.ink] * len(texts)],
        handlelength=1.6,
        handletextpad=0.5,
        columnspacing=1.2,
    )


def slant_labels(ax: Axes, values: Sequence[Value]) -> None:
    """Turn the labels of the x axis where they would run into each other."""
    if sum(len(value_text(value)) + 2 for value in values) > 72:
        ax.tick_params(axis="x", labelrotation=45)
        for label in ax.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")


def log_axis(ax: Axes, which: str, unit: str = "") -> None:
    """A logarithmic axis with engineering prefixes at the decades."""
    (ax.set_xscale if which == "x" else ax.set_yscale)("log")
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(LogLocator(numticks=8))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: quantity(value, unit) if unit else _plain(value)))


def _plain(value: float) -> str:
    return EngFormatter(sep="")(value)
