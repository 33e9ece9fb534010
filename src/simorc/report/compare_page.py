"""The files of a comparison: a self-contained page in the style of the report, its pictures, its tables as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from os.path import relpath
from pathlib import Path
from urllib.parse import quote

import numpy as np
from markupsafe import Markup

from simorc.core.tolerance import Agreement
from simorc.report import bench_view
from simorc.report.chart import for_page
from simorc.report.compare import Comparison, conditions_text
from simorc.report.compare_csv import joined_lines, regression_rows, summary_rows
from simorc.report.compare_difference import Difference
from simorc.report.compare_plot import Overlay, overlays
from simorc.report.compare_side import Side
from simorc.report.compare_table import blocks
from simorc.report.data import verdict
from simorc.report.display import is_numeric, minute, value_text
from simorc.report.html import look_and_script
from simorc.report.page import environment, json_in_page
from simorc.report.regression import Change, Regression
from simorc.report.strip import dots
from simorc.workspace.csv_text import csv_lines
from simorc.workspace.files import replace_file, storage_error
from simorc.workspace.layout import COMPARISONS, RunDirectory

MOST_ROWS = 2000
"""Of more conditions than this the page shows the first ones; comparison.csv has every one."""

MOST_CHANGES = 500
"""Of more changes than this the page shows the worst ones; regression.csv has every one."""

_LONGEST_NAME = 200
_DOT_PLACES = 400
_BADGES = {
    Agreement.AGREES: "pass",
    Agreement.DIFFERS: "fail",
    Agreement.UNCLEAR: "marginal",
    Agreement.NOT_JUDGED: "none",
}
_CHANGE_BADGES = {
    Change.NEWLY_FAILING: "fail",
    Change.MISSING: "fail",
    Change.BEYOND: "fail",
    Change.NEWLY_PASSING: "pass",
}


@dataclass(frozen=True, slots=True)
class Source:
    """One of the inputs: its name in the folder's name, its report's page where it is a run."""

    name: str
    run: RunDirectory | None = None

    def link(self, folder: Path) -> str:
        """Relative link to the report; empty where there is none."""
        page = self.run.report / "index.html" if self.run else None
        return quote(relpath(page, folder)) if page is not None and page.is_file() else ""


def folder_for(output: Path, sources: Sequence[Source]) -> Path:
    """Where a comparison goes by default: `compare/<A>_vs_<B>/` among the runs."""
    name = "_vs_".join(source.name for source in sources)
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}_{sha256(name.encode()).hexdigest()[:8]}"
    return output / COMPARISONS / name


def write_comparison(
    folder: Path, comparison: Comparison, found: Sequence[Regression], sources: Sequence[Source], made: datetime
) -> Path:
    """Write index.html, comparison.csv, summary.csv, of a diff regression.csv, and pictures; gives the page's path.

    Parameters
    ----------
    found: the diffs between runs of one target
    made: the time that the page names as its own

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in (*folder.glob("overlay[0-9][0-9].???"), *folder.glob("regression.csv")):  # ours, nobody else's
            old.unlink()
    except OSError as error:
        raise storage_error(error, folder) from error
    replace_file(folder / "comparison.csv", joined_lines(comparison), durable=False)
    replace_file(folder / "summary.csv", csv_lines(summary_rows(comparison)), durable=False)
    if found:
        replace_file(folder / "regression.csv", csv_lines(regression_rows(comparison, found)), durable=False)
    drawn, more = overlays(comparison)
    for overlay in drawn:
        for name, content in overlay.files.items():
            replace_file(folder / name, content, durable=False)
    links = [source.link(folder) for source in sources]
    page = render_comparison(comparison, links, made, found, drawn, more)
    replace_file(folder / "index.html", page.encode("utf-8", "backslashreplace"), durable=False)
    return folder / "index.html"


def render_comparison(
    comparison: Comparison,
    reports: Sequence[str],
    made: datetime,
    found: Sequence[Regression] = (),
    drawn: Sequence[Overlay] = (),
    more: int = 0,
) -> str:
    """The page as HTML text.

    Parameters
    ----------
    reports: link to the report of each input, empty where it has none
    found: the diffs between runs of one target
    drawn: pictures, and `more`: how many were left out
    """
    shown = min(len(comparison), MOST_ROWS)
    rows = [comparison.conditions(row) for row in range(shown)]
    made_from = environment(value_text=value_text, conditions_text=conditions_text)
    lacking = [(comparison.conditions(row), comparison.reason(row)) for row in comparison.lacking_rows[:200]]
    text = made_from.get_template("compare.html.j2").render(
        comparison=comparison,
        title=" and ".join(side.label for side in comparison.sides),
        runs=[_facts(side, reports[side.source]) for side in comparison.sides],
        differences=[_told(comparison, d) for d in comparison.differences],
        between=any(d.between is not None for d in comparison.differences),
        diffs=[_diff(comparison, regression) for regression in found],
        overlays=[(o, Markup(o.inline), json_in_page(for_page(o.chart))) for o in drawn],
        more_overlays=more,
        lacking=lacking,
        lacking_count=len(comparison.lacking_rows),
        numeric=[is_numeric(row[name] for row in rows) for name in comparison.columns],
        blocks=blocks(comparison, shown, uncertainty=True),
        rows=rows,
        **look_and_script(),
        made=f"{made.astimezone(UTC):%Y-%m-%d %H:%M}",
    )
    return str(text)


def _told(comparison: Comparison, d: Difference) -> dict[str, object]:
    """One line of the table of differences."""
    known = d.values[~np.isnan(d.values)]
    reach = float(np.abs(known).max(initial=0.0)) or 1.0
    places = np.unique(np.round(known / reach * _DOT_PLACES)) / _DOT_PLACES * reach
    return {
        "of": d,
        "side": comparison.sides[d.side],
        "drawn": Markup(dots([float(place) for place in places])),
        "badge": _BADGES[d.agreement],
    }


def _diff(comparison: Comparison, regression: Regression) -> dict[str, object]:
    """One regression diff: its counts, and its worst changes with both values."""
    count = sum(regression.counts.values())
    return {
        "side": comparison.sides[regression.side],
        "is_regression": regression.is_regression,
        "note": regression.note,
        "counts": {str(kind): number for kind, number in regression.counts.items() if number},
        "count": count,
        "changes": [
            (line, _CHANGE_BADGES.get(line.kind, "none")) for line in islice(regression.lines(comparison), MOST_CHANGES)
        ],
    }


def _facts(side: Side, link: str) -> dict[str, object]:
    data = side.data
    return {
        "label": side.label,
        "short": side.short,
        "link": link,
        "verdict": verdict(data) if data is not None else "",
        "rows": len(side),
        "testbench": data.plan.testbench if data is not None else "imported data",
        "built": minute(data.manifest.get("created")) if data is not None else "",
        "dut": dict(bench_view.facts(data)).get("DUT", "") if data is not None else "",
        "notes": side.notes,
    }
