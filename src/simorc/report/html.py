"""One self-contained page: no network, no script, light and dark, fit for paper."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib import resources

from markupsafe import Markup

from simorc.report.data import ReportData
from simorc.report.page import Page
from simorc.report.plot_style import DARK, LIGHT, Theme, variables
from simorc.report.plots import Picture
from simorc.report.sections import sections


def render_page(data: ReportData, pictures: Sequence[Picture], made: datetime) -> str:
    """The whole page as HTML text.

    Parameters
    ----------
    pictures: the drawn plots; their files lie beside the page, but the page does not need them
    made: the time it names as its own
    """
    page = Page(data, pictures, made)
    return page.render("report.html.j2", sections=sections(page), style=Markup(style_sheet()))


def style_sheet() -> str:
    """The style sheet, with the colours of the plots as its variables."""
    sheet = resources.files("simorc.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    return f"{_root(LIGHT)}\n@media screen and (prefers-color-scheme: dark) {{\n{_root(DARK)}\n}}\n{sheet}"


def _root(theme: Theme) -> str:
    return ":root {" + " ".join(f"--{name}: {colour};" for name, colour in variables(theme).items()) + "}"
