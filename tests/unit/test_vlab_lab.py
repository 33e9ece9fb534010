"""The coupled lab: what supply, load, chamber and meters see of one part, whoever looks how often."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simorc.core.bench import BenchSettings, FaultSettings, InstrumentSettings, PartSettings, SimulatedLab
from simorc.core.errors import UsageError
from simorc.virtual_lab.assembly import build_lab
from simorc.virtual_lab.clock import AutojumpClock, RateClock
from simorc.virtual_lab.faults import FAULTS, expected_outcome
from simorc.virtual_lab.lab import Lab

WIRING = {"psu.2": "vin", "load": "vout", "dmm": "vout", "ammeter": "ground", "chamber": "air", "switch": "parts"}
NAMES = ("psu", "load", "dmm", "ammeter", "chamber", "switch")


def bench(*sets: str, **settings: object) -> BenchSettings:
    parts = {f"part{n}": PartSettings("ldo", name, spread=False) for n, name in enumerate(sets, 1)}
    chosen: dict[str, object] = {"parts": parts, "wiring": WIRING, "noise": False, "ambient": 25.0} | settings
    instruments = tuple(InstrumentSettings(name, name) for name in NAMES)
    return BenchSettings("virtual", instruments, simulated=SimulatedLab(**chosen))  # type: ignore[arg-type]


def lab(*sets: str, **settings: object) -> Lab:
    made = Lab(bench(*(sets or ("lp2985_33",)), **settings), AutojumpClock())
    made.switch("switch").close(1)
    return made


def powered(vin: float = 8.0, iload: float = 0.1, limit: float = 1.0, part: str = "lp2985_33") -> Lab:
    made = lab(part)
    made.supply("psu", 2).drive(vin, limit, True)
    made.load("load").sink("C", iload, True)
    return made


@pytest.mark.req("DVT-03")
def test_self_heating_of_the_worked_check_moves_the_output() -> None:
    made = powered()
    cold = made.meter("dmm").voltage()
    made.clock.sleep(1000.0)
    warm = made.meter("dmm").voltage()
    assert made.junction() == pytest.approx(25.0 + 97.0, abs=2.0)
    assert cold - warm > 5e-3
    power = made.operating_point().state.power
    assert made.junction() == pytest.approx(25.0 + 206.0 * power, abs=1e-3)


@pytest.mark.req("DVT-03")
@pytest.mark.parametrize("seconds", [0.5, 5.0, 50.0, 1000.0])
@pytest.mark.parametrize(("vin", "iload", "temp"), [(8.0, 0.1, None), (3.4, 0.15, None), (6.0, 0.05, 60.0)])
def test_results_do_not_depend_on_how_often_somebody_looks(
    seconds: float, vin: float, iload: float, temp: float | None
) -> None:
    ends = []
    for polls in (1, 7, 300):
        made = powered(vin, iload)
        if temp is not None:
            made.chamber("chamber").drive(temp, None, True)
        for _ in range(polls):
            made.clock.sleep(seconds / polls)
            made.meter("dmm").voltage()
        ends.append((made.junction(), made.meter("dmm").voltage(), made.chamber("chamber").temperatures().air))
    for junction, volts, air in ends[1:]:
        assert junction == pytest.approx(ends[0][0], abs=1e-3)
        assert volts == pytest.approx(ends[0][1], abs=1e-6)
        assert air == pytest.approx(ends[0][2], abs=1e-9)


@pytest.mark.req("DVT-03")
def test_the_junction_follows_the_chamber_and_drags_the_output_along() -> None:
    made = powered(vin=4.3, iload=1e-3)
    warm = made.meter("dmm").voltage()
    made.chamber("chamber").drive(-40.0, None, True)
    made.clock.sleep(30.0)
    assert made.chamber("chamber").temperatures().air == pytest.approx(25.0 - 18.0)
    assert made.junction() > 7.0
    made.clock.sleep(1000.0)
    assert made.junction() == pytest.approx(-40.0, abs=0.5)
    assert made.meter("dmm").voltage() < warm - 1e-3


@pytest.mark.req("DVT-02", "DVT-03")
def test_too_much_heat_cycles_through_thermal_shutdown_between_its_thresholds() -> None:
    made = powered(vin=16.0, iload=0.14)
    seen, junctions = set(), []
    for _ in range(400):
        made.clock.sleep(0.037)
        seen.add(made.meter("dmm").voltage() > 1.0)
        junctions.append(made.junction())
    assert seen == {True, False}
    assert 144.0 < min(junctions[100:]) < max(junctions) < 161.0


@pytest.mark.req("DVT-03")
def test_a_day_in_thermal_cycling_stays_between_the_thresholds() -> None:
    made = powered(vin=16.0, iload=0.14)
    made.clock.sleep(86400.0)
    assert 144.0 < made.junction() < 161.0
    made.supply("psu", 2).drive(16.0, 1.0, False)
    made.clock.sleep(1000.0)
    assert made.junction() == pytest.approx(25.0, abs=0.01)


@pytest.mark.req("DVT-02", "DVT-03")
def test_after_hours_of_thermal_cycling_any_moment_of_a_cycle_is_met() -> None:
    seen, junctions = set(), []
    for n in range(12):
        made = powered(vin=16.0, iload=0.14)
        made.clock.sleep(3600.0 + 0.037 * n)
        seen.add(made.meter("dmm").voltage() > 1.0)
        junctions.append(made.junction())
    assert seen == {True, False}
    assert 144.0 < min(junctions) < 150.0 < max(junctions) < 161.0


@pytest.mark.req("DVT-05")
def test_a_relay_without_a_part_behind_it_connects_nothing() -> None:
    made = powered()
    made.clock.sleep(100.0)
    made.switch("switch").close(7)
    assert made.switch("switch").closed() == 7
    assert made.meter("dmm").voltage() == 0.0
    assert made.junction() == pytest.approx(25.0)  # the air
    made.switch("switch").close(1)
    assert made.meter("dmm").voltage() > 3.0


@pytest.mark.req("DVT-05")
def test_a_switch_that_is_not_wired_moves_its_own_relays_alone() -> None:
    made = lab(wiring={name: point for name, point in WIRING.items() if name != "switch"})
    made.supply("psu", 2).drive(8.0, 1.0, True)
    switch = made.switch("switch")
    assert switch.closed() is None
    switch.close(2)
    assert switch.closed() == 2
    switch.close(None)
    assert switch.closed() is None
    assert made.meter("dmm").voltage() > 3.0


@pytest.mark.req("DVT-05")
def test_an_output_that_is_off_gives_nothing_and_heats_nothing() -> None:
    made = powered()
    made.supply("psu", 2).drive(8.0, 1.0, False)
    made.clock.sleep(100.0)
    assert made.meter("dmm").voltage() == 0.0
    assert made.meter("ammeter").current() == 0.0
    assert made.load("load").measure() == (0.0, 0.0)
    assert made.supply("psu", 2).measure().voltage == 0.0
    assert made.junction() == pytest.approx(25.0)


@pytest.mark.req("DVT-05")
def test_a_load_sinks_what_it_is_told_in_each_of_its_modes() -> None:
    made = powered(vin=5.0)
    load = made.load("load")
    for mode, level in (("C", 0.1), ("P", 0.3), ("R", 33.0), ("G", 0.03), ("V", 2.0)):
        load.sink(mode, level, True)
        volts, amps = load.measure()
        sunk = {"C": amps, "P": volts * amps, "R": volts / amps, "G": amps / volts, "V": volts}[mode]
        assert sunk == pytest.approx(level, rel=1e-5), mode
    load.sink("C", 0.1, False)
    assert load.measure()[1] == 0.0
    assert made.supply("psu", 2).measure().current == pytest.approx(made.meter("ammeter").current())


@pytest.mark.req("DVT-05")
@pytest.mark.parametrize(("mode", "level"), [("C", 0.1), ("R", 10.0)])
def test_a_supply_at_its_limit_delivers_the_limit_at_a_lower_voltage(mode: str, level: float) -> None:
    made = powered(vin=8.0, limit=0.05)
    made.load("load").sink(mode, level, True)
    state = made.supply("psu", 2).measure()
    assert state.limiting
    assert state.voltage < 8.0
    assert state.current == pytest.approx(0.05, rel=1e-6)
    assert made.load("load").measure()[1] == pytest.approx(0.05, rel=0.05)


@pytest.mark.req("DVT-05")
def test_the_supply_delivers_what_load_and_ground_take_together() -> None:
    made = powered()
    iin = made.supply("psu", 2).measure().current
    assert iin == pytest.approx(made.load("load").measure()[1] + made.meter("ammeter").current())
    assert not made.supply("psu", 2).measure().limiting


@pytest.mark.req("DVT-05")
def test_only_the_part_that_is_switched_on_is_seen_and_heated() -> None:
    made = lab("lp2985_33", "lp2950_50")
    made.supply("psu", 2).drive(8.0, 1.0, True)
    made.load("load").sink("C", 0.1, True)
    switch = made.switch("switch")
    made.clock.sleep(200.0)
    hot = made.junction()
    switch.close(2)
    assert made.meter("dmm").voltage() == pytest.approx(5.0, abs=0.02)
    assert made.junction() == pytest.approx(25.0)
    made.clock.sleep(200.0)
    switch.close(1)
    assert made.junction() < hot - 50.0
    switch.close(None)
    assert (switch.closed(), made.meter("dmm").voltage()) == (None, 0.0)


@pytest.mark.req("DVT-05")
def test_a_single_part_needs_no_switch() -> None:
    made = Lab(bench("lp2985_33", wiring={"psu": "vin", "dmm": "vout", "load": "vout"}), AutojumpClock())
    made.supply("psu", 1).drive(5.0, 1.0, True)
    assert made.meter("dmm").voltage() == pytest.approx(3.3, abs=0.01)
    assert made.meter("ammeter").current() == 0.0
    assert math.isinf(made.meter("dmm").resistance())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"psi.2": "vin"}, "psi"), ({"psu.2": "vinn"}, "vinn"), ({"psu.two": "vin"}, "psu.two")],
)
def test_wrong_wiring_is_refused_with_a_suggestion(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        Lab(bench("lp2985_33", wiring=wrong), AutojumpClock())
    assert "psu" in str(caught.value) or "vin" in str(caught.value)


def test_two_supplies_at_one_input_and_a_lab_without_parts_are_refused() -> None:
    with pytest.raises(UsageError, match="vin"):
        Lab(bench("lp2985_33", wiring={"psu.1": "vin", "psu.2": "vin"}), AutojumpClock())
    with pytest.raises(UsageError, match="part"):
        Lab(bench(), AutojumpClock())


@pytest.mark.req("DVT-05")
def test_noise_follows_its_seed_and_parts_follow_the_labs() -> None:
    def drawn(seed: int, case: int) -> list[float]:
        made = lab(noise=True, seed=seed)
        made.reseed(case)
        return [made.meter("dmm").noise() for _ in range(3)]

    assert drawn(1, 7) == drawn(1, 7)
    assert drawn(1, 7) != drawn(1, 8)
    assert drawn(1, 7) != drawn(2, 7)
    assert lab().meter("dmm").noise() == 0.0

    def vout(seed: int, name: str) -> float:
        parts = {name: PartSettings("ldo", "lp2985_33")}
        made = lab(seed=seed, parts=parts)
        made.supply("psu", 2).drive(4.3, 1.0, True)
        return made.meter("dmm").voltage()

    assert vout(1, "a") == vout(1, "a")
    assert len({vout(1, "a"), vout(1, "b"), vout(2, "a")}) == 3


@pytest.mark.req("DVT-05")
def test_soak_never_reached_hangs_short_for_ever() -> None:
    made = lab(faults=(FaultSettings("soak_never_reached", "chamber", value=3.0),))
    chamber = made.chamber("chamber")
    chamber.drive(85.0, None, True)
    made.clock.sleep(5000.0)
    assert chamber.temperatures().air == pytest.approx(82.0)
    assert chamber.inside_since("air", 0.5) is None


@pytest.mark.req("DVT-05")
@pytest.mark.parametrize("polls", [1, 3, 500])
def test_a_stuck_heater_runs_away_from_its_moment_on_whoever_looks_when(polls: int) -> None:
    made = lab(faults=(FaultSettings("over_temperature", "chamber", after_s=100.0),))
    chamber = made.chamber("chamber")
    chamber.drive(85.0, None, True)
    for _ in range(polls):
        made.clock.sleep(200.0 / polls)
        chamber.temperatures()
    assert [made.air.at(t) for t in (99.0, 99.999)] == pytest.approx([85.0, 85.0], abs=0.05)
    assert made.air.at(150.0) == pytest.approx(135.0, abs=0.1)
    assert made.junction() == pytest.approx(179.0, abs=8.0)
    chamber.drive(25.0, None, True)
    made.clock.sleep(1000.0)
    assert chamber.temperatures().air == pytest.approx(225.0)


@pytest.mark.req("DVT-05")
def test_an_open_sensor_reads_nothing_from_its_moment_on() -> None:
    made = lab(faults=(FaultSettings("sensor_open", "chamber", after_s=10.0),))
    chamber = made.chamber("chamber")
    assert chamber.temperatures().air == 25.0
    made.clock.sleep(10.0)
    assert chamber.temperatures().air is None


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_every_fault_has_a_meaning_and_an_outcome(kind: str) -> None:
    known = FAULTS[kind]
    assert known.meaning
    assert known.outcome in {"instrument", "never_settled", "missing"}
    assert expected_outcome(FaultSettings(kind, "psu")) == known.outcome
    assert expected_outcome(FaultSettings(kind, "psu", outcome="timeout")) == "timeout"
    assert bool(known.unit) == bool(known.default)


@pytest.mark.parametrize(("kind", "instrument", "said"), [("link_lst", "psu", "link_lost"), ("drift", "dmn", "dmm")])
def test_unknown_faults_and_instruments_are_refused_with_a_suggestion(kind: str, instrument: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        lab(faults=(FaultSettings(kind, instrument),))
    assert said in str(caught.value)


@pytest.mark.req("DVT-05")
def test_a_fault_has_its_size_from_the_bench_or_from_its_kind() -> None:
    made = lab(faults=(FaultSettings("drift", "dmm", 5.0, 0.2), FaultSettings("drift", "ammeter")))
    assert made.fault("dmm", "drift") is None
    assert made.fault("ammeter", "drift") == FAULTS["drift"].default
    made.clock.sleep(5.0)
    assert made.fault("dmm", "drift") == 0.2
    assert made.fault("psu", "drift") is None


def test_an_autojump_clock_jumps_and_a_rate_clock_scales_the_wall() -> None:
    jump = AutojumpClock()
    jump.sleep(3600.0)
    jump.sleep(-5.0)
    assert jump.now() == 3600.0
    wall = [50.0]

    def wait(seconds: float) -> None:
        wall[0] += seconds

    scaled = RateClock(1000.0, lambda: wall[0], wait)
    scaled.sleep(500.0)
    assert scaled.now() == pytest.approx(500.0)
    assert wall[0] == pytest.approx(50.5)
    assert scaled.wall_seconds(1500.0) == pytest.approx(1.0)
    assert scaled.wall_seconds(0.0) == 0.0


def test_numbers_of_the_lab_are_finite_whatever_is_set() -> None:
    made = lab()
    for volts in (-5.0, 0.0, 1e-9, 25.0):
        for mode in "CPRGV":
            for level in (0.0, 1e-9, 1e6):
                made.supply("psu", 2).drive(volts, 0.0 if level else 1.0, True)
                made.load("load").sink(mode, level, True)
                made.clock.sleep(0.01)
                state = made.operating_point().state
                assert np.isfinite([state.vin, state.iin, state.vout, state.iout, state.ignd, made.junction()]).all()


@pytest.mark.req("DVT-01")
def test_a_foster_table_takes_the_place_of_the_ladder() -> None:
    from simorc.core.bench import PartSettings
    from simorc.virtual_lab.part import make_part

    part = make_part("dut", PartSettings("ldo", "lp2985_33", foster=((15.0, 0.05), (45.0, 8.0))), 1)
    assert part.ladder.resistance == pytest.approx(60.0)
    assert len(part.ladder.rungs) == 2


@pytest.mark.req("DVT-04")
@pytest.mark.parametrize(
    ("wiring", "said"),
    [
        ({"psu.9": "vin"}, r"psu\.9: the instrument has no such channel"),
        ({"dmm.2": "vout"}, r"dmm\.2: the instrument has no such channel"),
        ({"dmm": "vin"}, "dmm.1 to 'vin', which is a supply's output"),
        ({"psu.2": "air"}, "psu.2 to 'air', which is a chamber"),
    ],
)
def test_a_terminal_that_is_not_there_or_does_not_belong_there_is_refused(wiring: dict[str, str], said: str) -> None:
    drivers = {"psu": "keysight_e36312a", "dmm": "keysight_34461a"}
    instruments = tuple(InstrumentSettings(name, driver) for name, driver in drivers.items())
    simulated = SimulatedLab(parts={"dut": PartSettings("ldo", "lp2985_33")}, wiring=wiring)
    with pytest.raises(UsageError, match=said):
        build_lab(BenchSettings("b", instruments, "memory", simulated=simulated), AutojumpClock())
