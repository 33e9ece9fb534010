"""A run as records of STDF V4 in CSV."""

from __future__ import annotations

import csv
import io

import pytest

from simorc.core.case import Case
from simorc.core.errors import ErrorKind
from simorc.core.measurement import Measure, Measurement, Outcome, judge
from simorc.core.plan import Plan
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Spec
from simorc.core.sweep import Axis, Sweep
from simorc.report.data import ReportData
from simorc.report.export import exports

VOUT = Measure("vout", "V", Spec(min=3.2, max=3.4))
IQ = Measure("iq", "A")
START = "2026-01-01T12:00:00Z"


def measured(case: Case, vout: float | None, iq: float | None) -> tuple[Measurement, ...]:
    values = ((VOUT, vout), (IQ, iq))
    return tuple(judge(m, case, v, Outcome.FAILED if v is None else Outcome.VALUE) for m, v in values)


@pytest.fixture
def records() -> dict[str, list[dict[str, str]]]:
    sweep = Sweep("pvt", (Axis(("temp",), ((-40,), (27,), (85,), (125,), (150,))),), {"temp": 27})
    plan = Plan(sweep, "ldo", "spice", "/tb", "/s.yaml", "/setup.yaml", measures=(VOUT, IQ))
    cases = list(sweep.cases())
    found = {
        0: CaseRecord(
            0,
            Status.COMPLETED,
            started=START,
            duration_s=0.25,
            measurements=measured(cases[0], 3.3, 1e-6),
        ),
        1: CaseRecord(1, Status.COMPLETED, measurements=measured(cases[1], 3.5, None)),
        2: CaseRecord(2, Status.FAILED, error_kind=ErrorKind.TIMEOUT),
        3: CaseRecord(3, Status.COMPLETED, measurements=measured(cases[3], 3.3, 1e-6)[1:]),
    }
    data = ReportData(plan, cases, found, manifest={"run_id": "pvt_1", "created": "2026-01-01T11:59:00Z"})
    files = exports(data, ["stdf-csv"])
    return {name: list(csv.DictReader(io.StringIO(content.decode()))) for name, content in files.items()}


def test_one_file_a_record_type(records: dict[str, list[dict[str, str]]]) -> None:
    assert list(records) == ["stdf_mir.csv", "stdf_prr.csv", "stdf_ptr.csv"]
    (mir,) = records["stdf_mir.csv"]
    assert (mir["LOT_ID"], mir["PART_TYP"], mir["JOB_NAM"], mir["TSTR_TYP"]) == ("pvt_1", "ldo", "pvt", "spice")
    assert int(mir["START_T"]) - int(mir["SETUP_T"]) == 60


def test_every_case_that_ran_is_a_part_with_its_bin(records: dict[str, list[dict[str, str]]]) -> None:
    parts = [
        (row["PART_ID"], row["HARD_BIN"], int(row["PART_FLG"]), row["PART_TXT"]) for row in records["stdf_prr.csv"]
    ]
    assert parts == [
        ("0", "1", 0, "temp=-40"),
        ("1", "2", 0b1000, "temp=27"),
        ("2", "3", 0b1100, "temp=85"),
        ("3", "0", 0b10000, "temp=125"),
    ]
    assert [row["TEST_T"] for row in records["stdf_prr.csv"]] == ["250", "", "", ""]


def test_every_measurement_is_a_test_with_its_limits_and_flags(records: dict[str, list[dict[str, str]]]) -> None:
    tests = [
        tuple(row[key] for key in ("PART_ID", "TEST_NUM", "TEST_TXT", "RESULT", "TEST_FLG"))
        for row in records["stdf_ptr.csv"]
    ]
    assert tests == [
        ("0", "1", "vout", "3.3", "0"),
        ("0", "2", "iq", "1e-06", "64"),
        ("1", "1", "vout", "3.5", "128"),
        ("1", "2", "iq", "", "66"),
        ("3", "2", "iq", "1e-06", "64"),
    ]
    first = records["stdf_ptr.csv"][0]
    assert (first["UNITS"], first["LO_LIMIT"], first["HI_LIMIT"]) == ("V", "3.2", "3.4")
