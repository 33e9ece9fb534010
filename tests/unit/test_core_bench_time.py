"""The order in which a bench takes its temperatures, and how long that lasts."""

from __future__ import annotations

import pytest

from simorc.core.bench import Settling
from simorc.core.bench_time import COOLING, HEATING, INTO_WINDOW_S, predict, temperature_order

SETTLING = Settling(soak_s=100.0)


@pytest.mark.req("DVT-12")
@pytest.mark.parametrize(
    ("ambient", "order"), [(23.0, [-40, 27, 125]), (100.0, [125, 27, -40]), (-40.0, [-40, 27, 125])]
)
def test_temperatures_are_taken_in_one_direction_from_the_end_nearer_to_the_room(
    ambient: float, order: list[float]
) -> None:
    rank = temperature_order([27, 125, -40, 27], ambient)
    assert sorted(rank, key=rank.__getitem__) == order


def test_without_temperatures_there_is_no_order_and_no_time() -> None:
    assert temperature_order([], 23.0) == {}
    assert predict([], 23.0, SETTLING, case_s=10.0).total_s == 0.0


@pytest.mark.req("DVT-12")
def test_each_change_of_temperature_costs_a_ramp_and_a_soak_and_each_case_its_measuring() -> None:
    found = predict([23.0, 23.0, 83.0, 53.0], 23.0, SETTLING, case_s=10.0)
    assert found.soaks == 3, "the room's own temperature is soaked too"
    assert found.ramps_s == pytest.approx(60 / HEATING + 30 / COOLING)
    assert found.soaks_s == pytest.approx(3 * (100.0 + INTO_WINDOW_S))
    assert found.cases_s == 40.0
    assert found.total_s == pytest.approx(found.ramps_s + found.soaks_s + 40.0)


def test_a_slower_chamber_takes_longer() -> None:
    slow = predict([83.0, 23.0], 23.0, SETTLING, 0.0, ramp_up=0.1, ramp_down=0.05)
    assert slow.ramps_s == pytest.approx(600.0 + 1200.0)
