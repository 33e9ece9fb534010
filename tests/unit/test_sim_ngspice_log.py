"""Logs of real runs of ngspice 39, in tests/golden; tests/e2e/test_ngspice_failures.py runs their decks again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.core.errors import ErrorKind
from simorc.simulators.ngspice_log import LogReport, parse_log

GOLDEN = Path(__file__).parents[1] / "golden" / "ngspice"

FAILURES = {
    "bad_analysis": (ErrorKind.TEMPLATE, "TSTOP is invalid, must be greater than zero.: .tran 1n"),
    "bad_expression": (ErrorKind.TEMPLATE, "Expression err: 1+*2} in netlist line 2"),
    "bad_value": (ErrorKind.TEMPLATE, "unknown parameter (high): v1 a 0 high"),
    "crash": (ErrorKind.KILLED, "ngspice ended by signal 11 (SIGSEGV)"),
    "digits": (ErrorKind.TEMPLATE, "an argument of .tran has more than 6 digits - write it as a plain number"),
    "duplicate_device": (ErrorKind.TEMPLATE, "device already exists, existing one being used: v1 a 0 2"),
    "floating_node": (ErrorKind.NO_CONVERGENCE, "Warning: singular matrix: check node a"),
    "missing_include": (ErrorKind.MISSING_INCLUDE, "Error: Could not find include file nowhere.inc"),
    "missing_library": (ErrorKind.MISSING_INCLUDE, "Error: Could not find library file nowhere.lib"),
    "missing_section": (
        ErrorKind.MISSING_INCLUDE,
        "ERROR, library file corners.lib, section definition tt not found",
    ),
    "no_analysis": (
        ErrorKind.TEMPLATE,
        "no analysis ran - the netlist needs a card such as .op or .dc or .ac or .tran",
    ),
    "no_operating_point": (ErrorKind.NO_CONVERGENCE, "Error: Transient op failed, timestep too small"),
    "no_such_source": (ErrorKind.TEMPLATE, "doAnalyses: no such device"),
    "second_analysis_fails": (
        ErrorKind.TIMESTEP,
        "doAnalyses: TRAN: Timestep too small; time = 1.00124e-06, timestep = 1.25e-21: "
        "trouble with switch-instance s1",
    ),
    "timestep": (
        ErrorKind.TIMESTEP,
        "doAnalyses: TRAN: Timestep too small; time = 1.00124e-06, timestep = 1.25e-21: "
        "trouble with switch-instance s1",
    ),
    "unbalanced_subcircuit": (ErrorKind.TEMPLATE, "Error: Mismatch of .subckt ... .ends statements!"),
    "undefined_parameter": (ErrorKind.TEMPLATE, "Undefined parameter [resistance] in netlist line 3"),
    "unknown_model": (
        ErrorKind.MISSING_MODEL,
        "could not find a valid modelname: m1 a a 0 0 nch w=1u l=1u",
    ),
    "unknown_subcircuit": (ErrorKind.MISSING_MODEL, "Error: unknown subckt: x1 a 0 opamp"),
}


def golden(name: str) -> LogReport:
    return parse_log((GOLDEN / f"{name}.log").read_text())


def test_every_golden_failure_is_expected_here() -> None:
    assert {path.stem for path in (GOLDEN / "failures").glob("*.log")} == set(FAILURES)


@pytest.mark.req("SIM-12")
@pytest.mark.parametrize("name", sorted(FAILURES))
def test_a_failure_has_its_kind_and_quotes_the_telling_line(name: str) -> None:
    assert golden(f"failures/{name}").error == FAILURES[name]


def test_measures_of_all_analyses_are_read_with_all_digits() -> None:
    report = golden("logs/five_analyses")
    assert report.error is None
    assert report.values == {
        "g0": -0.017111504344580933,
        "vo": 0.5,
        "vt": 0.8644631188557486,
        "td": 6.931527823278184e-07,
        "pp": 1.7289262377114971,
        "av": 0.8403526222066372,
        "bad": None,
        "on": None,
    }
    assert report.messages == {
        "bad": "Error: measure bad when(WHEN) : out of interval",
        "on": "ngspice evaluates .meas of kind tran, ac, dc, sp alone, not noise",
    }


def test_one_failed_measure_leaves_the_others_alone() -> None:
    report = golden("logs/failed_measures")
    assert report.error is None
    assert {name for name, value in report.values.items() if value is not None} == {"good"}
    assert report.values["good"] == 0.25
    assert report.messages == {
        "outside": "Error: measure outside find(AT) : out of interval",
        "never": "Error: measure never when(WHEN) : out of interval",
        "vector": "Error: no such vector as v(nope).",
        "sum": "Undefined parameter [never]",
        "wrong": "ngspice evaluates .meas of kind tran, ac, dc, sp alone, not op",
    }


def test_warnings_alone_fail_nothing() -> None:
    report = golden("logs/rescued")
    assert "singular matrix" in (GOLDEN / "logs/rescued.log").read_text()
    assert (report.error, report.values) == (None, {"x": pytest.approx(0.5)})


def test_of_two_sweeps_a_measure_has_the_value_of_the_one_that_could_evaluate_it() -> None:
    report = golden("logs/two_dc_sweeps")
    assert report.values["first"] == pytest.approx(0.3 / (2 / 3))
    assert report.values["first2"] == pytest.approx(2 * 0.3 / (2 / 3))
    assert report.values["second"] == pytest.approx(0.6615944)
    assert report.values["second2"] == pytest.approx(2 * 0.6615944)
    assert report.values["sum"] == pytest.approx(0.3 / (2 / 3) + 0.6615944)


def test_two_values_in_two_sweeps_are_none() -> None:
    report = golden("logs/two_dc_sweeps")
    assert (report.values["both"], report.values["both2"]) == (None, None)
    assert report.messages["both"] == "two analyses of one kind gave 0.333333 and 0.672608; compute it in measures.py"
    assert "once" in report.messages["both2"]
    third = parse_log("a = 1.0\nsimorc again: dc\na = 2.0\nsimorc again: dc\na = 2.0")
    assert third.values == {"a": None}
    assert parse_log("a = 1.0\nsimorc again: dc\na = 1.0").values == {"a": 1.0}


def test_the_last_statement_on_a_measure_counts() -> None:
    failed = " meas tran x find v(a) at=1 failed!"
    assert parse_log(f"x = 1.0e+00\n{failed}").values == {"x": None}
    later = parse_log(f"{failed}\nX                   =  2.5e+00 at=  1.0e-06")
    assert (later.values, later.messages) == ({"x": 2.5}, {})


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("td                  =  6.9e-07 targ=  6.9e-07 trig=  1.5e-09", {"td": 6.9e-07}),
        ("av = 8.4e-01 from= 1.0e-06 to= 3.0e-06", {"av": 0.84}),
        ("peak = 1.0e+04 with= -1.7e-02", {"peak": 1e4}),
        ("v(out) = 1.25", {"v(out)": 1.25}),
        ("x = nan", {"x": None}),
        ("x = -inf", {"x": None}),
        ("x = 1.0e+00,2.0e+00", {}),
        ("Doing analysis at TEMP = 27.000000 and TNOM = 27.000000", {}),
        ("Trying gmin =   1.0000E-03 Note: One successful gmin step", {}),
        ("No. of Data Rows : 31", {}),
        ("Stack = 0 bytes.", {}),
        ("temp is 27 = 3", {}),
        ("x == 3", {}),
        ("x = 3.3 V", {}),
    ],
)
def test_a_value_is_a_line_with_a_name_and_a_number_alone(line: str, values: dict[str, float | None]) -> None:
    assert parse_log(line).values == values


def test_digits_are_taken_only_where_they_agree_with_the_printed_ones() -> None:
    assert parse_log("a = 1.234568e+00\nsimorc_a = 1.2345678901234567e+00").values == {"a": 1.2345678901234567}
    assert parse_log("a = 1.234568e+00\nsimorc_a = 1.2345690000000000e+00").values == {"a": 1.234568}
    assert parse_log("a = 1.234568e+00\nsimorc_a = failed").values == {"a": 1.234568}
    assert parse_log("simorc_a = 1.0e+00").values == {}


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    report = parse_log(text)
    assert set(report.messages) <= set(report.values)


@given(st.floats(allow_nan=False, allow_infinity=False), st.from_regex(r"[a-z_][a-z0-9_]{0,15}", fullmatch=True))
def test_every_number_that_is_printed_comes_back(number: float, name: str) -> None:
    if name.startswith("simorc_"):
        return
    full = parse_log(f"{name:20}=  {number:.6e}\nsimorc_{name:13}=  {number:.16e}")
    assert full.values == {name: number}


def test_what_was_measured_is_not_replaced_by_what_was_printed() -> None:
    """`print all` shows a node of the measure's name after another analysis."""
    measured = "vout                =  5.000000e-01 at=  1.002000e-06\n"
    assert parse_log(measured + "vout = 1.0e+00\n").values == {"vout": 0.5}
    assert parse_log("vout = 1.0e+00\n" + measured).values == {"vout": 0.5}
    assert parse_log(" meas tran vout max v(a) failed!\nvout = 1.0e+00\n").values == {"vout": None}
    assert parse_log("gain = 1.0e+00\ngain = 2.0e+00\n").values == {"gain": 2.0}
    long_name = "a_very_long_measure_name_indeed=  5.0e-01 at=  1.0e-06\na_very_long_measure_name_indeed = 7\n"
    assert parse_log(long_name).values == {"a_very_long_measure_name_indeed": 0.5}


def test_a_title_is_no_reason() -> None:
    assert parse_log("Circuit: * fatal error in ngspice, singular matrix\nx = 1\n").error is None


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Error: simulation(s) aborted", ErrorKind.TEMPLATE),
        ("Simulation interrupted", ErrorKind.TEMPLATE),
        ("FATAL ERROR in NGSPICE", ErrorKind.TEMPLATE),
        ("Error: Could not find include file a.inc", ErrorKind.MISSING_INCLUDE),
        ("Error: there aren't any circuits loaded.", ErrorKind.TEMPLATE),
        ("Error: incomplete or empty netlist", ErrorKind.TEMPLATE),
        ("Message:  cannot open file a.txt", ErrorKind.MISSING_INCLUDE),
        ("failed to open state file a.in", ErrorKind.MISSING_INCLUDE),
        ("a.in: file was not read successfully", ErrorKind.MISSING_INCLUDE),
        ("simorc: disk_full: no room", ErrorKind.DISK_FULL),
    ],
)
def test_one_fatal_line_among_good_ones_is_an_error(line: str, kind: ErrorKind) -> None:
    report = parse_log(f"Circuit: * a\nx = 1.0e+00\n{line}\ny = 2.0e+00\n")
    assert report.error is not None
    assert report.error[0] is kind
