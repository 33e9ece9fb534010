"""`measurements/*.parquet`: every measurement of a run in long form, one row each, made anew from its records.

The only file of this room with pyarrow, therefore imported when it is used and not before. Columns are made from
buffers: to look at a list pyarrow loads pandas, and no process of a run has time for that.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from simorc.core.record import CaseRecord
from simorc.workspace.clock import parse_utc
from simorc.workspace.files import entries, replace_file, storage_error
from simorc.workspace.gather import Gathered
from simorc.workspace.layout import RunDirectory

CASES_A_PART = 10_000
"""The cases of one part: the first holds cases 0 to 9,999, so that no case ever stands in two parts."""

_PART = re.compile(r"part-[0-9]{5}\.parquet")


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
        for number, records in _parts(gathered):
            run.measurements.mkdir(exist_ok=True)
            name = f"part-{number:05}.parquet"
            replace_file(run.measurements / name, _parquet(run.run_id, records))
            written.add(name)
        _remove_others(run.measurements, written)
    except OSError as error:
        raise storage_error(error, run.measurements) from error


def load() -> None:
    """Have pyarrow load what it would when it first writes."""
    _parquet("", [])


def _parts(gathered: Gathered) -> Iterator[tuple[int, list[CaseRecord]]]:
    """The records of each part that has any measurements, in the order of the cases."""
    cases = iter(gathered.cases)
    number = 0
    while chunk := list(islice(cases, CASES_A_PART)):
        records = [gathered.records[case.case_id] for case in chunk if case.case_id in gathered.records]
        if any(record.measurements for record in records):
            yield number, records
        number += 1


def _remove_others(folder: Path, written: set[str]) -> None:
    for entry in entries(folder):
        if _PART.fullmatch(entry.name) and entry.name not in written:
            with suppress(FileNotFoundError):
                Path(entry.path).unlink()


def _parquet(run_id: str, records: Sequence[CaseRecord]) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(_columns(run_id, records)), sink, compression="zstd")
    return bytes(sink.getvalue())


def _columns(run_id: str, records: Sequence[CaseRecord]) -> dict[str, pa.Array]:
    measurements = [m for record in records for m in record.measurements]
    cases = [record for record in records for _ in record.measurements]
    return {
        "run_id": _texts([run_id] * len(cases)),
        "case_id": _numbers([record.case_id for record in cases], "int32"),
        "name": _texts([m.name for m in measurements]),
        "value": _numbers([m.value for m in measurements]),
        "unit": _texts([m.unit for m in measurements]),
        "outcome": _texts([m.outcome for m in measurements]),
        "verdict": _texts([m.verdict for m in measurements]),
        "min": _numbers([m.min for m in measurements]),
        "max": _numbers([m.max for m in measurements]),
        "margin": _numbers([m.margin for m in measurements]),
        "uncertainty": _numbers([m.uncertainty for m in measurements]),
        "attempt": _numbers([record.attempt for record in cases], "int32"),
        "finished": _times([record.finished for record in cases]),
    }


def _numbers(values: Sequence[float | None], kind: str = "float64") -> pa.Array:
    """A column of numbers; None is null."""
    valid = None
    if None in values:
        valid = _buffer(np.packbits([value is not None for value in values], bitorder="little"))
        values = [0 if value is None else value for value in values]
    data = np.array(values, kind)
    return pa.Array.from_buffers(pa.from_numpy_dtype(data.dtype), len(data), [valid, _buffer(data)])


def _times(texts: Sequence[str]) -> pa.Array:
    """A column of UTC times to the millisecond; what is no time is null."""
    stamps = {text: _milliseconds(text) for text in dict.fromkeys(texts)}
    numbers = _numbers([stamps[text] for text in texts], "int64")
    return pa.Array.from_buffers(pa.timestamp("ms", "UTC"), len(texts), numbers.buffers())


def _milliseconds(text: str) -> int | None:
    time = parse_utc(text)
    return None if time is None else round(time.timestamp() * 1000)


def _texts(texts: Sequence[str]) -> pa.Array:
    """A dictionary-encoded column of texts."""
    known = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    codes = array("i", map(known.__getitem__, texts))
    encoded = [text.encode("utf-8", "backslashreplace") for text in known]
    offsets = array("i", [0, *np.cumsum([len(text) for text in encoded], dtype=int).tolist()])
    words = pa.Array.from_buffers(pa.string(), len(encoded), [None, _buffer(offsets), _buffer(b"".join(encoded))])
    indices = pa.Array.from_buffers(pa.int32(), len(codes), [None, _buffer(codes)])
    return pa.DictionaryArray.from_arrays(indices, words)


def _buffer(data: Any) -> pa.Buffer:
    return pa.py_buffer(data)
