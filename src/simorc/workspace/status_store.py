"""One JSON a case in `.status/`: written by the worker that has the case, whole or not at all.

The files are the truth of a run; metadata.csv and the tables are made from them. A file is written in one step, without
waiting for the disk: it survives any crash of a process, and a power loss costs at most the last seconds, never a wrong
record. What has ended may be packed, and what has begun stands in a mark: see status_pack and status_marks.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from simorc.core.errors import RunDirectoryError
from simorc.core.record import CaseRecord, Status
from simorc.workspace.clock import parse_utc
from simorc.workspace.files import (
    entries,
    file_state,
    is_alive,
    link_or_copy,
    read_bytes,
    read_json,
    read_with_state,
    replace_file,
    storage_error,
    write_bytes,
)
from simorc.workspace.layout import RunDirectory
from simorc.workspace.record_json import SCHEMA, ForeignRecordError, record_from_json, record_to_json
from simorc.workspace.status_marks import is_later, read_marks
from simorc.workspace.status_pack import PackedRecords, pack, packed_parts, packed_record

STALE_AFTER_S = 5.0
_ONE_STEP = 4096
"""Bytes of a new file that no kill divides: a page, which the kernel takes whole."""
_CASE_FILE = re.compile(r"case_(0|[1-9][0-9]{0,9})\.json")
_PID = "([0-9]{1,9})"
_LEFTOVER = re.compile(rf"\.(?:.+\.{_PID}\.tmp|judging-{_PID}|again-[0-9]+-{_PID}|own-[0-9]+-{_PID}-[0-9]+)")


class Records(Struct, frozen=True):
    """The records of a run by case id, and a sentence for every status file that holds none."""

    records: Mapping[int, CaseRecord]
    notes: tuple[str, ...] = ()


class ReadBefore:
    """Status files that a process has read: one that is the same, of the same size and times, is not read again."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[tuple[int, ...], CaseRecord]] = {}

    def read(self, files: Iterable[tuple[int, os.DirEntry[str]]]) -> Iterator[CaseRecord | Exception]:
        """The record of each file, or why there is none; afterwards no other file is known."""
        former, self._known = self._known, {}
        for case_id, entry in files:
            try:
                known = former.get(case_id)
                if known is None or known[0] != file_state(entry.stat(follow_symlinks=False)):
                    found, data = read_with_state(entry.path)
                    if not data:  # a kill between making and filling it: there is no record
                        raise FileNotFoundError(errno.ENOENT, "empty", entry.path)
                    known = (file_state(found), record_from_json(data, case_id))
                self._known[case_id] = known
                yield known[1]
            except (OSError, ForeignRecordError) as error:
                yield error


def write_record(run: RunDirectory, record: CaseRecord) -> None:
    """Replace the status file of one case in one step.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …; the former record stays
    """
    folder = f"{os.fspath(run.path)}/.status/"
    final = f"{folder}case_{record.case_id}.json"
    temporary = f"{folder}.case_{record.case_id}.json.{os.getpid()}.tmp"
    data = record_to_json(record)
    try:
        if len(data) <= _ONE_STEP and _written_new(final, data):
            return
        write_bytes(temporary, data)
        os.replace(temporary, final)  # noqa: PTH105  # this stands between one case and the next
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise storage_error(error, final, f"record case {record.case_id}") from error


def read_record(run: RunDirectory, case_id: int) -> CaseRecord | None:
    """The record of one case; None where there is none, or none that can be read."""
    record = _recorded(run, case_id)
    mark = read_marks(run).get(case_id)
    return mark if mark is not None and is_later(mark, record) else record


def read_records(run: RunDirectory, before: ReadBefore | None = None) -> Mapping[int, CaseRecord]:
    """Every readable record of a run by case id, in no particular order."""
    return scan_records(run, before).records


def scan_records(run: RunDirectory, before: ReadBefore | None = None) -> Records:
    """Every record of a run, and which status files hold none: such a case counts as pending.

    Parameters
    ----------
    before: what this process has read of the run already

    Raises
    ------
    RunDirectoryError: packed records are damaged
    """
    marks = read_marks(run)  # before the records: a case that ends meanwhile has ended
    records: dict[int, CaseRecord] = {}
    notes: list[str] = []
    files = list(_case_files(run))
    for (case_id, _), found in zip(files, (before or ReadBefore()).read(files), strict=True):
        if isinstance(found, CaseRecord):
            records[case_id] = found
        elif not isinstance(found, FileNotFoundError):  # deleted this very moment
            name = f".status/case_{case_id}.json"
            notes.append(f"{name} cannot be read ({found}); case {case_id} counts as pending")
    parts = packed_parts(run)
    known = PackedRecords(parts, records) if parts else records
    begun = {case_id: mark for case_id, mark in marks.items() if is_later(mark, known.get(case_id))}
    records.update(begun)
    return Records(PackedRecords(parts, records) if parts else records, tuple(sorted(notes)))


def pack_records(run: RunDirectory) -> None:
    """Pack the records of cases that have ended, and delete their files; for who holds the lock of an idle run.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …; every case has its record all the same
    """
    found: dict[int, bytes] = {}
    for case_id, entry in _case_files(run):
        with contextlib.suppress(OSError, ForeignRecordError):
            data = read_bytes(entry.path)
            if record_from_json(data, case_id).status in (Status.COMPLETED, Status.FAILED):
                found[case_id] = data
    pack(run, found)
    for case_id in found:
        with contextlib.suppress(OSError):
            os.unlink(f"{os.fspath(run.path)}/.status/case_{case_id}.json")  # noqa: PTH108


def archive_record(run: RunDirectory, case_id: int) -> Path | None:
    """Keep the status file of a case that is to be recorded anew as `.status/history/case_<id>.<attempt>.json` too.

    It stays in its place until `write_record` replaces it: whatever happens in between, the case has a record.
    Returns where it is kept, or None where there is no status file.

    Raises
    ------
    RunDirectoryError: the folder cannot be written
    """
    file = run.status_file(case_id)
    record = _recorded(run, case_id)
    if file.exists():
        content = file.read_bytes()
    elif record is not None:
        content = record_to_json(record)
    else:
        return None
    attempt = record.attempt if record else 1
    try:
        run.history.mkdir(exist_ok=True)
        while (target := run.history / f"case_{case_id}.{attempt}.json").exists():
            if target.read_bytes() == content:  # somebody was interrupted before there was a new record
                return target
            attempt += 1
        if file.exists():
            link_or_copy(file, target)
        else:
            replace_file(target, content, durable=False)
        return target
    except OSError as error:
        raise storage_error(error, run.history) from error


def remove_leftovers(run: RunDirectory) -> None:
    """Delete the temporary files and folders of processes that were killed; only for who holds the run's lock."""
    for folder in (run.path, run.status_dir, run.inputs, run.results, run.report, run.measurements):
        for entry in entries(folder):
            match = _LEFTOVER.fullmatch(entry.name) if entry.name.startswith(".") else None
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


def _recorded(run: RunDirectory, case_id: int) -> CaseRecord | None:
    """What the case's own file says, or where there is none what is packed."""
    try:
        return record_from_json(read_bytes(os.fspath(run.status_file(case_id))), case_id)
    except FileNotFoundError:
        return packed_record(run, case_id)
    except (OSError, ForeignRecordError):
        return None


def _case_files(run: RunDirectory) -> Iterator[tuple[int, os.DirEntry[str]]]:
    for entry in entries(run.status_dir):
        match = _CASE_FILE.fullmatch(entry.name)
        if match is not None:
            yield int(match.group(1)), entry


def _written_new(path: str, data: bytes) -> bool:
    """Make a file with its content, or none; False where there is one already."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    except FileExistsError:
        return False
    try:
        if os.write(fd, data) == len(data):
            return True
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)  # a nearly full disk takes a part
    except OSError:
        os.unlink(path)  # noqa: PTH108
        raise
    finally:
        os.close(fd)
