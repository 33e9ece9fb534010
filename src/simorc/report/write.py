"""The files of a report: the page, its plots, the tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path

from simorc.report.data import ReportData
from simorc.report.html import render_page
from simorc.report.plots import pictures
from simorc.report.table import results_frame
from simorc.workspace.files import replace_file, storage_error
from simorc.workspace.layout import RunDirectory

_LIST = ".plots"


def write_report(run: RunDirectory, data: ReportData, extra: Mapping[str, bytes], made: datetime) -> Path:
    """Write report/index.html with its plots beside it; gives the path of the page.

    Every file is replaced whole, the page last. Plots of an earlier report go, which `.plots` beside the page lists;
    anything else in the folder stays.

    Parameters
    ----------
    extra: further files by name
    made: the time that the page names as its own

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    drawn = pictures(data)
    plots = {name: content for picture in drawn for name, content in picture.files.items()}
    page = render_page(data, drawn, made).encode("utf-8", "backslashreplace")
    try:
        run.report.mkdir(exist_ok=True)
        old = _listed(run) - plots.keys()
        _list(run, old | plots.keys())  # first, so that a crash leaves no plot that nobody knows
        for name, content in [*plots.items(), *extra.items(), ("index.html", page)]:
            replace_file(run.report / name, content, durable=False)
        for name in old:
            (run.report / name).unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, run.report) from error
    _list(run, plots)
    return run.report / "index.html"


def write_parquet(run: RunDirectory, data: ReportData) -> None:
    """Write results.parquet: the columns of results.csv, with their types.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    replace_file(run.path / "results.parquet", results_frame(data).to_parquet(index=False), durable=False)


def _listed(run: RunDirectory) -> set[str]:
    """The plots that stand in the list: names of files in this very folder, whatever somebody wrote there."""
    try:
        names = (run.report / _LIST).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return set()
    return {name for name in names if Path(name).name == name and name.endswith((".png", ".svg"))}


def _list(run: RunDirectory, names: Collection[str]) -> None:
    replace_file(run.report / _LIST, [f"{name}\n" for name in sorted(names)], durable=False)
