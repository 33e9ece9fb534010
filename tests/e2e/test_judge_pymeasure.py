"""Unmodified PyMeasure drivers against the served lab, over SOCKET and HiSLIP; beside each score that of a dumb server.

What they show is printed with `-s`; docs/judges.md keeps the table.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from echo_server import echo_server
from judges import RATE, Setting, count, holds, lab, same, walk

from simorc.virtual_lab.server import served_lab

if os.environ.get("CI"):
    import pymeasure  # noqa: F401 (in CI nothing is skipped)
else:
    pytest.importorskip("pymeasure", reason="the dependency group `judges` is not installed")

pytestmark = [
    pytest.mark.req("DVT-05", "DVT-06"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
BOTH = [True, False]
FUNCTIONS = ["ACV", "DCI", "ACI", "R2W", "R4W", "FREQ", "PERIOD", "CONTINUITY", "DIODE", "DCV"]

METER = [
    Setting("function_", FUNCTIONS),
    Setting("range_", [0.1, 1, 10, 100, 1000]),
    Setting("autorange", BOTH),
    Setting("nplc", [0.02, 0.2, 1, 10, 100]),
    Setting("detector_bandwidth", [3, 20, 200]),
    Setting("autozero_enabled", BOTH),
    Setting("auto_input_impedance_enabled", BOTH),
    Setting("trigger_source", ["BUS", "EXT", "IMM"]),
    Setting("trigger_delay", [0.5, 3.25, 0]),
    Setting("trigger_auto_delay_enabled", BOTH),
    Setting("sample_count", [1, 10, 50000, 1]),
    Setting("trigger_count", [1, 10, 50000, 1]),
    Setting("display_enabled", BOTH),
    Setting("displayed_text", ["Hello", "3.3 V; ok"]),
    Setting("beeper_enabled", BOTH),
]
SUPPLY = [
    Setting("ch_1.voltage_setpoint", [0, 1.5, 6]),
    Setting("ch_2.voltage_setpoint", [25, 12.345, 0]),
    Setting("ch_3.voltage_setpoint", [25, 0.1, 0]),
    Setting("ch_1.current_limit", [0.5, 5]),
    Setting("ch_2.current_limit", [0.1, 1]),
    Setting("ch_3.current_limit", [0.25, 1]),
    Setting("ch_1.output_enabled", BOTH),
    Setting("ch_2.output_enabled", BOTH),
    Setting("ch_3.output_enabled", BOTH),
]
OLD_SUPPLY = [setting for setting in SUPPLY if setting.path != "ch_3.voltage_setpoint"] + [
    Setting("tracking_enabled", BOTH)
]
"""Output 3 of an E3631A is negative, as its driver knows; that of the E36312A, which plays it here, is not."""
CHAMBER = [
    Setting("set_point_number", [0, 2, 1]),
    Setting("temperature_setpoint", [21, 28.5, 25]),
    Setting("temperature_setpoint_window", [0.1, 9.9, 1]),
    Setting("temperature_soak_time", [0, 9999, 30]),
    Setting("temperature_limit_air_low", [-80, 25, -60]),
    Setting("temperature_limit_air_high", [25, 225]),
    Setting("temperature_limit_air_dut", [10, 300, 50]),
    Setting("maximum_test_time", [0, 9999]),
    Setting("dut_constant", [20, 500, 100]),
    Setting("dut_type", ["K", None, "T"]),
    Setting("dut_mode", ["ON", "OFF"]),
    Setting("head", ["up", "down"]),
    Setting("ramp_rate", [0.1, 99.9, 100, 9999]),
    Setting("learn_mode", BOTH),
]
LOAD = [
    Setting("mode", ["P", "R", "G", "V", "C"]),
    Setting("level_select", ["B", "T", "V", "E", "A"]),
    Setting("level_a", [0.2, 1.5, 0]),
    Setting("level_b", [0.1, 2.25, 0]),
    Setting("input_enabled", BOTH),
]
DRIVERS: dict[str, tuple[str, str, list[Setting]]] = {
    "HP34401A": ("pymeasure.instruments.hp", "old_dmm", METER),
    "KeysightE36312A": ("pymeasure.instruments.keysight", "psu", SUPPLY),
    "KeysightE3631A": ("pymeasure.instruments.keysight", "psu", OLD_SUPPLY),
    "ATS545": ("pymeasure.instruments.temptronic", "chamber", CHAMBER),
    "LD400P": ("pymeasure.instruments.aimtti", "load", LOAD),
}
KNOWN_FAULTS = {
    "ATS545.mode, ATS545.set_temperature": "mode_values is a tuple around its mapping (a comma too many): IndexError",
    "LD400P tests": "its shipped test with a device sets `input`; the property is `input_enabled`",
}
"""Faults of the judges themselves; the simulation is not bent to fit them."""
Opener = Callable[[str, str], Any]


@pytest.fixture(params=["socket", "hislip"])
def opened(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Opens a driver by its name on an instrument of a served lab."""
    made: list[Any] = []
    with served_lab(lab(), RATE) as served:
        yield lambda name, instrument: _opened(made, name, served.resources[instrument][request.param])
        for driver in made:
            driver.adapter.close()


def _opened(made: list[Any], name: str, resource: str) -> Any:
    from importlib import import_module

    module = DRIVERS[name][0] if name in DRIVERS else "pymeasure.instruments.agilent"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cls = getattr(import_module(module), name)
        driver = cls(resource, visa_library="@py", read_termination="\n", write_termination="\n", timeout=10_000)
    made.append(driver)
    return driver


@pytest.mark.parametrize("name", DRIVERS)
def test_every_setting_comes_back(opened: Opener, name: str) -> None:
    _, instrument, settings = DRIVERS[name]
    failures = walk(opened(name, instrument), settings)
    print(f"{name}: {count(settings) - len(failures)} of {count(settings)} settings")
    assert failures == []


@pytest.mark.parametrize("name", DRIVERS)
def test_the_floor_is_close_to_the_ceiling_for_settings(name: str) -> None:
    """Why settings alone prove little: a server that understands nothing passes most of them."""
    settings, made = DRIVERS[name][2], []
    with echo_server() as resource:
        failures = walk(_opened(made, name, resource), settings)
        made[0].adapter.close()
    print(f"{name}: dumb server {count(settings) - len(failures)} of {count(settings)} settings")
    assert len(failures) < count(settings)


def physics(open_: Opener) -> dict[str, bool]:
    """What only a lab can show: every line names an effect of one instrument that another one sees."""
    psu, dmm, load = open_("KeysightE36312A", "psu"), open_("HP34401A", "old_dmm"), open_("LD400P", "load")
    chamber, supply = open_("ATS545", "chamber"), psu.ch_2
    found: dict[str, bool] = {}

    def note(what: str, check: Callable[[], bool]) -> None:
        # A raw socket does not say when a command is carried out; a reply does.
        holds(lambda: (supply.output_enabled, load.input_enabled) is None)
        found[what] = holds(check)

    supply.voltage_setpoint, supply.current_limit, supply.output_enabled = 5, 0.5, False
    note("an output that is off gives 0 V", lambda: abs(supply.voltage) < 5e-3 and abs(dmm.reading) < 5e-3)
    supply.output_enabled = True
    note("an output that is on gives what was set", lambda: abs(supply.voltage - 5) < 0.01)
    note("the meter sees the regulator", lambda: 3.25 < dmm.reading < 3.35)
    idle = supply.current
    load.mode, load.level_a, load.level_select, load.input_enabled = "C", 0.2, "A", True
    note("the load sinks 0.2 A", lambda: same(load.current, 0.2))
    note("out of the supply", lambda: 0.195 < supply.current - idle < 0.205)
    loaded = dmm.reading
    load.input_enabled = False
    note("and the meter sees the output drop", lambda: 1e-4 < dmm.reading - loaded < 0.1)
    load.input_enabled = True
    supply.current_limit = 0.1
    note("the current limit holds", lambda: abs(supply.current - 0.1) < 2e-3 and supply.voltage < 4.9)
    load.input_enabled, supply.current_limit = False, 0.5
    note("the load sinks nothing while it is off", lambda: same(load.current, 0.0))
    before = dmm.reading
    chamber.configure(temp_window=0.5, dut_type=None, soak_time=30)
    chamber.start()
    chamber.set_point_number, chamber.temperature_setpoint = 2, -20  # its set_temperature(): see KNOWN_FAULTS
    note("not yet at temperature", lambda: chamber.not_at_temperature())
    chamber.wait_for_settling(time_limit=30)
    note("the chamber settles", lambda: chamber.at_temperature() and abs(chamber.temperature + 20) < 0.6)
    note("and the regulator drifts with it", lambda: 1e-4 < abs(dmm.reading - before) < 0.02)
    dmm.write("NONSENSE 1")
    note("a wrong command is an error in the queue", lambda: "-113" in str(dmm.values("SYST:ERR?", cast=str)))
    chamber.shutdown()
    supply.output_enabled = False
    return found


def test_physics_couples_the_instruments(opened: Opener) -> None:
    found = physics(opened)
    print(f"physics: {sum(found.values())} of {len(found)}")
    assert [what for what, held in found.items() if not held] == []


def test_a_dumb_server_has_no_physics(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same checks are able to fail."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    made: list[Any] = []
    with echo_server() as resource:
        found = physics(lambda name, instrument: _opened(made, name, resource))
        for driver in made:
            driver.adapter.close()
    print(f"physics: dumb server {sum(found.values())} of {len(found)}")
    assert sum(found.values()) <= len(found) / 3


def test_the_newer_meter_by_the_driver_of_its_sibling(opened: Opener) -> None:
    """Agilent34410A measures one-shot: what is there, and an open input."""
    supply = opened("KeysightE36312A", "psu").ch_2
    supply.voltage_setpoint, supply.output_enabled = 5, True
    assert supply.output_enabled  # a raw socket does not say when a command is carried out; a reply does
    meter = opened("Agilent34410A", "dmm")
    assert meter.voltage_dc == pytest.approx(3.3, abs=0.02)
    assert meter.voltage_ac == pytest.approx(0.0, abs=1e-3)
    assert meter.current_dc == pytest.approx(0.0, abs=1e-6)
    assert meter.resistance > 9e37
