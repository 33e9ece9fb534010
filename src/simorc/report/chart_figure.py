"""A chart as a matplotlib figure, in a theme's colours."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PatchCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import EngFormatter, MaxNLocator

from simorc.report.chart import Chart, ColourBar, Mark, Panel, PlotAxis, Rule
from simorc.report.plot_style import Theme, legend, log_axis, new_figure, slant_labels

Draw = Callable[[Axes, Mark, Theme], None]

_MOST_EDGED = 300
"""Of more bars than this the edges would cover what is between them."""


def figure_of(chart: Chart, theme: Theme) -> Figure:
    """The figure, laid out but for its title."""
    figure, axes = new_figure(theme, len(chart.panels), chart.share_x, chart.wide)
    for ax, panel in zip(axes, chart.panels, strict=True):
        _panel(figure, ax, panel, theme)
    if chart.share_x:
        for ax in axes[:-1]:
            ax.set_xlabel("")
    if chart.legend is not None:
        made = chart.legend
        paints = [theme.paint(colour) for colour in made.colours]
        legend(figure, theme, made.name, made.values, paints, made.markers, made.dots)
    return figure


def _panel(figure: Figure, ax: Axes, panel: Panel, theme: Theme) -> None:
    for mark in panel.marks:
        _DRAWN[mark.kind](ax, mark, theme)
    for rule in panel.rules:
        _rule(ax, rule, theme)
    _axis(ax, "x", panel.x)
    _axis(ax, "y", panel.y)
    if any(mark.kind == "bars" for mark in panel.marks):
        ax.grid(False, axis="x")
    if panel.bar is not None:
        _bar(figure, ax, panel.bar, theme)


def _axis(ax: Axes, which: str, scale: PlotAxis) -> None:
    (ax.set_xlabel if which == "x" else ax.set_ylabel)(scale.label)
    axis = ax.xaxis if which == "x" else ax.yaxis
    if scale.form == "log":
        log_axis(ax, which, scale.unit)
    elif scale.form == "engineering":
        axis.set_major_formatter(EngFormatter(unit=scale.unit, sep=" " if scale.unit else ""))
    elif scale.ticks:
        axis.set_ticks([at for at, _ in scale.ticks], [text for _, text in scale.ticks])
        if which == "x":
            slant_labels(ax, [text for _, text in scale.ticks])
    else:
        ax.ticklabel_format(axis="x" if which == "x" else "y", useOffset=False, style="plain")
        if which == "y":
            axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10], integer=scale.whole))
    if scale.low is not None and scale.high is not None:
        (ax.set_xlim if which == "x" else ax.set_ylim)(scale.low, scale.high)
    if scale.down:
        ax.invert_yaxis()


def _rule(ax: Axes, rule: Rule, theme: Theme) -> None:
    """A dashed line, named at its end, outside the axes, where no data are."""
    across = rule.axis == "y"
    (ax.axhline if across else ax.axvline)(rule.at, color=theme.limit, linewidth=1.1, dashes=(5, 3), zorder=2.5)
    ax.annotate(
        rule.text,
        (1.0, rule.at) if across else (rule.at, 1.0),
        xycoords=ax.get_yaxis_transform() if across else ax.get_xaxis_transform(),
        xytext=(3, 0) if across else (0, 2),
        textcoords="offset points",
        ha="left" if across else "center",
        va="center" if across else "bottom",
        color=theme.limit,
        fontsize=8,
        annotation_clip=False,
    )


def _bar(figure: Figure, ax: Axes, made: ColourBar, theme: Theme) -> None:
    bar = figure.colorbar(
        ScalarMappable(Normalize(made.low, made.high), made.colours), ax=ax, label=made.label, pad=0.02
    )
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=theme.muted, labelcolor=theme.muted)
    bar.ax.yaxis.label.set_color(theme.ink)


def _line(ax: Axes, mark: Mark, theme: Theme) -> None:
    ax.plot(
        mark.x,
        mark.y,
        color=theme.paint(mark.colour),
        marker=mark.marker,
        markersize=3.2 if mark.thin else 4.2,
        markevery=max(1, len(mark.x) // 15),
        linewidth=0.9 if mark.thin else 1.7,
        alpha=0.8 if mark.thin else 1.0,
        linestyle=":" if mark.dotted else "-",
    )


def _rings(ax: Axes, mark: Mark, theme: Theme) -> None:
    ax.scatter(
        mark.x,
        mark.y,
        marker="o",
        s=46,
        facecolors="none",
        edgecolors=theme.paint(mark.colour),
        linewidths=1.3,
        zorder=5,
    )


def _dots(ax: Axes, mark: Mark, theme: Theme) -> None:
    ax.scatter(mark.x, mark.y, marker="o", s=14, color=theme.paint(mark.colour), alpha=0.7, linewidths=0, zorder=4)


def _band(ax: Axes, mark: Mark, theme: Theme) -> None:
    ax.fill_between(mark.x, mark.y, mark.y2, color=theme.paint(mark.colour), alpha=0.16, linewidth=0)


def _stems(ax: Axes, mark: Mark, theme: Theme) -> None:
    ax.vlines(mark.x, mark.y, mark.y2, color=theme.paint(mark.colour), alpha=0.55, linewidth=2.2)


def _boxes(mark: Mark) -> list[Rectangle]:
    ends = zip(mark.x, mark.y, mark.x2, mark.y2, strict=True)
    return [Rectangle((x, y), x2 - x, y2 - y) for x, y, x2, y2 in ends]


def _bars(ax: Axes, mark: Mark, theme: Theme) -> None:
    hatch = "////" if mark.hatched else None
    edge = 0.5 if len(mark.x) <= _MOST_EDGED else 0.0
    boxes = PatchCollection(
        _boxes(mark), facecolor=theme.paint(mark.colour), edgecolor=theme.paper, linewidth=edge, hatch=hatch, zorder=2
    )
    ax.add_collection(boxes)
    ax.autoscale_view()


def _frames(ax: Axes, mark: Mark, theme: Theme) -> None:
    inks = [theme.paint(ink) for ink in mark.inks] or theme.ink
    ax.add_collection(
        PatchCollection(_boxes(mark), facecolor="none", edgecolor=inks, linewidth=1.4, linestyle=(0, (3, 2)))
    )


def _cells(ax: Axes, mark: Mark, theme: Theme) -> None:
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    boxes = _boxes(mark)
    painted = [i for i, colour in enumerate(mark.colours) if colour]
    empty = [box for i, box in enumerate(boxes) if not mark.colours[i]]
    ax.add_collection(
        PatchCollection(
            [boxes[i] for i in painted],
            facecolor=[mark.colours[i] for i in painted],
            edgecolor=theme.paper,
            linewidth=1.0,
        )
    )
    ax.add_collection(PatchCollection(empty, facecolor="none", edgecolor=theme.grid, linewidth=0, hatch="///"))
    for i, label in enumerate(mark.labels):
        at = (mark.x[i] + mark.x2[i]) / 2, (mark.y[i] + mark.y2[i]) / 2
        ax.text(*at, label, ha="center", va="center", fontsize=7.5, color=theme.paint(mark.inks[i]))


def _nothing(ax: Axes, mark: Mark, theme: Theme) -> None:
    """Only for the pointer; still within the range of the axes."""
    ax.update_datalim(np.column_stack([mark.x, mark.y]) if len(mark.x) else np.empty((0, 2)))


_DRAWN: Mapping[str, Draw] = {
    "line": _line,
    "dots": _dots,
    "rings": _rings,
    "band": _band,
    "stems": _stems,
    "bars": _bars,
    "frames": _frames,
    "cells": _cells,
    "targets": _nothing,
}
