"""A run directory under plain pytest, as a person calls it."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ElementTree

import pytest

from simorc.core.measurement import Measure
from simorc.core.plan import PlotSpec
from simorc.core.spec import Spec
from simorc.workspace.lock import run_lock

IDS = ["test_sweep[0-a:1]", "test_sweep[1-a:2]", "test_sweep[2-a:3]"]


def column(run, name):
    with run.metadata.open() as file:
        return [row[name] for row in csv.DictReader(file)]


@pytest.mark.req("SIM-01", "SIM-11")
def test_one_test_a_row_in_row_order(pytester, make_run):
    run = make_run()
    result = pytester.runpytest_subprocess("--collect-only", "-q", str(run.path))
    assert [line.partition("::")[2] for line in result.outlines if "::" in line] == IDS


@pytest.mark.req("SIM-11", "SIM-12", "SIM-14")
@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_executes_records_and_gathers(pytester, make_run, statuses, workers):
    run = make_run()
    result = pytester.runpytest_subprocess(str(run.path), *workers)
    result.assert_outcomes(passed=2, failed=1)
    assert [record["measurements"][0]["value"] for record in statuses(run).values()] == [10, 20, 30]
    assert column(run, "status") == ["completed"] * 3
    result.stdout.fnmatch_lines(["*sweep_1: 3 completed, 1 out of spec*"])


@pytest.mark.req("SIM-11")
def test_out_of_spec_fails_with_a_table(pytester, make_run):
    run = make_run()
    result = pytester.runpytest_subprocess(str(run.path))
    result.stdout.fnmatch_lines(
        [
            "case 2 (a=3) is out of spec",
            "measure  value  unit  min  max  margin",
            "y        30     V     -    25   -5      FAIL",
            "run it alone: simorc run sweep_1 --case 2",
        ]
    )


@pytest.mark.req("SIM-15")
def test_completed_cases_are_replayed_not_repeated(pytester, make_run, statuses):
    run = make_run()
    pytester.runpytest_subprocess(str(run.path))
    first = statuses(run)
    result = pytester.runpytest_subprocess(str(run.path), "-n", "2")
    result.assert_outcomes(passed=2, failed=1)
    assert statuses(run) == first
    pytester.runpytest_subprocess("--simorc-rerun", str(run.path))
    assert [record["attempt"] for record in statuses(run).values()] == [2, 2, 2]
    assert len(list(run.history.iterdir())) == 3


@pytest.mark.req("SIM-01")
def test_k_x_and_lf(pytester, make_run, statuses):
    run = make_run((3, 1, 2))
    result = pytester.runpytest_subprocess(str(run.path), "-k", "a:1")
    result.assert_outcomes(passed=1, deselected=2)
    assert list(statuses(run)) == [1]
    pytester.runpytest_subprocess(str(run.path), "-x").assert_outcomes(failed=1)
    assert list(statuses(run)) == [0, 1]
    pytester.runpytest_subprocess(str(run.path))
    result = pytester.runpytest_subprocess(str(run.path), "--lf", "-n", "2")
    result.assert_outcomes(failed=1)


@pytest.mark.req("SIM-01")
def test_junitxml_carries_parameters_and_measures(pytester, make_run):
    run = make_run()
    pytester.runpytest_subprocess(str(run.path), "-n", "2", "--junitxml=out.xml")
    cases = ElementTree.parse(pytester.path / "out.xml").findall(".//testcase")
    properties = [{p.get("name"): p.get("value") for p in case.iter("property")} for case in cases]
    found = {(p["parameter.a"], p["measure.y"]) for p in properties}
    assert found == {("1", "10.0 V"), ("2", "20.0 V"), ("3", "30.0 V")}


@pytest.mark.req("SIM-01")
@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_pytest_html_has_parameters_and_measures_in_its_rows(pytester, make_run, workers):
    run = make_run()
    pytester.runpytest_subprocess(str(run.path), "--html=out.html", "--self-contained-html", *workers)
    page = (pytester.path / "out.html").read_text()
    assert "<th>Parameters</th>" in page
    assert "<th>Measures</th>" in page
    assert "a = 3" in page
    assert "y = 30.0 V" in page


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_pytest_html_draws_the_waveforms_of_a_row(pytester, make_run, workers):
    template = "* stub\n* meas y = 1\n* wave v(out) = 0 {{ parameters.a }} 2\n.end\n"
    spec = PlotSpec("out", kind="waveform", y=("v(out)",))
    run = make_run(template=template, plot_specs=(spec,))
    pytester.runpytest_subprocess(str(run.path), "--html=out.html", "--self-contained-html", *workers)
    page = (pytester.path / "out.html").read_text()
    assert page.count("polyline points") == 3


@pytest.mark.req("SIM-14")
def test_several_runs_of_one_sweep_in_one_session(pytester, make_run, statuses):
    runs = [make_run(run_id="sweep_1"), make_run((5,), run_id="sweep_2")]
    result = pytester.runpytest_subprocess("simulations", "-n", "2")
    result.assert_outcomes(passed=2, failed=2)
    assert [len(statuses(run)) for run in runs] == [3, 1]
    assert column(runs[1], "status") == ["completed"]


def test_a_run_in_use_is_refused(pytester, make_run, statuses):
    run = make_run()
    with run_lock(run):
        result = pytester.runpytest_subprocess(str(run.path))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*sweep_1 is in use by*"])
    assert statuses(run) == {}


@pytest.mark.req("SIM-09")
def test_a_changed_parameter_column_is_an_error(pytester, make_run, statuses):
    run = make_run()
    run.metadata.write_text(run.metadata.read_text().replace("results/1/,2", "results/1/,7"))
    result = pytester.runpytest_subprocess(str(run.path))
    assert result.ret != 0
    assert "column a: found '7', expected '2'" in result.stdout.str() + result.stderr.str()
    assert statuses(run) == {}


@pytest.mark.req("SIM-12")
def test_a_failing_case_costs_itself_alone(pytester, make_run, statuses):
    template = "* stub\n{% if parameters.a == 2 %}* fail no_convergence{% endif %}\n* meas y = 1\n.end\n"
    run = make_run(template=template)
    pytester.runpytest_subprocess(str(run.path)).assert_outcomes(passed=2, failed=1)
    records = statuses(run)
    assert [record["status"] for record in records.values()] == ["completed", "failed", "completed"]
    assert records[1]["error_kind"] == "no_convergence"


def test_a_session_elsewhere_is_left_alone(pytester):
    pytester.makepyfile(
        "import pytest\n@pytest.mark.parametrize('case', [1, 2])\ndef test_mine(case): assert case in (1, 2)\n"
    )
    pytester.runpytest_subprocess("-n", "2").assert_outcomes(passed=2)


def test_case_outside_a_run_directory_says_so(pytester):
    pytester.makepyfile("def test_mine(case, measure): pass\n")
    result = pytester.runpytest_subprocess()
    result.stdout.fnmatch_lines(["*beside the generated module of a run directory*"])


def test_measures_without_limits_pass(pytester, make_run):
    run = make_run(measures=(Measure("y", "V", Spec(typ=1.0)),))
    pytester.runpytest_subprocess(str(run.path)).assert_outcomes(passed=3)
