"""One JSON a case in `.status/`: written by the worker that has the case, whole or not at all.

The files are the truth of a run; metadata.csv and the tables are made from them. A file is written beside its place
and renamed into it, without waiting for the disk: it survives any crash of a process, and a power loss costs at most
the last seconds, never a wrong record.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simorc.core.errors import RunDirectoryError
from simorc.core.record import CaseRecord
from simorc.workspace.clock import parse_utc
from simorc.workspace.files import (
    entries,
    is_alive,
    link_or_copy,
    read_bytes,
    read_json,
    replace_file,
    storage_error,
    write_bytes,
)
from simorc.workspace.layout import RunDirectory
from simorc.workspace.record_json import SCHEMA, ForeignRecordError, record_from_json, record_to_json

STALE_AFTER_S = 5.0
_CASE_FILE = re.compile(r"case_(0|[1-9][0-9]{0,9})\.json")
_PID = "([0-9]{1,9})"
_LEFTOVER = re.compile(rf"\.(?:.+\.{_PID}\.tmp|judging-{_PID}|again-[0-9]+-{_PID}|own-[0-9]+-{_PID}-[0-9]+)")


@dataclass(frozen=True, slots=True)
class Records:
    """The records of a run by case id, and a sentence for every status file that holds none."""

    records: dict[int, CaseRecord]
    notes: tuple[str, ...] = ()


def write_record(run: RunDirectory, record: CaseRecord) -> None:
    """Replace the status file of one case in one step.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …; the former record stays
    """
    folder = f"{os.fspath(run.path)}/.status/"
    final = f"{folder}case_{record.case_id}.json"
    temporary = f"{folder}.case_{record.case_id}.json.{os.getpid()}.tmp"
    try:
        write_bytes(temporary, record_to_json(record).encode())
        os.replace(temporary, final)  # noqa: PTH105  # this stands between one case and the next
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise storage_error(error, final, f"record case {record.case_id}") from error


def read_record(run: RunDirectory, case_id: int) -> CaseRecord | None:
    """The record of one case; None where there is none, or none that can be read."""
    try:
        return record_from_json(read_bytes(os.fspath(run.status_file(case_id))), case_id)
    except (OSError, ForeignRecordError):
        return None


def read_records(run: RunDirectory) -> dict[int, CaseRecord]:
    """Every readable record of a run by case id, in no particular order."""
    return scan_records(run).records


def scan_records(run: RunDirectory) -> Records:
    """Every record of a run, and which status files hold none: such a case counts as pending."""
    records: dict[int, CaseRecord] = {}
    notes: list[str] = []
    for entry in entries(run.status_dir):
        match = _CASE_FILE.fullmatch(entry.name)
        if match is None:
            continue
        case_id = int(match.group(1))
        try:
            records[case_id] = record_from_json(read_bytes(entry.path), case_id)
        except FileNotFoundError:  # deleted this very moment
            continue
        except (OSError, ForeignRecordError) as error:
            notes.append(f".status/{entry.name} cannot be read ({error}); case {case_id} counts as pending")
    return Records(records, tuple(sorted(notes)))


def archive_record(run: RunDirectory, case_id: int) -> Path | None:
    """Keep the status file of a case that is to be recorded anew as `.status/history/case_<id>.<attempt>.json` too.

    It stays in its place until `write_record` replaces it: whatever happens in between, the case has a record.
    Returns where it is kept, or None where there is no status file.

    Raises
    ------
    RunDirectoryError: the folder cannot be written
    """
    file = run.status_file(case_id)
    if not file.exists():
        return None
    record = read_record(run, case_id)
    attempt = record.attempt if record else 1
    try:
        run.history.mkdir(exist_ok=True)
        content = file.read_bytes()
        while (target := run.history / f"case_{case_id}.{attempt}.json").exists():
            if target.read_bytes() == content:  # somebody was interrupted before there was a new record
                return target
            attempt += 1
        link_or_copy(file, target)
        return target
    except OSError as error:
        raise storage_error(error, run.history) from error


def remove_leftovers(run: RunDirectory) -> None:
    """Delete the temporary files and folders of processes that were killed; only for who holds the run's lock."""
    for folder in (run.path, run.status_dir, run.inputs, run.results, run.report, run.measurements):
        for entry in entries(folder):
            match = _LEFTOVER.fullmatch(entry.name)
            if match and not is_alive(int(match[match.lastindex or 0])):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    with contextlib.suppress(OSError):  # it disturbs nobody
                        Path(entry.path).unlink()


def write_progress(run: RunDirectory, progress: Mapping[str, Any]) -> None:
    """Replace `.status/progress.json`; the controller of an active run does so at most once a second.

    Parameters
    ----------
    progress: `total, completed, failed, out_of_spec, pending` (cases, over the whole run), `done, rate_per_s,
        remaining_s` (of this execution), `started, updated` (UTC, ISO 8601), `pid`

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    replace_file(run.progress, [json.dumps({"schema": SCHEMA, **progress}), "\n"], durable=False)


def read_progress(run: RunDirectory, now: datetime | None = None) -> dict[str, Any] | None:
    """The progress of an active run; None where it is older than five seconds, its process is gone, or unreadable."""
    try:
        progress = read_json(run.progress, "the progress of a run")
    except RunDirectoryError:
        return None
    updated, pid = parse_utc(progress.get("updated")), progress.get("pid")
    if progress.get("schema") != SCHEMA or updated is None or not isinstance(pid, int):
        return None
    age_s = ((now or datetime.now(UTC)) - updated).total_seconds()
    return progress if abs(age_s) <= STALE_AFTER_S and is_alive(pid) else None
