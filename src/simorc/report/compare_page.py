"""The files of a comparison: a self-contained page in the style of the report, and its tables as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from os.path import relpath
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from simorc.core.measurement import Measure
from simorc.core.units import value_to_text
from simorc.report import bench_view
from simorc.report.compare import Comparison, Row, Side, conditions_text
from simorc.report.compare_table import blocks, uncertainty_of, value_of
from simorc.report.data import verdict
from simorc.report.display import is_numeric, minute, value_text
from simorc.report.html import style_sheet
from simorc.report.page import environment
from simorc.report.strip import dots
from simorc.workspace.csv_text import csv_lines, number_cell
from simorc.workspace.files import replace_file, storage_error
from simorc.workspace.layout import COMPARISONS, RunDirectory

MOST_ROWS = 2000
"""Of more conditions than this the page shows the first ones; comparison.csv has every one."""

_LONGEST_NAME = 200


def folder_for(runs: Sequence[RunDirectory]) -> Path:
    """Where a comparison goes by default: `compare/<A>_vs_<B>/` beside the first run."""
    name = "_vs_".join(run.run_id for run in runs)
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}_{sha256(name.encode()).hexdigest()[:8]}"
    return runs[0].path.parent / COMPARISONS / name


def write_comparison(folder: Path, comparison: Comparison, runs: Sequence[RunDirectory], made: datetime) -> Path:
    """Write index.html, comparison.csv and summary.csv into a folder; gives the path of the page.

    Parameters
    ----------
    runs: the directories of the runs, for links to their reports
    made: the time that the page names as its own

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error
    replace_file(folder / "comparison.csv", csv_lines(joined_table(comparison)), durable=False)
    replace_file(folder / "summary.csv", csv_lines(_summary(comparison)), durable=False)
    page = render_comparison(comparison, [_link(run, folder) for run in runs], made)
    replace_file(folder / "index.html", page.encode("utf-8", "backslashreplace"), durable=False)
    return folder / "index.html"


def joined_table(comparison: Comparison) -> Iterator[list[str]]:
    """The rows of comparison.csv, heading first: every condition, each run's values and differences, in full.

    A column is `measure [run/target]`, where a run has uncertainties beside it `measure_uncertainty [run/target]`, and
    for every run but the first `measure_difference [run/target]`. A cell without a value is empty.
    """
    uncertain = {
        (measure.name, number)
        for measure in comparison.measures
        for number in range(len(comparison.sides))
        if any(uncertainty_of(comparison.measurement(row, number, measure.name)) is not None for row in comparison.rows)
    }
    yield [
        *comparison.columns,
        *(heading for m in comparison.measures for heading in _headings(comparison, m, uncertain)),
    ]
    for row in comparison.rows:
        cells = [cell for measure in comparison.measures for cell in _cells(comparison, row, measure, uncertain)]
        yield [*map(value_to_text, row.conditions.values()), *map(number_cell, cells)]


def _headings(comparison: Comparison, measure: Measure, uncertain: set[tuple[str, int]]) -> Iterator[str]:
    for number, side in enumerate(comparison.sides):
        yield f"{measure.name} [{side.label}]"
        if (measure.name, number) in uncertain:
            yield f"{measure.name}_uncertainty [{side.label}]"
        if number:
            yield f"{measure.name}_difference [{side.label}]"


def _cells(
    comparison: Comparison, row: Row, measure: Measure, uncertain: set[tuple[str, int]]
) -> Iterator[float | None]:
    first = value_of(comparison.measurement(row, 0, measure.name))
    for number in range(len(comparison.sides)):
        m = comparison.measurement(row, number, measure.name)
        value = value_of(m)
        yield value
        if (measure.name, number) in uncertain:
            yield uncertainty_of(m)
        if number:
            yield None if value is None or first is None else value - first


def _summary(comparison: Comparison) -> Iterator[list[str]]:
    own = ["measure", "unit", "run", "reference", "n", "bias", "sigma", "max_difference", "uncertainty"]
    yield [*own, *comparison.columns]
    for d in comparison.differences:
        where = [value_to_text(value) for value in d.where.values()] if d.where else [""] * len(comparison.columns)
        numbers = map(number_cell, (d.bias, d.sigma, d.largest, d.uncertainty))
        yield [d.measure, d.unit, d.side.label, comparison.sides[0].label, str(d.n), *numbers, *where]


def render_comparison(comparison: Comparison, reports: Sequence[str], made: datetime) -> str:
    """The page as HTML text.

    Parameters
    ----------
    reports: link to the report of each run, empty where it has none
    """
    rows = comparison.rows[:MOST_ROWS]
    names = comparison.columns
    made_from = environment(value_text=value_text, conditions_text=conditions_text)
    text = made_from.get_template("compare.html.j2").render(
        comparison=comparison,
        title=" and ".join(side.label for side in comparison.sides),
        runs=[_facts(side, link) for side, link in zip(comparison.sides, reports, strict=True)],
        differences=[(d, Markup(dots(d.values))) for d in comparison.differences],
        lacking=comparison.lacking(),
        numeric=[is_numeric(row.conditions[name] for row in rows) for name in names],
        blocks=blocks(comparison, rows, uncertainty=True),
        rows=rows,
        style=Markup(style_sheet()),
        made=f"{made.astimezone(UTC):%Y-%m-%d %H:%M}",
    )
    return str(text)


def _facts(side: Side, link: str) -> dict[str, object]:
    data = side.data
    return {
        "label": side.label,
        "short": side.short,
        "link": link,
        "verdict": verdict(data),
        "cases": len(data.cases),
        "testbench": data.plan.testbench,
        "built": minute(data.manifest.get("created")),
        "dut": dict(bench_view.facts(data)).get("DUT", ""),
    }


def _link(run: RunDirectory, folder: Path) -> str:
    page = run.report / "index.html"
    return quote(relpath(page, folder)) if page.is_file() else ""
