"""Pure: the tables of a run, as pandas frames for notebooks and files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from simorc.core.aggregates import AggregateResult
from simorc.core.case import Case
from simorc.core.measurement import Outcome
from simorc.core.record import Status
from simorc.core.run_statistics import COLUMNS
from simorc.core.units import Value, value_to_text
from simorc.report.data import ReportData, rerun_command
from simorc.report.display import is_numeric
from simorc.report.failing import failing_cases
from simorc.report.spec_table import spec_rows, worst_rows
from simorc.workspace.statistics_file import statistics_columns


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a case, or one measure of it, has no value. `measure` is empty where the whole case failed."""

    case: Case
    kind: str
    measure: str
    message: str
    log: str


def results_frame(data: ReportData) -> pd.DataFrame:
    """One row a case: case_id, status, verdict, the swept parameters, the measures; a missing value is NaN.

    A measure that shares its name with a parameter is called `<name>.measured`. Behind all measures stand the
    uncertainties of those that have any, as `<name>_uncertainty`.
    """
    swept = data.plan.sweep.swept
    columns: dict[str, object] = {
        "case_id": [case.case_id for case in data.cases],
        "status": [str(data.status(case.case_id)) for case in data.cases],
        "verdict": [_case_verdict(data, case) for case in data.cases],
    }
    columns.update({name: parameter_column(case.parameters[name] for case in data.cases) for name in swept})
    for measure in data.measures:
        name = f"{measure.name}.measured" if measure.name in columns else measure.name
        columns[name] = number_column(_value(data, case, measure.name) for case in data.cases)
    for measure in data.measures:
        bounds = [_uncertainty(data, case, measure.name) for case in data.cases]
        if any(bound is not None for bound in bounds):
            columns.setdefault(f"{measure.name}_uncertainty", number_column(bounds))
    return pd.DataFrame(columns)


def spec_frame(data: ReportData) -> pd.DataFrame:
    """The spec table: measured minimum, median and maximum against the limits, and the worst case.

    Where values have an uncertainty two columns more say the largest one, and how many values are marginal.
    """
    rows = spec_rows(data)
    frame = pd.DataFrame(
        {
            "measure": [row.measure for row in rows],
            "corners": [" ".join(row.corners) for row in rows],
            "unit": [row.unit for row in rows],
            "min": number_column(row.minimum for row in rows),
            "median": number_column(row.median for row in rows),
            "max": number_column(row.maximum for row in rows),
            "limit_min": number_column(row.spec.min for row in rows),
            "limit_typ": number_column(row.spec.typ for row in rows),
            "limit_max": number_column(row.spec.max for row in rows),
            "margin": number_column(row.worst.margin if row.worst else None for row in rows),
            "worst_case": pd.array([row.worst.case.case_id if row.worst else None for row in rows], dtype="Int64"),
            "verdict": [str(row.verdict or "none") for row in rows],
            "n": [row.n for row in rows],
            "n_out_of_spec": [row.n_out for row in rows],
            "n_failed": [row.n_failed for row in rows],
            "n_missing": [row.n_missing for row in rows],
            "n_pending": [row.n_pending for row in rows],
            "n_not_measured": [row.n_not_measured for row in rows],
        }
    )
    if any(row.uncertainty is not None for row in rows):
        frame["uncertainty"] = number_column(row.uncertainty for row in rows)
        frame["n_marginal"] = [row.n_marginal for row in rows]
    return frame


def worst_frame(data: ReportData) -> pd.DataFrame:
    """The worst case of every measure with limits, the tightest first."""
    rows = worst_rows(spec_rows(data))
    swept = data.plan.sweep.swept
    columns: dict[str, object] = {
        "measure": [row.measure for row, _ in rows],
        "case_id": [worst.case.case_id for _, worst in rows],
    }
    columns.update({name: parameter_column(worst.case.parameters[name] for _, worst in rows) for name in swept})
    columns.update(
        {
            "value": number_column(worst.value for _, worst in rows),
            "unit": [row.unit for row, _ in rows],
            "limit_min": number_column(worst.low for _, worst in rows),
            "limit_max": number_column(worst.high for _, worst in rows),
            "margin": number_column(worst.margin for _, worst in rows),
            "rerun": [rerun_command(data, worst.case) for _, worst in rows],
        }
    )
    return pd.DataFrame(columns)


def aggregates_frame(results: Sequence[AggregateResult]) -> pd.DataFrame:
    """The aggregates in the columns of aggregates.csv; a group column is empty where it does not apply."""
    groups = list(dict.fromkeys(name for result in results for name in result.group))
    columns: dict[str, object] = {
        "name": [result.name for result in results],
        "measure": [result.measure for result in results],
        "over": [result.over for result in results],
    }
    columns.update({name: parameter_column(result.group.get(name, "") for result in results) for name in groups})
    columns.update(
        {
            "value": number_column(result.value for result in results),
            "unit": [result.unit for result in results],
            "verdict": [str(result.verdict) for result in results],
            "min": number_column(result.min for result in results),
            "max": number_column(result.max for result in results),
            "margin": number_column(result.margin for result in results),
            "n": [result.n for result in results],
            "n_missing": [result.n_missing for result in results],
        }
    )
    return pd.DataFrame(columns)


def statistics_frame(data: ReportData) -> pd.DataFrame:
    """The statistics in the columns of statistics.csv; a row without a measure is the yield over all limits.

    Of a grid a row without a group is over all cases.
    """
    counts = ("n", "n_missing", "n_pending")
    columns: dict[str, object] = {}
    for name, cells in statistics_columns(data.plan.sweep, data.statistics).items():
        if name in COLUMNS:
            columns[name] = cells if name in counts else pd.Series(cells, dtype="float64")
        else:
            columns[name] = parameter_column("" if cell is None else cell for cell in cells)
    return pd.DataFrame(columns)


def sensitivity_frame(data: ReportData) -> pd.DataFrame:
    """Main effects (`with` is empty) and interactions of two axes: share of the variance, of a main effect its size.

    `effect` is the difference of the highest and the lowest mean over a level of the axis, in `unit`. The row `three or
    more` has the share of what three axes or more do only together.
    """
    rows = [(one, effect) for one in data.sensitivities for effect in (*one.effects, *one.interactions)]
    rests = data.sensitivities
    names = [["+".join(axis) for axis in effect.axes] for _, effect in rows]
    nothing = [""] * len(rests)
    return pd.DataFrame(
        {
            "measure": [one.measure for one, _ in rows] + [one.measure for one in rests],
            "axis": [axes[0] for axes in names] + ["three or more" for _ in rests],
            "with": [axes[1] if len(axes) > 1 else "" for axes in names] + nothing,
            "share": number_column([effect.share for _, effect in rows] + [one.rest for one in rests]),
            "effect": number_column([effect.span for _, effect in rows] + [None for _ in rests]),
            "unit": [one.unit if effect.span is not None else "" for one, effect in rows] + nothing,
            "lowest_at": [" ".join(map(value_to_text, effect.lowest)) for _, effect in rows] + nothing,
            "highest_at": [" ".join(map(value_to_text, effect.highest)) for _, effect in rows] + nothing,
            "n": [one.n for one, _ in rows] + [one.n for one in rests],
        }
    )


def failing_frame(data: ReportData) -> pd.DataFrame:
    """Every failed case, then every case out of spec, worst first: conditions, worst measure, command.

    `n_out` counts the measures out of spec; a failed case has its error instead of a measure.
    """
    rows = failing_cases(data)
    columns: dict[str, object] = {"case_id": [row.case.case_id for row in rows]}
    for name in data.plan.sweep.swept:
        columns[name] = parameter_column(row.case.parameters[name] for row in rows)
    columns |= {
        "measure": [row.worst.name if row.worst else "" for row in rows],
        "value": number_column(row.worst.value if row.worst else None for row in rows),
        "unit": [row.worst.unit if row.worst else "" for row in rows],
        "limit_min": number_column(row.worst.min if row.worst else None for row in rows),
        "limit_max": number_column(row.worst.max if row.worst else None for row in rows),
        "margin": number_column(row.worst.margin if row.worst else None for row in rows),
        "n_out": [row.n_out for row in rows],
        "error": [row.error for row in rows],
        "rerun": [rerun_command(data, row.case) for row in rows],
    }
    return pd.DataFrame(columns)


def failures_frame(data: ReportData) -> pd.DataFrame:
    """Failed cases and measures without a value, with their log lines."""
    rows = failures(data)
    return pd.DataFrame(
        {
            "case_id": [row.case.case_id for row in rows],
            "conditions": [row.case.description for row in rows],
            "error_kind": [row.kind for row in rows],
            "measure": [row.measure for row in rows],
            "message": [row.message for row in rows],
            "log": [row.log for row in rows],
        }
    )


def failures(data: ReportData) -> list[Failure]:
    """Failed cases first, then the measures of completed cases that could not be evaluated."""
    cases, measures = [], []
    for case in data.cases:
        record, log = data.records.get(case.case_id), data.logs.get(case.case_id, "")
        if record is None:
            continue
        if record.status is Status.FAILED:
            cases.append(Failure(case, str(record.error_kind or "failed"), "", record.error_message, log))
        elif record.status is Status.COMPLETED:
            measures += [
                Failure(case, "not evaluated", m.name, m.message, log)
                for m in record.measurements
                if m.outcome is Outcome.FAILED
            ]
    return cases + measures


def parameter_column(values: Iterable[Value]) -> pd.Series:
    """A column of one type: numbers where all are numbers (whole ones stay whole), switches, else texts."""
    listed = list(values)
    if listed and all(isinstance(value, bool) for value in listed):
        return pd.Series(listed, dtype="bool")
    if listed and is_numeric(listed):
        whole = all(isinstance(value, int) and abs(value) < 2**63 for value in listed)
        return pd.Series([int(v) if whole else float(v) for v in listed], dtype="int64" if whole else "float64")
    return pd.Series([value_to_text(value) for value in listed], dtype="str")


def number_column(values: Iterable[float | None]) -> pd.Series:
    """A column of numbers, NaN where there is none."""
    return pd.Series([None if value is None else float(value) for value in values], dtype="float64")


def _case_verdict(data: ReportData, case: Case) -> str:
    record = data.records.get(case.case_id)
    return str(record.verdict) if record else "none"


def _value(data: ReportData, case: Case, name: str) -> float | None:
    measurement = data.measurement(case.case_id, name)
    return measurement.value if measurement else None


def _uncertainty(data: ReportData, case: Case, name: str) -> float | None:
    measurement = data.measurement(case.case_id, name)
    return measurement.uncertainty if measurement else None
