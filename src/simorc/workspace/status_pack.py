"""`.status/packed/`: the records of large runs once they are final, many a file.

A part holds those of 10,000 case ids, one line each as it stood in the case's own file, in the order of the cases; its
first line says which ids. A part is replaced as a whole, and only then the files of its cases are deleted: whatever
happens in between, each case has its record. A file of a case's own wins over what is packed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import chain
from pathlib import Path

from simorc.core.errors import RunDirectoryError, UsageError
from simorc.core.ranges import format_ranges, parse_ranges
from simorc.core.record import CaseRecord
from simorc.workspace.files import entries, replace_file
from simorc.workspace.layout import RunDirectory
from simorc.workspace.record_json import ForeignRecordError, record_from_json

CASES_A_PART = 10_000
_PARTS_IN_MEMORY = 10
"""About 100 MB, however large a run is."""
_PART = re.compile(r"part-([0-9]{5})\.jsonl")


class PackedRecords(Mapping[int, CaseRecord]):
    """The records of a run by case id, in their order: packed ones are read when they are asked for, a part at a time.

    Parameters
    ----------
    own: the records that have a file of their own
    """

    def __init__(self, parts: Mapping[int, Path], own: Mapping[int, CaseRecord]) -> None:
        self._parts = parts
        self._own = own
        self._ids: dict[int, range | frozenset[int]] = {}
        self._strays: dict[int, list[int]] = {}
        self._number = -1
        self._part: Mapping[int, CaseRecord] = {}
        for case_id in sorted(own):
            self._strays.setdefault(case_id // CASES_A_PART, []).append(case_id)
        for number, path in parts.items():
            self._ids[number] = _ids(path)

    def __getitem__(self, case_id: int) -> CaseRecord:
        if case_id in self._own:
            return self._own[case_id]
        number = case_id // CASES_A_PART
        if number != self._number:
            if number not in self._parts:
                raise KeyError(case_id)
            self._number, self._part = number, _records(self._parts[number])
        return self._part[case_id]

    def __contains__(self, case_id: object) -> bool:
        return case_id in self._own or (
            isinstance(case_id, int) and case_id in self._ids.get(case_id // CASES_A_PART, ())
        )

    def __iter__(self) -> Iterator[int]:
        for number in sorted(self._ids.keys() | self._strays.keys()):
            packed, strays = self._ids.get(number, range(0)), self._strays.get(number, [])
            yield from sorted({*packed, *strays}) if strays else sorted(packed)

    def __len__(self) -> int:
        return sum(map(len, self._ids.values())) + sum(case_id not in self._packed(case_id) for case_id in self._own)

    def _packed(self, case_id: int) -> range | frozenset[int]:
        return self._ids.get(case_id // CASES_A_PART, range(0))


def packed_parts(run: RunDirectory) -> dict[int, Path]:
    """The parts that there are, by number."""
    found = ((_PART.fullmatch(entry.name), Path(entry.path)) for entry in entries(run.packed))
    return {int(match[1]): path for match, path in found if match}


def packed_record(run: RunDirectory, case_id: int) -> CaseRecord | None:
    """The packed record of one case, or None.

    Raises
    ------
    RunDirectoryError: its part is damaged
    """
    with suppress(FileNotFoundError):
        return _records(_part(run, case_id // CASES_A_PART)).get(case_id)
    return None


def pack(run: RunDirectory, records: Mapping[int, bytes]) -> None:
    """Put records into their parts; what is packed of a case already is replaced.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …; each part is the former one or the new one
    """
    by_part: dict[int, dict[int, bytes]] = {}
    for case_id, line in records.items():
        by_part.setdefault(case_id // CASES_A_PART, {})[case_id] = line
    if by_part:
        run.packed.mkdir(exist_ok=True)
    for number, lines in by_part.items():
        path = _part(run, number)
        with suppress(FileNotFoundError):
            lines = _lines(path) | lines
        head = json.dumps({"schema": 1, "cases": format_ranges(lines)}).encode() + b"\n"
        replace_file(path, b"".join(chain([head], (lines[case_id] for case_id in sorted(lines)))))


def _part(run: RunDirectory, number: int) -> Path:
    return run.packed / f"part-{number:05}.jsonl"


def _ids(path: Path) -> range | frozenset[int]:
    """The ids in a part, without its records."""
    with path.open("rb") as file:
        found = _head(path, file.readline())
    whole = range(found[0], found[-1] + 1)
    return whole if len(whole) == len(found) else frozenset(found)


def _head(path: Path, line: bytes) -> list[int]:
    """The ids that the first line of a part tells, in ascending order."""
    try:
        return parse_ranges(json.loads(line)["cases"])
    except (ValueError, LookupError, TypeError, AttributeError, UsageError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error


def _records(path: Path) -> Mapping[int, CaseRecord]:
    state = path.stat()
    return _records_of(path, state.st_ino, state.st_mtime_ns)


@lru_cache(maxsize=_PARTS_IN_MEMORY)
def _records_of(path: Path, inode: int, changed: int) -> Mapping[int, CaseRecord]:
    """The records of a part; read once as long as it is the same file, and asked for again soon."""
    try:
        return {case_id: record_from_json(line.decode(), case_id) for case_id, line in _lines(path).items()}
    except (ForeignRecordError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error


def _lines(path: Path) -> dict[int, bytes]:
    with path.open("rb") as file:
        ids, lines = _head(path, file.readline()), file.readlines()
    if len(ids) != len(lines):
        raise _damaged(path, f"{len(lines)} records of {len(ids)} cases")
    return dict(zip(ids, lines, strict=True))


def _damaged(path: Path, what: str) -> RunDirectoryError:
    hint = "delete the file, and `simorc run` executes its cases again"
    return RunDirectoryError(f"packed records are damaged: {what}", where=str(path), hint=hint)
