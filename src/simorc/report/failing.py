"""Every case that is out of spec or failed, the worst first, with the command that runs it alone."""

from __future__ import annotations

from dataclasses import dataclass

from simorc.core.case import Case
from simorc.core.measurement import Measurement
from simorc.core.record import Status
from simorc.core.spec import Verdict, tightness
from simorc.report.data import ReportData, rerun_command
from simorc.report.page import Page, Section

_MOST_ROWS = 50
_SHOWN_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Failing:
    """A case that is out of spec, with its worst measurement, or that failed, with its error and without one."""

    case: Case
    worst: Measurement | None
    n_out: int
    error: str = ""


def failing_cases(data: ReportData) -> list[Failing]:
    """Cases that failed, then those out of spec: without a value first, then by the relative margin of the worst."""
    failed, out = [], []
    for case in data.cases:
        record = data.records.get(case.case_id)
        if record is None:
            continue
        if record.status is Status.FAILED:
            message = record.error_message.partition("\n")[0]
            failed.append(Failing(case, None, 0, f"{record.error_kind or 'failed'}: {message}".rstrip(": ")))
        elif record.verdict is Verdict.FAIL:
            missed = [m for m in record.measurements if m.verdict is Verdict.FAIL]
            out.append(Failing(case, min(missed, key=_tightness), len(missed)))
    return failed + sorted(out, key=lambda one: _tightness(one.worst))


def failing(page: Page) -> Section | None:
    """The failing cases with their conditions, seeds and commands."""
    listed = failing_cases(page.data)
    if not listed:
        return None
    rows = [(one, rerun_command(page.data, one.case)) for one in listed[:_MOST_ROWS]]
    return page.section("failing", "Failing cases", rows=rows, first=_SHOWN_AT_ONCE, total=len(listed))


def _tightness(m: Measurement | None) -> float:
    return tightness(m.margin, m.min, m.max) if m is not None else float("-inf")
