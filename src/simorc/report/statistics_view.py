"""The sections that say what many values together tell: statistics and yield, and what drives a measure."""

from __future__ import annotations

from simorc.core.run_statistics import ALL_LIMITS, group_names, yields_lowest_first
from simorc.core.sensitivity import Effect, Sensitivity
from simorc.report.display import digits_for, value_text
from simorc.report.page import Page, Section

_MOST_ROWS = 300
_FEW_ROWS = 15
"""Up to so many rows by group stand open on the page."""
_LEAST_SHARE = 0.01
"""Interactions that explain less stand in the table of `--format csv` alone."""


def statistics(page: Page) -> Section | None:
    """Yield over all limits, then location, spread and capability of every measure and group; of a grid all first."""
    data = page.data
    is_random = data.plan.sweep.samples > 0
    rows = [row for row in data.statistics if row.found.n or row.in_spec]
    yields, measures = yields_lowest_first(rows), [row for row in rows if row.measure != ALL_LIMITS]
    if not measures:
        return None
    first = measures if is_random else [row for row in measures if not row.group]
    by_group = [] if is_random else [row for row in measures if row.group]
    return page.section(
        "statistics",
        "Statistics",
        yields=yields[:_MOST_ROWS],
        rows=first[:_MOST_ROWS],
        by_group=by_group[:_MOST_ROWS],
        few=_FEW_ROWS,
        left_out=max(len(first), len(by_group), len(yields)) - _MOST_ROWS,
        groups=group_names(data.plan.sweep),
        is_random=is_random,
        shown=value_text,
        digits_for=digits_for,
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
