"""One self-contained page: no network, light and dark, fit for paper; readable without its script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from importlib import resources

from markupsafe import Markup

from simorc.report.data import ReportData
from simorc.report.page import Page
from simorc.report.plot_style import DARK, LIGHT, Theme, variables
from simorc.report.plots import Picture
from simorc.report.sections import sections

_SCRIPTS = ("vendor/uPlot.iife.min.js", "scripts/cases.js", "scripts/marks.js", "scripts/charts.js")


def render_page(data: ReportData, pictures: Sequence[Picture], made: datetime) -> str:
    """The whole page as HTML text.

    Parameters
    ----------
    pictures: the drawn plots; their files lie beside the page, but the page does not need them
    made: the time it names as its own
    """
    page = Page(data, pictures, made)
    return page.render("report.html.j2", sections=sections(page), **look_and_script())


def look_and_script() -> dict[str, Markup]:
    """What every page brings with it: `style`, `script`, and `script_hash` for its Content-Security-Policy.

    The hash allows this script alone (Content Security Policy Level 3, 2.3.1).
    """
    script = "\n".join(_resource(name) for name in _SCRIPTS)
    digest = hashlib.sha256(f"\n{script}\n".encode()).digest()
    known = Markup("sha256-" + base64.b64encode(digest).decode())
    return {"style": Markup(style_sheet()), "script": Markup(script), "script_hash": known}


def style_sheet() -> str:
    """The style sheet, with the colours of the plots as its variables."""
    sheet = _resource("vendor/uPlot.min.css") + _resource("templates/report.css")
    return f"{_root(LIGHT)}\n@media screen and (prefers-color-scheme: dark) {{\n{_root(DARK)}\n}}\n{sheet}"


def _resource(name: str) -> str:
    return resources.files("simorc.report").joinpath(name).read_text(encoding="utf-8")


def _root(theme: Theme) -> str:
    return ":root {" + " ".join(f"--{name}: {colour};" for name, colour in variables(theme).items()) + "}"
