"""The datasheet table: minimum, typical and maximum of each measure with the conditions that they hold in."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import pandas as pd

from simorc.core.measurement import Measure
from simorc.core.units import Value
from simorc.report.data import ReportData
from simorc.report.display import axis_key, axis_values, is_numeric, limits_text, scale_for, unit_sign, value_text
from simorc.report.spec_table import SpecRow, spec_rows

_MOST_TEXTS = 8
_NO_CONDITION = ("seed", "mc_sample")


def datasheet_frame(data: ReportData) -> pd.DataFrame:
    """A row a measure, then a row an aggregate; values of completed cases, in the unit that stands beside them.

    `typ` is the median over the cases at typical conditions: every swept parameter at the testbench's default; where a
    default is not among its values, that parameter is left open. Without such a case the cell is empty.
    """
    defaults = {name: axis_key(data.plan.sweep.defaults[name]) for name in _settled(data)}
    typical = [c.case_id for c in data.cases if all(axis_key(c.parameters[n]) == key for n, key in defaults.items())]
    swept = conditions_text(data, data.plan.sweep.swept)
    limits = _limits(spec_rows(data))
    rows = [_row(data, measure, swept, typical, limits[measure.name]) for measure in data.measures_here]
    for aggregate in data.plan.aggregates:
        results = [result for result in data.aggregates if result.name == aggregate.name]
        values = [result.value for result in results if result.value is not None]
        spec = aggregate.spec
        cells = _cells(values, None, aggregate.unit)
        rows.append([aggregate.name, swept, *cells, limits_text(spec.min, spec.max, aggregate.unit)])
    return pd.DataFrame(rows, columns=["parameter", "conditions", "min", "typ", "max", "unit", "limits"], dtype="str")


def conditions_text(data: ReportData, names: Sequence[str]) -> str:
    """The values of some parameters over all cases: `corner = tt, ff; temp = -40 to 125`."""
    parts = []
    for name in names:
        if name in _NO_CONDITION:
            continue
        values = axis_values(case.parameters[name] for case in data.cases)
        parts.append(f"{name} = {_range(values)}")
    return "; ".join(parts)


def _range(values: Sequence[Value]) -> str:
    if len(values) > 1 and is_numeric(values):
        return f"{value_text(values[0])} to {value_text(values[-1])}"
    texts = [value_text(value) for value in values]
    more = f" and {len(texts) - _MOST_TEXTS} more" if len(texts) > _MOST_TEXTS else ""
    return ", ".join(texts[:_MOST_TEXTS]) + more


def _settled(data: ReportData) -> set[str]:
    """The swept parameters whose default is one of their values."""
    sweep = data.plan.sweep
    return {
        name
        for axis in sweep.axes
        for position, name in enumerate(axis.names)
        if name in sweep.defaults and axis_key(sweep.defaults[name]) in {axis_key(row[position]) for row in axis.rows}
    }


def _limits(rows: Sequence[SpecRow]) -> dict[str, str]:
    """The limits of each measure; where corners have their own, each with its corners."""
    texts: dict[str, list[str]] = {}
    for row in rows:
        text = limits_text(row.spec.min, row.spec.max, row.unit)
        several = sum(other.measure == row.measure for other in rows) > 1
        where = f" in {', '.join(row.corners)}" if several else ""
        texts.setdefault(row.measure, []).append(f"{text or 'none'}{where}" if several else text)
    return {measure: "; ".join(found) for measure, found in texts.items()}


def _row(data: ReportData, measure: Measure, swept: str, typical: Sequence[int], limits: str) -> list[str]:
    found = {case.case_id: data.finished(case.case_id, measure.name) for case in data.cases}
    values = [m.value for m in found.values() if m is not None and m.value is not None]
    middle = [m.value for i in typical if (m := found[i]) is not None and m.value is not None]
    cells = _cells(values, statistics.median(middle) if middle else None, measure.unit)
    name = f"{measure.description} ({measure.name})" if measure.description else measure.name
    return [name, swept, *cells, limits]


def _cells(values: Sequence[float], typical: float | None, unit: str) -> list[str]:
    """Minimum, typical, maximum and unit in one scale."""
    scale = scale_for(values, unit)
    ends = [min(values, default=None), typical, max(values, default=None)]
    return [*("" if value is None else scale.text(value) for value in ends), scale.unit or unit_sign(unit)]
