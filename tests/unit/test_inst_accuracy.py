"""Bounds of readings against numbers worked by hand from the tables of the manuals."""

from __future__ import annotations

import pytest

from simorc.instruments.accuracy import (
    METER_AMPERES,
    METER_VOLTS,
    SUPPLY_AMPERES,
    SUPPLY_VOLTS,
    aperture_factor,
    of_range,
)


@pytest.mark.req("DVT-08")
@pytest.mark.parametrize(
    ("full_scale", "value", "bound"),
    [
        (0.1, 0.05, 0.05 * 0.0050e-2 + 0.1 * 0.0035e-2),
        (1.0, 0.5, 0.5 * 0.0040e-2 + 1.0 * 0.0007e-2),
        (10.0, 3.3, 3.3 * 0.0035e-2 + 10.0 * 0.0005e-2),
        (100.0, -24.0, 24.0 * 0.0045e-2 + 100.0 * 0.0006e-2),
        (1000.0, 0.0, 1000.0 * 0.0010e-2),
    ],
)
def test_volts_of_the_meter(full_scale: float, value: float, bound: float) -> None:
    line = of_range(METER_VOLTS, full_scale)
    assert line.bound(value) == pytest.approx(bound, rel=1e-9)
    assert not line.assumed


@pytest.mark.req("DVT-08")
@pytest.mark.parametrize(
    ("full_scale", "value", "bound", "assumed"),
    [
        (0.01, 0.005, 0.005 * 0.050e-2 + 0.01 * 0.020e-2, False),
        (0.1, 0.08, 0.08 * 0.050e-2 + 0.1 * 0.005e-2, False),
        (1.0, 0.2, 0.2 * 0.100e-2 + 1.0 * 0.010e-2, False),
        (1e-4, 5e-5, 5e-5 * 0.050e-2 + 1e-4 * 0.025e-2, True),
    ],
)
def test_amperes_of_the_meter(full_scale: float, value: float, bound: float, assumed: bool) -> None:
    line = of_range(METER_AMPERES, full_scale)
    assert line.bound(value) == pytest.approx(bound, rel=1e-9)
    assert line.assumed == assumed


@pytest.mark.req("DVT-08")
def test_a_supply_reads_back_with_parts_of_the_reading_and_a_fixed_part() -> None:
    assert SUPPLY_VOLTS.bound(5.0) == pytest.approx(5.0 * 0.05e-2 + 5e-3)
    assert SUPPLY_AMPERES.bound(0.1) == pytest.approx(0.1 * 0.15e-2 + 5e-3)
    assert SUPPLY_VOLTS.assumed


@pytest.mark.req("DVT-08")
def test_a_range_that_a_meter_names_slightly_off_is_still_found() -> None:
    assert of_range(METER_VOLTS, 12.0).range == 10.0
    assert of_range(METER_AMPERES, 3.0).range == 3.0


@pytest.mark.req("DVT-08")
def test_short_apertures_cost_accuracy_and_long_ones_nothing() -> None:
    assert aperture_factor(10) == aperture_factor(1) == 1.0
    assert aperture_factor(0.02) > aperture_factor(0.2) > 1.0
