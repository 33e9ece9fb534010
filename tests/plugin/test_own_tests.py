"""What people write themselves beside the generated module: fixtures and hooks."""

from __future__ import annotations

import pytest

from simorc.core.measurement import Measure

pytestmark = pytest.mark.req("DVT-11")


def test_fixtures(pytester, make_run):
    run = make_run(template="* stub\n* meas y = {{ parameters.a * 10 }}\n* wave out = 1 2 3\n.end\n")
    (run.path / "test_own.py").write_text(
        """
def test_values(case, measure):
    assert measure["y"] == case.parameters["a"] * 10
    assert case.parameters["temp"] == 27
    assert dict(measure) == {"y": measure["y"]}

def test_waves(waves):
    assert list(waves["out"]) == [1, 2, 3]

def test_other_decks(simulator, case):
    assert simulator.run(a=7).values["y"] == 70
    assert simulator.run("* stub\\n* meas z = 3\\n.end\\n").values == {"z": 3}
    try:
        simulator.run(b=1)
    except KeyError as error:
        assert "'b' is not a parameter" in str(error)
    else:
        raise AssertionError
"""
    )
    result = pytester.runpytest_subprocess(str(run.path / "test_own.py"))
    result.assert_outcomes(passed=9)


def test_a_case_wanted_by_two_tests_in_two_workers_runs_once(pytester, make_run, statuses):
    run = make_run((1, 2, 1000), template="* stub\n* sleep 0.05\n* meas y = {{ parameters.a }}\n.end\n", measures=())
    (run.path / "test_own.py").write_text(
        "import pytest\n@pytest.mark.parametrize('k', range(4))\ndef test_own(case, measure, k): pass\n"
    )
    pytester.runpytest_subprocess(str(run.path), "-n", "2").assert_outcomes(passed=15)
    assert [record["attempt"] for record in statuses(run).values()] == [1, 1, 1]


def test_the_four_hooks(pytester, make_run, statuses):
    run = make_run(measures=(Measure("y", "V"),))
    (run.path / "conftest.py").write_text(
        """
import pathlib
from simorc.core.measurement import Measurement
log = pathlib.Path(__file__).with_name("hooks.log").open("a")

def pytest_simorc_cases(config, cases):
    cases[:] = [case for case in cases if case.parameters["a"] != 2]

def pytest_simorc_case_start(case):
    print("start", case.case_id, file=log, flush=True)

def pytest_simorc_measured(case, waves, measurements):
    measurements.append(Measurement("extra", 42.0, "V"))

def pytest_simorc_case_done(case, record):
    print("done", case.case_id, record.status, file=log, flush=True)
"""
    )
    pytester.runpytest_subprocess(str(run.path)).assert_outcomes(passed=2)
    assert (run.path / "hooks.log").read_text().split("\n")[:2] == ["start 0", "done 0 completed"]
    records = statuses(run)
    assert list(records) == [0, 2]
    assert [m["value"] for m in records[2]["measurements"] if m["name"] == "extra"] == [42.0]
    assert "extra" in run.results_csv.read_text().splitlines()[0]


def test_a_failing_case_wanted_by_two_tests_runs_once(pytester, make_run, statuses):
    run = make_run((1, 2), template="* stub\n* sleep 0.05\n* fail timestep\n.end\n")
    (run.path / "test_own.py").write_text(
        "def test_own(case, measure):\n    assert measure.record.status == 'failed'\n"
    )
    pytester.runpytest_subprocess(str(run.path), "-n", "2").assert_outcomes(passed=2, failed=2)
    assert [record["attempt"] for record in statuses(run).values()] == [1, 1]
    pytester.runpytest_subprocess(str(run.path), "-n", "2")
    assert [record["attempt"] for record in statuses(run).values()] == [2, 2]


@pytest.mark.parametrize("given", ['Measurement("x", "1.5")', 'Measurement("x", 1.0, outcome="odd")', "{'x': 1}"])
def test_what_no_record_can_hold_costs_that_case_alone(pytester, make_run, statuses, given):
    run = make_run((1, 2))
    (run.path / "conftest.py").write_text(
        "from simorc import Measurement\n"
        f"def pytest_simorc_measured(case, measurements):\n    measurements += [{given}] * (case.case_id == 0)\n"
    )
    pytester.runpytest_subprocess(str(run.path)).assert_outcomes(passed=1, failed=1)
    found = statuses(run)
    assert [found[i]["status"] for i in (0, 1)] == ["failed", "completed"]
    assert "hook gave what no record can hold" in found[0]["error_message"]
    assert [m["name"] for m in found[0]["measurements"]] == [m["name"] for m in found[1]["measurements"]]


@pytest.mark.parametrize("hook", ["pytest_simorc_case_start(case)", "pytest_simorc_measured(case, measurements)"])
def test_a_hook_that_raises_costs_that_case_alone_and_is_named(pytester, make_run, statuses, hook):
    run = make_run((1, 2))
    (run.path / "conftest.py").write_text(
        f"def {hook}:\n    if case.case_id == 0:\n        raise ValueError('my own fault')\n"
    )
    pytester.runpytest_subprocess(str(run.path)).assert_outcomes(passed=1, failed=1)
    record = statuses(run)[0]
    assert (record["status"], record["error_kind"]) == ("failed", "measure_error")
    assert "raised ValueError: my own fault" in record["error_message"]
    assert hook.partition("(")[0] in record["error_message"]
