"""The files of a report: the page, its plots, the tables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from simorc.report.data import ReportData
from simorc.report.html import render_page
from simorc.report.plots import pictures
from simorc.report.table import results_frame
from simorc.workspace.files import storage_error
from simorc.workspace.layout import RunDirectory


def write_report(run: RunDirectory, data: ReportData, extra: Mapping[str, bytes], made: datetime) -> Path:
    """Write report/index.html with its plots beside it; gives the path of the page.

    Every file is replaced whole, the page last. Plots of an earlier report go; anything else in the folder stays.

    Parameters
    ----------
    extra: further files by name
    made: the time that the page names as its own

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    drawn = pictures(data)
    files = {name: content for picture in drawn for name, content in picture.files.items()} | dict(extra)
    page = render_page(data, drawn, made).encode("utf-8", "backslashreplace")
    try:
        run.report.mkdir(exist_ok=True)
        for name, content in [*files.items(), ("index.html", page)]:
            _replace(run.report / name, content)
        for old in [*run.report.glob("*.png"), *run.report.glob("*.svg")]:
            if old.name not in files:
                old.unlink()
    except OSError as error:
        raise storage_error(error, run.report) from error
    return run.report / "index.html"


def write_parquet(run: RunDirectory, data: ReportData) -> None:
    """Write results.parquet: the columns of results.csv, with their types.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    frame = results_frame(data)
    path = run.path / "results.parquet"
    try:
        _replace(path, frame.to_parquet(index=False))
    except OSError as error:
        raise storage_error(error, path) from error


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
