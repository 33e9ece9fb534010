"""Aggregates, with numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec import structs
from msgspec.structs import replace

from simorc.core.aggregates import FUNCTIONS, Aggregate, AggregateResult, compute, tempco_box, tempco_endpoint
from simorc.core.case import Case
from simorc.core.measurement import Measure, Measurement, Outcome, judge
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Spec, Verdict
from simorc.core.sweep import Axis, Sweep, monte_carlo_axis

TEMPS = (-40, 25, 90)
NUMBERS = "tempco_box needs two different numbers of {}"


def grid(*axes: Axis) -> list[Case]:
    return list(Sweep("s", axes, {"corner": "tt", "temp": 27, "vin": 5}).cases())


def column(name: str, *values: object) -> Axis:
    return Axis((name,), tuple((value,) for value in values))  # type: ignore[misc]


def done(values: dict[int, float | None]) -> dict[int, CaseRecord]:
    return {
        case_id: CaseRecord(case_id, Status.COMPLETED, measurements=(Measurement("vout", value),))
        for case_id, value in values.items()
    }


def one(aggregate: Aggregate, cases: list[Case], values: dict[int, float | None], **typical: float) -> AggregateResult:
    (result,) = compute([aggregate], cases, done(values), typical)
    return result


@pytest.mark.req("DVT-12")
def test_a_parabola_has_no_end_point_tempco_but_a_large_box() -> None:
    # V = 1.2 - 1e-6 (T - 25)**2: both ends at 1.195775 V, the peak at 25 degC, 130 degC between the ends.
    temp = np.array([-40.0, 25.0, 90.0])
    volt = 1.2 - 1e-6 * (temp - 25) ** 2
    assert tempco_endpoint(temp, volt, None) == pytest.approx(0.0, abs=1e-9)
    assert tempco_box(temp, volt, None) == pytest.approx(0.004225 / 1.2 / 130 * 1e6)  # 27.08 ppm/degC
    assert tempco_box(temp, volt, 2.4) == pytest.approx(0.004225 / 2.4 / 130 * 1e6)


@pytest.mark.req("DVT-12")
def test_a_falling_line_has_a_negative_end_point_tempco_in_any_order_of_points() -> None:
    # 3.3 V at 25 degC, falling 0.33 mV per degC: -100 ppm/degC end point, 100 ppm/degC box.
    temp = np.array([125.0, 0.0, 25.0, -50.0])
    volt = 3.3 - 0.33e-3 * (temp - 25)
    assert tempco_endpoint(temp, volt, 99.0) == pytest.approx(-100.0)
    assert tempco_box(temp, volt, None) == pytest.approx(100.0)


@pytest.mark.req("DVT-12")
@pytest.mark.parametrize("function", ["tempco_box", "tempco_endpoint"])
def test_without_25_degrees_in_the_range_there_is_no_reference(function: str) -> None:
    """50 to 125 degC: the value at 25 degC is unknown, and that at 50 degC is no substitute."""
    cases, values = grid(column("temp", 50, 125)), {0: 1.0, 1: 1.15}
    aggregate = Aggregate("tc", function, "vout", "temp", spec=Spec(max=50))
    result = one(aggregate, cases, values)
    assert (result.value, result.outcome, result.verdict) == (None, Outcome.MISSING, Verdict.FAIL)
    assert result.message == "25 degC, where the reference is taken, is outside 50 to 125 degC; give `nominal`"
    # 0.15 V over 75 degC: 2 mV per degC, of 2 V 1,000 ppm/degC.
    assert one(replace(aggregate, nominal=2.0), cases, values).value == pytest.approx(1000)
    assert one(aggregate, cases, values, vout=2.0).value == pytest.approx(1000)
    cold = one(aggregate, grid(column("temp", -40, 0)), values)
    assert "outside -40 to 0 degC" in cold.message
    # 25 degC at the very end of the range is in it.
    assert one(aggregate, grid(column("temp", 25, 125)), values).value == pytest.approx(1500)


def test_the_reference_is_interpolated_at_25_degrees() -> None:
    # 1 V at 0 degC and 3 V at 50 degC: 2 V at 25 degC, so 2 V / 2 V / 50 degC = 20,000 ppm/degC.
    temp, volt = np.array([50.0, 0.0]), np.array([3.0, 1.0])
    assert tempco_box(temp, volt, None) == pytest.approx(20_000)
    assert tempco_endpoint(temp, volt, None) == pytest.approx(20_000)


def test_a_negative_reference_keeps_the_sign_of_the_slope() -> None:
    temp, volt = np.array([-25.0, 25.0, 75.0]), np.array([-5.0, -4.0, -3.0])
    assert tempco_endpoint(temp, volt, None) == pytest.approx(2 / 4 / 100 * 1e6)
    assert tempco_box(temp, volt, None) == pytest.approx(2 / 4 / 100 * 1e6)


@pytest.mark.parametrize(
    ("function", "value"),
    [("min", 1.0), ("max", 9.0), ("mean", 4.0), ("median", 2.0), ("spread", 8.0), ("sigma", math.sqrt(19.0))],
)
def test_plain_functions(function: str, value: float) -> None:
    values = np.array([1.0, 9.0, 2.0])  # deviations -3, 5, -2: 38 / (3 - 1) = 19
    assert FUNCTIONS[function](np.array([0.0, 1.0, 2.0]), values, None) == pytest.approx(value)


@pytest.mark.req("DVT-12")
def test_one_result_a_group_in_the_order_of_the_cases() -> None:
    cases = grid(column("corner", "ff", "tt"), column("temp", *TEMPS))
    aggregate = Aggregate("tc", "max", "vout", "temp", "V", Spec(max=5))
    results = compute([aggregate], cases, done({0: 1, 1: 2, 2: 3, 3: 7, 4: 5, 5: 6}), {})
    assert [(r.group, r.value, r.verdict, r.margin, r.n) for r in results] == [
        ({"corner": "ff"}, 3.0, Verdict.PASS, 2.0, 3),
        ({"corner": "tt"}, 7.0, Verdict.FAIL, -2.0, 3),
    ]
    assert (results[0].name, results[0].measure, results[0].over, results[0].unit, results[0].max) == (
        "tc",
        "vout",
        "temp",
        "V",
        5,
    )


def test_without_over_all_cases_are_one_group() -> None:
    cases = grid(column("corner", "ff", "tt"), column("temp", 1, 2))
    result = one(Aggregate("low", "min", "vout"), cases, {0: 4, 1: 3, 2: 2, 3: 9})
    assert (result.group, result.value, result.n, result.over) == ({}, 2.0, 4, "")


@pytest.mark.parametrize("over", ["mc_sample", "seed"])
def test_a_monte_carlo_sample_is_one_axis_with_two_columns(over: str) -> None:
    cases = grid(column("corner", "ff", "tt"), monte_carlo_axis(2, 1))
    results = compute([Aggregate("s", "sigma", "vout", over)], cases, done({0: 1, 1: 3, 2: 5, 3: 5}), {})
    assert [(r.group, r.value) for r in results] == [
        ({"corner": "ff"}, pytest.approx(math.sqrt(2))),
        ({"corner": "tt"}, 0.0),
    ]


def test_running_over_one_zipped_name_runs_over_the_whole_axis() -> None:
    corners = Axis(("corner_name", "corner", "vin"), (("hot", "ff", 6), ("cold", "ss", 4)))
    cases = grid(corners, column("temp", 1, 2))
    together = [axis.names for axis in (corners, column("temp", 1))]
    results = compute(
        [Aggregate("worst", "max", "vout", "corner_name")], cases, done({0: 1, 1: 2, 2: 3, 3: 4}), {}, together
    )
    assert [(r.group, r.value, r.n) for r in results] == [({"temp": 1}, 3.0, 2), ({"temp": 2}, 4.0, 2)]


@pytest.mark.parametrize("absent", [{}, {1: None}])
def test_a_missing_point_is_never_computed_over(absent: dict[int, float | None]) -> None:
    aggregate = Aggregate("tc", "tempco_box", "vout", "temp", spec=Spec(max=50))
    cases = grid(column("temp", *TEMPS))
    (result,) = compute([aggregate], cases, done({0: 1.2, 2: 1.2} | absent), {})
    assert (result.value, result.outcome, result.margin) == (None, Outcome.MISSING, None)
    assert (result.n, result.n_missing, result.message) == (2, 1, "1 of 3 points missing")
    # What has not run is not out of spec; what ran and gave no value is.
    assert result.verdict is (Verdict.FAIL if absent else Verdict.NONE)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(Status.FAILED, Verdict.FAIL), (Status.PENDING, Verdict.NONE), (Status.IN_PROGRESS, Verdict.NONE)],
)
def test_the_value_of_a_case_that_is_not_completed_does_not_count(status: Status, verdict: Verdict) -> None:
    cases = grid(column("temp", 1, 2))
    records = done({0: 1.0}) | {1: CaseRecord(1, status, measurements=(Measurement("vout", 2.0),))}
    (result,) = compute([Aggregate("m", "max", "vout", "temp", spec=Spec(max=5))], cases, records, {})
    assert (result.value, result.n_missing, result.verdict) == (None, 1, verdict)


def test_another_measure_does_not_stand_for_one_that_a_case_lacks() -> None:
    gain, vout = Measurement("gain", 80.0), Measurement("vout", 3.0)
    both = CaseRecord(0, Status.COMPLETED, measurements=(gain, vout))
    cases, aggregate = grid(column("temp", 1, 2)), Aggregate("m", "max", "vout", "temp", spec=Spec(max=5))
    records = {0: both, 1: structs.replace(both, case_id=1, measurements=(gain,))}
    (result,) = compute([aggregate], cases, records, {})
    assert (result.value, result.n, result.n_missing, result.verdict) == (None, 1, 1, Verdict.FAIL)
    assert compute([aggregate], cases, records | {1: structs.replace(both, case_id=1)}, {})[0].value == 3.0


def test_the_nominal_value_comes_first_then_the_typical_one() -> None:
    cases, values = grid(column("temp", 0, 100)), {0: 1.0, 1: 2.0}
    assert one(Aggregate("tc", "tempco_box", "vout", "temp", nominal=10), cases, values, vout=5).value == 1000.0
    assert one(Aggregate("tc", "tempco_box", "vout", "temp"), cases, values, vout=5).value == 2000.0
    assert one(Aggregate("tc", "tempco_box", "vout", "temp"), cases, values).value == 8000.0  # 1.25 V at 25 degC


@pytest.mark.parametrize(
    ("aggregate", "cases", "values", "message"),
    [
        (Aggregate("a", "tempco_box", "vout", "temp"), grid(column("temp", 5)), {0: 1.0}, NUMBERS.format("temp")),
        (
            Aggregate("a", "tempco_box", "vout", "corner"),
            grid(column("corner", "a", "b")),
            {0: 1.0, 1: 2.0},
            NUMBERS.format("corner"),
        ),
        (Aggregate("a", "sigma", "vout", "temp"), grid(column("temp", 5)), {0: 1.0}, "sigma needs at least 2 points"),
        (
            Aggregate("a", "tempco_box", "vout", "temp", nominal=0),
            grid(column("temp", 1, 2)),
            {0: 1.0, 1: 2.0},
            "the result is not a finite number",
        ),
        (
            Aggregate("a", "spread", "vout", "temp"),
            grid(column("temp", 1, 2)),
            {0: 1e308, 1: -1e308},
            "the result is not a finite number",
        ),
    ],
)
def test_what_cannot_be_computed_is_missing_and_no_number(
    aggregate: Aggregate, cases: list[Case], values: dict[int, float | None], message: str
) -> None:
    result = one(aggregate, cases, values)
    assert (result.value, result.outcome, result.message) == (None, Outcome.MISSING, message)


def sampled(*values: float | None, spec: Spec = Spec(0.0, None, 10.0)) -> dict[int, CaseRecord]:
    measure = Measure("vout", "V", spec)
    outcome = {True: Outcome.FAILED, False: Outcome.VALUE}
    return {
        case.case_id: CaseRecord(
            case.case_id, Status.COMPLETED, measurements=(judge(measure, case, value, outcome[value is None]),)
        )
        for case, value in zip(grid(monte_carlo_axis(len(values), 1)), values, strict=True)
    }


@pytest.mark.req("SIM-16")
@pytest.mark.parametrize(
    ("function", "value"),
    # mean 5, sigma 2: six sigma are 12 of a window of 10, the nearer limit is 5 away
    [("yield", 1.0), ("cp", 10 / 12), ("cpk", 5 / 6)],
)
def test_yield_and_capability_are_judged_by_limits_of_their_own(function: str, value: float) -> None:
    aggregate = Aggregate("a", function, "vout", "mc_sample", spec=Spec(min=0.99))
    cases = grid(monte_carlo_axis(3, 1))
    (result,) = compute([aggregate], cases, sampled(3.0, 5.0, 7.0), {})
    assert result.value == pytest.approx(value)
    assert result.verdict is (Verdict.PASS if value >= 0.99 else Verdict.FAIL)
    assert (result.unit, result.n, result.group) == ("", 3, {})


def test_a_sample_that_could_not_be_evaluated_is_not_in_spec_and_leaves_no_capability() -> None:
    records, cases = sampled(3.0, None, 11.0, 7.0), grid(monte_carlo_axis(4, 1))
    over = [Aggregate("a", function, "vout", "mc_sample") for function in ("yield", "cpk")]
    in_spec, cpk = compute(over, cases, records, {})
    assert (in_spec.value, in_spec.n) == (0.5, 4)
    assert (cpk.value, cpk.message) == (None, "1 of 4 points missing")
    lost = records | {0: CaseRecord(0, Status.FAILED)}
    assert [result.value for result in compute(over, cases, lost, {})] == [None, None]


def test_after_an_early_stop_yield_and_capability_are_over_what_ran() -> None:
    cases, records = grid(monte_carlo_axis(4, 1)), sampled(3.0, 11.0, 7.0, 5.0)
    del records[3]
    over = [Aggregate("a", function, "vout", "mc_sample", spec=Spec(min=0.5)) for function in ("yield", "cpk", "max")]
    found = [(r.outcome, r.verdict, r.n, r.n_missing) for r in compute(over, cases, records, {}, spared=True)]
    assert found[0] == (Outcome.VALUE, Verdict.PASS, 3, 0)
    assert found[1] == (Outcome.VALUE, Verdict.FAIL, 3, 0)
    assert found[2] == (Outcome.MISSING, Verdict.NONE, 3, 1)
    still = compute(over, cases, records, {})
    assert [(r.outcome, r.verdict) for r in still] == [(Outcome.MISSING, Verdict.NONE)] * 3
    nothing = compute(over[:1], cases, {}, {}, spared=True)
    assert [(r.outcome, r.n_missing) for r in nothing] == [(Outcome.MISSING, 4)]


@pytest.mark.parametrize(
    ("function", "values", "spec", "message"),
    [
        ("yield", (1.0, 2.0), Spec(), "yield needs a measure with limits"),
        ("cpk", (1.0, 1.0), Spec(max=2.0), "cpk needs values that differ"),
        ("cp", (1.0, 2.0), Spec(max=2.0), "cp needs values that differ, and both limits"),
    ],
)
def test_capability_that_says_nothing_has_no_value(
    function: str, values: tuple[float, float], spec: Spec, message: str
) -> None:
    aggregate = Aggregate("a", function, "vout", "mc_sample")
    (result,) = compute([aggregate], grid(monte_carlo_axis(2, 1)), sampled(*values, spec=spec), {})
    assert (result.value, result.outcome, result.message) == (None, Outcome.MISSING, message)
