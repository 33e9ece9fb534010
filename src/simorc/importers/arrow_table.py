"""Tables from CSV and Parquet files, the results.csv and results.parquet of a run among them.

A heading is a name, with the unit behind it where there is one: `vout [mV]` or `vout (mV)`. A SPICE vector is a name:
`v(out)`, `i(vdd)`, `@m1[id]`. Lines of a CSV before the heading that begin with `#` are remarks. The only file of this
room with pyarrow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

from simorc.core.errors import UsageError
from simorc.core.table import Column, Table
from simorc.core.units import parse_number, value_from_text

_VECTOR = re.compile(r"v\((?![fpnuµmkMG]?V\)).*\)|i\((?![fpnuµmkMG]?A\)).*\)|@.*", re.IGNORECASE)
_HEADING = re.compile(r"\s*(?P<name>[^\[(]*?)\s*(?:[\[(]\s*(?P<unit>[^\])]*?)\s*[\])])?\s*")
_DELIMITERS = ",;\t|"
_NO_VALUE = ["", "-", "–", "NA", "N/A", "nan", "NaN", "null", "None"]


def read_csv(path: Path) -> Table:
    """The table of a CSV file in UTF-8, separated by commas, semicolons, tabs or bars.

    Raises
    ------
    UsageError: unreadable, no heading, a heading twice, lines of different length
    """
    try:
        with path.open(encoding="utf-8-sig", errors="strict") as file:
            remarks, heading = 0, file.readline()
            while heading.startswith("#"):
                remarks, heading = remarks + 1, file.readline()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    if not heading.strip():
        raise UsageError("no heading: the first line names the columns", where=str(path))
    delimiter = max(_DELIMITERS, key=heading.count)
    try:
        found = csv.read_csv(
            path,
            read_options=csv.ReadOptions(skip_rows=remarks),
            parse_options=csv.ParseOptions(delimiter=delimiter, ignore_empty_lines=True),
            convert_options=csv.ConvertOptions(
                null_values=_NO_VALUE, strings_can_be_null=True, true_values=["true"], false_values=["false"]
            ),
        )
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error
    return _table(path, found)


def read_parquet(path: Path) -> Table:
    """The table of a Parquet file, of plain columns.

    Raises
    ------
    UsageError: unreadable, a heading twice
    """
    try:
        return _table(path, parquet.ParquetFile(path).read())
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> UsageError:
    return UsageError(f"not a table that can be read: {error}", where=str(path))


def _table(path: Path, found: pa.Table) -> Table:
    headings = [_heading(text, path) for text in found.column_names]
    names = [name for name, _ in headings]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"the column {twice[0]!r} stands there twice", where=str(path))
    if not found.num_rows:
        raise UsageError("a table without rows", where=str(path))
    columns = (Column(_values(column), unit) for (_, unit), column in zip(headings, found.columns, strict=True))
    return Table(path.name, dict(zip(names, columns, strict=True)))


def _heading(text: str, path: Path) -> tuple[str, str]:
    if _VECTOR.fullmatch(text.strip()):
        return text.strip(), ""
    match = _HEADING.fullmatch(text)
    if match is None or not match["name"]:
        raise UsageError(f"{text!r} is not a heading", where=str(path), hint="write a name, or: name [unit]")
    return match["name"], match["unit"] or ""


def _values(column: pa.ChunkedArray) -> np.ndarray:
    """Numbers as float64, with NaN for what is absent; a column of texts that are all numbers counts as numbers."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind) or pa.types.is_decimal(kind):
        return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    if pa.types.is_boolean(kind):
        return np.array(column.to_pylist(), dtype=object)
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    texts = [str(text) for text in encoded.dictionary.to_pylist()]
    codes = np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False))
    return _spread(
        [value_from_text(text.strip()) for text in texts], codes, all(parse_number(text) is not None for text in texts)
    )


def _spread(values: Sequence[object], codes: np.ndarray, numeric: bool) -> np.ndarray:
    """Different values laid out by their codes; -1 stands for none."""
    if numeric:
        return np.asarray(np.array([*values, np.nan], dtype=np.float64)[codes])
    listed = np.empty(len(values) + 1, dtype=object)
    listed[:-1] = values
    return np.asarray(listed[codes])
