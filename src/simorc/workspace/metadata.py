"""`metadata.csv`: the map of a run, one row a case, in the order of the sweep.

Only build and gather write it. Whoever reads it gets every row checked against what the plan expands to.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from typing import NamedTuple

from simorc.core.case import Case
from simorc.core.errors import RunDirectoryError, UsageError
from simorc.core.plan import Plan
from simorc.core.units import Value, value_to_text
from simorc.workspace.csv_text import csv_lines, one_line
from simorc.workspace.files import replace_file, storage_error
from simorc.workspace.layout import RunDirectory

_SAFE = "put the file back as it was; what .status/ and results/ hold is safe"


class MetadataRow(NamedTuple):
    """One row.

    `status` is a word of `core.record.Status` as long as nobody edited the file; the status files are the truth.
    """

    case: Case
    status: str
    error_message: str


def write_metadata(run: RunDirectory, plan: Plan, rows: Iterable[MetadataRow]) -> None:
    """Replace metadata.csv in one step.

    Raises
    ------
    UsageError: a parameter's text has a line break
    RunDirectoryError: disk full, read-only folder …; the former file stays
    """
    table = (
        [row.case.case_id, row.status, f"results/{row.case.case_id}/", *_cells(row.case), one_line(row.error_message)]
        for row in rows
    )
    digest = hashlib.sha256()
    replace_file(run.metadata, _digested(chain(csv_lines([_columns(plan)]), csv_lines(table)), digest))
    replace_file(run.metadata_digest, [digest.hexdigest()], durable=False)


def read_metadata(run: RunDirectory, plan: Plan) -> list[MetadataRow]:
    """The rows of metadata.csv, each checked against the plan.

    Raises
    ------
    RunDirectoryError: the file is missing or truncated, a row is missing, twice there, or of no case of this sweep, a
        column or a parameter was changed; names row and column
    """
    table = _read_table(run)
    columns = _columns(plan)
    if not table or table[0] != columns:
        found = ",".join(table[0]) if table else "nothing"
        what = f"the columns are not those of the sweep: found {found}, expected {','.join(columns)}"
        raise RunDirectoryError(what, where=f"{run.metadata}:1", hint=_SAFE)
    rows = []
    for line, case in zip_longest(table[1:], plan.sweep.cases()):
        if line is None or case is None or not _fits(line, case):
            raise _mismatch(run, table[1:], plan)
        rows.append(MetadataRow(case, line[1], line[-1]))
    return rows


def is_as_written(run: RunDirectory) -> bool | None:
    """Whether metadata.csv is what build or gather wrote last, None where nobody knows."""
    with contextlib.suppress(OSError):
        written = (run.metadata_digest).read_text(encoding="ascii", errors="replace")
        with run.metadata.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == written
    return None


def _columns(plan: Plan) -> list[str]:
    return ["case_id", "status", "result_path", *plan.sweep.swept, "error_message"]


def _cells(case: Case) -> Iterator[str]:
    for name in case.swept:
        yield _cell(name, case.parameters[name])


def _cell(name: str, value: Value) -> str:
    text = value_to_text(value)
    if type(value) is str and not text.isprintable() and any(mark in text for mark in "\r\n\0"):
        raise UsageError(f"parameter {name}: {text!r} has a line break", hint="write it as one line")
    return text


def _read_table(run: RunDirectory) -> list[list[str]]:
    """The cells of the file, without blank lines; spreadsheet programs may have added CRLF and a byte order mark."""
    try:
        with run.metadata.open(encoding="utf-8-sig", newline="") as file:
            return [line for line in csv.reader(file, strict=True) if line]
    except OSError as error:
        raise storage_error(error, run.metadata, "read the table of cases") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise RunDirectoryError(f"not a CSV file: {error}", where=str(run.metadata), hint=_SAFE) from error


def _fits(line: Sequence[str], case: Case) -> bool:
    case_id = str(case.case_id)
    return (
        line[0] == case_id and line[2:-1] == [f"results/{case_id}/", *_cells(case)] and len(line) == len(case.swept) + 4
    )


def _mismatch(run: RunDirectory, lines: list[list[str]], plan: Plan) -> RunDirectoryError:
    """The most telling sentence about a table that is not the plan's."""
    what, row = _difference(lines, list(plan.sweep.cases()), _columns(plan))
    return RunDirectoryError(what, where=f"{run.metadata}:{row + 2}", hint=_SAFE)


def _difference(lines: list[list[str]], cases: list[Case], columns: list[str]) -> tuple[str, int]:
    """What is wrong, and in which row, counted from 0 below the heading."""
    ids = [line[0] for line in lines]
    known = {str(case.case_id) for case in cases}
    for row, line in enumerate(lines):
        if len(line) != len(columns):
            return f"the row has {len(line)} cells, expected {len(columns)}", row
        if line[0] not in known:
            return f"column case_id: found {line[0]!r}, which is no case of this sweep", row
    for case_id, times in Counter(ids).items():
        if times > 1:
            return f"case {case_id} stands in {times} rows", len(ids) - 1 - ids[::-1].index(case_id)
    missing = sorted(known.difference(ids), key=int)
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        return f"the row of case {missing[0]} is missing{more}", min(int(missing[0]), len(ids))
    return next(_changed_cells(lines, cases, columns), ("the table is not that of the sweep", 0))


def _changed_cells(lines: list[list[str]], cases: list[Case], columns: list[str]) -> Iterator[tuple[str, int]]:
    for row, (line, case) in enumerate(zip(lines, cases, strict=True)):
        expected = [str(case.case_id), line[1], f"results/{case.case_id}/", *_cells(case), line[-1]]
        for column, found, wanted in zip(columns, line, expected, strict=True):
            if found != wanted:
                yield f"column {column}: found {found!r}, expected {wanted!r}", row


def _digested(lines: Iterable[str], digest: hashlib._Hash) -> Iterator[str]:
    """The lines; what is written of them goes into the digest."""
    for line in lines:
        digest.update(line.encode(errors="backslashreplace"))
        yield line
