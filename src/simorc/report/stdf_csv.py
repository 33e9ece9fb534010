"""A run as the records of STDF V4 that test-floor tools ask for, one CSV a record type, columns named as its fields.

Fields and flag bits: Standard Test Data Format specification, version 4 (Teradyne): MIR, PRR, PTR.
A case is a part, a measure is a parametric test, its number its place among the measures from 1 on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simorc import __version__
from simorc.core.case import Case
from simorc.core.measurement import Measurement, Outcome
from simorc.core.record import Status
from simorc.core.spec import Verdict
from simorc.report.data import ReportData
from simorc.workspace.clock import parse_utc
from simorc.workspace.csv_text import csv_lines, number_cell

HEAD, SITE = "1", "1"
BINS = {Verdict.NONE: 0, Verdict.PASS: 1, Verdict.FAIL: 2}
"""HARD_BIN of a part by its verdict; a part whose case failed is in `FAILED_BIN`."""
FAILED_BIN = 3

_INVALID, _NOT_EXECUTED, _NO_VERDICT, _FAILED = 1 << 1, 1 << 4, 1 << 6, 1 << 7  # TEST_FLG
_PART_ABNORMAL, _PART_FAILED, _PART_NO_VERDICT = 1 << 2, 1 << 3, 1 << 4  # PART_FLG

Rows = Iterator[Sequence[object]]


def as_stdf_csv(data: ReportData) -> dict[str, bytes]:
    """The files stdf_mir.csv, stdf_prr.csv and stdf_ptr.csv."""
    made = {"mir": _mir(data), "prr": _prr(data), "ptr": _ptr(data)}
    return {f"stdf_{name}.csv": "".join(csv_lines(rows)).encode() for name, rows in made.items()}


def _mir(data: ReportData) -> Rows:
    """Master information record: what was run, once."""
    yield ["SETUP_T", "START_T", "LOT_ID", "PART_TYP", "JOB_NAM", "TSTR_TYP", "EXEC_TYP", "EXEC_VER"]
    built = _seconds(data.manifest.get("created"))
    started = [record.started for record in data.records.values() if record.started]
    first = _seconds(min(started, default=None))
    plan = data.plan
    yield [built, first, data.run_id, plan.testbench, plan.sweep.name, plan.target, "simorc", __version__]


def _prr(data: ReportData) -> Rows:
    """Part results record: every case that ran."""
    yield ["HEAD_NUM", "SITE_NUM", "PART_FLG", "NUM_TEST", "HARD_BIN", "SOFT_BIN", "TEST_T", "PART_ID", "PART_TXT"]
    for case in _ran(data):
        record = data.records[case.case_id]
        failed = record.status is Status.FAILED
        flag = _PART_ABNORMAL | _PART_FAILED if failed else _PART_FAILED if record.verdict is Verdict.FAIL else 0
        flag |= _PART_NO_VERDICT if record.verdict is Verdict.NONE and not failed else 0
        bin_ = FAILED_BIN if failed else BINS[record.verdict]
        duration = "" if record.duration_s is None else round(record.duration_s * 1000)
        yield [HEAD, SITE, flag, len(record.measurements), bin_, bin_, duration, case.case_id, case.description]


def _ptr(data: ReportData) -> Rows:
    """Parametric test record: every measurement, judged by the limits that were in force."""
    yield [
        *("TEST_NUM", "HEAD_NUM", "SITE_NUM", "TEST_FLG", "RESULT", "TEST_TXT", "UNITS", "LO_LIMIT", "HI_LIMIT"),
        "PART_ID",
    ]
    number = {measure.name: place for place, measure in enumerate(data.measures, 1)}
    for case in _ran(data):
        for m in data.records[case.case_id].measurements:
            cells = (number_cell(m.value), m.name, m.unit, number_cell(m.min), number_cell(m.max))
            yield [number[m.name], HEAD, SITE, _test_flag(m), *cells, case.case_id]


def _test_flag(m: Measurement) -> int:
    flag = 0 if m.value is not None else _INVALID
    flag |= _NOT_EXECUTED if m.outcome is Outcome.NOT_MEASURED else 0
    return flag | (_NO_VERDICT if m.verdict is Verdict.NONE else _FAILED if m.verdict is Verdict.FAIL else 0)


def _ran(data: ReportData) -> Iterator[Case]:
    """The cases that are completed or failed, in order."""
    return (case for case in data.cases if data.status(case.case_id) in (Status.COMPLETED, Status.FAILED))


def _seconds(time: object) -> int | str:
    """Seconds since 1970, UTC; empty where there is no time."""
    parsed = parse_utc(time)
    return "" if parsed is None else round(parsed.timestamp())
