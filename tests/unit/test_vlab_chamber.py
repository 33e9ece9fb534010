"""Where the air of a chamber goes, how a sensor in it follows, and since when it has been inside its window."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from simorc.virtual_lab.chamber import ChamberPhysics, drifting, heading_for
from simorc.virtual_lab.profile import Trajectory, inside_since, lagging

PHYSICS = ChamberPhysics()


def to(target: float, start: float = 25.0, ramp: float | None = None) -> Trajectory:
    return heading_for(PHYSICS, target, start, 100.0, ramp)


@pytest.mark.req("DVT-05")
@pytest.mark.parametrize(
    ("target", "ramp", "rate"), [(125.0, None, PHYSICS.heating), (-40.0, None, -PHYSICS.cooling), (125.0, 0.1, 0.1)]
)
def test_it_ramps_no_faster_than_it_can_or_was_told(target: float, ramp: float | None, rate: float) -> None:
    air = to(target, ramp=ramp)
    assert air.at(110.0) == pytest.approx(25.0 + 10.0 * rate)
    assert air.at(100.0 + 2 * abs(target - 25.0) / abs(rate) + 400.0) == pytest.approx(target)


@pytest.mark.req("DVT-05")
@pytest.mark.parametrize("target", [125.0, -40.0])
def test_it_overshoots_and_comes_back_without_a_jump(target: float) -> None:
    air = to(target)
    times = np.arange(100.0, 500.0, 0.01)
    values = np.array([air.at(t) for t in times])
    assert np.abs(np.diff(values)).max() < 0.0101 * PHYSICS.heating
    beyond = (values - target) * np.sign(target - 25.0)
    assert 0.2 < beyond.max() < 5.0
    assert values[-1] == pytest.approx(target)


@pytest.mark.req("DVT-05")
def test_a_new_setpoint_on_the_way_begins_where_the_air_is() -> None:
    first = to(125.0)
    second = heading_for(PHYSICS, -40.0, first.at(130.0), 130.0)
    assert second.at(130.0) == first.at(130.0)
    assert second.at(131.0) == pytest.approx(first.at(130.0) - PHYSICS.cooling)


@pytest.mark.req("DVT-05")
def test_it_goes_no_further_than_it_can() -> None:
    assert to(999.0).at(5000.0) == pytest.approx(PHYSICS.highest)
    assert to(-200.0).at(5000.0) == pytest.approx(PHYSICS.lowest)


@pytest.mark.req("DVT-05")
def test_without_flow_it_drifts_to_the_room() -> None:
    air = drifting(PHYSICS, 23.0, 125.0, 0.0)
    assert air.at(0.0) == 125.0
    assert air.at(PHYSICS.drift_s) == pytest.approx(23.0 + 102.0 / math.e)
    assert air.at(20 * PHYSICS.drift_s) == pytest.approx(23.0, abs=1e-5)


@pytest.mark.req("DVT-05")
@pytest.mark.parametrize("step", [0.001, 0.01, 0.5, 5.0])
def test_the_same_setpoint_again_and_small_steps_hardly_stir_the_air(step: float) -> None:
    air = heading_for(PHYSICS, 85.0, 85.0 - step, 0.0)
    worst = max(abs(air.at(t) - 85.0) for t in np.arange(0.0, 60.0, 0.1))
    assert worst <= step + 1e-9


@pytest.mark.req("DVT-05")
def test_the_sensor_obeys_its_first_order_equation() -> None:
    air = to(85.0)
    sensor = lagging(air, 25.0, PHYSICS.sensor_s)
    dt = 1e-4
    for t in (100.0, 120.0, 155.0, 165.0, 180.0, 400.0):
        slope = (sensor.at(t + dt) - sensor.at(t)) / dt
        assert slope == pytest.approx((air.at(t) - sensor.at(t)) / PHYSICS.sensor_s, abs=1e-4)
    assert sensor.at(2000.0) == pytest.approx(85.0)


@pytest.mark.req("DVT-05")
@pytest.mark.parametrize("tau", [PHYSICS.slow_s, PHYSICS.fast_s])
def test_a_sensor_as_slow_as_the_overshoot_is_no_division_by_zero(tau: float) -> None:
    air = to(85.0)
    same, nearly = lagging(air, 25.0, tau), lagging(air, 25.0, tau * 1.001)
    assert all(same.at(t) == pytest.approx(nearly.at(t), abs=0.05) for t in np.arange(100.0, 300.0, 1.0))


@pytest.mark.req("DVT-05")
@pytest.mark.parametrize("window", [0.1, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("target", [85.0, -40.0])
def test_inside_since_is_the_last_crossing_whoever_asks_when(target: float, window: float) -> None:
    air = to(target)
    times = np.arange(100.0, 600.0, 0.01)
    inside = np.array([abs(air.at(t) - target) <= window for t in times])
    last = times[np.flatnonzero(~inside).max()]
    for now in (last + 0.5, last + 5.0, last + 1000.0, last + 1e6):
        assert inside_since(air, target, window, now) == pytest.approx(last, abs=0.02)


@pytest.mark.req("DVT-05")
def test_passing_through_the_window_counts_only_while_it_lasts() -> None:
    air = to(85.0)
    arrival = 160.0
    assert inside_since(air, 85.0, 0.5, arrival - 0.1) == pytest.approx(arrival - 0.5, abs=0.01)
    assert inside_since(air, 85.0, 0.5, arrival + 3.7) is None
    assert inside_since(air, 85.0, 0.5, arrival - 1.0) is None


@pytest.mark.req("DVT-05")
def test_air_that_always_was_inside_has_been_so_since_its_beginning() -> None:
    assert inside_since(to(25.0), 25.0, 0.5, 400.0) == 100.0


def test_pieces_cover_the_time_without_gap_and_agree_with_the_whole() -> None:
    air = to(85.0)
    pieces = air.pieces(130.0, 300.0)
    assert sum(duration for duration, _ in pieces) == pytest.approx(170.0)
    assert pieces[0][1].at(0.0) == pytest.approx(air.at(130.0))
    for (duration, before), (_, after) in pairwise(pieces):
        assert before.at(duration) == pytest.approx(after.at(0.0))
    assert air.pieces(130.0, 130.0) == []
