"""How third-party drivers judge the virtual lab: settings that come back as they were set, and physics behind them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from simorc.core.bench import BenchSettings, InstrumentSettings, PartSettings, SimulatedLab

RATE = 1000.0


def lab() -> BenchSettings:
    """An LP2985 on a bench with one instrument of each kind."""
    drivers = {
        "psu": "keysight_e36312a",
        "dmm": "keysight_34461a",
        "old_dmm": "hp_34401a",
        "load": "aimtti_ld400p",
        "chamber": "temptronic_ats545",
    }
    wiring = {"psu.2": "vin", "dmm": "vout", "old_dmm": "vout", "load": "vout", "chamber": "air"}
    simulated = SimulatedLab(parts={"dut": PartSettings("ldo", "lp2985_33", spread=False)}, wiring=wiring)
    instruments = tuple(InstrumentSettings(name, driver) for name, driver in drivers.items())
    return BenchSettings("judged", instruments, "memory", simulated=simulated)


@dataclass(frozen=True)
class Setting:
    """One property of a driver, by its path, and legal values; each is set and read back."""

    path: str
    values: Sequence[Any]


def read(driver: Any, path: str) -> Any:
    """A property, also one of a channel: `ch_2.voltage`."""
    for name in path.split("."):
        driver = getattr(driver, name)
    return driver


def write(driver: Any, path: str, value: Any) -> None:
    """Set a property."""
    owner, _, name = path.rpartition(".")
    setattr(read(driver, owner) if owner else driver, name, value)


def walk(driver: Any, settings: Sequence[Setting]) -> list[str]:
    """What did not come back as it was set; empty when everything did."""
    failures = []
    for setting in settings:
        for value in setting.values:
            try:
                write(driver, setting.path, value)
                found = read(driver, setting.path)
            except Exception as error:  # a driver that cannot make sense of a reply counts as a failure
                failures.append(f"{setting.path} = {value!r}: {type(error).__name__}: {error}")
                continue
            if not same(found, value):
                failures.append(f"{setting.path} = {value!r} came back as {found!r}")
    return failures


def same(found: Any, value: Any) -> bool:
    """Equal, numbers as numbers, whatever text a driver makes of them."""
    try:
        return math.isclose(float(found), float(value), rel_tol=1e-9, abs_tol=1e-12)
    except (TypeError, ValueError):
        return bool(str(found).strip('"') == str(value))


def count(settings: Sequence[Setting]) -> int:
    """How many values a walk sets."""
    return sum(len(setting.values) for setting in settings)


def holds(check: Callable[[], bool]) -> bool:
    """Whether a check of physics holds; a driver that cannot make sense of a reply says no."""
    try:
        return bool(check())
    except Exception:
        return False
