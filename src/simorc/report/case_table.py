"""Pure: the table of all cases, as cells that know how they are meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simorc.core.case import Case
from simorc.core.measurement import Measure, Outcome
from simorc.core.record import Status
from simorc.core.spec import Verdict
from simorc.report.data import ReportData
from simorc.report.display import Scale, is_numeric, scale_for, value_text, with_uncertainty

MOST_ROWS = 2000
"""Of more cases than this the page shows those out of spec, marginal and failed first."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as text; `kind` is `in`, `marginal`, `out`, `failed`, `missing`, `pending` or `plain`."""

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
    return [scale.label(measure.name) for measure, scale in _scaled(data)]


def parameter_columns(data: ReportData) -> list[tuple[str, bool]]:
    """The swept parameters, and whether each holds numbers."""
    return [(n, is_numeric(case.parameters[n] for case in data.cases)) for n in data.plan.sweep.swept]


def chosen_rows(data: ReportData) -> list[Case]:
    """The cases shown, in row order: all, or of too many those out of spec, marginal and failed before the others."""
    if len(data.cases) <= MOST_ROWS:
        return list(data.cases)
    telling = [case for case in data.cases if state(data, case) in ("out of spec", "marginal", "failed")]
    kept = {case.case_id for case in telling[:MOST_ROWS]}
    for case in data.cases:
        if len(kept) >= MOST_ROWS:
            break
        kept.add(case.case_id)
    return [case for case in data.cases if case.case_id in kept]


def case_rows(data: ReportData, cases: Sequence[Case]) -> list[Row]:
    """A row a case."""
    scaled = _scaled(data)
    return [
        Row(
            case.case_id,
            state(data, case),
            tuple(value_text(value) for value in case.conditions.values()),
            tuple(_cell(data, case, measure, scale) for measure, scale in scaled),
        )
        for case in cases
    ]


def marginal_cases(data: ReportData) -> list[Case]:
    """The cases inside every limit of which some value is not inside by its uncertainty."""
    return [case for case in data.cases if state(data, case) == "marginal"]


def state(data: ReportData, case: Case) -> str:
    """`in spec`, `marginal`, `out of spec`, `completed` (nothing judged), `failed`, `pending` or `in progress`."""
    record = data.records.get(case.case_id)
    if record is None or record.status is not Status.COMPLETED:
        return data.status(case.case_id).replace("_", " ")
    if record.verdict is Verdict.PASS and any(m.is_marginal for m in record.measurements):
        return "marginal"
    return {Verdict.PASS: "in spec", Verdict.FAIL: "out of spec", Verdict.NONE: "completed"}[record.verdict]


def _scaled(data: ReportData) -> list[tuple[Measure, Scale]]:
    return [(measure, scale_for(_values(data, measure.name), measure.unit)) for measure in data.measures_here]


def _values(data: ReportData, name: str) -> list[float]:
    found = [data.measurement(case.case_id, name) for case in data.cases]
    return [m.value for m in found if m is not None and m.value is not None]


def _cell(data: ReportData, case: Case, measure: Measure, scale: Scale) -> Cell:
    m = data.measurement(case.case_id, measure.name)
    if m is None or m.outcome is Outcome.MISSING:
        waiting = data.status(case.case_id) in (Status.PENDING, Status.IN_PROGRESS)
        return Cell("pending", "pending") if waiting else Cell("missing", "missing")
    if m.outcome is Outcome.NOT_MEASURED:
        return Cell("not measured", "plain")
    if m.value is None:
        return Cell("failed", "failed")
    kind = {Verdict.PASS: "in", Verdict.FAIL: "out", Verdict.NONE: "plain"}[m.verdict]
    return Cell(with_uncertainty(scale, m.value, m.uncertainty), "marginal" if m.is_marginal else kind)
