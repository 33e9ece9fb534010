"""Expansion: order, ids, seeds, and that the same sweep always gives the same cases."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.core.case import Case
from simorc.core.errors import UsageError
from simorc.core.sample import representatives, spread
from simorc.core.sweep import MAX_CASES, Axis, Cases, Sweep, bind, monte_carlo_axis, sample_seed
from simorc.core.units import Quantity, value_from_text, value_to_text


def axis(name: str, *values: object) -> Axis:
    return Axis((name,), tuple((value,) for value in values))  # type: ignore[misc]


DEFAULTS = {"corner": "tt", "vin": 5.0, "temp": 27, "iload": Quantity("10m")}

axes = st.lists(
    st.tuples(st.sampled_from(["corner", "vin", "temp", "iload"]), st.integers(1, 5)),
    max_size=4,
    unique_by=lambda pair: pair[0],
).map(lambda pairs: tuple(axis(name, *range(count)) for name, count in pairs))


@pytest.mark.req("SIM-05")
def test_the_first_parameter_is_slowest() -> None:
    sweep = Sweep("s", (axis("corner", "tt", "ff"), axis("temp", -40, 125)), DEFAULTS)
    assert [(c.case_id, c.parameters["corner"], c.parameters["temp"]) for c in sweep.cases()] == [
        (0, "tt", -40),
        (1, "tt", 125),
        (2, "ff", -40),
        (3, "ff", 125),
    ]
    assert (sweep.swept, sweep.size, len(sweep.axes[0])) == (("corner", "temp"), 4, 2)


@pytest.mark.req("SIM-05", "SIM-09")
@given(axes)
def test_cases_are_the_product_in_order_with_ids_from_zero(drawn: tuple[Axis, ...]) -> None:
    sweep = Sweep("s", drawn, DEFAULTS)
    cases = list(sweep.cases())
    points = itertools.product(*(range(len(a)) for a in drawn))
    assert [tuple(case.conditions.values()) for case in cases] == list(points)
    assert [case.case_id for case in cases] == list(range(sweep.size))
    assert cases == list(sweep.cases())
    assert all({**DEFAULTS, **case.conditions} == case.parameters for case in cases)


@given(axes, st.integers(0, 4), st.integers(0, 4))
def test_conditions_choose_and_ids_stay_without_gaps(drawn: tuple[Axis, ...], low: int, out: int) -> None:
    sweep = Sweep("s", drawn, {**DEFAULTS, "vin": 2, "temp": 2}, where=(f"vin >= {low}",), exclude=(f"temp == {out}",))
    everything = Sweep("s", drawn, sweep.defaults)
    expected = [
        case.conditions
        for case in everything.cases()
        if case.parameters["vin"] >= low and case.parameters["temp"] != out  # type: ignore[operator]
    ]
    cases = list(sweep.cases())
    assert [case.conditions for case in cases] == expected
    assert [case.case_id for case in cases] == list(range(len(expected)))
    by_id = Cases(sweep)
    assert len(by_id) == len(cases)
    assert by_id[:] == cases


def test_zipped_names_vary_in_step() -> None:
    sweep = Sweep("s", (Axis(("vin", "iload"), ((4.0, 1), (5.0, 2))),), DEFAULTS)
    assert [case.conditions for case in sweep.cases()] == [{"vin": 4.0, "iload": 1}, {"vin": 5.0, "iload": 2}]


def test_expansion_is_lazy_and_too_large_a_product_is_refused() -> None:
    thousand = tuple((k,) for k in range(1000))
    large = Sweep("s", (Axis(("vin",), thousand), Axis(("temp",), thousand)), DEFAULTS)
    assert next(iter(large.cases())).case_id == 0
    larger = Sweep("big", (*large.axes, Axis(("iload",), thousand)), DEFAULTS)
    assert larger.size > MAX_CASES
    with pytest.raises(UsageError, match=r"'big' has 1,000,000,000 points, at most 10,000,000"):
        next(iter(larger.cases()))


def test_without_a_seed_axis_all_cases_share_the_seed() -> None:
    sweep = Sweep("s", (axis("temp", 1, 2),), DEFAULTS, base_seed=7)
    assert not sweep.has_seed_axis
    assert [case.seed for case in sweep.cases()] == [7, 7]
    assert bind(0, {"seed": 5}, (), 9).seed == 9


def test_samples_have_seeds_of_their_own_that_more_samples_leave_alone() -> None:
    sweep = Sweep("s", (axis("temp", 1, 2), monte_carlo_axis(3, 1)), DEFAULTS)
    cases = list(sweep.cases())
    assert sweep.has_seed_axis
    assert [case.parameters["mc_sample"] for case in cases] == [0, 1, 2, 0, 1, 2]
    assert [case.seed for case in cases[:3]] == [case.seed for case in cases[3:]]
    assert monte_carlo_axis(200, 1).rows[:3] == monte_carlo_axis(3, 1).rows
    assert len({sample_seed(seed, k) for seed in range(20) for k in range(200)}) == 4000


@given(st.integers(0, 2**63), st.integers(0, 10**6))
def test_a_seed_fits_31_bits_and_is_above_zero(seed: int, sample: int) -> None:
    assert 1 <= sample_seed(seed, sample) < 2**31


def test_a_case_names_its_conditions() -> None:
    case = Case(3, {**DEFAULTS, "corner": "ff"}, ("corner", "iload"))
    assert case.label == "corner:ff-iload:10m"
    assert case.description == "corner=ff, iload=10m"
    assert case.conditions == {"corner": "ff", "iload": DEFAULTS["iload"]}


@given(st.lists(st.one_of(st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
def test_values_survive_the_trip_through_text(values: list[float]) -> None:
    sweep = Sweep("s", (axis("vin", *values),), DEFAULTS)
    for case, value in zip(sweep.cases(), values, strict=True):
        back = value_from_text(value_to_text(case.parameters["vin"]))
        assert float(back) == float(value)


def _cases(*lengths: int) -> list[Case]:
    return list(Sweep("s", tuple(axis(f"p{i}", *range(n)) for i, n in enumerate(lengths)), {}).cases())


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.integers(0, 40))
def test_a_sample_has_the_wanted_size_and_keeps_the_order(lengths: list[int], wanted: int) -> None:
    cases = _cases(*lengths)
    chosen = spread(cases, wanted)
    ids = [case.case_id for case in chosen]
    assert len(chosen) == min(wanted, len(cases))
    assert ids == sorted(set(ids))
    assert chosen == spread(cases, wanted)


def test_a_sample_as_large_as_an_axis_meets_each_of_its_values() -> None:
    chosen = spread(_cases(5, 3, 5), 5)
    assert [len({case.parameters[name] for case in chosen}) for name in ("p0", "p1", "p2")] == [5, 3, 5]


def test_a_large_sample_is_not_cut_short() -> None:
    assert len(spread(_cases(100, 60), 3000)) == 3000


def test_representatives_meet_every_value_and_every_pair_of_texts() -> None:
    sweep = Sweep("s", (axis("corner", "tt", "ff"), axis("kind", "a", "b"), axis("temp", 1, 2, 3)), DEFAULTS)
    found = representatives(list(sweep.cases()))
    assert {(c.parameters["corner"], c.parameters["kind"]) for c in found} == {
        ("tt", "a"),
        ("tt", "b"),
        ("ff", "a"),
        ("ff", "b"),
    }
    assert {case.parameters["temp"] for case in found} == {1, 2, 3}
