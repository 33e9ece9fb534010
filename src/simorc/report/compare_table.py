"""Pure: the joined table of a comparison as columns of text, for the terminal and for the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simorc.report.compare import NOT_THERE, Comparison
from simorc.report.compare_side import Floats
from simorc.report.display import Scale, scale_for, with_uncertainty

ABSENT = "–"
_MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class TableColumn:
    """What one side says of one measure, or how far it is from the first.

    Parameters
    ----------
    side: which side, in their order
    unit: of all cells, with its prefix
    cells: one a row
    """

    side: int
    is_difference: bool
    unit: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """The columns of one measure."""

    measure: str
    columns: tuple[TableColumn, ...]


def blocks(comparison: Comparison, count: int, uncertainty: bool = False) -> list[Block]:
    """The columns of every measure over the first rows.

    Parameters
    ----------
    count: how many rows
    uncertainty: whether values carry it, as in `3.30012 ± 0.00016`
    """
    rows = np.arange(min(count, len(comparison)))
    return [Block(name, tuple(_columns(comparison, rows, name, uncertainty))) for name in comparison.measures]


def _columns(comparison: Comparison, rows: np.ndarray, measure: str, uncertainty: bool) -> list[TableColumn]:
    unit = comparison.measures[measure]
    values = {side: comparison.values(side, measure)[rows] for side in comparison.sides_with(measure)}
    apart = {d.side: d.values[rows] for d in comparison.differences if d.measure == measure}
    every = _known(np.concatenate(list(values.values())))
    largest = max((abs(v) for found in apart.values() for v in _known(found)), default=0.0)
    scale = _telling(scale_for(every, unit), largest)
    columns = []
    for side, found in values.items():
        bounds = comparison.uncertainty(side, measure)[rows] if uncertainty else np.full(len(rows), np.nan)
        cells = [_cell(comparison, side, row, scale, found[row], bounds[row]) for row in range(len(rows))]
        columns.append(TableColumn(side, False, scale.unit, tuple(cells)))
        if side:
            columns.append(_difference(side, apart[side], unit, scale))
    return columns


def _telling(scale: Scale, largest: float) -> Scale:
    """A scale with so many decimals that the largest difference shows in two digits, within reason."""
    if not largest or scale.decimals is None:
        return scale
    needed = 1 - math.floor(math.log10(largest / scale.factor))
    return replace(scale, decimals=max(scale.decimals, min(needed, _MOST_DECIMALS)))


def _cell(comparison: Comparison, number: int, row: int, scale: Scale, value: float, bound: float) -> str:
    if not math.isnan(value):
        return with_uncertainty(scale, value, None if math.isnan(bound) else bound)
    why = comparison.reasons[number][row]
    return ABSENT if why == NOT_THERE else why or "no value"


def _difference(side: int, apart: Floats, unit: str, values: Scale) -> TableColumn:
    known = _known(apart)
    scale = scale_for(known, unit) if any(known) else values  # nothing but zeros suits every prefix
    return TableColumn(side, True, scale.unit, tuple(ABSENT if math.isnan(v) else scale.text(v + 0.0) for v in apart))


def _known(values: Floats) -> Sequence[float]:
    return [float(v) for v in values[~np.isnan(values)]]
