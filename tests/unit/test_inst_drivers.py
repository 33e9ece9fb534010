"""Every driver as a transcript: what it sends, what it is answered, and what it makes of that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

from simorc.core.bench import InstrumentSettings
from simorc.core.errors import InstrumentError
from simorc.core.reading import Reading
from simorc.registry import load, names

OK = ("SYST:ERR?", '+0,"No error"')
TAKEN = ("*ESR?", "+0")
FINE = ("EROR?", "0")


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class Wire:
    """A transport that follows a script: a text alone is a write, a pair is a query and its reply."""

    def __init__(self, *script: str | tuple[str, str]) -> None:
        self.script = list(script)

    def _next(self, sent: str) -> str | tuple[str, str]:
        assert self.script, f"{sent!r} was sent after the end of the script"
        return self.script.pop(0)

    def write(self, text: str) -> None:
        assert self._next(text) == text

    def query(self, text: str) -> str:
        expected = self._next(text)
        assert isinstance(expected, tuple), f"{text!r} was asked, {expected!r} was expected to be written"
        assert text == expected[0]
        return expected[1]


@contextmanager
def script(driver: str, *exchange: str | tuple[str, str], error: str = "", **keys: Any) -> Iterator[Any]:
    """A driver on a wire; in the end the whole script has been spoken, and the error has come that is expected."""
    wire = Wire(*exchange)
    with pytest.raises(InstrumentError, match=error) if error else nullcontext():
        yield load("instruments", driver)(InstrumentSettings("it", driver), wire, Clock(), **keys)
    assert not wire.script, f"never sent: {wire.script}"


@pytest.mark.req("DVT-08")
@pytest.mark.parametrize("name", names("instruments"))
def test_every_driver_says_who_answers_and_passes_texts_through(name: str) -> None:
    with script(name, ("*IDN?", "ACME,Model 7,S1,2.0 "), ("XYZ?", "5"), "XYZ 5") as driver:
        identity = driver.identity()
        assert identity.idn == "ACME,Model 7,S1,2.0"
        assert [identity.field(i) for i in range(4)] == ["ACME", "Model 7", "S1", "2.0"]
        assert driver.send("XYZ?") == "5"
        assert driver.send("XYZ 5") is None


@pytest.mark.req("DVT-08")
def test_a_maker_with_a_comma_in_its_name_still_has_a_serial_number() -> None:
    with script("temptronic_ats545", ("*IDN?", "Temptronic, inTEST,ATS-545,TS1,5.39")) as chamber:
        identity = chamber.identity()
        assert (identity.field(2), identity.field(3)) == ("TS1", "5.39")
    with script("scpi_psu", ("*IDN?", "odd")) as supply:
        assert supply.identity().field(2) == ""


@pytest.mark.req("DVT-08")
@pytest.mark.parametrize("name", ["keysight_34461a", "hp_34401a", "scpi_dmm"])
def test_a_meter_is_configured_once_and_asked_for_the_range_that_it_used(name: str) -> None:
    read = [("READ?", "+3.30000000E+00"), ("VOLT:DC:RANG?", "+1.00000000E+01")]
    with script(name, "CONF:VOLT:DC DEF", OK, "VOLT:DC:NPLC 10", OK, *read, *read) as meter:
        first, second = meter.voltage(), meter.voltage()
        assert first.value == second.value == 3.3
        assert first.unit == "V"
        assert first.uncertainty == pytest.approx(3.3 * 35e-6 + 10 * 5e-6)
        assert first.source.startswith("it: VOLT:DC, range 10 V, NPLC 10")
        assert first.wall.startswith("20")
        assert ("assumed" in first.source) == (name == "scpi_dmm")


@pytest.mark.req("DVT-08")
def test_a_meter_reads_current_in_a_range_of_its_own() -> None:
    exchange = ["CONF:CURR:DC 0.01", OK, "CURR:DC:NPLC 0.2", OK, ("READ?", "5.0E-3"), ("CURR:DC:RANG?", "0.01")]
    with script("keysight_34461a", *exchange) as meter:
        reading = meter.current(range_=0.01, nplc=0.2)
        exact = 5e-3 * 500e-6 + 0.01 * 200e-6
        assert reading.uncertainty > exact  # a fast aperture costs accuracy, by how much is assumed
        assert "assumed" in reading.source


@pytest.mark.req("DVT-08")
@pytest.mark.parametrize("text", ["CONF:RES", "*RST", "*IDN?"])
def test_a_meter_is_told_its_function_again_after_texts_from_elsewhere(text: str) -> None:
    again = ["CONF:VOLT:DC DEF", OK, "VOLT:DC:NPLC 10", OK, ("READ?", "1.0"), ("VOLT:DC:RANG?", "1")]
    between = (text, "ACME") if "?" in text else text
    with script("keysight_34461a", *again, between, *again) as meter:
        meter.voltage()
        meter.send(text)
        meter.voltage()


@pytest.mark.req("DVT-08")
@pytest.mark.parametrize("reply", ["+9.90000000E+37", "-9.9E37", "nan", "VOLT", ""])
def test_what_is_no_number_is_no_reading(reply: str) -> None:
    exchange = ["CONF:VOLT:DC DEF", OK, "VOLT:DC:NPLC 10", OK, ("READ?", reply)]
    with script("keysight_34461a", *exchange) as meter, pytest.raises(InstrumentError, match=r"READ\?") as error:
        meter.voltage()
    assert error.value.where.startswith("it ")


@pytest.mark.req("DVT-08")
def test_a_meter_whose_range_makes_no_sense_gives_no_reading() -> None:
    exchange = ["CONF:VOLT:DC DEF", OK, "VOLT:DC:NPLC 10", OK, ("READ?", "1"), ("VOLT:DC:RANG?", "0")]
    with script("keysight_34461a", *exchange, error="range reads back as 0") as meter:
        meter.voltage()


@pytest.mark.req("DVT-08")
def test_a_refused_command_is_an_error_with_text_and_reply() -> None:
    refused = [("SYST:ERR?", '-222,"Data out of range"'), ("SYST:ERR?", '-113,"Undefined header"'), OK]
    said = "'CONF:VOLT:DC 5000' was refused: -222,\"Data out of range\"; -113"
    with script("keysight_34461a", "CONF:VOLT:DC 5000", *refused, error=said) as meter:
        meter.voltage(5000)


@pytest.mark.req("DVT-08")
def test_an_error_queue_that_never_empties_is_given_up() -> None:
    with script("scpi_dmm", *[("SYST:ERR?", '-310,"System error"')] * 50, error="never empties, last: -310") as meter:
        meter.errors()


@pytest.mark.req("DVT-08")
def test_every_reading_is_observed_with_its_bench_time() -> None:
    seen: list[tuple[str, Reading]] = []
    with script("keysight_e36312a", ("MEAS:VOLT? (@1)", "1.5"), observe=lambda *what: seen.append(what)) as supply:
        supply.clock.sleep(12.5)
        reading = supply.channel(1).voltage()
    assert seen == [("voltage", reading)]
    assert reading.time_s == 12.5


def setting(header: str, number: int, value: str, read_back: str, style: str) -> list[Any]:
    """One setting of a supply as a script, in the manner of the driver."""
    if style == "list":
        return [f"{header} {value},(@{number})", OK, (f"{header}? (@{number})", read_back)]
    lead = f"INST:NSEL {number};:" if style == "select" else ""
    return [f"{lead}{header} {value}", OK, (f"{lead}{header}?", read_back)]


def ask(header: str, number: int, reply: str, style: str) -> tuple[str, str]:
    """One query of a supply."""
    if style == "list":
        return (f"{header}? (@{number})", reply)
    return (f"INST:NSEL {number};:{header}?" if style == "select" else f"{header}?", reply)


STYLES = [("keysight_e36312a", "list", 2), ("keysight_e3631a", "select", 2), ("scpi_psu", "plain", 1)]


@pytest.mark.req("DVT-08")
@pytest.mark.parametrize(("name", "style", "number"), STYLES)
def test_a_supply_is_set_current_limit_first_and_read_back(name: str, style: str, number: int) -> None:
    exchange = setting("CURR", number, "0.1", "+1.0E-01", style) + setting("VOLT", number, "5", "+5.0E+00", style)
    with script(name, *exchange, ask("OUTP", number, "0", style)) as supply:
        supply.channel(number).apply(voltage=5, current_limit=0.1)


@pytest.mark.req("DVT-08")
@pytest.mark.parametrize(("name", "style", "number"), STYLES)
def test_an_output_goes_on_and_is_seen_to_follow(name: str, style: str, number: int) -> None:
    others: list[Any] = []
    if name == "keysight_e3631a":  # they go on together: the others at 0 V
        for other in (1, 3):
            others += [*setting("VOLT", other, "0", "0", style), ask("OUTP", other, "0", style)]
    exchange = [*others, *setting("OUTP", number, "ON", "1", style), ask("VOLT", number, "5.0", style)]
    with script(name, *exchange, ask("MEAS:VOLT", number, "+4.998E+00", style)) as supply:
        supply.channel(number).on()


@pytest.mark.req("DVT-08")
@pytest.mark.parametrize(("name", "style", "number"), STYLES)
def test_an_output_goes_off_and_is_seen_to_be(name: str, style: str, number: int) -> None:
    with script(name, *setting("OUTP", number, "OFF", "0", style)) as supply:
        supply.channel(number).off()
    with script(
        name, *setting("OUTP", number, "OFF", "1", style), error="reads back as on after it was switched off"
    ) as supply:
        supply.channel(number).off()
    with script(name, ask("MEAS:CURR", number, "0.0502", style)) as supply:
        assert supply.channel(number).current().uncertainty == pytest.approx(0.0502 * 1500e-6 + 5e-3)


@pytest.mark.req("DVT-08")
def test_an_output_may_stay_below_its_setting_only_at_its_current_limit() -> None:
    on = [*setting("OUTP", 2, "ON", "1", "list"), ("VOLT? (@2)", "5.0")]
    short = [("MEAS:VOLT? (@2)", "1.2"), ("CURR? (@2)", "0.1")]
    with script("keysight_e36312a", *on, *short, ("MEAS:CURR? (@2)", "0.0999")) as supply:
        supply.channel(2).on()
    with script(
        "keysight_e36312a",
        *on,
        *[*short, ("MEAS:CURR? (@2)", "0.001")] * 4,
        error=r"delivers 1\.2 V after it was set to 5 V",
    ) as supply:
        supply.channel(2).on()


@pytest.mark.req("DVT-08")
def test_an_output_has_time_to_slew() -> None:
    down = [*setting("VOLT", 2, "2", "2.0", "list"), ("OUTP? (@2)", "1")]
    slow = [("MEAS:VOLT? (@2)", "5.0"), ("MEAS:VOLT? (@2)", "3.1"), ("MEAS:VOLT? (@2)", "2.001")]
    with script("keysight_e36312a", *down, *slow) as supply:
        supply.channel(2).set_voltage(2)
    with script("keysight_e36312a", *down, *[("MEAS:VOLT? (@2)", "5.0")] * 4, error="a stuck output") as supply:
        supply.channel(2).set_voltage(2)


@pytest.mark.req("DVT-08")
def test_a_setting_that_reads_back_as_another_is_an_error() -> None:
    with script(
        "keysight_e36312a",
        *setting("CURR", 1, "0.1", "0.2", "list"),
        error=r"CURR of output 1 reads back as 0\.2 after it was set to 0\.1",
    ) as supply:
        supply.channel(1).set_current_limit(0.1)
    with script("keysight_e36312a", "OUTP ON,(@1)", OK, ("OUTP? (@1)", "0"), error="reads back as off") as supply:
        supply.channel(1).on()


@pytest.mark.req("DVT-08")
@pytest.mark.parametrize(("name", "channels"), [("keysight_e36312a", 3), ("keysight_e3631a", 3), ("scpi_psu", 1)])
def test_there_are_no_outputs_but_those_of_the_model(name: str, channels: int) -> None:
    for number in (0, channels + 1):
        with script(name, error=f"1 to {channels}") as supply:
            supply.channel(number)


@pytest.mark.req("DVT-08")
def test_a_supply_made_safe_tries_all_outputs_and_tells_which_is_still_on() -> None:
    exchange: list[Any] = []
    for number, state in ((1, "1"), (2, "0"), (3, "nonsense")):
        exchange += [f"OUTP OFF,(@{number})", (f"OUTP? (@{number})", state)]
    with script("keysight_e36312a", *exchange, error="outputs not off after they were switched off: 1, 3") as supply:
        supply.make_safe("off")
    exchange = [pair for n in (1, 2, 3) for pair in (f"OUTP OFF,(@{n})", (f"OUTP? (@{n})", "0"))]
    with script("keysight_e36312a", *exchange) as supply:
        assert supply.make_safe("off") == "outputs read back off"


@pytest.mark.req("DVT-08")
def test_a_load_is_told_mode_and_level_once_and_confirms_its_current() -> None:
    first = ["MODE C", TAKEN, "A 0.2", TAKEN, "LVLSEL A", TAKEN, ("A?", "A 0.2A")]
    later = [("MODE?", "MODE C"), "A 0.05", TAKEN, ("LVLSEL?", "LVLSEL A"), ("A?", "A 0.05A")]
    with script("aimtti_ld400p", *first, *later) as load_:
        load_.set_current(0.2)
        load_.set_current(0.05)
    with script("aimtti_ld400p", *first[:-1], ("A?", "A 0.1A"), error=r"level A reads back as 0\.1") as load_:
        load_.set_current(0.2)


@pytest.mark.req("DVT-08")
def test_a_load_that_refuses_a_level_says_so_by_its_event_status() -> None:
    exchange = ["MODE C", TAKEN, "A 500", ("*ESR?", "+16"), ("EER?", "124")]
    with script(
        "aimtti_ld400p", *exchange, error=r"'A 500' was refused: event status 16, execution error 124"
    ) as load_:
        load_.set_current(500)


@pytest.mark.req("DVT-08")
def test_a_load_reads_numbers_with_their_units_and_is_seen_to_switch() -> None:
    on, off = ["INP 1", TAKEN, ("INP?", "INP 1")], ["INP 0", TAKEN, ("INP?", "INP 0")]
    with script("aimtti_ld400p", *on, ("V?", "5.00V"), ("I?", "0.200A"), *off) as load_:
        load_.on()
        voltage, current = load_.voltage(), load_.current()
        load_.off()
    assert (voltage.value, voltage.unit, current.value, current.unit) == (5.0, "V", 0.2, "A")
    assert voltage.uncertainty == pytest.approx(5 * 1e-3 + 80 * 250e-6)
    with script("aimtti_ld400p", ("V?", "what"), error="'what'") as load_:
        load_.voltage()


@pytest.mark.req("DVT-08")
def test_a_load_made_safe_is_read_back() -> None:
    with script("aimtti_ld400p", "INP 0", ("INP?", "INP 0")) as load_:
        assert load_.make_safe("off") == "input reads back off"
    with script("aimtti_ld400p", "INP 0", ("INP?", "INP 1"), error="reads back as 1") as load_:
        load_.make_safe("off")


def chamber_goes(number: int, temperature: str, *, flowing: bool = False) -> list[Any]:
    """A chamber sent to a temperature."""
    stop = ["FLOW 0", ("FLOW?", "0")] if flowing else []
    return [
        *("%RM", *stop, f"SETN {number}", ("SETN?", str(number)), "WNDW 0.5", ("WNDW?", "0.5")),
        *("SOAK 120", ("SOAK?", "120"), f"SETP {temperature}", ("SETP?", temperature)),
        *("FLOW 1", ("FLOW?", "1"), FINE),
    ]


@pytest.mark.req("DVT-08")
@pytest.mark.parametrize(("temperature", "number"), [(85, 0), (30.5, 0), (25, 1), (20, 1), (19.5, 2), (-40, 2)])
def test_a_chamber_keeps_hot_ambient_and_cold_apart(temperature: float, number: int) -> None:
    with script("temptronic_ats545", *chamber_goes(number, f"{temperature:g}")) as chamber:
        chamber.head_for(temperature, 0.5, 120)


@pytest.mark.req("DVT-08")
def test_a_chamber_blows_no_air_while_another_setpoint_is_selected() -> None:
    way = chamber_goes(2, "-40") + chamber_goes(2, "-20") + chamber_goes(0, "85", flowing=True)
    with script("temptronic_ats545", *way) as chamber:
        for temperature in (-40, -20, 85):
            chamber.head_for(temperature, 0.5, 120)


@pytest.mark.req("DVT-08")
def test_a_chamber_is_settled_when_its_firmware_says_so() -> None:
    with script("temptronic_ats545", FINE, ("TECR?", "2"), FINE, ("TECR?", "1"), ("TEMP?", "84.9")) as chamber:
        assert not chamber.is_settled()
        assert chamber.is_settled()
        assert chamber.temperature().value == 84.9


@pytest.mark.req("DVT-08")
@pytest.mark.parametrize(
    ("bits", "words"), [("1", "overheat"), ("32", "air sensor open"), ("16384", "no DUT sensor selected")]
)
def test_a_chamber_with_an_error_of_its_own_is_not_settled_but_an_error(bits: str, words: str) -> None:
    with script("temptronic_ats545", ("EROR?", bits), error=f"the chamber reports: {words}") as chamber:
        chamber.is_settled()


@pytest.mark.req("DVT-08")
def test_a_chamber_made_safe_heads_for_a_temperature_and_reads_it_back() -> None:
    safe: list[Any] = ["%RM", "SETN 1", ("SETN?", "1"), "SETP 23"]
    with script("temptronic_ats545", *safe, ("SETP?", "23.0")) as chamber:
        assert chamber.make_safe(23.0) == "setpoint reads back 23 degC"
    with script(
        "temptronic_ats545", *safe, ("SETP?", "125"), error="reads back as 125 after it was set to 23"
    ) as chamber:
        chamber.make_safe(23.0)
    with script("temptronic_ats545", "%RM", "FLOW 0", ("FLOW?", "0")) as chamber:
        assert chamber.make_safe("off") == "flow reads back off"


@pytest.mark.req("DVT-08")
def test_a_chamber_that_blew_goes_on_blowing_towards_ambient() -> None:
    stop, go = ["FLOW 0", ("FLOW?", "0")], ["FLOW 1", ("FLOW?", "1"), FINE]
    safe = ["%RM", *stop, "SETN 1", ("SETN?", "1"), "SETP 23", ("SETP?", "23"), *go]
    with script("temptronic_ats545", *chamber_goes(0, "85"), *safe) as chamber:
        chamber.head_for(85, 0.5, 120)
        chamber.make_safe(23.0)


@pytest.mark.req("DVT-08")
def test_a_switch_opens_all_before_it_closes_one() -> None:
    exchange = ["ROUT:OPEN:ALL", OK, "ROUT:CLOS (@2)", OK, ("ROUT:CLOS? (@2)", "1"), ("ROUT:CLOS? (@1)", "0")]
    with script("scpi_switch", *exchange) as switch:
        switch.close(2)
        assert not switch.is_closed(1)
    with script("scpi_switch", *exchange[:4], ("ROUT:CLOS? (@2)", "0"), error="relay 2 reads back as 0") as switch:
        switch.close(2)


@pytest.mark.req("DVT-08")
def test_a_switch_made_safe_is_read_back() -> None:
    with script("scpi_switch", "ROUT:OPEN:ALL", ("ROUT:CLOS? (@1:8)", "0,0,0,0,0,0,0,0")) as switch:
        assert switch.make_safe("off") == "relays read back open"
    with script(
        "scpi_switch", "ROUT:OPEN:ALL", ("ROUT:CLOS? (@1:8)", "0,0,1,0,0,0,0,0"), error="after all were opened"
    ) as switch:
        switch.make_safe("off")


@pytest.mark.req("DVT-08")
def test_a_meter_made_safe_is_only_looked_at() -> None:
    with script("scpi_dmm", ("*IDN?", "ACME,DMM,1,2")) as meter:
        assert meter.make_safe("off") == "ACME,DMM,1,2"


@pytest.mark.req("DVT-08")
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("keysight_34461a", lambda d: d.voltage()),
        ("keysight_e36312a", lambda d: d.channel(1).off()),
        ("aimtti_ld400p", lambda d: d.set_current(0.1)),
    ],
)
def test_a_link_that_fails_is_the_error_that_a_procedure_sees(name: str, call: Callable[[Any], None]) -> None:
    class Broken(Wire):
        def write(self, text: str) -> None:
            raise InstrumentError(f"timeout after {text!r}", resource="it", out_of_reach=True)

    driver = load("instruments", name)(InstrumentSettings("it", name), Broken(), Clock())
    with pytest.raises(InstrumentError, match="timeout after") as error:
        call(driver)
    assert error.value.out_of_reach
