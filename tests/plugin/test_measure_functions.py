"""Measure functions that misbehave cost their case alone."""

from __future__ import annotations

import pytest

from simorc.core.measurement import Measure
from simorc.core.spec import Spec

PYTHON = (Measure("y", "V"), Measure("p", "V", Spec(max=100.0), source="python"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ValueError('no crossing')", "p() raised ValueError: no crossing"),
        ("return 'high'", "p() returned str 'high', not a number"),
        ("return [1, 2]", "p() returned list [1, 2], not a number"),
        ("return True", "p() returned bool True, not a number"),
        ("return waves['out'][0]", "no vector 'out'"),
        ("raise SystemExit(3)", "SystemExit"),
    ],
)
def test_a_broken_function_fails_the_case_and_keeps_the_other_measures(pytester, make_run, statuses, body, message):
    python = f"def p(waves, case):\n    if case.case_id == 1:\n        {body}\n    return 1.0\n"
    run = make_run(measures=PYTHON, python=python)
    pytester.runpytest_subprocess(str(run.path)).assert_outcomes(passed=2, failed=1)
    record = statuses(run)[1]
    assert record["status"] == "failed"
    assert record["error_kind"] == "measure_error"
    assert message in record["error_message"]
    assert record["measurements"][0]["value"] == 20


@pytest.mark.parametrize("value", ["None", "float('nan')", "float('inf')"])
def test_no_value_is_an_outcome_of_its_own(pytester, make_run, statuses, value):
    run = make_run((1,), measures=PYTHON, python=f"def p(waves, case):\n    return {value}\n")
    pytester.runpytest_subprocess(str(run.path)).assert_outcomes(failed=1)
    record = statuses(run)[0]
    assert record["status"] == "completed"
    assert record["measurements"][1]["value"] is None
    assert (record["measurements"][1]["outcome"], record["measurements"][1]["verdict"]) == ("failed", "fail")
    assert "nan" not in run.results_csv.read_text().lower()


@pytest.mark.parametrize(
    "loop", ["while True: pass", "while True:\n            try: time.sleep(9)\n            except Exception: pass"]
)
def test_a_hanging_function_costs_that_case_alone(pytester, make_run, statuses, loop):
    python = f"import time\ndef p(waves, case):\n    if case.case_id == 1:\n        {loop}\n    return 1.0\n"
    run = make_run(measures=PYTHON, python=python, timeout_s=0.5)
    pytester.runpytest_subprocess(str(run.path), "-n", "2", timeout=60).assert_outcomes(passed=2, failed=1)
    record = statuses(run)[1]
    assert (record["status"], record["error_kind"]) == ("failed", "timeout")
    assert [m["value"] for m in record["measurements"]] == [20, None]  # what was measured already stands
    assert [statuses(run)[k]["status"] for k in (0, 2)] == ["completed", "completed"]


def test_a_function_that_never_lets_go_costs_its_worker_and_that_case_alone(pytester, make_run, statuses):
    python = (
        "def p(waves, case):\n    while case.case_id == 1:\n        try:\n            while True: pass\n"
        "        except BaseException: pass\n    return 1.0\n"
    )
    run = make_run(measures=PYTHON, python=python, timeout_s=0.2)
    pytester.runpytest_subprocess(str(run.path), "-n", "2", timeout=60)
    records = statuses(run)
    assert (records[1]["status"], records[1]["error_kind"]) == ("failed", "timeout")
    assert [records[k]["status"] for k in (0, 2)] == ["completed", "completed"]


def test_a_measures_file_that_cannot_be_imported_is_told_with_its_line(pytester, make_run, statuses):
    run = make_run((1,), measures=PYTHON, python="import no_such_module\ndef p(waves, case): return 1.0\n")
    pytester.runpytest_subprocess(str(run.path)).assert_outcomes(failed=1)
    record = statuses(run)[0]
    assert record["error_kind"] == "measure_error"
    assert [m["value"] for m in record["measurements"]] == [10, None]
    assert "measures.py:1" in record["error_message"]
    assert "no_such_module" in record["error_message"]


def test_helpers_beside_measures_can_be_imported(pytester, make_run, statuses):
    run = make_run((1,), measures=PYTHON, python="def p(waves, case):\n    return 2.0\n")
    pytester.runpytest_subprocess(str(run.path)).assert_outcomes(passed=1)
    assert statuses(run)[0]["measurements"][1]["value"] == 2.0


def test_a_loop_in_compiled_code_costs_its_worker_and_that_case_alone(pytester, make_run, statuses):
    # One call into the interpreter's own C code: no signal handler runs before it returns.
    python = "def p(waves, case):\n    return 1.0 if case.case_id != 1 else sum(range(10**12))\n"
    run = make_run(measures=PYTHON, python=python, timeout_s=0.2)
    pytester.runpytest_subprocess(str(run.path), "-n", "2", timeout=120)
    records = statuses(run)
    assert (records[1]["status"], records[1]["error_kind"]) == ("failed", "timeout")
    assert [records[k]["status"] for k in (0, 2)] == ["completed", "completed"]
