"""Pure: the cases as compact columns, for the script of the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from simorc.core.case import Case
from simorc.core.measurement import Measure
from simorc.core.units import Value, as_number
from simorc.report.case_table import kind_of, telling_first
from simorc.report.data import ReportData
from simorc.report.display import Scale, axis_key, is_numeric, value_text

MOST_CELLS = 2_000_000
"""Of more cells than this the page carries the cases that tell most and an even selection of the others."""

_DIGITS = 9

_KINDS = {
    "in": "i",
    "out": "o",
    "marginal": "m",
    "failed": "f",
    "missing": "x",
    "pending": "p",
    "not measured": "n",
    "plain": ".",
}


def case_columns(data: ReportData) -> dict[str, Any]:
    """What the case table and the plots of the page know of the cases; everything that JSON can hold.

    Parameters have a list of their values and, for every case, the place in it; measures have their values in SI units,
    null where there is none, one letter a case for how the value is meant, and how it is written. `ids` is null where
    the cases are numbered from 0 without a gap.
    """
    swept = data.plan.sweep.swept
    scaled = data.scaled_measures
    cases = telling_first(data, MOST_CELLS // (len(swept) + len(scaled) + 1))
    ids = [case.case_id for case in cases]
    states = [data.states[case.case_id] for case in cases]
    words = list(dict.fromkeys(states))
    return {
        "run": data.run_id,
        "total": len(data.cases),
        "ids": None if ids == list(range(len(ids))) else ids,
        "states": words,
        "state": [words.index(word) for word in states],
        "parameters": [_parameter(name, cases) for name in swept],
        "measures": [_measure(data, measure, scale, cases) for measure, scale in scaled],
    }


def _parameter(name: str, cases: Sequence[Case]) -> dict[str, Any]:
    places: dict[object, int] = {}
    values: list[Value] = []
    at = []
    for case in cases:
        value = case.parameters[name]
        place = places.setdefault(axis_key(value), len(values))
        if place == len(values):
            values.append(value)
        at.append(place)
    numeric = is_numeric(values)
    return {
        "name": name,
        "values": [value_text(value) for value in values],
        "numbers": [as_number(value) for value in values] if numeric else None,
        "at": at,
    }


def _measure(data: ReportData, measure: Measure, scale: Scale, cases: Sequence[Case]) -> dict[str, Any]:
    found = [data.measurement(case.case_id, measure.name) for case in cases]
    bounds = [short(m.uncertainty) if m else None for m in found]
    kinds = [kind_of(data.status(case.case_id), m) for case, m in zip(cases, found, strict=True)]
    return {
        "name": measure.name,
        "label": scale.label(measure.name),
        "unit": scale.unit,
        "factor": scale.factor,
        "digits": scale.digits,
        "decimals": scale.decimals,
        "values": [short(m.value) if m else None for m in found],
        "kinds": "".join(_KINDS[kind] for kind in kinds),
        "bounds": bounds if any(bound is not None for bound in bounds) else None,
    }


def short(value: float | None) -> float | None:
    """A number to nine significant digits, which tell more than any column shows; None where there is none.

    >>> short(1 / 3), short(None), short(float("nan"))
    (0.333333333, None, None)
    """
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{_DIGITS}g}")
