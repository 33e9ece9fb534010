"""Pure: each measure over the whole run against its limits, and where it is worst."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from simorc.core.case import Case
from simorc.core.measurement import Measure, Measurement, Outcome
from simorc.core.record import Status
from simorc.core.spec import Spec, Verdict, relative_margin, tightness
from simorc.core.verdict import RunVerdict
from simorc.report.data import ReportData


@dataclass(frozen=True, slots=True)
class Worst:
    """The case in which a measure comes nearest to its limits, or farthest beyond them.

    `relative` is the margin in parts of half the window between two limits (1 is the centre), or of the one limit;
    None where that limit is 0. `uncertainty` is that of the value, None where none is known.
    """

    case: Case
    value: float
    uncertainty: float | None
    is_marginal: bool
    low: float | None
    high: float | None
    margin: float
    relative: float | None


@dataclass(frozen=True, slots=True)
class SpecRow:
    """One measure over all cases that share its limits; values in `unit`, of completed cases only.

    Parameters
    ----------
    corners: the corners these limits hold in; empty where they hold everywhere
    verdict: None where nothing was judged: no limits, or not measured in any case
    n: values measured; n_out: of them out of spec; n_failed: could not be evaluated; n_missing: completed or failed
        without the measure; n_pending: not run yet; n_not_measured: optional and absent, which judges nothing
    uncertainty: the largest of any value, None where none has one
    n_marginal: values inside their limits, but not by their uncertainty
    """

    measure: str
    unit: str
    description: str
    corners: tuple[str, ...]
    spec: Spec
    minimum: float | None
    median: float | None
    maximum: float | None
    worst: Worst | None
    verdict: RunVerdict | None
    n: int = 0
    n_out: int = 0
    n_failed: int = 0
    n_missing: int = 0
    n_pending: int = 0
    n_not_measured: int = 0
    uncertainty: float | None = None
    n_marginal: int = 0


@dataclass(slots=True)
class _Members:
    """Cases that share the limits of one measure."""

    cases: list[Case] = field(default_factory=list)
    corners: dict[str, None] = field(default_factory=dict)


def spec_rows(data: ReportData) -> list[SpecRow]:
    """The spec table, a row a measure; several where its limits differ between corners."""
    return [
        _row(data, measure, spec, members)
        for measure in data.measures_here
        for spec, members in _by_limits(data, measure).items()
    ]


def worst_rows(rows: Sequence[SpecRow]) -> list[tuple[SpecRow, Worst]]:
    """The worst case of every measure with limits, the tightest first."""
    found = [(row, row.worst) for row in rows if row.worst is not None]
    found.sort(key=lambda pair: tightness(pair[1].margin, pair[1].low, pair[1].high))
    first: dict[str, tuple[SpecRow, Worst]] = {}
    for row, worst in found:  # of several rows of one measure (corner limits) the tightest
        first.setdefault(row.measure, (row, worst))
    return list(first.values())


def _by_limits(data: ReportData, measure: Measure) -> dict[Spec, _Members]:
    groups: dict[Spec, _Members] = {}
    for case in data.cases:
        members = groups.setdefault(_limits(data, measure, case), _Members())
        members.cases.append(case)
        members.corners.update(dict.fromkeys(case.corners[:1]))
    return groups or {measure.spec: _Members()}


def _limits(data: ReportData, measure: Measure, case: Case) -> Spec:
    """The limits that judged a case; those that will judge it where it has not run."""
    planned = measure.spec_for(case)
    recorded = data.measurement(case.case_id, measure.name)
    return planned if recorded is None else Spec(recorded.min, planned.typ, recorded.max, planned.guard_band)


def _row(data: ReportData, measure: Measure, spec: Spec, members: _Members) -> SpecRow:
    done = [(case, data.finished(case.case_id, measure.name)) for case in members.cases]
    valued = [(case, m, m.value) for case, m in done if m is not None and m.value is not None]
    values = [value for _, _, value in valued]
    pending = sum(data.status(case.case_id) in (Status.PENDING, Status.IN_PROGRESS) for case in members.cases)
    failed = sum(m is not None and m.outcome is Outcome.FAILED for _, m in done)
    out = sum(m.verdict is Verdict.FAIL for _, m, _ in valued)
    absent = sum(m is not None and m.outcome is Outcome.NOT_MEASURED for _, m in done)
    missing = len(done) - len(valued) - failed - pending - absent
    return SpecRow(
        measure.name,
        measure.unit,
        measure.description,
        tuple(members.corners) if measure.corner_specs else (),
        spec,
        min(values, default=None),
        statistics.median(values) if values else None,
        max(values, default=None),
        _worst(valued),
        _verdict(spec, out + failed, missing + (0 if data.tally.spared else pending), len(valued)),
        len(valued),
        out,
        failed,
        missing,
        pending,
        absent,
        max((m.uncertainty for _, m, _ in valued if m.uncertainty is not None), default=None),
        sum(m.is_marginal for _, m, _ in valued),
    )


def _worst(valued: Sequence[tuple[Case, Measurement, float]]) -> Worst | None:
    judged = [(case, m, value, m.margin) for case, m, value in valued if m.margin is not None]
    if not judged:
        return None
    case, m, value, margin = min(judged, key=lambda entry: entry[3])
    relative = relative_margin(margin, m.min, m.max)
    return Worst(case, value, m.uncertainty, m.is_marginal, m.min, m.max, margin, relative)


def _verdict(spec: Spec, bad: int, open_cases: int, measured: int) -> RunVerdict | None:
    if not spec.has_limits:
        return None
    if bad:
        return RunVerdict.FAIL
    if open_cases:
        return RunVerdict.INCOMPLETE
    return RunVerdict.PASS if measured else None
