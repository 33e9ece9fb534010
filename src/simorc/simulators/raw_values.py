"""The numbers in a raw file: the vectors of a plot, from the data behind its header."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from simorc.core.waveforms import Plot
from simorc.simulators.rawfile import Header, Variable, ascii_words

if TYPE_CHECKING:
    from simorc.core.waveforms import Vector


def plot_of(view: memoryview, header: Header, begin: int, end: int) -> Plot:
    numbers = _binary(view, header, begin) if header.is_binary else _ascii(view, header, begin, end)
    values: Vector = numbers.view(np.complex128) if header.is_complex else numbers
    table = _table(values, header)
    vectors = {v.name: _vector(table[: v.length, k], v) for k, v in enumerate(header.variables)}
    return Plot(header.title, header.kind, vectors, dict(header.units), header.variables[0].name)


def _binary(view: memoryview, header: Header, begin: int) -> npt.NDArray[np.float64]:
    return np.frombuffer(view, "<f8", count=header.values, offset=begin)


def _ascii(view: memoryview, header: Header, begin: int, end: int) -> npt.NDArray[np.float64]:
    starts = _index_positions(header)
    numbers = np.array(ascii_words(view, begin, end), dtype=np.float64)
    if not np.array_equal(numbers[starts], np.arange(header.points)):
        raise ValueError(f"the points of plot {header.title!r} are not numbered from 0")
    numbers = np.delete(numbers, starts)
    numbers.flags.writeable = False
    return numbers


def _index_positions(header: Header) -> npt.NDArray[np.intp]:
    """Where among the words of ASCII data the numbers of the points stand."""
    per_value = 2 if header.is_complex else 1
    lengths = 1 + _present(header).sum(axis=1) * per_value
    return np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.intp)


def _present(header: Header) -> npt.NDArray[np.bool_]:
    """Which vector has a value at which point in the file; shape (points, variables)."""
    if header.is_padded:
        return np.ones((header.points, len(header.variables)), dtype=np.bool_)
    lengths = np.array([variable.length for variable in header.variables])
    return np.arange(header.points)[:, np.newaxis] < lengths[np.newaxis, :]


def _table(values: Vector, header: Header) -> Vector:
    if header.is_padded:
        shape = (header.points, len(header.variables))
        return values.reshape(shape)
    present = _present(header)
    table = np.zeros_like(values, shape=present.shape)
    table[present] = values
    table.flags.writeable = False
    return cast("Vector", table)


def _vector(values: Vector, variable: Variable) -> Vector:
    # The independent variable of a complex plot is stored as complex too.
    return values.real if variable.type in ("frequency", "time") else values
