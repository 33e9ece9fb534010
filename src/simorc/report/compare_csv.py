"""The tables of a comparison as CSV: every row in full, a line a measure and side, every change of a regression."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from simorc.core.units import value_to_text
from simorc.report.compare import Comparison
from simorc.report.compare_side import Floats
from simorc.report.regression import Regression
from simorc.workspace.csv_text import csv_lines, number_cell

_ROWS_A_PART = 50_000


def joined_lines(comparison: Comparison) -> Iterator[str]:
    """The text of comparison.csv in parts: every condition, each side's values and differences, in full.

    A column is `measure [run/target]`, where a side has uncertainties beside it `measure_uncertainty [run/target]`,
    and for every side but the first `measure_difference [run/target]`. A cell without a value is empty.
    """
    columns = {name: _written(comparison.condition(name)) for name in comparison.columns} | dict(_columns(comparison))
    yield from csv_lines([list(columns)])
    for start in range(0, len(comparison), _ROWS_A_PART):
        part = pd.DataFrame({name: values[start : start + _ROWS_A_PART] for name, values in columns.items()})
        yield part.to_csv(index=False, header=False, lineterminator="\n")


def _written(values: Any) -> Any:
    """Conditions as they are written; numbers of a file as the shortest text that reads back."""
    if values.dtype == np.float64:
        return values
    codes, known = pd.factorize(np.array([value_to_text(value) for value in values], dtype=object))
    return np.asarray(known, dtype=object)[codes]


def _columns(comparison: Comparison) -> Iterator[tuple[str, Floats]]:
    apart = {(d.measure, d.side): d.values for d in comparison.differences}
    for measure in comparison.measures:
        for number in comparison.sides_with(measure):
            side = comparison.sides[number]
            yield f"{measure} [{side.label}]", comparison.values(number, measure)
            bounds = comparison.uncertainty(number, measure)
            if not np.isnan(bounds).all():
                yield f"{measure}_uncertainty [{side.label}]", bounds
            if number:
                yield f"{measure}_difference [{side.label}]", apart[measure, number]


def summary_rows(comparison: Comparison) -> Iterator[list[str]]:
    """The rows of summary.csv, heading first."""
    numbers = ["bias", "sigma", "max_difference", "uncertainty"]
    judged = ["tolerance", "agreement", "n_missing", "n_differs", "n_unclear", "between"]
    yield ["measure", "unit", "run", "reference", "n", *numbers, *judged, *comparison.columns]
    for d in comparison.differences:
        where = [value_to_text(value) for value in d.where.values()] if d.where else [""] * len(comparison.columns)
        yield [
            d.measure,
            d.unit,
            comparison.sides[d.side].label,
            comparison.sides[0].label,
            str(d.n),
            *map(number_cell, (d.bias, d.sigma, d.largest, d.uncertainty)),
            "" if d.tolerance is None else str(d.tolerance),
            d.agreement,
            str(d.missing),
            *(str(count) for kind, count in d.counts.items() if kind in ("differs", "unclear")),
            number_cell(d.between),
            *where,
        ]


def regression_rows(comparison: Comparison, found: Sequence[Regression]) -> Iterator[list[str]]:
    """The rows of regression.csv, heading first: every change, worst first."""
    names = list(
        dict.fromkeys([*comparison.columns, *(n for r in found for line in r.aggregates for n in line.conditions)])
    )
    yield ["change", "measure", "unit", "run", "reference", "before", "now", *names]
    for regression in found:
        labels = (comparison.sides[regression.side].label, comparison.sides[0].label)
        for line in regression.lines(comparison):
            values = (number_cell(line.before), number_cell(line.now))
            at = (value_to_text(line.conditions[name]) if name in line.conditions else "" for name in names)
            yield [line.kind, line.name, line.unit, *labels, *values, *at]
