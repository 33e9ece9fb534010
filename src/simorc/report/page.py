"""Pure: what the sections of the page are made from, and a section itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from simorc.core.verdict import RunVerdict
from simorc.report.data import ReportData, verdict
from simorc.report.display import conditions, count, limits_text, plus_minus, quantity, unit_sign
from simorc.report.plots import Picture
from simorc.report.spec_table import SpecRow, spec_rows

MARGINAL = "The sign ≈ before a value: inside its limits, but not by its uncertainty."


def environment(**values: Any) -> Environment:
    """Templates of this package; everything is escaped, an undefined name is an error.

    Parameters
    ----------
    values: what every template sees, by name
    """
    made = Environment(
        loader=PackageLoader("simorc.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"unit": unit_sign, "conditions": conditions}
    made.globals |= {"quantity": quantity, "count": count, "limits": limits_text, "plus_minus": plus_minus, **values}
    return made


def json_in_page(value: Any) -> Markup:
    """JSON for a script element: `<` is written so that no text can end the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: `key` is its anchor; an empty `title` gives it no heading and no place in the contents."""

    key: str
    title: str
    html: Markup


@dataclass(frozen=True)
class Page:
    """What the sections are made from; `made` is the time that the page names as its own."""

    data: ReportData
    pictures: Sequence[Picture]
    made: datetime

    @cached_property
    def verdict(self) -> RunVerdict:
        """The verdict at the top."""
        return verdict(self.data)

    @cached_property
    def spec_rows(self) -> list[SpecRow]:
        """The spec table."""
        return spec_rows(self.data)

    @cached_property
    def environment(self) -> Environment:
        """Templates of this package, which know the page and its data."""
        return environment(page=self, data=self.data, marginal_note=MARGINAL)

    def render(self, template: str, **values: Any) -> Markup:
        """A template of this package, filled in."""
        return Markup(self.environment.get_template(template).render(**values))

    def section(self, key: str, title: str, **values: Any) -> Section:
        """A section from the template of its key."""
        return Section(key, title, self.render(f"sections/{key}.html.j2", **values))
