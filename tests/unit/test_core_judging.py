"""From what a simulation left behind to verdicts: limits, corners, broken measure functions."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.core.case import Case
from simorc.core.errors import CaseError, ErrorKind, UsageError
from simorc.core.evaluation import added_measurements, evaluate, rejudge
from simorc.core.measurement import Measure, Measurement, Outcome, judge
from simorc.core.plan import Plan
from simorc.core.protocols import SimulationResult
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Spec, Verdict, relative_margin, tightness, worst
from simorc.core.sweep import Sweep
from simorc.core.waveforms import Waveforms

CASE = Case(0, {"corner": "tt", "temp": 27}, ("corner",))
finite = st.floats(-1e100, 1e100)


@pytest.mark.parametrize(
    ("spec", "value", "verdict", "margin"),
    [
        (Spec(min=1.0, max=4.0), 3.5, Verdict.PASS, 0.5),
        (Spec(min=1.0, max=4.0), 4.0, Verdict.PASS, 0.0),
        (Spec(min=1.0, max=4.0), 0.75, Verdict.FAIL, -0.25),
        (Spec(max=4.0), 5.0, Verdict.FAIL, -1.0),
        (Spec(min=1.0), 5.0, Verdict.PASS, 4.0),
        (Spec(min=1.0), None, Verdict.FAIL, None),
        (Spec(min=1.0), math.nan, Verdict.FAIL, None),
        (Spec(typ=1.0), 5.0, Verdict.NONE, None),
        (Spec(), None, Verdict.NONE, None),
    ],
)
def test_limits_are_inclusive_and_absent_values_are_out_of_them(
    spec: Spec, value: float | None, verdict: Verdict, margin: float | None
) -> None:
    assert spec.judge(value) == (verdict, margin)


def test_a_margin_is_never_minus_zero() -> None:
    _, margin = Spec(min=0.0).judge(-0.0)
    assert margin is not None
    assert math.copysign(1.0, margin) == 1.0


@given(finite, finite, finite)
def test_a_value_passes_exactly_within_its_limits(low: float, high: float, value: float) -> None:
    verdict, margin = Spec(min=low, max=high).judge(value)
    assert (verdict is Verdict.PASS) is (low <= value <= high)
    assert margin is not None
    assert (margin >= 0) is (verdict is Verdict.PASS)


@pytest.mark.parametrize(
    ("margin", "low", "high", "relative"),
    [
        (0.5, 1.0, 3.0, 0.5),
        (-0.1, 1.0, 3.0, pytest.approx(-0.1)),
        (10.0, None, 100.0, 0.1),
        (10.0, -100.0, None, 0.1),
        (1.0, 0.0, None, None),
        (0.0, 2.0, 2.0, None),
        (1.0, None, None, None),
    ],
)
def test_a_margin_in_parts_of_half_the_window_or_of_the_one_limit(
    margin: float, low: float | None, high: float | None, relative: float | None
) -> None:
    assert relative_margin(margin, low, high) == relative


def test_worst_first_is_no_value_then_a_missed_zero_then_the_largest_miss() -> None:
    # 3 mV beyond 3.25 to 3.35 V is 6 % of half the window, 3 uA beyond 100 uA is 3 %; -1 below a limit of 0.
    margins = [(1.0, 0.0, None), (-3e-6, None, 100e-6), (-3e-3, 3.25, 3.35), (-1.0, 0.0, None), (None, None, 1.0)]
    margins += [(0.01, 3.25, 3.35)]
    assert sorted(margins, key=lambda entry: tightness(*entry)) == [margins[i] for i in (4, 3, 2, 1, 5, 0)]


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ([Verdict.PASS, Verdict.FAIL, Verdict.NONE], Verdict.FAIL),
        ([Verdict.NONE, Verdict.PASS], Verdict.PASS),
        ([Verdict.NONE], Verdict.NONE),
        ([], Verdict.NONE),
    ],
)
def test_several_verdicts_together(verdicts: list[Verdict], verdict: Verdict) -> None:
    assert worst(verdicts) is verdict


@pytest.mark.parametrize(
    ("parameters", "limit"),
    [
        ({"corner": "ss"}, 2.0),
        ({"corner": "tt"}, 1.0),
        ({"corner": "ss", "corner_name": "hot"}, 3.0),
        ({"corner": "ss", "corner_name": "mild"}, 2.0),
        ({}, 1.0),
    ],
)
def test_limits_of_a_corner_win(parameters: dict[str, Any], limit: float) -> None:
    measure = Measure("iq", "A", Spec(max=1.0), {"ss": Spec(max=2.0), "hot": Spec(max=3.0)})
    assert measure.spec_for(Case(0, parameters, ())).max == limit
    assert judge(measure, Case(0, parameters, ()), 0.5, Outcome.VALUE).margin == limit - 0.5


def result(error: CaseError | None = None, **values: float | None) -> SimulationResult:
    return SimulationResult(values, Waveforms(), Path("ngspice.log"), {"gain": "meas gain failed!"}, error)


def evaluated(
    measure: Measure, simulated: SimulationResult, function: Any = None, target: str = "spice"
) -> tuple[Measurement, CaseError | None]:
    (measurement,), error = evaluate([measure], target, CASE, simulated, {measure.name: function})
    return measurement, error


def test_values_of_the_simulator_are_found_by_name_in_any_case() -> None:
    measurement, error = evaluated(Measure("VOut", "V", Spec(min=3)), result(vout=3.25))
    assert error is None
    assert measurement == Measurement("VOut", 3.25, "V", Outcome.VALUE, Verdict.PASS, 3, None, 0.25)


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_measure_that_the_simulator_could_not_evaluate_leaves_the_case_completed(value: float | None) -> None:
    measurement, error = evaluated(Measure("gain", spec=Spec(min=1)), result(gain=value))
    assert error is None
    assert (measurement.outcome, measurement.verdict, measurement.value) == (Outcome.FAILED, Verdict.FAIL, None)
    assert measurement.message == "meas gain failed!"
    measurement, _ = evaluated(Measure("other"), result(other=value))
    assert (measurement.verdict, measurement.message) == (
        Verdict.NONE,
        "the simulator could not evaluate 'other'",
    )


def test_a_measure_never_mentioned_fails_the_case() -> None:
    measurement, error = evaluated(Measure("gain", spec=Spec(min=1)), result())
    assert (measurement.outcome, measurement.verdict) == (Outcome.MISSING, Verdict.FAIL)
    assert error is not None
    assert error.kind is ErrorKind.MEASURE_ERROR


def test_optional_and_other_targets_measures_are_neither_missing_nor_failed() -> None:
    for measure in (
        Measure("gain", spec=Spec(min=1), optional=True),
        Measure("x", "", Spec(min=1), targets=("bench",)),
    ):
        measurement, error = evaluated(measure, result())
        assert (measurement.outcome, measurement.verdict, error) == (Outcome.NOT_MEASURED, Verdict.NONE, None)


@pytest.mark.parametrize(
    ("returned", "value"),
    [(1.5, 1.5), (2, 2.0), (np.float32(0.5), 0.5), (np.array([3.0]), 3.0), (np.array(4), 4.0), (Fraction(1, 4), 0.25)],
)
def test_a_function_may_return_any_real_number(returned: object, value: float) -> None:
    measurement, error = evaluated(Measure("f", source="python"), result(), lambda waves, case: returned)
    assert (measurement.value, measurement.outcome, error) == (value, Outcome.VALUE, None)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("text", "f() returned str 'text', not a number"),
        (True, "f() returned bool True, not a number"),
        (np.bool_(True), "returned bool"),
        (1j, "f() returned complex 1j, not a number"),
        (np.array([1.0, 2.0]), "returned ndarray"),
        ([0] * 10**6, "f() returned list [0, 0, 0, 0, 0, 0, ...], not a number"),
    ],
)
def test_what_is_no_number_fails_the_case(returned: object, message: str) -> None:
    measurement, error = evaluated(Measure("f", source="python"), result(), lambda waves, case: returned)
    assert (measurement.value, measurement.outcome) == (None, Outcome.FAILED)
    assert error is not None
    assert message in error.what
    assert len(error.what) < 200


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "f() returned no value"),
        (math.nan, "f() returned nan"),
        (-math.inf, "f() returned -inf"),
        (10**400, "f() returned inf"),
    ],
)
def test_what_is_not_finite_leaves_the_case_completed_without_a_value(returned: object, message: str) -> None:
    measurement, error = evaluated(Measure("f", "", Spec(max=1), {}, "python"), result(), lambda waves, case: returned)
    assert (measurement.value, measurement.outcome, measurement.verdict) == (None, Outcome.FAILED, Verdict.FAIL)
    assert (error, measurement.message) == (None, message)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda waves, case: 1 / 0, "f() raised ZeroDivisionError: division by zero"),
        (lambda waves, case: waves["v(out)"], "f() raised no vector 'v(out)' in the waveforms"),
        (lambda waves, case: sys.exit(3), "f() raised SystemExit: 3"),
    ],
)
def test_a_function_that_raises_costs_its_case_alone(function: Any, message: str) -> None:
    measures = [Measure("f", source="python"), Measure("vout")]
    measurements, error = evaluate(measures, "spice", CASE, result(vout=1.0), {"f": function})
    assert [m.value for m in measurements] == [None, 1.0]
    assert error is not None
    assert message in error.what


def test_the_first_error_is_told() -> None:
    measures = [Measure("a"), Measure("b")]
    _, error = evaluate(measures, "spice", CASE, result(), {})
    assert error is not None
    assert "'a'" in error.what


def test_after_a_failed_simulation_what_was_reported_stands_and_no_function_runs() -> None:
    broken = CaseError(ErrorKind.TIMESTEP, "timestep too small")

    def never(waves: Waveforms, case: Case) -> float:
        raise UsageError("called")

    measures = [Measure("vout"), Measure("f", source="python")]
    measurements, error = evaluate(measures, "spice", CASE, result(broken, vout=1.0), {"f": never})
    assert [(m.outcome, m.value) for m in measurements] == [(Outcome.VALUE, 1.0), (Outcome.MISSING, None)]
    assert error is broken


def plan(*measures: Measure) -> Plan:
    return Plan(Sweep("s", (), {}), "tb", "spice", "/tb", "/s.yaml", "/setup.yaml", measures=measures)


def test_stored_values_are_judged_by_other_limits() -> None:
    former = plan(Measure("vout", "V", Spec(max=1.0)), Measure("dropped"), Measure("gain"), Measure("moved"))
    today = plan(
        Measure("new", "A", Spec(max=1.0)),
        Measure("gain", "dB", Spec(min=1.0)),
        Measure("vout", "V", Spec(max=4.0), {"tt": Spec(max=2.0)}),
        Measure("moved", "", Spec(max=1.0), targets=("bench",)),
    )
    added = Measurement("by_hook", 7.0, "A", verdict=Verdict.FAIL, max=1.0, margin=-6.0)
    stored = (
        judge(former.measures[0], CASE, 3.0, Outcome.VALUE),
        judge(former.measures[1], CASE, 1.0, Outcome.VALUE),
        judge(former.measures[2], CASE, None, Outcome.FAILED, "no crossing"),
        judge(former.measures[3], CASE, 5.0, Outcome.VALUE),
        added,
    )
    record = CaseRecord(0, Status.COMPLETED, measurements=stored, warnings=("kept",))
    judged = rejudge(record, CASE, former, today)
    assert judged.warnings == ("kept",)
    assert judged.measurements == (
        Measurement("gain", None, "dB", Outcome.FAILED, Verdict.FAIL, 1.0, None, None, "no crossing"),
        Measurement("vout", 3.0, "V", Outcome.VALUE, Verdict.FAIL, None, 2.0, -1.0),
        Measurement("moved", None, "", Outcome.NOT_MEASURED, Verdict.NONE, None, 1.0, None, "not measured on spice"),
        added,
    )
    assert rejudge(judged, CASE, today, today) == judged


def test_what_a_hook_added_is_what_no_plan_knows() -> None:
    record = CaseRecord(0, Status.COMPLETED, measurements=(Measurement("a", 1.0), Measurement("b", 2.0)))
    assert added_measurements(record, plan(Measure("a"))) == [Measurement("b", 2.0)]
    assert added_measurements(record, plan(Measure("a")), plan(Measure("b"))) == []
