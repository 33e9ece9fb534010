"""The unmodified QCoDeS driver of the 34461A against the served lab."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from echo_server import echo_server
from judges import RATE, Setting, count, lab, same

from simorc.virtual_lab.server import served_lab

if not os.environ.get("CI"):
    pytest.importorskip("qcodes", reason="the dependency group `judges` is not installed")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.req("DVT-05", "DVT-06"),
    pytest.mark.filterwarnings("ignore"),
]
SETTINGS = [
    Setting("trigger.count", [1, 10, 1]),
    Setting("trigger.delay", [0.5, 0.0]),
    Setting("trigger.auto_delay_enabled", [True, False]),
    Setting("trigger.slope", ["POS", "NEG"]),
    Setting("trigger.source", ["BUS", "EXT", "IMM"]),
    Setting("sample.count", [5, 1]),
    Setting("sample.timer", [0.5, 1.0]),
    Setting("display.enabled", [False, True]),
    Setting("sense_function", ["AC Voltage", "DC Current", "2 Wire Resistance", "DC Voltage"]),
    Setting("NPLC", [0.02, 1, 10]),
    Setting("range", [0.1, 1, 10, 100, 1000]),
    Setting("autorange", ["ON", "OFF"]),
    Setting("autozero", ["OFF", "ON"]),
]


def parameter(driver: Any, path: str) -> Any:
    for name in path.split("."):
        driver = getattr(driver, name)
    return driver


def walk(driver: Any) -> list[str]:
    """As for other drivers; in QCoDeS a parameter is called."""
    failures = []
    for setting in SETTINGS:
        for value in setting.values:
            try:
                parameter(driver, setting.path)(value)
                found = parameter(driver, setting.path).get()
            except Exception as error:
                failures.append(f"{setting.path} = {value!r}: {type(error).__name__}: {error}")
                continue
            if not same(found, value):
                failures.append(f"{setting.path} = {value!r} came back as {found!r}")
    return failures


def opened(resource: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from qcodes.instrument_drivers.Keysight import Keysight34461A

        return Keysight34461A("dmm", resource, visalib="@py", terminator="\n", silent=True)


@pytest.fixture(params=["socket", "hislip"])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Any]]:
    with served_lab(lab(), RATE) as made:
        driver = opened(made.resources["dmm"][request.param])
        yield driver, made
        driver.close()


def test_every_setting_comes_back(served: tuple[Any, Any]) -> None:
    driver, _ = served
    assert driver.get_idn()["model"] == "34461A"
    failures = walk(driver)
    print(f"Keysight34461A: {count(SETTINGS) - len(failures)} of {count(SETTINGS)}", file=sys.stderr)
    assert failures == []


def test_a_reading_is_that_of_the_regulator(served: tuple[Any, Any]) -> None:
    driver, made = served
    supply = made.built.instruments["psu"]
    supply.execute("VOLT 5,(@2);:OUTP ON,(@2)")
    driver.autorange("ON")
    assert driver.volt() == pytest.approx(3.3, abs=0.02)
    supply.execute("OUTP OFF,(@2)")
    assert driver.volt() == pytest.approx(0.0, abs=1e-3)


def test_the_floor() -> None:
    with echo_server() as resource:
        try:
            driver = opened(resource)
        except Exception as error:  # it asks for the model first, and `1` is none
            print(f"Keysight34461A: a dumb server does not even open: {error}", file=sys.stderr)
            return
        failures = walk(driver)
        driver.close()
    assert failures
