"""Pure: what a failing case says of itself."""

from __future__ import annotations

from collections.abc import Sequence

from simorc.core.case import Case
from simorc.core.measurement import Measurement, Outcome
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Verdict

_HEADINGS = ("measure", "value", "unit", "min", "max", "margin", "")


def failure_text(case: Case, record: CaseRecord, run_id: str) -> str:
    """Why a case fails its test, as a table of its measurements; empty when it passes."""
    if record.status is Status.COMPLETED and record.verdict is not Verdict.FAIL:
        return ""
    head = f"case {case.case_id} ({case.description})"
    rerun = f"run it alone: simorc run {run_id} --case {case.case_id}"
    if record.status is not Status.COMPLETED:
        lines = [f"{head} failed: {record.error_kind or record.status}", record.error_message]
    else:
        lines = [f"{head} is out of spec"]
    if record.measurements:
        lines += ["", *_table([_row(m) for m in record.measurements])]
    return "\n".join([*lines, "", rerun])


def _row(m: Measurement) -> tuple[str, ...]:
    remark = {Verdict.FAIL: "FAIL", Verdict.PASS: "ok", Verdict.NONE: ""}[m.verdict]
    if m.outcome is not Outcome.VALUE:
        remark = f"{remark} {m.outcome}: {m.message}".strip()
    return (m.name, _number(m.value), m.unit, _number(m.min), _number(m.max), _number(m.margin), remark)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.7g}"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[k]) for row in (_HEADINGS, *rows)) for k in range(len(_HEADINGS) - 1)]
    return ["  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in (_HEADINGS, *rows)]
