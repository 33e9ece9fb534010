"""`measurements/*.parquet`: every measurement of a run in long form, one row each, made anew from its records.

The only file of this room with pyarrow, therefore imported when it is used and not before. Columns are made from
buffers: to look at a list pyarrow loads pandas, and no process of a run has time for that.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from simorc.core.measurement import Measurement
from simorc.core.record import CaseRecord
from simorc.workspace.clock import parse_utc
from simorc.workspace.files import entries, replace_file, storage_error
from simorc.workspace.gather import Gathered
from simorc.workspace.layout import RunDirectory

CASES_A_PART = 10_000
"""The cases of one part: the first holds cases 0 to 9,999, so that no case ever stands in two parts."""

_PART = re.compile(r"part-[0-9]{5}\.parquet")
_Row = tuple[CaseRecord, Measurement]


def write_measurements(run: RunDirectory, gathered: Gathered) -> None:
    """Replace `measurements/*.parquet` by what the records of a run say; a part is whole or the former one.

    The columns: run_id, case_id, name, value, unit, outcome, verdict, min, max, margin, uncertainty, attempt, finished.
    A value that is not there is null; `outcome` says why.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    written = set()
    try:
        for number, rows in _parts(gathered):
            run.measurements.mkdir(exist_ok=True)
            name = f"part-{number:05}.parquet"
            replace_file(run.measurements / name, _parquet(run.run_id, rows))
            written.add(name)
        _remove_others(run.measurements, written)
    except OSError as error:
        raise storage_error(error, run.measurements) from error


def _parts(gathered: Gathered) -> Iterator[tuple[int, list[_Row]]]:
    """The rows of each part that has any, in the order of the cases."""
    cases = iter(gathered.cases)
    number = 0
    while chunk := list(islice(cases, CASES_A_PART)):
        records = [gathered.records[case.case_id] for case in chunk if case.case_id in gathered.records]
        if rows := [(record, m) for record in records for m in record.measurements]:
            yield number, rows
        number += 1


def _remove_others(folder: Path, written: set[str]) -> None:
    for entry in entries(folder):
        if _PART.fullmatch(entry.name) and entry.name not in written:
            with suppress(FileNotFoundError):
                Path(entry.path).unlink()


def _parquet(run_id: str, rows: Sequence[_Row]) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(_columns(run_id, rows)), sink, compression="zstd")
    return bytes(sink.getvalue())


def _columns(run_id: str, rows: Sequence[_Row]) -> dict[str, pa.Array]:
    return {
        "run_id": _texts(run_id for _ in rows),
        "case_id": _numbers([record.case_id for record, _ in rows], "int32"),
        "name": _texts(m.name for _, m in rows),
        "value": _numbers([m.value for _, m in rows]),
        "unit": _texts(m.unit for _, m in rows),
        "outcome": _texts(m.outcome for _, m in rows),
        "verdict": _texts(m.verdict for _, m in rows),
        "min": _numbers([m.min for _, m in rows]),
        "max": _numbers([m.max for _, m in rows]),
        "margin": _numbers([m.margin for _, m in rows]),
        "uncertainty": _numbers([m.uncertainty for _, m in rows]),
        "attempt": _numbers([record.attempt for record, _ in rows], "int32"),
        "finished": _times([record.finished for record, _ in rows]),
    }


def _numbers(values: Sequence[float | None], kind: str = "float64") -> pa.Array:
    """A column of numbers; None is null."""
    present = np.fromiter((value is not None for value in values), bool, len(values))
    data = np.fromiter((0 if value is None else value for value in values), kind, len(values))
    type_ = pa.from_numpy_dtype(data.dtype)
    return pa.Array.from_buffers(type_, len(values), [_buffer(np.packbits(present, bitorder="little")), _buffer(data)])


def _times(texts: Sequence[str]) -> pa.Array:
    """A column of UTC times to the millisecond; what is no time is null."""
    stamps = {text: _milliseconds(text) for text in dict.fromkeys(texts)}
    numbers = _numbers([stamps[text] for text in texts], "int64")
    return pa.Array.from_buffers(pa.timestamp("ms", "UTC"), len(texts), numbers.buffers())


def _milliseconds(text: str) -> int | None:
    time = parse_utc(text)
    return None if time is None else round(time.timestamp() * 1000)


def _texts(texts: Iterable[str]) -> pa.Array:
    """A dictionary-encoded column of texts."""
    known: dict[str, int] = {}
    codes = array("i", [known.setdefault(str(text), len(known)) for text in texts])
    encoded = [text.encode("utf-8", "backslashreplace") for text in known]
    offsets = array("i", [0, *np.cumsum([len(text) for text in encoded], dtype=int).tolist()])
    words = pa.Array.from_buffers(pa.string(), len(encoded), [None, _buffer(offsets), _buffer(b"".join(encoded))])
    indices = pa.Array.from_buffers(pa.int32(), len(codes), [None, _buffer(codes)])
    return pa.DictionaryArray.from_arrays(indices, words)


def _buffer(data: Any) -> pa.Buffer:
    return pa.py_buffer(data)
