"""`.status/begun/`: one file a worker, which says what case it began last.

A case whose mark counts a later attempt than its record was begun and not finished: it is `in_progress`. A mark costs
a hundredth of a file of its own. It stands in the file at once, so that kill -9 loses none; nobody takes one back: the
record that a case ends with says more, and a mark that nobody needs goes when the run is gathered.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from simorc.core.record import CaseRecord, Status
from simorc.workspace.files import entries, is_alive, storage_error
from simorc.workspace.layout import RunDirectory
from simorc.workspace.record_json import ForeignRecordError, record_from_json, record_to_json


class MarkFile:
    """The mark of one worker: made with its first case, replaced with every further one."""

    def __init__(self, run: RunDirectory) -> None:
        self._folder = run.begun
        self._fd = -1
        self._length = 0

    def begin(self, record: CaseRecord) -> None:
        """Say that a case is `in_progress`.

        Raises
        ------
        RunDirectoryError: disk full, read-only folder …
        """
        data = record_to_json(record)
        try:
            if self._fd < 0:
                self._fd = self._made()
            # One write of one length: what is read meanwhile is the former mark or this one.
            self._length = max(self._length, len(data))
            os.pwrite(self._fd, data.ljust(self._length), 0)
        except OSError as error:
            raise storage_error(error, self._folder, f"record case {record.case_id}") from error

    def close(self) -> None:
        """Let go of the file, which stays; twice is once."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _made(self) -> int:
        self._folder.mkdir(exist_ok=True)
        number = 0
        while True:
            try:
                path = self._folder / f"{os.getpid()}-{number}.json"
                return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            except FileExistsError:  # of a process that had the same id
                number += 1


def read_marks(run: RunDirectory) -> dict[int, CaseRecord]:
    """What workers began last, by case id; of several attempts the latest."""
    found: dict[int, CaseRecord] = {}
    for _, record in _marks(run):
        known = found.get(record.case_id)
        if known is None or known.attempt < record.attempt:
            found[record.case_id] = record
    return found


def remove_settled_marks(run: RunDirectory, records: Mapping[int, CaseRecord]) -> None:
    """Delete the marks of ended processes whose case has a record that says more; for who holds the run's lock."""
    for path, mark in _marks(run):
        record = records.get(mark.case_id)
        has_ended = record is not None and record.status is not Status.IN_PROGRESS
        if has_ended and not is_later(mark, record) and not is_alive(int(path.name.partition("-")[0])):
            with suppress(OSError):  # it disturbs nobody
                path.unlink()


def is_later(mark: CaseRecord, record: CaseRecord | None) -> bool:
    """Whether a case has been begun anew since it was recorded."""
    return record is None or mark.attempt > record.attempt


def _marks(run: RunDirectory) -> Iterator[tuple[Path, CaseRecord]]:
    for entry in entries(run.begun):
        path = Path(entry.path)
        with suppress(OSError, ForeignRecordError):
            yield path, record_from_json(path.read_bytes())
