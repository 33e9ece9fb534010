"""Tables beside the page: CSV for programs, Markdown and workbooks for people, JUnit XML for CI servers."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping, Sequence

import pandas as pd

from simorc.core.errors import UsageError
from simorc.core.wording import suggestion
from simorc.report.data import ReportData, verdict
from simorc.report.datasheet import datasheet_frame
from simorc.report.junit import as_junit, xml_text
from simorc.report.stdf_csv import as_stdf_csv
from simorc.report.table import (
    aggregates_frame,
    failing_frame,
    failures_frame,
    results_frame,
    sensitivity_frame,
    spec_frame,
    statistics_frame,
    worst_frame,
)

_MOST_SHEET_ROWS, _MOST_CELL = 1_048_576, 32_767  # Excel specifications and limits
_SHEET_WIDTH = 16
_DATASHEET_NOTE = (
    "min and max: over all completed cases. typ: median of the cases at typical conditions, which are the testbench's "
    "defaults. limits: those that the values are judged by."
)
_TITLES = {
    "worst": "Worst corners",
    "failing": "Failing cases",
    "specs": "Specifications",
    "statistics": "Statistics",
    "aggregates": "Aggregates",
    "sensitivity": "Sensitivity",
    "failures": "Failures",
    "results": "Cases",
}


def tables(data: ReportData) -> dict[str, pd.DataFrame]:
    """Every table of the report by name."""
    return {
        "worst": worst_frame(data),
        "failing": failing_frame(data),
        "specs": spec_frame(data),
        "statistics": statistics_frame(data),
        "aggregates": aggregates_frame(data.aggregates),
        "sensitivity": sensitivity_frame(data),
        "failures": failures_frame(data),
        "results": results_frame(data),
    }


def as_csv(data: ReportData) -> dict[str, bytes]:
    """One file a table; numbers in full, an empty cell where there is none."""
    return {f"{name}.csv": frame.to_csv(index=False).encode() for name, frame in tables(data).items()}


def as_markdown(data: ReportData) -> dict[str, bytes]:
    """One file, report.md, with all tables; a value that is not there is `missing`."""
    wanted = {
        "specs": ("min", "median", "max"),
        "aggregates": ("value",),
        "results": [measure.name for measure in data.measures_here],
    }
    parts = [f"# {_cell(data.run_id)}: {verdict(data).upper()}"]
    for name, frame in tables(data).items():
        parts.append(f"## {_TITLES[name]}\n\n{_markdown(frame, wanted.get(name, ())) if len(frame) else 'None.'}")
    title = f"# {_cell(data.run_id)}: datasheet table"
    sheet = f"{title}\n\n{_markdown(datasheet_frame(data), ())}\n\n{_DATASHEET_NOTE}\n"
    return {"report.md": ("\n\n".join(parts) + "\n").encode(), "datasheet.md": sheet.encode()}


def as_workbook(data: ReportData) -> dict[str, bytes]:
    """One file, report.xlsx, a sheet a table, with filters on the headings; a text is never taken for a formula.

    Raises
    ------
    UsageError: more rows than a sheet has
    """
    buffer = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with pd.ExcelWriter(buffer, engine="xlsxwriter", engine_kwargs={"options": options}) as book:
        for name, frame in {**tables(data), "datasheet": datasheet_frame(data)}.items():
            if len(frame) >= _MOST_SHEET_ROWS:
                what = f"{len(frame):,} rows in the table {name!r}, a sheet has {_MOST_SHEET_ROWS:,}"
                raise UsageError(what, hint="take --format csv")
            clean = frame.map(_sheet_text) if len(frame) else frame
            clean.to_excel(book, sheet_name=_TITLES.get(name, "Datasheet"), index=False, freeze_panes=(1, 0))
            sheet = book.sheets[_TITLES.get(name, "Datasheet")]
            sheet.autofilter(0, 0, len(frame), max(len(frame.columns) - 1, 0))
            sheet.set_column(0, max(len(frame.columns) - 1, 0), _SHEET_WIDTH)
    return {"report.xlsx": buffer.getvalue()}


def _sheet_text(value: object) -> object:
    """A text without the control characters that XML, and so a workbook, cannot hold."""
    return xml_text(value)[:_MOST_CELL] if isinstance(value, str) else value


FORMATS: Mapping[str, Callable[[ReportData], dict[str, bytes]]] = {
    "md": as_markdown,
    "csv": as_csv,
    "xlsx": as_workbook,
    "junit": as_junit,
    "stdf-csv": as_stdf_csv,
}
"""Name of a format -> file name -> content. To add one touches this table alone."""


def exports(data: ReportData, formats: Sequence[str]) -> dict[str, bytes]:
    """The files of all the formats asked for."""
    check_formats(formats)
    return {name: content for text in formats for name, content in FORMATS[text](data).items()}


def check_formats(formats: Sequence[str]) -> None:
    """Raise a UsageError for a format that there is not."""
    for text in formats:
        if text not in FORMATS:
            raise UsageError(f"no format {text!r}", hint=suggestion(text, FORMATS))


def _markdown(frame: pd.DataFrame, wanted: Collection[str]) -> str:
    """A table; an empty cell of a wanted column is `missing`."""
    columns = list(frame.columns)
    absent = ["missing" if name in wanted else "" for name in columns]
    lines = [columns, ["---:" if pd.api.types.is_numeric_dtype(frame[name]) else "---" for name in columns]]
    lines += [
        [_cell(value) or blank for value, blank in zip(row, absent, strict=True)]
        for row in frame.itertuples(index=False)
    ]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.6g}"
    if value is pd.NA or value is None:
        return ""
    text = str(value).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return " ".join(text.split())
