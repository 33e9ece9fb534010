"""Pure: ngspice raw files, binary and ASCII, as plots of named vectors.

Format: ngspice manual, "Raw file format"; Nutmeg's `rawfile.c` as measured with ngspice 39. A file is a sequence of
plots, each with a header of `Key: value` lines, then `Binary:` (little-endian doubles, point by point) or `Values:`.
Vectors shorter than the plot are padded, unless the flags say `unpadded`; their true length stands in `dims=`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache

from msgspec import Struct

from simorc.core.errors import SimorcError
from simorc.core.waveforms import Plot

UNITS = {
    "time": "s",
    "frequency": "Hz",
    "voltage": "V",
    "current": "A",
    "voltage-density": "V/sqrt(Hz)",
    "current-density": "A/sqrt(Hz)",
    "voltage^2-density": "V^2/Hz",
    "current^2-density": "A^2/Hz",
    "temperature": "degC",
    "temp-sweep": "degC",
    "res-sweep": "Ohm",
    "charge": "C",
    "resistance": "Ohm",
    "impedance": "Ohm",
    "admittance": "S",
    "power": "W",
    "phase": "rad",
    "decibel": "dB",
    "capacitance": "F",
}
"""Unit of each type of variable; types that are not here have none."""

_KINDS = (
    (r"operating point", "op"),
    (r"dc transfer", "dc"),
    (r"ac analysis", "ac"),
    (r"transient", "tran"),
    (r"noise spectral", "noise"),
    (r"integrated noise", "noise_total"),
    (r"transfer function", "tf"),
    (r"sensitivity", "sens"),
    (r"pole.zero", "pz"),
    (r"distortion", "disto"),
    (r"sp analysis|s.?parameter", "sp"),
    (r"periodic steady", "pss"),
)
_MAX_HEADER = 1 << 26
_KNOWN = 64
# What in a header tells nothing of its plot, and differs from case to case.
_OF_ONE_FILE = re.compile(rb"(?:(?:Title|Date):[^\n]*\n)*", re.IGNORECASE)
_MARKER = re.compile(rb"\n(Binary|Values):[ \t]*\r?\n", re.IGNORECASE)


class RawFileError(SimorcError):
    """A raw file that is truncated, or no raw file at all."""


class Variable(Struct, frozen=True):
    name: str
    type: str
    length: int


class Header(Struct, frozen=True):
    """What the header of a plot says; `values` is how many numbers its data hold, of a complex value two."""

    title: str
    kind: str
    variables: tuple[Variable, ...]
    units: Mapping[str, str]
    points: int
    is_complex: bool
    is_padded: bool
    is_binary: bool
    values: int


_Section = tuple[Header, int, int]
"""One plot of a file: its header, and where its data begin and end."""


def parse_raw(data: bytes | memoryview) -> list[Plot]:
    """All plots of a raw file with at least one point, without `const`, the table of constants.

    Vectors are read-only; those of a binary file are views into `data`. Frequency and time are real also in a complex
    plot. The vectors of a sweep over two variables are flat, in the order of the file.

    Raises
    ------
    RawFileError: truncated, or no raw file
    """
    from simorc.simulators.raw_values import plot_of  # brings numpy along

    view = memoryview(data)
    with _documented_errors():
        return [plot_of(view, *section) for section in _sections(view) if section[0].points and section[0].variables]


def check_raw(data: bytes | memoryview) -> None:
    """Whether a file is all there, without a look at the values of binary plots.

    Raises
    ------
    RawFileError: truncated, or no raw file
    """
    with _documented_errors():
        for _ in _sections(memoryview(data)):
            pass


def content_of(data: bytes | memoryview) -> list[tuple[Header, bytes]]:
    """What counts in a raw file, dates aside: the same for two files only if every value is, bit for bit.

    Raises
    ------
    RawFileError: truncated, or no raw file
    """
    view = memoryview(data)
    with _documented_errors():
        return [(header, bytes(view[begin:end])) for header, begin, end in _sections(view)]


@contextmanager
def _documented_errors() -> Iterator[None]:
    try:
        yield
    except (ValueError, IndexError, OverflowError) as error:
        raise RawFileError(f"no raw file, or a damaged one: {error}") from error


def _sections(view: memoryview) -> Iterator[_Section]:
    position = 0
    while bytes(view[position : position + 4096]).strip():
        header, begin, position = _section(view, position)
        if not header.title.lower().startswith("constant"):
            yield header, begin, position


def _section(view: memoryview, begin: int) -> _Section:
    marker = _MARKER.search(view, begin, begin + _MAX_HEADER)
    if marker is None:
        raise ValueError("it has no line `Binary:` or `Values:`")
    own = _OF_ONE_FILE.match(view, begin)
    is_binary = marker.group(1).lower() == b"binary"
    header = _header(bytes(view[own.end() if own else begin : marker.start()]), is_binary)
    return header, marker.end(), _end(view, header, marker.end())


@lru_cache(maxsize=_KNOWN)
def _header(data: bytes, is_binary: bool) -> Header:
    """A header from its bytes, title and date aside: the same for nearly all cases of a run."""
    head, _, tail = data.decode("utf-8", "surrogateescape").partition("\nVariables:")
    fields = _fields(head)
    flags = fields.get("flags", "").lower().split()
    points = int(fields["no. points"].split()[0]) if "no. points" in fields else -1
    variables = tuple(_variable(line, points) for line in tail.splitlines() if line.strip())
    if points < 0 or fields.get("no. variables", "").strip() != str(len(variables)):
        raise ValueError("its header does not say how many points and variables it has")
    if variables and max(variable.length for variable in variables) != points:
        raise ValueError("no vector of it is as long as the plot")
    title = fields.get("plotname", "").strip()
    is_padded, is_complex = "unpadded" not in flags, "complex" in flags
    values = points * len(variables) if is_padded else sum(variable.length for variable in variables)
    return Header(
        title=title,
        kind=_kind(title),
        variables=variables,
        units={variable.name: UNITS.get(variable.type, "") for variable in variables},
        points=points,
        is_complex=is_complex,
        is_padded=is_padded,
        is_binary=is_binary,
        values=values * (2 if is_complex else 1),
    )


def _fields(head: str) -> dict[str, str]:
    """The `Key: value` lines."""
    pairs = (line.partition(":") for line in head.splitlines())
    return {key.strip().lower(): value for key, colon, value in pairs if colon}


def _variable(line: str, points: int) -> Variable:
    words = line.split()
    dims = next((word.removeprefix("dims=") for word in words[3:] if word.startswith("dims=")), "")
    length = math.prod(int(size) for size in dims.split(",")) if dims else points
    if not 0 <= length <= points:
        raise ValueError(f"variable {words[1]!r} is longer than its plot")
    return Variable(words[1].lower(), words[2].lower(), length)


def _end(view: memoryview, header: Header, begin: int) -> int:
    """Where the data of a plot end, after a look whether all of them are there."""
    if not header.is_binary:
        following = re.compile(rb"^Title:", re.MULTILINE).search(view, begin)
        end = following.start() if following else len(view)
        if len(ascii_words(view, begin, end)) != header.values + header.points:
            raise ValueError(f"plot {header.title!r} is truncated, or has too many values")
        return end
    end = begin + header.values * 8
    if end > len(view):
        raise ValueError(f"plot {header.title!r} is truncated, {end - len(view)} bytes are missing")
    return end


def ascii_words(view: memoryview, begin: int, end: int) -> list[bytes]:
    """The numbers of ASCII data, one for the position before each point's values."""
    return bytes(view[begin:end]).replace(b",", b" ").split()


def _kind(title: str) -> str:
    for pattern, kind in _KINDS:
        if re.search(pattern, title, re.IGNORECASE):
            return kind
    words = title.lower().split()
    return words[0] if words else "unknown"
