"""Multimeter, supply and switch: strict commands, errors instead of silence, triggers, protection, faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simorc.core.bench import InstrumentSettings
from simorc.core.equipment import SupplyState
from simorc.registry import load


@dataclass
class Output:
    """A supply's terminals with a resistor across them."""

    ohm: float = 1e9
    told: tuple[float, float, bool] = (0.0, 0.0, False)

    def drive(self, voltage: float, current_limit: float, on: bool) -> None:
        self.told = (voltage, current_limit, on)

    def measure(self) -> SupplyState:
        voltage, limit, on = self.told
        current = min(voltage / self.ohm, limit)
        return SupplyState(current * self.ohm, current, voltage / self.ohm > limit) if on else SupplyState(0, 0, False)


@dataclass
class Lab:
    """Terminals with fixed values; it is its own clock, meter and switch."""

    volts: float = 3.3
    time: float = 0.0
    faults: dict[str, float] = field(default_factory=dict)
    outputs: dict[int, Output] = field(default_factory=lambda: {n: Output() for n in (1, 2, 3)})
    relay: int | None = None

    @property
    def clock(self) -> Lab:
        return self

    def now(self) -> float:
        return self.time

    def fault(self, instrument: str, kind: str) -> float | None:
        return self.faults.get(kind)

    def supply(self, instrument: str, channel: int) -> Output:
        return self.outputs[channel]

    def meter(self, instrument: str) -> Lab:
        return self

    def switch(self, instrument: str) -> Lab:
        return self

    def voltage(self) -> float:
        return self.volts

    def current(self) -> float:
        return 0.02

    def resistance(self) -> float:
        return 1e10

    def noise(self) -> float:
        return 0.0

    def close(self, channel: int | None) -> None:
        self.relay = channel

    def closed(self) -> int | None:
        return self.relay


class Talk:
    """An instrument and its lab."""

    def __init__(self, name: str) -> None:
        self.lab = Lab()
        self.it: Any = load("equipment", name)(InstrumentSettings("it", name), self.lab)

    def __call__(self, message: str) -> str | None:
        """Send, let as much time pass as the reply takes, and read."""
        reply = self.it.execute(message)
        if reply is None:
            return None
        self.lab.time = max(self.lab.time, reply.ready_s)
        return str(reply.text)

    def error(self, message: str) -> int:
        """The only error that a message leaves."""
        self(message)
        number = int(str(self("SYST:ERR?")).partition(",")[0])
        assert self("SYST:ERR?") == '+0,"No error"'
        return number


@pytest.fixture
def dmm() -> Talk:
    return Talk("keysight_34461a")


@pytest.fixture
def psu() -> Talk:
    return Talk("keysight_e36312a")


@pytest.mark.req("DVT-04")
@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("FOO 1", -113),
        ("VOLT:DC:RANG 2000", -222),
        ("VOLT:RANG ten", -148),
        ("VOLT:RANG '1'", -158),
        ("VOLT:RANG 1 A", -131),
        ("FUNC VOLT", -148),
        ('FUNC "POWER"', -224),
        ("FUNC", -109),
        ("READ? 1", -108),
        ("TRIG:SOUR LATER", -224),
        ("VOLT:NPLC 1000", -222),
        ("FETC?", -230),
        ("*TRG", -211),
        ("*ESE 256", -222),
        ("INIT;INIT", -213),
        ("TRIG:SOUR BUS;:READ?", -214),
        ("DATA:POIN", -113),
    ],
)
def test_the_multimeter_says_what_is_wrong(dmm: Talk, message: str, error: int) -> None:
    assert dmm.error(message) == error


@pytest.mark.req("DVT-05")
def test_a_reading_takes_its_integration_time(dmm: Talk) -> None:
    dmm("CONF:VOLT:DC 10;:VOLT:NPLC 100;:ZERO:AUTO OFF")
    assert float(dmm("READ?") or "") == 3.3
    assert dmm.lab.time == pytest.approx(2.0)
    dmm("INIT")
    assert dmm.lab.time == pytest.approx(2.0)
    assert dmm("*OPC?") == "1"
    assert dmm.lab.time == pytest.approx(4.0)
    assert float(dmm("FETC?") or "") == 3.3


@pytest.mark.req("DVT-05")
def test_a_fixed_range_overloads_and_autorange_follows(dmm: Talk) -> None:
    dmm("CONF:VOLT 1")
    assert float(dmm("READ?") or "") == 9.9e37
    dmm.lab.volts = -3.3
    assert float(dmm("READ?") or "") == -9.9e37
    dmm("VOLT:RANG:AUTO ON")
    assert float(dmm("READ?") or "") == -3.3
    assert float(dmm("VOLT:RANG?") or "") == 10


@pytest.mark.req("DVT-04")
def test_limits_by_name_as_settings_and_in_queries(dmm: Talk) -> None:
    dmm("VOLT:NPLC MAX;RANG MIN")
    replies = dmm("VOLT:NPLC?;NPLC? MIN;RANG?;RANG? MAX;:FUNC?;:CONF?")
    numbers = str(replies).split(";")
    assert [float(number) for number in numbers[:4]] == [100, 0.02, 0.1, 1000]
    assert numbers[4] == '"VOLT"'
    assert numbers[5].startswith('"VOLT +1.0')


@pytest.mark.req("DVT-05")
def test_a_bus_trigger_takes_all_samples(dmm: Talk) -> None:
    dmm("TRIG:SOUR BUS;COUN 2;:SAMP:COUN 3;:INIT")
    assert dmm("DATA:POIN?") == "+0"
    dmm("*TRG")
    assert dmm("DATA:POIN?") == "+6"
    assert str(dmm("FETC?")).count(",") == 5


@pytest.mark.req("DVT-04")
def test_a_refused_configuration_changes_nothing(dmm: Talk) -> None:
    dmm("CONF:VOLT 10")
    before = dmm("CONF?")
    assert dmm.error("CONF:CURR 99") == -222
    assert dmm("CONF?") == before


@pytest.mark.req("DVT-04")
def test_an_execution_error_does_not_end_a_message_and_a_command_error_does(psu: Talk) -> None:
    assert psu("VOLT 99;VOLT?") == "+0.000000000E+00"
    assert psu("FOO;VOLT?") is None
    assert psu("SYST:ERR?;ERR?") == '-222,"Data out of range";-113,"Undefined header"'
    assert psu("*ESR?") == "+176"
    assert psu("*ESR?;*STB?") == "+0;+0"


@pytest.mark.req("DVT-04")
def test_completion_is_noted_when_what_was_begun_is_done(dmm: Talk) -> None:
    dmm("*ESR?")
    dmm("INIT;*OPC")
    assert dmm("*ESR?") == "+0"
    dmm.lab.time = 10
    assert dmm("*ESR?") == "+1"
    dmm("INIT;*OPC;*CLS")
    dmm.lab.time = 20
    assert dmm("*ESR?") == "+0"


@pytest.mark.req("DVT-05")
def test_outputs_deliver_what_is_set_only_when_they_are_on(psu: Talk) -> None:
    psu("VOLT 5, (@2);CURR 0.1, (@2)")
    assert psu("MEAS:VOLT? (@2);:OUTP? (@2)") == "+0.00000000E+00;0"
    psu("OUTP ON,(@2)")
    assert psu("MEAS:VOLT? (@1,2);:OUTP? (@1:3);:OUTP:MODE? (@2)") == "+0.00000000E+00,+5.00000000E+00;0,1,0;CV"
    psu.lab.outputs[2].ohm = 10.0
    assert psu("MEAS:VOLT? (@2);CURR? (@2);:OUTP:MODE? (@2)") == "+1.00000000E+00;+1.00000000E-01;CC"
    psu("*RST")
    assert psu.lab.outputs[2].told[2] is False


@pytest.mark.req("DVT-05")
def test_protection_trips_and_stays_until_it_is_cleared(psu: Talk) -> None:
    psu("VOLT:PROT 4,(@1);:VOLT 5,(@1);:OUTP ON,(@1)")
    assert psu("OUTP? (@1);:VOLT:PROT:TRIP? (@1)") == "0;1"
    assert psu.error("OUTP ON,(@1)") == -221
    psu("VOLT 3,(@1);:OUTP:PROT:CLE (@1);:OUTP ON,(@1)")
    assert psu("OUTP? (@1)") == "1"
    psu("CURR:PROT:STAT ON,(@1);:CURR 0.1,(@1)")
    psu.lab.outputs[1].ohm = 1.0
    assert psu("OUTP? (@1);:CURR:PROT:TRIP? (@1)") == "0;1"


@pytest.mark.req("DVT-04")
@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("VOLT 6.5,(@2,1)", -222),
        ("VOLT 1,(@4)", -222),
        ("VOLT 1,5", -171),
        ("OUTP maybe", -224),
        ("APPL CH2,1,9", -222),
    ],
)
def test_a_refused_setting_changes_no_output(psu: Talk, message: str, error: int) -> None:
    assert psu.error(message) == error
    assert psu("VOLT? (@1:3);:INST:NSEL?") == "+0.000000000E+00," * 2 + "+0.000000000E+00;+1"


@pytest.mark.req("DVT-05")
def test_asking_what_an_output_applies_selects_nothing(psu: Talk) -> None:
    psu("VOLT 5,(@2);:CURR 0.1,(@2)")
    assert psu("APPL? P25V;:INST:NSEL?") == '"5.000000,0.100000";+1'
    assert psu.error("APPL? CH4") != 0


@pytest.mark.req("DVT-05")
def test_the_older_supply_switches_its_outputs_together_and_tracks() -> None:
    old = Talk("keysight_e3631a")
    old("INST P25V;:OUTP:TRAC ON;:VOLT 5;:OUTP ON")
    assert [output.told[2] for output in old.lab.outputs.values()] == [True, True, True]
    assert old("MEAS:VOLT? P25V;:MEAS:VOLT? N25V") == "+5.00000000E+00;-5.00000000E+00"
    old("OUTP OFF")
    assert not any(output.told[2] for output in old.lab.outputs.values())


@pytest.mark.req("DVT-05")
def test_a_stuck_output_keeps_what_it_delivers_whatever_it_is_told(psu: Talk) -> None:
    psu("VOLT 5,(@2);:OUTP ON,(@2)")
    psu.lab.faults["stuck_output"] = 0.0
    psu("VOLT 1,(@2);:OUTP OFF,(@2);*RST")
    assert psu.lab.outputs[2].told[::2] == (5, True)
    psu("OUTP OFF,(@2)")
    assert psu("OUTP? (@2)") == "1"


@pytest.mark.req("DVT-05")
def test_faults_of_every_instrument(dmm: Talk) -> None:
    assert "34461A" in str(dmm("*IDN?"))
    dmm.lab.faults.update(wrong_idn=0.0, drift=0.1, error_queue_full=0.0)
    assert "34461A" not in str(dmm("*IDN?"))
    assert int(str(dmm("*STB?"))) & 4
    assert str(dmm("FOO;:SYST:ERR?")) == "None"
    assert [str(dmm("SYST:ERR?"))[:4] for _ in range(30)].count('+0,"') == 0
    dmm.lab.time = 3600.0
    assert float(dmm("READ?") or "") == pytest.approx(3.63)


@pytest.mark.req("DVT-05")
def test_the_switch_never_connects_two_parts() -> None:
    switch = Talk("scpi_switch")
    switch("ROUT:CLOS (@2)")
    assert switch("ROUT:CLOS? (@1:3)") == "0,1,0"
    assert switch.error("ROUT:CLOS (@3)") == -221
    assert switch.error("ROUT:CLOS (@1,2)") == -221
    assert switch.error("ROUT:CLOS (@9)") == -222
    switch("ROUT:OPEN (@1)")
    assert switch.lab.relay == 2
    switch("ROUT:OPEN (@2)")
    assert switch.lab.relay is None
    switch("ROUT:CLOS (@3);OPEN:ALL")
    assert switch.lab.relay is None


NAMES = ["keysight_34461a", "hp_34401a", "keysight_e36312a", "keysight_e3631a", "scpi_switch"]
ARGUMENTS = [
    "",
    "1",
    "-5",
    "1e30",
    "MIN",
    "MAX",
    "DEF",
    "INF",
    "ON",
    "'a'",
    '"VOLT"',
    "(@1:3)",
    "(@9)",
    "5,(@2)",
    "#15a;b",
]


@pytest.mark.req("DVT-04")
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_message_raises(name: str, data: st.DataObject) -> None:
    talk = Talk(name)
    headers = [c.pattern.replace("[", "").replace("]", "").replace("#", "") for c in talk.it.commands]
    units = st.tuples(st.sampled_from([*headers, "*RST", "*CLS", "*OPC?", "*TRG", "*ESE"]), st.sampled_from(ARGUMENTS))
    for _ in range(4):
        parts = data.draw(st.lists(units, max_size=5))
        talk(";:".join(f"{header} {argument}" for header, argument in parts))
        talk(data.draw(st.text(max_size=30)))
    talk("*CLS")
    assert talk("SYST:ERR?") == '+0,"No error"'
