"""Readings, their uncertainty, and the verdicts that it changes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.core.case import Case
from simorc.core.errors import CaseError
from simorc.core.evaluation import evaluate, rejudge
from simorc.core.measurement import Measure, Measurement, Outcome, judge
from simorc.core.plan import Plan
from simorc.core.reading import Reading
from simorc.core.readings import readings_result
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Spec, Verdict
from simorc.core.sweep import Sweep
from simorc.workspace.record_json import record_from_json, record_to_json

CASE = Case(0, {"vin": 5.0}, ("vin",))
LOG = Path("transcript.txt")
numbers = st.floats(min_value=-1e3, max_value=1e3)
bounds = st.floats(min_value=0, max_value=1.0)
inside = st.floats(min_value=-1.0, max_value=1.0)
pytestmark = pytest.mark.req("DVT-11")


@given(numbers, bounds, inside, numbers, bounds, inside)
def test_the_bound_of_a_result_holds_whatever_the_errors_are(a, da, fa, b, db, fb) -> None:  # type: ignore[no-untyped-def]
    x, y = Reading(a, "V", da), Reading(b, "V", db)
    true_x, true_y = a + fa * da, b + fb * db
    slack = 1e-9 * (1 + abs(a) + abs(b)) ** 2
    for result, true in ((x + y, true_x + true_y), (x - y, true_x - true_y), (x * y, true_x * true_y)):
        assert abs(result.value - true) <= result.uncertainty + slack
    if abs(b) > db + 1e-3 and true_y:
        quotient = x / y
        assert abs(quotient.value - true_x / true_y) <= quotient.uncertainty * (1 + 1e-9) + 1e-6 * (
            1 + abs(quotient.value)
        )


def test_arithmetic_with_plain_numbers() -> None:
    x = Reading(3.0, "V", 0.1)
    assert (-x).value == -3.0
    assert abs(Reading(-3.0, "V", 0.1)) == x
    assert float(x) == 3.0
    assert (1 + x).value == (x + 1).value == 4.0
    assert (1 - x).value == -2.0
    assert (2 * x).uncertainty == (x * 2).uncertainty == pytest.approx(0.2)
    assert (6 / x).value == 2.0
    assert (x / 2).uncertainty == pytest.approx(0.05)


def test_a_divisor_that_may_be_0_leaves_nothing_certain() -> None:
    assert math.isinf((Reading(1.0) / Reading(0.1, "", 0.2)).uncertainty)


@pytest.mark.parametrize(
    ("value", "guard", "verdict"),
    [(3.0, 0.0, "pass"), (3.0, 1.0, "fail"), (2.9, 1.0, "pass"), (2.8, 2.0, "pass"), (2.85, 2.0, "fail")],
)
def test_a_guard_band_tightens_the_limits_by_the_uncertainty(value: float, guard: float, verdict: str) -> None:
    assert Spec(max=3.0, guard_band=guard).judge(value, 0.1)[0] == verdict


def test_the_margin_is_that_to_the_guarded_limit() -> None:
    assert Spec(min=1.0, guard_band=1.0).judge(1.5, 0.2) == (Verdict.PASS, pytest.approx(0.3))


@pytest.mark.parametrize(
    ("value", "uncertainty", "marginal"),
    [(2.95, 0.1, True), (2.8, 0.1, False), (3.05, 0.1, False), (1.05, 0.1, True), (2.95, None, False)],
)
def test_inside_the_limit_but_not_by_its_uncertainty(value: float, uncertainty: float | None, marginal: bool) -> None:
    measure = Measure("vout", "V", Spec(min=1.0, max=3.0))
    assert judge(measure, CASE, value, Outcome.VALUE, uncertainty=uncertainty).is_marginal is marginal


def test_without_limits_nothing_is_marginal() -> None:
    assert not Measurement("x", 1.0, uncertainty=5.0).is_marginal


def test_what_a_procedure_may_return() -> None:
    returned = {"vout": Reading(3.3, "V", 1e-4), "IQ": 4e-5, "n": np.float64(2.0), "none": None, "bad": math.nan}
    result = readings_result(returned, LOG)
    assert dict(result.values) | {"bad": None} == {"vout": 3.3, "iq": 4e-5, "n": 2.0, "none": None, "bad": None}
    assert dict(result.uncertainties) == {"vout": 1e-4}
    measures = [Measure(name, "V", Spec(max=4.0)) for name in ("vout", "iq", "none", "bad", "absent")]
    measurements, error = evaluate(measures, "bench", CASE, result, {})
    assert [m.outcome for m in measurements] == ["value", "value", "failed", "failed", "missing"]
    assert measurements[0].uncertainty == 1e-4
    assert measurements[2].message == "the procedure returned None for it"
    assert error is not None
    assert "absent" in error.what


def test_an_unbounded_reading_has_no_uncertainty_in_the_record() -> None:
    assert readings_result({"x": Reading(1.0, "", math.inf)}, LOG).uncertainties == {}


@pytest.mark.parametrize("returned", [None, 3.3, [1], "vout"])
def test_anything_but_a_mapping_is_an_error(returned: object) -> None:
    with pytest.raises(CaseError, match="not a mapping"):
        readings_result(returned, LOG)


@pytest.mark.parametrize("reading", ["3.3", [1.0, 2.0], True, object()])
def test_anything_but_a_number_is_an_error(reading: object) -> None:
    with pytest.raises(CaseError, match="'vout'"):
        readings_result({"vout": reading}, LOG)


def test_on_a_bench_a_python_measure_is_what_the_procedure_says() -> None:
    measure = Measure("psrr", "dB", source="python")
    measurements, error = evaluate([measure], "bench", CASE, readings_result({"psrr": 60.0}, LOG), {})
    assert (measurements[0].value, error) == (60.0, None)
    plan = Plan(Sweep("s", (), {}), "tb", "bench", "", "", "", measures=(measure,))
    assert plan.python_measures == []


def test_uncertainty_survives_the_record_and_a_new_judgement() -> None:
    measure = Measure("vout", "V", Spec(max=3.31))
    record = CaseRecord(0, Status.COMPLETED, measurements=(judge(measure, CASE, 3.3, Outcome.VALUE, uncertainty=0.02),))
    text = record_to_json(record)
    assert b'"uncertainty":0.02' in text
    assert b'"marginal":true' in text
    assert record_from_json(text, 0) == record
    former = Plan(Sweep("s", (), {}), "tb", "bench", "", "", "", measures=(measure,))
    guarded = Plan(
        Sweep("s", (), {}), "tb", "bench", "", "", "", measures=(Measure("vout", "V", Spec(max=3.31, guard_band=1)),)
    )
    (after,) = rejudge(record, CASE, former, guarded).measurements
    assert (after.verdict, after.uncertainty) == (Verdict.FAIL, 0.02)
