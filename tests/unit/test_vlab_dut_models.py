"""Parts at their terminals: figures of their data sheets, tempco by two definitions, what has a source and what not."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from simorc.core.equipment import DutModel, ElectricalState
from simorc.core.errors import UsageError
from simorc.registry import load
from simorc.virtual_lab.parameter_sets import parameter_set, set_names
from simorc.virtual_lab.thermal import CauerLadder

SIMULATED = Path(__file__).parents[1] / "data" / "ldo_simulated.csv"
MODELS = {name: "reference" if name == "adr444" else "ldo" for name in set_names()}
REGULATORS = [name for name, model in MODELS.items() if model == "ldo"]


def part(name: str, spread: dict[str, float] | None = None) -> DutModel:
    model: DutModel = load("dut_models", MODELS[name])(parameter_set(name).values, spread or {})
    return model


def at(name: str, vin: float, iout: float, tj: float = 25.0) -> ElectricalState:
    return part(name).solve(vin, iout, tj, False)


def box(values: np.ndarray, nominal: float, span: float) -> float:
    """ppm/K, largest less smallest over the whole range (ADI AD5412/AD5422 data sheet, terminology)."""
    return float(np.ptp(values)) / nominal / span * 1e6


@pytest.mark.req("DVT-02")
@pytest.mark.parametrize("name", set_names())
def test_every_number_has_a_unit_and_a_source_or_is_called_assumed(name: str) -> None:
    numbers = parameter_set(name)
    assert numbers.title
    assert set(numbers.values) == set(numbers.units) == set(numbers.sources)
    assert all(numbers.sources.values())
    assert all(numbers.units.values())
    assert set(numbers.assumed) == {key for key, source in numbers.sources.items() if source.startswith("assumed")}
    assert set(numbers.spread) <= set(numbers.values)


def test_an_unknown_set_is_refused_with_what_there_is() -> None:
    with pytest.raises(UsageError, match="lp2985_3") as caught:
        parameter_set("lp2985_3")
    assert "lp2985_33" in str(caught.value)


@pytest.mark.req("DVT-02")
@pytest.mark.parametrize(
    ("name", "iout", "dropout"),
    [
        ("lp2985_33", 1e-3, 7e-3),
        ("lp2985_33", 0.15, 0.28),
        ("lp2950_50", 1e-4, 0.03),
        ("lp2950_50", 0.1, 0.35),
        ("tps7a4001", 0.02, 0.29),
        ("tps7a4001", 0.05, 0.78),
    ],
)
def test_dropout_of_the_data_sheet(name: str, iout: float, dropout: float) -> None:
    vin = parameter_set(name).values["vnom"] - 0.2
    assert vin - at(name, vin, iout).vout == pytest.approx(dropout, rel=1e-3)


@pytest.mark.req("DVT-02")
@pytest.mark.parametrize(
    ("name", "vin", "iout", "ground"),
    [
        ("lp2985_33", 4.3, 0.15, 850e-6),
        ("lp2950_50", 6.0, 1e-4, 93e-6),
        ("lp2950_50", 6.0, 0.1, 4e-3),
        ("lp2950_50", 4.5, 1e-4, 110e-6),
        ("tps7a4001", 9.0, 0.0, 25e-6),
        ("tps7a4001", 9.0, 0.05, 25e-6),
    ],
)
def test_ground_current_of_the_data_sheet(name: str, vin: float, iout: float, ground: float) -> None:
    state = at(name, vin, iout)
    assert state.ignd == pytest.approx(ground, rel=1e-3)
    assert state.iin == pytest.approx(state.iout + state.ignd)


@pytest.mark.req("DVT-02")
def test_line_and_load_regulation_of_the_data_sheet() -> None:
    line = at("lp2950_50", 30.0, 1e-4).vout - at("lp2950_50", 6.0, 1e-4).vout
    assert line / 5.0 == pytest.approx(0.08e-2, rel=1e-3)
    load_ = at("lp2950_50", 6.0, 1e-4).vout - at("lp2950_50", 6.0, 0.1).vout
    assert load_ / 5.0 == pytest.approx(0.13e-2, rel=1e-3)
    line = at("tps7a4001", 100.0, 1e-4).vout - at("tps7a4001", 7.0, 1e-4).vout
    assert line / 5.0 == pytest.approx(0.03e-2, rel=1e-3)
    load_ = at("tps7a4001", 9.0, 1e-4).vout - at("tps7a4001", 9.0, 0.05).vout
    assert load_ / 5.0 == pytest.approx(0.31e-2, rel=1e-3)


@pytest.mark.req("DVT-02", "DVT-03")
def test_worked_check_of_the_lp2985() -> None:
    """8 V in, 3.3 V, 100 mA: 0.47 W, 97 K on 206 K/W (the ground current's own 4 mW beside it)."""
    model = part("lp2985_33")
    ladder = CauerLadder(model.ladder)
    assert ladder.resistance == pytest.approx(206.0)
    pass_power = (8.0 - 3.3) * 0.1
    assert pass_power == pytest.approx(0.47)
    assert ladder.steady(25.0, pass_power)[0] == pytest.approx(25.0 + 97.0, abs=0.5)
    assert model.solve(8.0, 0.1, 122.0, False).power == pytest.approx(0.47, abs=0.01)


@pytest.mark.req("DVT-02")
@pytest.mark.parametrize("name", REGULATORS)
def test_current_limit_collapses_the_output(name: str) -> None:
    limit = parameter_set(name).values["i_limit"]
    vin = parameter_set(name).values["vnom"] + 3.0
    below, above = at(name, vin, 0.99 * limit), at(name, vin, 10 * limit)
    assert below.vout > 0.5 * parameter_set(name).values["vnom"]
    assert above.vout == 0.0
    assert limit <= above.iout <= 1.06 * limit


@pytest.mark.req("DVT-02")
@pytest.mark.parametrize("name", REGULATORS)
def test_output_falls_and_input_current_rises_with_the_load(name: str) -> None:
    limit, vin = parameter_set(name).values["i_limit"], parameter_set(name).values["vnom"] + 1.0
    model = part(name)
    states = [model.solve(vin, i, 25.0, False) for i in np.linspace(0.0, 1.2 * limit, 200)]
    assert all(a.vout >= b.vout for a, b in pairwise(states))
    assert all(a.iin <= b.iin for a, b in pairwise(states))


@pytest.mark.req("DVT-02")
def test_thermal_shutdown_has_hysteresis() -> None:
    model = part("tps7a4001")
    assert [model.shuts_down(tj, False) for tj in (149.0, 169.0, 171.0)] == [False, False, True]
    assert [model.shuts_down(tj, True) for tj in (149.0, 151.0, 169.0)] == [False, True, True]
    off = model.solve(12.0, 0.05, 171.0, True)
    assert (off.vout, off.iout) == (0.0, 0.0)
    assert off.iin < 1e-5


@pytest.mark.req("DVT-02")
@pytest.mark.parametrize("name", set_names())
def test_without_input_there_is_nothing_at_the_output(name: str) -> None:
    state = at(name, 0.0, 0.01)
    assert (state.vout, state.iin) == (0.0, 0.0)
    model = part(name)
    assert all(model.solve(vin, 0.01, 25.0, False).vout <= vin for vin in np.linspace(0.0, 8.0, 81))


@pytest.mark.req("DVT-02")
@pytest.mark.parametrize("name", set_names())
def test_box_and_end_point_tempco_differ(name: str) -> None:
    values, model = parameter_set(name).values, part(name)
    nominal = values["vnom"]
    t = np.arange(-40.0, 126.0, 1.0)
    v = np.array([model.solve(values["vin_nom"], 1e-3, tj, False).vout for tj in t])
    end_point = abs(v[-1] - v[0]) / nominal / 165.0 * 1e6
    assert box(v, nominal, 165.0) > end_point + 0.1


@pytest.mark.req("DVT-02")
def test_a_symmetric_parabola_has_no_end_point_tempco_but_a_large_box_value() -> None:
    apex = parameter_set("adr444").values["apex"]
    t = np.linspace(apex - 75.0, apex + 75.0, 151)
    model = part("adr444")
    v = np.array([model.solve(6.0, 0.0, tj, False).vout for tj in t])
    assert v[-1] == pytest.approx(v[0], abs=1e-12)
    assert box(v, 4.096, 150.0) > 2.0
    assert t[v.argmax()] == apex


def test_reference_needs_headroom_and_protects_its_output() -> None:
    assert at("adr444", 4.0, 1e-3).vout == pytest.approx(3.5)
    assert at("adr444", 6.0, 1.0).vout == 0.0


@pytest.mark.req("DVT-02")
@pytest.mark.parametrize("corner", ["tt", "ff", "ss"])
def test_the_fitted_sets_give_back_the_simulation(corner: str) -> None:
    lines = [line for line in SIMULATED.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = [line.split(",") for line in lines[1:] if line.startswith(f"{corner},")]
    assert len(rows) == 9
    for _, *texts in rows:
        vin, temp, vout, iq, line_reg, load_reg = map(float, texts)
        light, heavy = (at(f"simorc180_{corner}", vin, i, temp) for i in (10e-3, 50e-3))
        higher = at(f"simorc180_{corner}", vin + 0.5, 10e-3, temp)
        assert light.vout == pytest.approx(vout, abs=25e-6)
        assert light.ignd == pytest.approx(iq, abs=0.06e-6)
        assert 1000 * (higher.vout - light.vout) / 0.5 == pytest.approx(line_reg, abs=0.03)
        assert light.vout - heavy.vout == pytest.approx(load_reg, abs=0.25e-3)


@pytest.mark.req("DVT-02")
def test_parts_vary_around_the_typical_one() -> None:
    spread = part("lp2985_33", {"vnom": 0.011}).solve(4.3, 0.0, 25.0, False).vout
    assert spread - at("lp2985_33", 4.3, 0.0).vout == pytest.approx(0.011)
