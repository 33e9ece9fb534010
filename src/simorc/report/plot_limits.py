"""Limits on a plot: lines where they fit into the picture, words where they do not."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from simorc.report.display import Scale, quantity, scale_for
from simorc.report.plot_style import Theme
from simorc.report.points import Quantities

_FAR = 4.0
"""A limit farther from the data than this many times their span would flatten them: it is named, not drawn."""


def near_and_far(q: Quantities) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """The limits that are drawn and those that are only named, each `min` or `max` with its value."""
    every = dict.fromkeys(
        (word, limit)
        for pair in q.limits
        for word, limit in zip(("min", "max"), pair, strict=True)
        if limit is not None
    )
    known = q.known
    if not known:
        return list(every), []
    low, high = min(known), max(known)
    span = (high - low) or abs(high) * 0.05
    reach = span * _FAR
    near = [(word, limit) for word, limit in every if low - reach <= limit <= high + reach]
    return near, [entry for entry in every if entry not in near]


def draw_limits(ax: Axes, theme: Theme, q: Quantities, scale: Scale, along: str = "y") -> list[str]:
    """Draw the limits that fit, dashed and labelled; gives the sentences of the caption."""
    near, far = near_and_far(q)
    for word, limit in near:
        (ax.axhline if along == "y" else ax.axvline)(
            limit / scale.factor, color=theme.limit, linewidth=1.1, dashes=(5, 3), zorder=2.5
        )
        _label(ax, theme, f"{word} {quantity(limit, q.unit)}", limit / scale.factor, along)
    sentences = ["Dashed: limits."] if near else []
    if far:
        named = ", ".join(f"{word} {quantity(limit, q.unit)}" for word, limit in far)
        sentences.append(f"Limits outside the drawn range: {named}.")
    return sentences


def _label(ax: Axes, theme: Theme, text: str, position: float, along: str) -> None:
    """Name a limit at its end, outside the axes, where no data are."""
    upright = along == "y"
    ax.annotate(
        text,
        (1.0, position) if upright else (position, 1.0),
        xycoords=ax.get_yaxis_transform() if upright else ax.get_xaxis_transform(),
        xytext=(3, 0) if upright else (0, 2),
        textcoords="offset points",
        ha="left" if upright else "center",
        va="center" if upright else "bottom",
        color=theme.limit,
        fontsize=8,
        annotation_clip=False,
    )


def scale_of(q: Quantities) -> Scale:
    """One prefix for the data and the drawn limits."""
    near, _ = near_and_far(q)
    return scale_for([*q.known, *(limit for _, limit in near)], q.unit)


def fit_range(ax: Axes, q: Quantities, scale: Scale) -> None:
    """A y range that holds the data and the drawn limits, with room for the labels."""
    near, _ = near_and_far(q)
    shown = [value / scale.factor for value in [*q.known, *(limit for _, limit in near)]]
    if not shown:
        return
    low, high = min(shown), max(shown)
    pad = (high - low) * 0.09 or abs(high) * 0.05 or 1.0
    ax.set_ylim(low - pad, high + pad)


def missing_sentence(q: Quantities) -> list[str]:
    """How many of the values asked for are not there."""
    absent = len(q.points) - len(q.known)
    return [f"{absent} of {len(q.points)} values are missing."] if absent else []


def join(sentences: Sequence[str]) -> str:
    """A caption of sentences, each once."""
    return " ".join(dict.fromkeys(sentences))
