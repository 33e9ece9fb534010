"""Tables for other programs: workbook, JUnit XML, datasheet."""

from __future__ import annotations

import io
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

import simorc.report.export as export
from simorc.core.case import Case
from simorc.core.errors import ErrorKind, UsageError
from simorc.core.measurement import Measure
from simorc.core.record import CaseRecord, Status
from simorc.core.sweep import Axis, Sweep
from simorc.report.data import ReportData
from simorc.report.export import exports

Make = Callable[..., ReportData]
Completed = Callable[..., Callable[[Case], CaseRecord]]
UNFIT = "bad \x1b[0m <&> \ud800"
pytestmark = pytest.mark.req("SIM-16")


def junit(data: ReportData) -> ElementTree.Element:
    (suite,) = ElementTree.fromstring(exports(data, ["junit"])["junit.xml"])
    return suite


def test_junit_counts_failures_errors_and_skipped(report_data: Make) -> None:
    suite = junit(report_data())
    assert suite.attrib["name"] == "pvt_ldo_20260101120000"
    counts = {name: suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "9", "failures": "4", "errors": "1", "skipped": "1"}
    cases = {test.attrib["name"]: test for test in suite}
    out = cases["case 1: corner=tt, temp=-40"].find("failure")
    assert out is not None
    assert out.attrib["message"] == "iq = 110 µA, at most 100 µA"
    assert "simorc run pvt_ldo_20260101120000 --case 1" in str(out.text)
    lost = cases["vout_spread: corner=ff"].find("failure")
    assert lost is not None
    assert lost.attrib == {"type": "missing", "message": "vout_spread: 2 of 3 points missing"}
    broken = cases["case 4: corner=ff, temp=-40"].find("error")
    assert broken is not None
    assert broken.attrib == {"type": "no_convergence", "message": "doAnalyses: iteration limit reached"}
    assert len(cases["case 0: corner=tt, temp=125"]) == 0


def test_junit_of_a_run_that_has_not_begun(report_data: Make) -> None:
    suite = junit(report_data(aggregates=(), records=lambda case: None))
    assert [test.find("skipped") is not None for test in suite] == [True] * 6


def test_junit_holds_messages_that_xml_cannot(report_data: Make) -> None:
    def failed(case: Case) -> CaseRecord:
        return CaseRecord(case.case_id, Status.FAILED, error_kind=ErrorKind.KILLED, error_message=UNFIT)

    error = junit(report_data(aggregates=(), records=failed))[0].find("error")
    assert error is not None
    assert error.attrib["message"] == "bad ?[0m <&> ?"


def test_a_workbook_has_a_sheet_a_table_with_numbers_as_numbers(report_data: Make) -> None:
    import zipfile

    def formula(case: Case) -> CaseRecord:
        return CaseRecord(case.case_id, Status.FAILED, error_kind=ErrorKind.KILLED, error_message="=1+1\x07")

    made = exports(report_data(aggregates=()), ["xlsx"])["report.xlsx"]
    with zipfile.ZipFile(io.BytesIO(made)) as book:
        names = book.read("xl/workbook.xml").decode()
        assert [title in names for title in ("Worst corners", "Specifications", "Cases", "Datasheet")] == [True] * 4
        sheets = [book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name]
    assert any("<v>0.00011</v>" in sheet for sheet in sheets)
    nasty = exports(report_data(aggregates=(), records=formula), ["xlsx"])["report.xlsx"]
    with zipfile.ZipFile(io.BytesIO(nasty)) as book:
        text = book.read("xl/sharedStrings.xml").decode()
        assert "=1+1?" in text
        assert not any(b"<f>" in book.read(name) for name in book.namelist() if "worksheets/sheet" in name)


def test_a_table_too_long_for_a_sheet_is_refused(report_data: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_MOST_SHEET_ROWS", 11)
    with pytest.raises(UsageError, match="12 rows in the table 'sensitivity', a sheet has 11"):
        exports(report_data(), ["xlsx"])


def test_the_datasheet_has_min_typ_max_with_conditions(report_data: Make) -> None:
    lines = exports(report_data(), ["md"])["datasheet.md"].decode().splitlines()
    assert lines[2] == "| parameter | conditions | min | typ | max | unit | limits |"
    where = "corner = tt, ff; temp = -40 to 125"
    limits = "3.25 V to 3.35 V in tt; 3.25 V to 3.32 V in ff"
    assert lines[4] == f"| Output voltage (vout) | {where} | 3.280 | 3.300 | 3.315 | V | {limits} |"
    assert lines[5] == f"| iq | {where} | 80.0 | 80.0 | 110.0 | µA | at most 100 µA |"


def test_typ_is_the_median_of_the_typical_cases(report_data: Make, completed: Completed) -> None:
    """No corner is the default one, so all three at 27 degC are typical."""
    sweep = Sweep(
        "s",
        (Axis(("corner",), (("ff",), ("ss",), ("sf",))), Axis(("temp",), ((27,), (125,)))),
        {"corner": "tt", "temp": 27},
    )
    values = (1.0, 5.0, 2.0, 6.0, 9.0, 7.0)  # at 27 degC 1, 2, 9
    measures = (Measure("v", "V"),)
    records = completed(lambda case: {"v": values[case.case_id]}, measures)
    data = report_data(sweep=sweep, measures=measures, aggregates=(), records=records, logs={})
    line = exports(data, ["md"])["datasheet.md"].decode().splitlines()[4]
    assert line.split(" | ")[2:5] == ["1.000", "2.000", "9.000"]


def test_the_datasheet_of_a_run_without_values(report_data: Make) -> None:
    measures = (Measure("v", "V"),)
    text = exports(report_data(measures=measures, aggregates=(), records=lambda case: None), ["md"])["datasheet.md"]
    assert "| v | corner = tt, ff; temp = -40 to 125 |  |  |  | V |  |" in text.decode()
