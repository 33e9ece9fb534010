"""The sections that say what many values together tell: statistics and yield, and what drives a measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simorc.core.run_statistics import ALL_LIMITS, GroupStatistics, group_names
from simorc.core.sensitivity import Effect, Sensitivity
from simorc.core.statistics import Yield
from simorc.core.units import Value
from simorc.report.display import value_text
from simorc.report.page import Page, Section

_MOST_ROWS = 300
_LEAST_SHARE = 0.01
"""Interactions that explain less stand in the table of `--format csv` alone."""


def statistics(page: Page) -> Section | None:
    """Yield over all limits, then location, spread and capability of every measure and group."""
    data = page.data
    rows = [row for row in data.statistics if row.found.n or row.in_spec]
    yields, measures = of_all_limits(rows), [row for row in rows if row.measure != ALL_LIMITS]
    if not measures:
        return None
    return page.section(
        "statistics",
        "Statistics",
        yields=yields[:_MOST_ROWS],
        rows=measures[:_MOST_ROWS],
        left_out=max(len(measures), len(yields)) - _MOST_ROWS,
        groups=group_names(data.plan.sweep),
        is_random=data.plan.sweep.samples > 0,
        shown=value_text,
        yield_text=yield_text,
        not_normal=any(row.found.is_normal is False for row in measures),
    )


def sensitivities(page: Page) -> Section | None:
    """What drives each measure: main effects, interactions of two axes, shares of the variance."""
    found = page.data.sensitivities
    if not found:
        return None
    rows = [(one, effect) for one in found for effect in (*one.effects, *_that_count(one))]
    return page.section(
        "sensitivity",
        "Sensitivity",
        rows=rows,
        found=found,
        axes_text=axes_text,
        shown=value_text,
        incomplete=[one.measure for one in found if not one.is_complete],
    )


def axes_text(effect: Effect) -> str:
    """The axes of an effect for people: `corner × temp`; names that vary in step stand together."""
    return " × ".join("+".join(names) for names in effect.axes)


def _that_count(one: Sensitivity) -> list[Effect]:
    return [effect for effect in one.interactions if effect.share >= _LEAST_SHARE]


def of_all_limits(rows: Sequence[GroupStatistics]) -> list[GroupStatistics]:
    """The rows that count samples in which every limit is met, the lowest yield first; none where nothing is random."""
    found = [row for row in rows if row.measure == ALL_LIMITS and row.in_spec is not None]
    return sorted(found, key=lambda row: row.in_spec.share if row.in_spec else 0.0)


def yield_text(found: Yield) -> str:
    """A yield with its interval for people.

    >>> from simorc.core.statistics import yield_of
    >>> yield_text(yield_of(198, 200))
    '99 % (96.4 to 99.9 %)'
    """
    low, high = 100 * found.interval.low, 100 * found.interval.high
    return f"{100 * found.share:.4g} % ({low:.3g} to {high:.3g} %)"


def group_of(group: Mapping[str, Value]) -> str:
    """The conditions of a group for people."""
    return ", ".join(f"{name}={value_text(value)}" for name, value in group.items()) or "all cases"
