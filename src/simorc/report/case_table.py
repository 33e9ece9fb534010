"""Pure: the table of all cases, as cells that know how they are meant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simorc.core.case import Case
from simorc.core.measurement import Measure, Measurement, Outcome
from simorc.core.record import Status
from simorc.core.spec import Verdict
from simorc.report.data import ReportData
from simorc.report.display import Scale, is_numeric, value_text, with_uncertainty

MOST_ROWS = 200
"""Of more cases than this the page without its script shows those out of spec, marginal and failed first."""


_TELLING = ("out of spec", "marginal", "failed")
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as text; `kind` says how it is meant: see `kind_of`."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Row:
    """One case: its state in one word, its parameters, its measures."""

    case_id: int
    state: str
    parameters: tuple[str, ...]
    cells: tuple[Cell, ...]


def columns(data: ReportData) -> list[str]:
    """Headings of the measures, each with the unit that its whole column has."""
    return [scale.label(measure.name) for measure, scale in data.scaled_measures]


def parameter_columns(data: ReportData) -> list[tuple[str, bool]]:
    """The swept parameters, and whether each holds numbers."""
    return [(n, is_numeric(case.parameters[n] for case in data.cases)) for n in data.plan.sweep.swept]


def chosen_rows(data: ReportData) -> list[Case]:
    """The cases that the page shows without its script."""
    return telling_first(data, MOST_ROWS)


def telling_first(data: ReportData, most: int) -> list[Case]:
    """At most so many cases, in row order: all that tell something, then an even selection of those in spec."""
    if len(data.cases) <= most:
        return list(data.cases)
    telling = [case for case in data.cases if data.states[case.case_id] in _TELLING][:most]
    kept = {case.case_id for case in telling}
    others = [case for case in data.cases if case.case_id not in kept]
    kept.update(case.case_id for case in selection(others, most - len(telling)))
    return [case for case in data.cases if case.case_id in kept]


def selection(cases: Sequence[Case], most: int) -> list[Case]:
    """At most so many of the cases, in order.

    Steps by the golden ratio fall evenly, and never in time with an axis as an even stride may.
    """
    if len(cases) <= most:
        return list(cases)
    chosen: set[int] = set()
    position = 0.0
    while len(chosen) < most:
        chosen.add(int(position * len(cases)))
        position = (position + _GOLDEN) % 1.0
    return [cases[i] for i in sorted(chosen)]


def case_rows(data: ReportData, cases: Sequence[Case]) -> list[Row]:
    """A row a case."""
    scaled = data.scaled_measures
    return [
        Row(
            case.case_id,
            data.states[case.case_id],
            tuple(value_text(value) for value in case.conditions.values()),
            tuple(_cell(data, case, measure, scale) for measure, scale in scaled),
        )
        for case in cases
    ]


def marginal_cases(data: ReportData) -> list[Case]:
    """The cases inside every limit of which some value is not inside by its uncertainty."""
    return [case for case in data.cases if data.states[case.case_id] == "marginal"]


def kind_of(status: Status, m: Measurement | None) -> str:
    """`in`, `marginal`, `out`, `plain` (not judged), `failed`, `missing`, `pending` or `not measured`."""
    if m is None or m.outcome is Outcome.MISSING:
        return "pending" if status in (Status.PENDING, Status.IN_PROGRESS) else "missing"
    if m.outcome is Outcome.NOT_MEASURED:
        return "not measured"
    if m.value is None:
        return "failed"
    if m.is_marginal:
        return "marginal"
    return {Verdict.PASS: "in", Verdict.FAIL: "out", Verdict.NONE: "plain"}[m.verdict]


def _cell(data: ReportData, case: Case, measure: Measure, scale: Scale) -> Cell:
    m = data.measurement(case.case_id, measure.name)
    kind = kind_of(data.status(case.case_id), m)
    text = kind if m is None or m.value is None else with_uncertainty(scale, m.value, m.uncertainty)
    return Cell(text, kind.replace(" ", "-"))
