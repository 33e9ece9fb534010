"""Heat in a ladder, held against what must be true of any ladder and against plain Euler steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.virtual_lab.profile import Profile
from simorc.virtual_lab.thermal import CauerLadder, Vector, foster_to_cauer

SOT23 = CauerLadder(((20.0, 0.003), (46.0, 0.05), (140.0, 0.4)))
STILL = Profile(25.0)
FOSTER = [(12.0, 0.02), (40.0, 0.6), (150.0, 9.0)]

rungs = st.lists(st.tuples(st.floats(0.5, 300.0), st.floats(1e-3, 10.0)), min_size=1, max_size=4)


def euler(ladder: CauerLadder, start: Vector, seconds: float, air: Profile, power: float, dt: float = 1e-3) -> Vector:
    """The same heat flow by steps of 1 ms, written from the node equations."""
    temperatures = start.copy()
    resistance, capacity = np.array(ladder.rungs).T
    for index in range(round(seconds / dt)):
        below = np.append(temperatures[1:], air.at(index * dt))
        outflow = (temperatures - below) / resistance
        inflow = np.insert(outflow[:-1], 0, power)
        temperatures = temperatures + dt * (inflow - outflow) / capacity
    return temperatures


@pytest.mark.req("DVT-01")
@given(rungs, st.floats(-60.0, 200.0), st.floats(0.0, 3.0))
def test_junction_ends_at_air_plus_power_times_the_sum_of_resistances(
    pairs: list[tuple[float, float]], air: float, power: float
) -> None:
    ladder = CauerLadder(tuple(pairs))
    total = sum(r for r, _ in pairs)
    settled = ladder.step(np.full(len(pairs), 25.0), 1e7, Profile(air), power)
    assert settled[0] == pytest.approx(air + power * total, abs=1e-6 * (1 + power * total))
    assert settled == pytest.approx(ladder.steady(air, power), abs=1e-6 * (1 + power * total))


@pytest.mark.req("DVT-01")
def test_steady_state_stays() -> None:
    steady = SOT23.steady(25.0, 0.47)
    assert SOT23.step(steady, 123.4, STILL, 0.47) == pytest.approx(steady, abs=1e-9)


@pytest.mark.req("DVT-01")
@given(rungs, st.floats(1e-4, 1e4), st.integers(2, 9))
def test_one_long_step_equals_many_short_ones(pairs: list[tuple[float, float]], seconds: float, count: int) -> None:
    ladder = CauerLadder(tuple(pairs))
    air = Profile(85.0, 0.01, ((-60.0, 0.05), (3.0, 0.5)))
    once = ladder.step(np.full(len(pairs), 25.0), seconds, air, 0.3, 1e-4)
    many, part = np.full(len(pairs), 25.0), seconds / count
    for index in range(count):
        many = ladder.step(many, part, air.shifted(index * part), 0.3 + 1e-4 * index * part, 1e-4)
    assert many == pytest.approx(once, rel=1e-9, abs=1e-6)


@pytest.mark.req("DVT-01")
@pytest.mark.parametrize("air", [STILL, Profile(25.0, 1.0), Profile(85.0, 0.0, ((-60.0, 0.7),))])
def test_exact_steps_agree_with_steps_of_one_millisecond(air: Profile) -> None:
    start = SOT23.steady(25.0, 0.0)
    exact = SOT23.step(start, 2.0, air, 0.47)
    coarse = euler(SOT23, start, 2.0, air, 0.47)
    assert exact == pytest.approx(coarse, abs=0.02)
    assert abs(exact - start).max() > 10.0


@pytest.mark.req("DVT-01")
def test_an_air_term_as_fast_as_a_mode_is_no_division_by_zero() -> None:
    one = CauerLadder(((50.0, 0.02),))
    start = np.array([25.0])
    same = one.step(start, 0.7, Profile(85.0, 0.0, ((-60.0, 1.0),)), 0.0)
    nearly = one.step(start, 0.7, Profile(85.0, 0.0, ((-60.0, 1.000001),)), 0.0)
    assert same == pytest.approx(nearly, abs=1e-4)


@pytest.mark.req("DVT-01")
def test_responses_to_air_and_power_add_up() -> None:
    cold, seconds = np.zeros(3), 3.3
    air = SOT23.step(cold, seconds, Profile(60.0, 0.2), 0.0)
    power = SOT23.step(cold, seconds, Profile(0.0), 0.8)
    both = SOT23.step(cold, seconds, Profile(60.0, 0.2), 0.8)
    assert both == pytest.approx(air + power, abs=1e-9)
    assert SOT23.step(cold, seconds, Profile(0.0), 1.6) == pytest.approx(2 * power, abs=1e-9)


@pytest.mark.req("DVT-01")
def test_heat_in_is_heat_stored_plus_heat_into_the_air() -> None:
    power, dt, out = 0.47, 1e-3, 0.0
    temperatures = SOT23.steady(25.0, 0.0)
    before = SOT23.stored(temperatures)
    last = SOT23.rungs[-1][0]
    for _ in range(3000):
        following = SOT23.step(temperatures, dt, STILL, power)
        out += dt * ((temperatures[-1] + following[-1]) / 2 - 25.0) / last
        temperatures = following
    assert power * 3.0 == pytest.approx(SOT23.stored(temperatures) - before + out, rel=1e-6)


@pytest.mark.req("DVT-01")
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_foster_table_becomes_a_ladder_with_the_same_junction(count: int) -> None:
    table = FOSTER[:count]
    ladder = foster_to_cauer(table)
    assert ladder.resistance == pytest.approx(sum(r for r, _ in table))
    assert all(r > 0 and c > 0 for r, c in ladder.rungs)
    for seconds in (1e-3, 0.02, 0.3, 2.0, 15.0, 200.0):
        foster = sum(r * (1 - np.exp(-seconds / tau)) for r, tau in table)
        cauer = ladder.step(np.zeros(count), seconds, Profile(0.0), 1.0)[0]
        assert cauer == pytest.approx(foster, rel=1e-6)
