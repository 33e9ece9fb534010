"""Pure: limits on a plot: lines where they fit into the picture, words where they do not."""

from __future__ import annotations

from collections.abc import Sequence

from simorc.report.chart import Rule
from simorc.report.display import Scale, quantity, scale_for
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


def limit_rules(q: Quantities, scale: Scale, axis: str = "y") -> tuple[list[Rule], list[str]]:
    """The limits that fit as lines across `axis`, and the sentences of the caption."""
    near, far = near_and_far(q)
    rules = [Rule(limit / scale.factor, f"{word} {quantity(limit, q.unit)}", axis) for word, limit in near]
    sentences = ["Dashed: limits."] if near else []
    if far:
        named = ", ".join(f"{word} {quantity(limit, q.unit)}" for word, limit in far)
        sentences.append(f"Limits outside the drawn range: {named}.")
    return rules, sentences


def scale_of(q: Quantities) -> Scale:
    """One prefix for the data and the drawn limits."""
    near, _ = near_and_far(q)
    return scale_for([*q.known, *(limit for _, limit in near)], q.unit)


def fitted_range(q: Quantities, scale: Scale, pad: float = 0.09) -> tuple[float, float] | tuple[None, None]:
    """A range that holds the data and the drawn limits, with room for the labels."""
    near, _ = near_and_far(q)
    shown = [value / scale.factor for value in [*q.known, *(limit for _, limit in near)]]
    if not shown:
        return None, None
    low, high = min(shown), max(shown)
    room = (high - low) * pad or abs(high) * 0.05 or 1.0
    return low - room, high + room


def missing_sentence(q: Quantities) -> list[str]:
    """How many of the values asked for are not there: missing, or spared by an early stop."""
    absent = {"spared": q.n_spared, "missing": len(q.points) - len(q.known) - q.n_spared}
    return [f"{number} of {len(q.points)} values are {word}." for word, number in absent.items() if number]


def join(sentences: Sequence[str]) -> str:
    """A caption of sentences, each once."""
    return " ".join(dict.fromkeys(sentences))
