"""Pure: each measure over the whole run against its limits, and where it is worst."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from simorc.core.case import Case
from simorc.core.measurement import Measure, Measurement, Outcome
from simorc.core.record import Status
from simorc.core.spec import Spec, Verdict
from simorc.core.units import value_to_text
from simorc.core.verdict import RunVerdict
from simorc.report.data import ReportData


@dataclass(frozen=True, slots=True)
class Worst:
    """The case in which a measure comes nearest to its limits, or farthest beyond them.

    `relative` is the margin in parts of half the window between two limits (1 is the centre), or of the one limit;
    None where that limit is 0.
    """

    case: Case
    value: float
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
    n: values measured; n_out: of them out of spec; n_failed: could not be evaluated; n_missing: completed or failed
        without the measure; n_pending: not run yet
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
    found.sort(key=lambda pair: _tightness(pair[1]))
    first: dict[str, tuple[SpecRow, Worst]] = {}
    for row, worst in found:  # of several rows of one measure (corner limits) the tightest
        first.setdefault(row.measure, (row, worst))
    return list(first.values())


def relative_margin(margin: float, low: float | None, high: float | None) -> float | None:
    """The margin in parts of half the window, or of the one limit.

    >>> relative_margin(0.5, 1.0, 3.0), relative_margin(10.0, None, 100.0), relative_margin(1.0, 0.0, None)
    (0.5, 0.1, None)
    """
    if low is not None and high is not None:
        scale = (high - low) / 2
    else:
        scale = abs(low if low is not None else high if high is not None else 0.0)
    return margin / scale if scale > 0 else None


def _tightness(worst: Worst) -> tuple[bool, float]:
    relative = worst.relative
    return worst.margin >= 0, relative if relative is not None else (0.0 if worst.margin < 0 else float("inf"))


def _by_limits(data: ReportData, measure: Measure) -> dict[Spec, _Members]:
    groups: dict[Spec, _Members] = {}
    for case in data.cases:
        members = groups.setdefault(_limits(data, measure, case), _Members())
        members.cases.append(case)
        members.corners[_corner(case)] = None
    return groups or {measure.spec: _Members()}


def _limits(data: ReportData, measure: Measure, case: Case) -> Spec:
    """The limits that judged a case; those that will judge it where it has not run."""
    planned = measure.spec_for(case)
    recorded = data.measurement(case.case_id, measure.name)
    return planned if recorded is None else Spec(recorded.min, planned.typ, recorded.max)


def _corner(case: Case) -> str:
    key = next((name for name in ("corner_name", "corner") if name in case.parameters), None)
    return value_to_text(case.parameters[key]) if key else ""


def _row(data: ReportData, measure: Measure, spec: Spec, members: _Members) -> SpecRow:
    done = [(case, data.finished(case.case_id, measure.name)) for case in members.cases]
    valued = [(case, m, m.value) for case, m in done if m is not None and m.value is not None]
    values = [value for _, _, value in valued]
    pending = sum(data.status(case.case_id) in (Status.PENDING, Status.IN_PROGRESS) for case in members.cases)
    failed = sum(m is not None and m.outcome is Outcome.FAILED for _, m in done)
    out = sum(m.verdict is Verdict.FAIL for _, m, _ in valued)
    missing = len(done) - len(valued) - failed - pending
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
        _verdict(spec, out + failed, pending + missing),
        len(valued),
        out,
        failed,
        missing,
        pending,
    )


def _worst(valued: Sequence[tuple[Case, Measurement, float]]) -> Worst | None:
    judged = [(case, m, value, m.margin) for case, m, value in valued if m.margin is not None]
    if not judged:
        return None
    case, m, value, margin = min(judged, key=lambda entry: entry[3])
    return Worst(case, value, m.min, m.max, margin, relative_margin(margin, m.min, m.max))


def _verdict(spec: Spec, bad: int, absent: int) -> RunVerdict | None:
    if not spec.has_limits:
        return None
    if bad:
        return RunVerdict.FAIL
    return RunVerdict.INCOMPLETE if absent else RunVerdict.PASS
