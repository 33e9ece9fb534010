"""Pure: the joined table of a comparison as columns of text, for the terminal and for the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from simorc.core.measurement import Measure, Measurement
from simorc.core.record import Status
from simorc.report.compare import Comparison, Row
from simorc.report.display import Scale, scale_for, with_uncertainty

ABSENT = "–"
_MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Column:
    """What one run says of one measure, or how far it is from the first.

    Parameters
    ----------
    run: which run, in their order
    unit: of all cells, with its prefix
    cells: one a row
    """

    run: int
    is_difference: bool
    unit: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """The columns of one measure."""

    measure: str
    columns: tuple[Column, ...]


def blocks(comparison: Comparison, rows: Sequence[Row], uncertainty: bool = False) -> list[Block]:
    """The columns of every measure over some rows.

    Parameters
    ----------
    uncertainty: whether values carry it, as in `3.30012 ± 0.00016`
    """
    return [Block(m.name, tuple(_columns(comparison, rows, m, uncertainty))) for m in comparison.measures]


def value_of(measurement: Measurement | None) -> float | None:
    """The value of a measurement that may not be there."""
    return None if measurement is None else measurement.value


def uncertainty_of(measurement: Measurement | None) -> float | None:
    """The bound of the error of a value; None where there is neither."""
    return None if measurement is None else measurement.uncertainty


def _columns(comparison: Comparison, rows: Sequence[Row], measure: Measure, uncertainty: bool) -> list[Column]:
    every = [value_of(comparison.measurement(row, k, measure.name)) for row in rows for k in _runs(comparison)]
    apart = [abs(v) for d in comparison.differences if d.measure == measure.name for v in d.values]
    scale = _telling(scale_for([value for value in every if value is not None], measure.unit), max(apart, default=0.0))
    columns = []
    for number in _runs(comparison):
        cells = tuple(_cell(comparison, row, number, measure.name, scale, uncertainty) for row in rows)
        columns.append(Column(number, False, scale.unit, cells))
        if number:
            columns.append(_difference(comparison, rows, measure, number))
    return columns


def _telling(scale: Scale, largest: float) -> Scale:
    """A scale with so many decimals that the largest difference shows in two digits, within reason."""
    if not largest or scale.decimals is None:
        return scale
    needed = 1 - math.floor(math.log10(largest / scale.factor))
    return replace(scale, decimals=max(scale.decimals, min(needed, _MOST_DECIMALS)))


def _runs(comparison: Comparison) -> range:
    return range(len(comparison.sides))


def _cell(comparison: Comparison, row: Row, number: int, name: str, scale: Scale, uncertainty: bool) -> str:
    case = row.cases[number]
    if case is None:
        return ABSENT
    status = comparison.sides[number].data.status(case.case_id)
    if status is not Status.COMPLETED:
        return status.replace("_", " ")
    m = comparison.measurement(row, number, name)
    if m is None or m.value is None:
        return "no value"
    return with_uncertainty(scale, m.value, m.uncertainty if uncertainty else None)


def _difference(comparison: Comparison, rows: Sequence[Row], measure: Measure, number: int) -> Column:
    apart = []
    for row in rows:
        first, other = (value_of(comparison.measurement(row, k, measure.name)) for k in (0, number))
        apart.append(None if first is None or other is None else other - first)
    scale = scale_for([value for value in apart if value is not None], measure.unit)
    return Column(number, True, scale.unit, tuple(ABSENT if v is None else scale.text(v + 0.0) for v in apart))
