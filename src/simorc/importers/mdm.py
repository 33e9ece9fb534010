"""Tables from IC-CAP `.mdm` text files, as those of the public SKY130 raw data set have them (`! VERSION = 6.00`).

A header states inputs (name, mode V or I or F or T, how it is swept) and outputs (name, mode); then comes a block
`BEGIN_DB` … `END_DB` for each combination of the outer inputs (`ICCAP_VAR name value`), with a line `#` of column names
and a line of numbers a point. Names are taken in lower case, as SPICE has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from simorc.core.errors import UsageError
from simorc.core.table import Column, Table

_UNITS = {"V": "V", "I": "A", "F": "Hz", "T": "s", "C": "F", "W": "W"}
_MARKS = ("BEGIN_HEADER", "END_HEADER", "BEGIN_DB", "END_DB")
_SWEPT = ("LIN", "LOG", "LIST", "CON", "SYNC", "HB", "AC", "EXPR")


@dataclass(frozen=True)
class _Header:
    inputs: dict[str, str]
    outputs: dict[str, str]

    @property
    def names(self) -> list[str]:
        return [*self.inputs, *self.outputs]


@dataclass
class _Block:
    """One BEGIN_DB … END_DB: what is held, the columns, the points."""

    line: int
    held: dict[str, float] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    points: list[list[float]] = field(default_factory=list)


def read_mdm(path: Path) -> Table:
    """The points of all blocks, a row each: inputs are conditions, outputs are measures.

    Raises
    ------
    UsageError: unreadable, a header or a block that is broken, with the line
    """
    try:
        lines = path.read_text(encoding="latin-1").splitlines()
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
    numbered = [(number, line.strip()) for number, line in enumerate(lines, 1)]
    content = [(number, line) for number, line in numbered if line and not line.startswith("!")]
    reader = _Reader(path, content)
    header = reader.header()
    blocks = list(reader.blocks(header))
    if not blocks:
        raise UsageError("no block BEGIN_DB, so no measured point", where=str(path))
    columns = {name: _column(name, blocks) for name in header.names}
    units = header.inputs | header.outputs
    return Table(path.name, {name: Column(columns[name], units[name]) for name in columns}, tuple(header.inputs))


def _column(name: str, blocks: Sequence[_Block]) -> np.ndarray:
    parts = []
    for block in blocks:
        if name in block.columns:
            position = block.columns.index(name)
            parts.append(np.array([point[position] for point in block.points], dtype=np.float64))
        else:
            parts.append(np.full(len(block.points), block.held[name]))
    return np.concatenate(parts)


@dataclass
class _Reader:
    """Goes through the lines that say something, in order."""

    path: Path
    lines: list[tuple[int, str]]
    at: int = 0

    def error(self, what: str, line: int = 0) -> UsageError:
        return UsageError(what, where=f"{self.path}:{line}" if line else str(self.path))

    def next(self, wanted: str) -> tuple[int, str]:
        if self.at >= len(self.lines):
            raise self.error(f"the file ends where {wanted} is expected")
        self.at += 1
        return self.lines[self.at - 1]

    def header(self) -> _Header:
        line, text = self.next("BEGIN_HEADER")
        if text != "BEGIN_HEADER":
            raise self.error(f"found {text[:40]!r}, expected BEGIN_HEADER: not an .mdm file", line)
        sections: dict[str, dict[str, str]] = {"ICCAP_INPUTS": {}, "ICCAP_OUTPUTS": {}}
        section: dict[str, str] | None = None
        known: set[str] = set()
        while (found := self.next("END_HEADER"))[1] != "END_HEADER":
            line, text = found
            if text in _MARKS:
                raise self.error(f"{text} inside the header, END_HEADER is missing", line)
            if text.startswith("ICCAP_"):
                section = sections.get(text)  # ICCAP_VALUES and others hold remarks
            elif section is not None:
                name, unit = self._entry(line, text, inputs=section is sections["ICCAP_INPUTS"])
                if name in known:
                    raise self.error(f"{name.upper()} stands in the header twice", line)
                known.add(name)
                section[name] = unit
        for key, entries in sections.items():
            if not entries:
                raise self.error(f"the header has no {key}", line)
        return _Header(sections["ICCAP_INPUTS"], sections["ICCAP_OUTPUTS"])

    def _entry(self, line: int, text: str, inputs: bool) -> tuple[str, str]:
        words = text.split()
        if len(words) < 2 or words[1] not in _UNITS:
            modes = ", ".join(_UNITS)
            raise self.error(f"found {text!r}, expected a name and its mode, one of {modes}", line)
        if inputs and not any(word in _SWEPT for word in words):
            raise self.error(f"the input {words[0]} does not say how it is swept ({', '.join(_SWEPT)})", line)
        return words[0].lower(), _UNITS[words[1]]

    def blocks(self, header: _Header) -> Iterator[_Block]:
        while self.at < len(self.lines):
            line, text = self.next("BEGIN_DB")
            if text != "BEGIN_DB":
                raise self.error(f"found {text[:40]!r}, expected BEGIN_DB", line)
            yield self._block(header, _Block(line))

    def _block(self, header: _Header, block: _Block) -> _Block:
        while (found := self.next("END_DB"))[1] != "END_DB":
            line, text = found
            if text in _MARKS:
                raise self.error(f"{text} inside a block, END_DB is missing", line)
            if text.startswith("ICCAP_VAR"):
                words = text.split()
                if len(words) != 3:
                    raise self.error(f"found {text!r}, expected: ICCAP_VAR name value", line)
                block.held[words[1].lower()] = self._number(words[2], line)
            elif text.startswith("#"):
                block.columns = [name.lower() for name in text[1:].split()]
            else:
                block.points.append(self._point(block, line, text))
        lacking = [name for name in header.names if name not in block.columns and name not in block.held]
        if lacking:
            raise self.error(f"the block that begins here has no value of {lacking[0].upper()}", block.line)
        return block

    def _point(self, block: _Block, line: int, text: str) -> list[float]:
        words = text.split()
        if not block.columns:
            raise self.error("numbers before the line of column names (#)", line)
        if len(words) != len(block.columns):
            raise self.error(f"{len(words)} numbers under {len(block.columns)} column names", line)
        return [self._number(word, line) for word in words]

    def _number(self, text: str, line: int) -> float:
        try:
            return float(text)
        except ValueError as error:
            raise self.error(f"{text!r} is not a number", line) from error
