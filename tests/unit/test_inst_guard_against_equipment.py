"""A guard reads messages as the equipment does: whatever passes, no terminal ever exceeds a limit."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simorc.core.bench import BenchLimits, InstrumentSettings
from simorc.core.equipment import ChamberState, SupplyState
from simorc.core.errors import InstrumentError
from simorc.instruments.safety import Guard, GuardedTransport
from simorc.registry import load

LIMITS = BenchLimits(voltage=7, current=0.2, power=1, chamber_min=-45, chamber_max=130)


class Ports:
    """A lab of which only the terminals are looked at."""

    def __init__(self) -> None:
        self.clock = self
        self.supplies: dict[int, tuple[float, float, bool]] = {}
        self.loaded: tuple[str, float, bool] = ("C", 0.0, False)
        self.air: tuple[float, bool] = (23.0, False)

    def now(self) -> float:
        return 0.0

    def fault(self, instrument: str, kind: str) -> None:
        return None

    def meter(self, instrument: str) -> Any:
        return self

    def noise(self) -> float:
        return 0.0

    def supply(self, instrument: str, channel: int) -> Any:
        return Supply(self, channel)

    def load(self, instrument: str) -> Any:
        return self

    def sink(self, mode: str, level: float, on: bool) -> None:
        self.loaded = (mode, level, on)

    def chamber(self, instrument: str) -> Any:
        return self

    def drive(self, setpoint: float, ramp: float | None, flow: bool) -> None:
        self.air = (setpoint, flow)

    def temperatures(self) -> ChamberState:
        return ChamberState(23.0, 23.0)


class Supply:
    """One output."""

    def __init__(self, ports: Ports, channel: int) -> None:
        self.ports, self.channel = ports, channel

    def drive(self, voltage: float, current_limit: float, on: bool) -> None:
        self.ports.supplies[self.channel] = (voltage, current_limit, on)

    def measure(self) -> SupplyState:
        voltage, _, on = self.ports.supplies[self.channel]
        return SupplyState(voltage if on else 0.0, 0.0, False)


class Direct:
    """A transport that ends in the instrument."""

    def __init__(self, instrument: Any) -> None:
        self.instrument = instrument

    def write(self, text: str) -> None:
        self.instrument.execute(text)

    def query(self, text: str) -> str:
        reply = self.instrument.execute(text)
        if reply is None:
            raise InstrumentError("no reply", resource="it")
        return str(reply.text)

    def clear(self) -> None:
        self.instrument.clear()


def play(driver: str, before: Sequence[str], messages: Sequence[str], *, looks: bool) -> None:
    """An instrument in some state, and messages through a guard; what is refused is not sent.

    It is looked at before each message, as for a person's texts, or asked for errors after each, as drivers do.
    """
    ports, told = Ports(), InstrumentSettings("it", driver)
    equipment = load("equipment", driver)(told, ports)
    for text in before:
        equipment.execute(text)
    kind = load("instruments", driver)
    guard = Guard(LIMITS, may_switch_on=True)
    it = kind(told, GuardedTransport(Direct(equipment), "it", kind.effects, guard, lambda *what: None), ports)
    for text in messages:
        with suppress(InstrumentError):
            if looks:
                it.look()
            it.send(text)
        check_terminals(ports)
        if not looks:
            it.errors()


def check_terminals(ports: Ports) -> None:
    for voltage, current, on in ports.supplies.values():
        if on:
            assert abs(voltage) <= 7
            assert not voltage or (current <= 0.2 and abs(voltage) * current <= 1 + 1e-9)
    mode, level, on = ports.loaded
    if on:
        amperes = {"C": level, "R": 7 / level if level else 99, "G": 7 * level}.get(mode, 99)
        assert amperes <= 0.2 + 1e-9
    setpoint, flow = ports.air
    if flow:
        assert -45 <= setpoint <= 130


def messages(units: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    joined = st.builds(lambda parts, glue: glue.join(parts), st.lists(units, min_size=1, max_size=4), glue())
    return st.lists(joined, min_size=1, max_size=6)


def glue() -> st.SearchStrategy[str]:
    return st.sampled_from([";", ";:", "; ", " ; :"])


LISTS = ["", ",(@1)", ",(@2)", ", (@2,3)", ",(@1:3)", ",ALL"]
SUPPLY_UNITS = st.one_of(
    st.builds(
        "{} {}{}".format,
        st.sampled_from(["VOLT", "volt:lev", "SOUR:VOLT", "VOLTage:LEVel:IMMediate:AMPLitude", "LEV"]),
        st.sampled_from(["0", "1", "5 V", "5000mV", "6", "7", "8", "2E1", "MAX", "MIN", "DEF"]),
        st.sampled_from(LISTS),
    ),
    st.builds(
        "{} {}{}".format,
        st.sampled_from(["CURR", "curr:imm", "SOURce:CURRent"]),
        st.sampled_from(["0.01", "0.1", "100mA", "0.2", "0.15A", "1", "MAX", "DEF"]),
        st.sampled_from(LISTS),
    ),
    st.builds(
        "{} {}{}".format,
        st.sampled_from(["OUTP", "output:state"]),
        st.sampled_from(["ON", "1", "0", "OFF"]),
        st.sampled_from(LISTS),
    ),
    st.builds("INST:NSEL {}".format, st.integers(0, 4)),
    st.sampled_from(
        [
            "*RST",
            "*CLS",
            "INST P25V",
            "INST CH2",
            "APPL P25V,20,1",
            "OUTP:TRAC ON",
            "VOLT:PROT 5",
            "VOLT?",
            "*RCL 1",
            "INST:NSEL?",
        ]
    ),
)
STATES = st.sampled_from(
    [[], ["VOLT 20,(@2);:CURR 1,(@2)"], ["INST:NSEL 3;:VOLT 20"], ["VOLT 6,(@1);:CURR 0.1,(@1);:INST:NSEL 2"]]
)


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize("driver", ["keysight_e36312a", "keysight_e3631a"])
@settings(max_examples=60)
@given(before=STATES, texts=messages(SUPPLY_UNITS), looks=st.booleans())
@example(before=[], texts=["OUTP ON,(@1)", "VOLT 1"], looks=True)
def test_no_output_that_is_on_exceeds_a_limit(
    driver: str, before: Sequence[str], texts: Sequence[str], looks: bool
) -> None:
    if driver == "keysight_e3631a":
        before = []  # it takes no lists
    play(driver, before, texts, looks=looks)


LOAD_UNITS = st.one_of(
    st.builds("MODE {}".format, st.sampled_from(["C", "c", "P", "R", "G", "V", "X"])),
    st.builds(
        "{} {}".format,
        st.sampled_from(["A", "B", "b"]),
        st.sampled_from(["0", "0.01", "0.1A", "0.2", "1", "35", "100OHM", "MAX"]),
    ),
    st.builds("LVLSEL {}".format, st.sampled_from(["A", "B", "T", "V", "E"])),
    st.builds("INP {}".format, st.sampled_from(["0", "1", "ON"])),
    st.sampled_from(["*RST", "A?", "MODE?"]),
)
LOAD_STATES = st.sampled_from([[], ["MODE C;A 50;B 0.1"], ["MODE R;A 1;LVLSEL B;B 5"], ["MODE V;A 1"]])


@pytest.mark.req("DVT-11")
@settings(max_examples=60)
@given(before=LOAD_STATES, texts=messages(LOAD_UNITS), looks=st.booleans())
def test_no_load_that_is_on_exceeds_a_limit(before: Sequence[str], texts: Sequence[str], looks: bool) -> None:
    play("aimtti_ld400p", before, texts, looks=looks)


CHAMBER_UNITS = st.one_of(
    st.builds("SETN {}".format, st.sampled_from(["0", "1", "2", "5", "18"])),
    st.builds("SETP {}".format, st.sampled_from(["-60", "-40", "0", "25", "85", "150", "MAX", "MIN"])),
    st.builds("FLOW {}".format, st.sampled_from(["0", "1"])),
    st.builds("HEAD {}".format, st.sampled_from(["0", "1"])),
    st.sampled_from(["NEXT", "RSTO", "*RST", "CYCL 1", "RAMP 5", "ULIM 200", "SETP?", "DUTM 1"]),
)
CHAMBER_STATES = st.sampled_from([[], ["SETN 0;SETP 200"], ["SETN 5;SETP -60"], ["SETN 2;SETP -60;SETN 1"]])


@pytest.mark.req("DVT-11")
@settings(max_examples=60)
@given(before=CHAMBER_STATES, texts=messages(CHAMBER_UNITS))
def test_no_air_that_flows_exceeds_a_limit(before: Sequence[str], texts: Sequence[str]) -> None:
    play("temptronic_ats545", before, texts, looks=True)
