"""Pure: rows of several sides joined on their conditions, exactly or to the nearest within a tolerance.

Numbers are equal in twelve significant digits, so that 0.1 + 0.2 is 0.3, and 300.15 K is 27 degC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from simorc.core.errors import UsageError
from simorc.report.compare_side import Floats, is_numeric
from simorc.report.display import axis_key

Positions = npt.NDArray[np.int64]
ABSENT = -1
_DIGITS = 12
_MOST_PAIRS = 30_000_000
_DECIMALS = 9
"""Of a distance in tolerances: what differs in its last bits is as far apart."""
_CELL = 1 + 1e-6
"""Width of a cell in tolerances: a little more than one, so that what is exactly that far apart is a neighbour."""


class TwiceError(Exception):
    """Two rows of one side stand for one condition."""

    def __init__(self, side: int, first: int, second: int) -> None:
        super().__init__(side, first, second)
        self.side, self.first, self.second = side, first, second


def join(sides: Sequence[Sequence[npt.NDArray[Any]]], tolerances: Sequence[float]) -> Positions:
    """Which row of each side stands for which condition, shape (sides, conditions), `ABSENT` where there is none.

    The conditions are those of the first side in its order, then those that a later one adds. Within tolerances a row
    belongs to the nearest condition whose other columns are equal; of several rows the nearest one has it, the others
    stand alone.

    Parameters
    ----------
    sides: for each side its condition columns, in the same order
    tolerances: how far apart two numbers of each column may be; 0 for equal ones

    Raises
    ------
    TwiceError: two rows of one side are the same condition
    UsageError: a tolerance is stated for a column of texts, or takes in nearly everything
    """
    sizes = [len(columns[0]) if columns else 1 for columns in sides]
    bounds = np.cumsum([0, *sizes])
    owner = np.repeat(np.arange(len(sides)), sizes)
    columns = [np.concatenate(column) for column in zip(*(_keys(side) for side in sides), strict=True)]
    exact = _codes([column for column, tolerance in zip(columns, tolerances, strict=True) if not tolerance], len(owner))
    near = [column.astype(np.float64) / t for column, t in zip(columns, tolerances, strict=True) if t]
    whole = _codes([exact, *near], len(owner))
    _check_once(whole, owner, bounds)
    codes = _nearest_codes(exact, np.array(near).T, bounds) if near else whole
    conditions = pd.factorize(codes)[0]
    index = np.full((len(sides), conditions.max(initial=-1) + 1), ABSENT, dtype=np.int64)
    index[owner, conditions] = np.arange(len(owner)) - bounds[owner]
    return index


def rounded(values: Floats) -> Floats:
    """Numbers in twelve significant digits, each the float that is nearest to its decimal text."""
    known, places = np.unique(values, return_inverse=True)
    return np.array([float(f"{value:.{_DIGITS - 1}e}") for value in known.tolist()], dtype=np.float64)[places] + 0.0


def _keys(columns: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    return [_key(values) for values in columns]


def _key(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What makes two values equal: numbers as float64; mixed ones as numbers and texts."""
    if values.dtype == np.float64:
        return rounded(values)
    if is_numeric(values):
        return rounded(values.astype(np.float64))
    codes, known = pd.factorize(np.array([f"{type(axis_key(v)).__name__} {axis_key(v)}" for v in values], dtype=object))
    return np.asarray(known, dtype=object)[codes]


def _codes(columns: Sequence[npt.NDArray[Any]], rows: int) -> Positions:
    """One whole number a row, equal where all columns are."""
    codes = np.zeros(rows, dtype=np.int64)
    for column in columns:
        own, known = pd.factorize(_mixed(column))
        codes = pd.factorize(codes * np.int64(len(known) + 1) + own)[0].astype(np.int64)
    return codes


def _mixed(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Numbers of one side beside the mixed texts of another: both as texts of one form."""
    if column.dtype != object:
        return column
    return np.array([f"float {v}" if isinstance(v, float) else v for v in column], dtype=object)


def _check_once(codes: Positions, owner: Positions, bounds: Positions) -> None:
    frame = pd.DataFrame({"code": codes, "owner": owner})
    twice = frame.duplicated().to_numpy()
    if twice.any():
        second = int(np.flatnonzero(twice)[0])
        side = int(owner[second])
        first = int(np.flatnonzero((codes == codes[second]) & (owner == side))[0])
        raise TwiceError(side, first - int(bounds[side]), second - int(bounds[side]))


def _nearest_codes(exact: Positions, near: Floats, bounds: Positions) -> Positions:
    """A condition number for each row; `near` is in units of the tolerance, shape (rows, columns)."""
    codes = np.full(len(exact), ABSENT, dtype=np.int64)
    anchors = np.zeros(0, dtype=np.int64)  # the rows that conditions were made from
    for first, last in pairwise(bounds):
        rows = np.arange(first, last)
        match = _match(exact, near, anchors, rows) if len(anchors) else np.full(len(rows), ABSENT)
        codes[rows] = match
        new = rows[match == ABSENT]
        codes[new] = len(anchors) + np.arange(len(new))
        anchors = np.concatenate([anchors, new])
    return codes


def _match(exact: Positions, near: Floats, anchors: Positions, rows: Positions) -> Positions:
    """For each row the condition that it belongs to, or ABSENT."""
    names = [f"c{number}" for number in range(near.shape[1])]
    cells = np.floor(near / _CELL)
    there = pd.DataFrame(cells[anchors], columns=names).assign(code=exact[anchors], anchor=np.arange(len(anchors)))
    here = pd.DataFrame(cells[rows], columns=names).assign(code=exact[rows], row=np.arange(len(rows)))
    _check_pairs(there, here, names)
    found = []
    for shift in product((-1.0, 0.0, 1.0), repeat=len(names)):
        moved = here.assign(**{name: here[name] + by for name, by in zip(names, shift, strict=True)})
        pairs = moved.merge(there, on=["code", *names])[["row", "anchor"]]
        apart = np.abs(near[rows[pairs["row"]]] - near[anchors[pairs["anchor"]]]).max(axis=1).round(_DECIMALS)
        found.append(pairs.assign(apart=apart)[apart <= 1])
    pairs = pd.concat(found).sort_values(["apart", "anchor"], kind="stable")
    best = pairs.drop_duplicates("row").drop_duplicates("anchor")
    match = np.full(len(rows), ABSENT, dtype=np.int64)
    match[best["row"]] = best["anchor"]
    return match


def _check_pairs(there: pd.DataFrame, here: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse a tolerance so wide that nearly every row is near every other."""
    keys = ["code", *names]
    counts = here.groupby(keys).size().rename("here").to_frame()
    both = counts.join(there.groupby(keys).size().rename("there"), how="inner")
    if int((both["here"] * both["there"]).sum()) * 3 ** len(names) > _MOST_PAIRS:
        raise UsageError("the tolerance of --nearest takes in too many rows", hint="state it below half a step")


def tolerances_of(columns: Sequence[str], nearest: Mapping[str, float], sides: Sequence[Sequence[Any]]) -> list[float]:
    """The tolerance of each column, 0 where none is stated.

    Raises
    ------
    UsageError: a tolerance for what is no column, or no number
    """
    for name in nearest:
        if name not in columns:
            known = ", ".join(columns) or "none"
            raise UsageError(f"nearest {name!r}: the inputs are not joined on it", hint=f"they are joined on: {known}")
        position = list(columns).index(name)
        if not all(is_numeric(side[position]) for side in sides):
            raise UsageError(f"nearest {name!r}: its values are texts, which have no distance")
    return [nearest.get(name, 0.0) for name in columns]
