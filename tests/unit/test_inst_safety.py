"""Limits on what goes out and what comes in, and the safe state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.core.bench import BenchLimits, SafeStep
from simorc.core.errors import InstrumentError
from simorc.core.reading import Reading
from simorc.instruments.interfaces import Effect
from simorc.instruments.safety import Guard, GuardedTransport, all_steps, safe_state
from simorc.registry import load

LIMITS = BenchLimits(voltage=7, current=0.2, power=1, chamber_min=-45, chamber_max=130, tj=150, theta_ja=60)


def effects(driver: str) -> Sequence[Effect]:
    return load("instruments", driver).effects


SUPPLY, OLD_SUPPLY, PLAIN = effects("keysight_e36312a"), effects("keysight_e3631a"), effects("scpi_psu")
LOAD, CHAMBER = effects("aimtti_ld400p"), effects("temptronic_ats545")
OF = {"psu": SUPPLY, "load": LOAD, "chamber": CHAMBER}
SET = "CURR 0.1,(@2);:VOLT 5,(@2)"


def strict(limits: BenchLimits = LIMITS, **keys: Any) -> Guard:
    return Guard(limits, may_switch_on=True, **keys)


def refusal(guard: Guard, table: Sequence[Effect], text: str, name: str = "psu") -> str:
    with pytest.raises(InstrumentError) as error:
        guard.check_text(name, table, text)
    assert not error.value.out_of_reach
    assert repr(text) in error.value.what
    assert "was not sent" in error.value.what
    return error.value.what


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize(
    "text",
    [
        "VOLT 7.1,(@2)",
        "volt 7.1,(@2)",
        ":VOLTAGE 7.1,(@2)",
        "SOUR:VOLT 7.1 V,(@2)",
        "source:voltage:level:immediate:amplitude 7100mV,(@2)",
        "VOLT:LEV 7.1,(@2)",
        ":sour:volt:imm:ampl +0.71E1 , (@2)",
        "VOLT -7.1,(@2)",
        "VOLT #HFF,(@2)",
        "VOLT 5,(@2);VOLT 7.1,(@1:3)",
        "*CLS;:VOLT 7.1,(@2)",
        "VOLT:PROT 5,(@2);LEV 9,(@2)",
        "INST:NSEL 2;:VOLT 7.1",
        "*IDN?;:VOLT 7.1,(@2)",
    ],
)
def test_a_voltage_beyond_the_limit_is_refused_in_every_spelling(text: str) -> None:
    guard = strict()
    guard.check_text("psu", SUPPLY, "CURR 0.1,(@1,2,3)")
    assert "the bench's limit is 7 V" in refusal(guard, SUPPLY, text) or "not known" in refusal(guard, SUPPLY, text)


@pytest.mark.req("DVT-11")
def test_what_is_within_the_limits_passes() -> None:
    guard = strict()
    assert guard.check_text("psu", SUPPLY, SET)
    assert guard.check_text("psu", SUPPLY, "OUTP ON,(@2)")
    assert guard.check_text("load", LOAD, "MODE C;A 0.02;LVLSEL A;INP 1")
    assert guard.check_text("chamber", CHAMBER, "SETN 0;SETP 130")
    assert guard.check_text("chamber", CHAMBER, "FLOW 1")
    assert not guard.check_text("psu", SUPPLY, "MEAS:VOLT? (@2)")
    assert not guard.check_text("dmm", effects("keysight_34461a"), "CONF:VOLT 1000\n")  # a meter hurts nobody


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize("limit", ["voltage", "current", "power", "chamber_min", "chamber_max", "tj"])
def test_each_limit_alone_refuses(limit: str) -> None:
    value = {"voltage": 4.0, "current": 0.05, "power": 0.4, "chamber_min": 0.0, "chamber_max": 80.0, "tj": 90.0}[limit]
    guard = strict(BenchLimits(**{limit: value}, theta_ja=60))  # type: ignore[arg-type]
    texts = [("psu", SET), ("load", "MODE C;A 0.1"), ("chamber", "SETN 2;SETP -40"), ("chamber", "SETN 0;SETP 85")]
    refused = []
    for name, text in texts:
        try:
            guard.check_text(name, OF[name], text)
        except InstrumentError as error:
            refused.append(error.what)
    assert refused
    assert all(f"{value:g}" in what for what in refused)


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize("text", ["VOLT MAX,(@2)", "VOLT min,(@2)", "VOLT DEF,(@2)", "VOLT UP,(@2)", "VOLT inf,(@2)"])
def test_words_are_no_numbers(text: str) -> None:
    guard = strict()
    guard.check_text("psu", SUPPLY, "CURR 0.1,(@2)")
    refusal(guard, SUPPLY, text)


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize(
    "text",
    [
        "APPL P25V,5,0.1",
        "VOLT:TRIG 20,(@2)",
        "*RCL 1",
        "*SAV 1",
        "*TRG",
        "INIT",
        "OUTP:TRAC ON",
        "INST P25V",
        "VOLT1:LEV2 5,(@2)",
        "DISP ON\nVOLT 20,(@2)",
        "VOLT? (@2)\nVOLT 20,(@2)",
        "VOLT? (@2;:VOLT 20)",
        "VOLT 5,(@2",
        "DISP 'x;:VOLT 20,(@2)",
        "VOLT",
        "VOLT five,(@2)",
        "VOLT 5 A,(@2)",
        "VOLT 5,ALL",
        "VOLT 5,(@0)",
        "VOLT 5",
        "OUTP",
        "OUTP MAYBE,(@2)",
        ";;;!",
    ],
)
def test_what_is_not_understood_is_not_sent(text: str) -> None:
    guard = strict()
    guard.check_text("psu", SUPPLY, "CURR 0.1,(@1,2,3)")
    refusal(guard, SUPPLY, text)


@pytest.mark.req("DVT-11")
def test_without_limits_unknown_texts_pass_unless_the_equipment_is_real_and_has_to_stay_off() -> None:
    free = Guard(BenchLimits(theta_ja=60), may_switch_on=True)
    free.check_text("psu", SUPPLY, "APPL P25V,25,1")
    free.check_text("psu", SUPPLY, "VOLT MAX")
    free.check_text("psu", SUPPLY, "OUTP ON,(@2)")
    locked = Guard(BenchLimits(), may_switch_on=False)
    refusal(locked, SUPPLY, "APPL P25V,25,1")


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize(
    ("name", "before", "on", "off"),
    [
        ("psu", SET, "OUTP ON,(@2)", "OUTP OFF,(@2)"),
        ("psu", SET, "outp:stat 1,(@2)", "OUTP 0,(@2)"),
        ("load", "MODE C;A 0.01;LVLSEL A", "INP 1", "INP 0"),
        ("chamber", "SETN 1;SETP 25", "FLOW 1", "FLOW 0"),
    ],
)
def test_outputs_of_real_equipment_go_on_only_where_the_file_says_so(name: str, before: str, on: str, off: str) -> None:
    real = Guard(LIMITS, may_switch_on=False)
    real.check_text(name, OF[name], before)
    assert "`real: true`" in refusal(real, OF[name], on, name)
    real.check_text(name, OF[name], off)
    allowed = Guard(LIMITS, may_switch_on=True)
    allowed.check_text(name, OF[name], before)
    allowed.check_text(name, OF[name], on)


@pytest.mark.req("DVT-11")
def test_an_output_of_which_nobody_knows_what_it_delivers_stays_off() -> None:
    assert "the voltage of output 2 is not known" in refusal(strict(), SUPPLY, "OUTP ON,(@2)")
    assert "the current limit of output 2 is not known" in refusal(strict(), SUPPLY, "VOLT 5,(@2)")
    guard = strict()
    guard.check_text("psu", SUPPLY, SET)
    assert "output 1 is not known" in refusal(guard, SUPPLY, "OUTP ON,(@1,2)")
    guard.check_text("psu", SUPPLY, "*RST")  # 0 V, and a current limit that only the maker knows
    refusal(guard, SUPPLY, "OUTP ON,(@2)")
    assert "the load's level is not known" in refusal(strict(), LOAD, "INP 1", "load")
    assert "the load's mode is not known" in refusal(strict(), LOAD, "A 0.1", "load")
    assert "the setpoint is not known" in refusal(strict(), CHAMBER, "FLOW 1", "chamber")
    assert "which setpoint" in refusal(strict(), CHAMBER, "SETP 25", "chamber")


@pytest.mark.req("DVT-11")
def test_a_channel_list_sets_every_channel_in_it() -> None:
    guard = strict()
    guard.check_text("psu", SUPPLY, "CURR 0.2,(@1:3);:VOLT 5,(@1,3)")
    assert "1.4 W" in refusal(guard, SUPPLY, "VOLT 7,(@3)")
    guard.check_text("psu", SUPPLY, "CURR 0.1,(@3);:VOLT 7,(@3)")


@pytest.mark.req("DVT-11")
def test_power_is_voltage_times_current_limit_of_one_output_whichever_comes_last() -> None:
    guard = strict()
    guard.check_text("psu", SUPPLY, "CURR 0.1,(@2);:VOLT 6,(@2)")
    assert "voltage times current limit would be 1.2 W" in refusal(guard, SUPPLY, "CURR 0.2,(@2)")
    guard.check_text("psu", SUPPLY, "VOLT 5,(@2);:CURR 0.2,(@2)")
    assert "1.1 W, the bench's limit is 1 W" in refusal(guard, SUPPLY, "VOLT 5.5,(@2)")


@pytest.mark.req("DVT-11")
def test_a_refused_message_counts_for_nothing_though_it_began_well() -> None:
    guard = strict()
    guard.check_text("psu", SUPPLY, "CURR 0.2,(@2);:VOLT 5,(@2)")
    refusal(guard, SUPPLY, "CURR 0.01,(@2);:VOLT 100,(@2)")
    refusal(guard, SUPPLY, "VOLT 7,(@2)")  # 1.4 W: the current limit is 0.2 A still


@pytest.mark.req("DVT-11")
def test_the_selected_output_of_the_older_supply_is_followed() -> None:
    guard = strict()
    guard.check_text("psu", OLD_SUPPLY, "INST:NSEL 2;:CURR 0.1;:VOLT 5;:INST:NSEL 1;:VOLT 0;:INST:NSEL 3;:VOLT 0")
    guard.check_text("psu", OLD_SUPPLY, "OUTP ON")
    one = strict()
    one.check_text("psu", OLD_SUPPLY, "INST:NSEL 2;:CURR 0.1;:VOLT 5")
    assert "the voltage of output" in refusal(one, OLD_SUPPLY, "OUTP ON")  # the other two go on with it


@pytest.mark.req("DVT-11")
def test_a_supply_with_one_output_needs_no_selection() -> None:
    guard = strict()
    guard.check_text("psu", PLAIN, "CURR 0.1;:VOLT 5;:OUTP ON")
    refusal(guard, PLAIN, "VOLT 8")


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize("text", ["MODE C;A 0.21", "MODE R;A 30", "MODE G;A 0.03", "MODE P;A 0.1", "MODE V;A 1"])
def test_a_load_is_limited_in_every_mode(text: str) -> None:
    assert "the load's current would be" in refusal(strict(), LOAD, text, "load")


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize("text", ["MODE C;A 0.2 A", "MODE R;A 35", "mode g;b 0.028", "MODE C;A 200mA;LVLSEL A;INP 1"])
def test_a_load_within_the_limit_passes_in_every_mode_that_has_a_bound(text: str) -> None:
    strict(BenchLimits(voltage=7, current=0.2)).check_text("load", LOAD, text)


@pytest.mark.req("DVT-11")
def test_a_load_does_not_go_on_with_a_level_of_another_mode_or_name() -> None:
    guard = strict()
    guard.check_text("load", LOAD, "MODE C;A 0.01;LVLSEL A")
    refusal(guard, LOAD, "LVLSEL V;INP 1", "load")
    refusal(guard, LOAD, "MODE R;INP 1", "load")
    guard.check_text("load", LOAD, "MODE C;INP 1")
    refusal(guard, LOAD, "LVLSEL B", "load")  # on, and nobody has set B
    refusal(guard, LOAD, "MODE X", "load")


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize("text", ["SETN 0;SETP 131", "setn 2;setp -46", "SETN 0;SETP MAX", "DUTM 1", "SFIL 1", "NEXT"])
def test_a_chamber_stays_in_its_range(text: str) -> None:
    refusal(strict(), CHAMBER, text, "chamber")


@pytest.mark.req("DVT-11")
def test_a_chamber_that_blows_is_not_sent_to_a_setpoint_that_nobody_set() -> None:
    guard = strict()
    assert "the setpoint is not known" in refusal(guard, CHAMBER, "SETN 1;SETP 25;FLOW 1", "chamber")  # if refused?
    for text in ("SETN 1;SETP 25", "FLOW 1"):
        guard.check_text("chamber", CHAMBER, text)
    assert "the setpoint is not known" in refusal(guard, CHAMBER, "SETN 0", "chamber")
    for text in ("FLOW 0;SETN 0;SETP 85", "FLOW 1;SETN 1"):
        guard.check_text("chamber", CHAMBER, text)


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize("last", ["psu", "load", "chamber"])
def test_the_junction_is_looked_at_whichever_setting_comes_last(last: str) -> None:
    """80 degC + 60 K/W * 7 V * 0.2 A = 164 degC"""
    texts = {"psu": "CURR 0.1,(@2);:VOLT 7,(@2)", "load": "MODE C;A 0.2", "chamber": "SETN 0;SETP 80"}
    guard = strict()
    for name in sorted(texts, key=lambda name: name == last):
        if name == last:
            assert "the junction would be 164 degC" in refusal(guard, OF[name], texts[name], name)
        else:
            guard.check_text(name, OF[name], texts[name])


@pytest.mark.req("DVT-11")
def test_what_is_off_heats_no_junction() -> None:
    guard = strict()
    for name, text in (("psu", "CURR 0.1,(@2);:VOLT 7,(@2)"), ("load", "MODE C;A 0.2"), ("load", "INP 0")):
        guard.check_text(name, OF[name], text)
    guard.check_text("chamber", CHAMBER, "SETN 0;SETP 80")
    guard.check_text("psu", SUPPLY, "OUTP ON,(@2)")
    assert "the junction" in refusal(guard, LOAD, "LVLSEL A;INP 1", "load")
    guard.check_text("psu", SUPPLY, "OUTP OFF,(@2)")
    guard.check_text("load", LOAD, "LVLSEL A;INP 1")
    assert "the junction" in refusal(guard, SUPPLY, "OUTP ON,(@2)")


@pytest.mark.req("DVT-11")
@given(st.text(st.characters(codec="ascii"), max_size=40), st.sampled_from([SUPPLY, OLD_SUPPLY, LOAD, CHAMBER]))
def test_no_text_does_anything_but_pass_or_be_refused(text: str, table: Sequence[Effect]) -> None:
    said = ""
    try:
        strict().check_text("it", table, text)
    except InstrumentError as error:
        said = error.what
    assert not said or "was not sent" in said


@pytest.mark.req("DVT-11")
@given(
    st.sampled_from(["VOLT", "volt", "SOUR:VOLT", "VOLTage:LEVel", ":SOURce:VOLTage:LEV:IMM:AMPL"]),
    st.floats(7.02, 1e30),
    st.sampled_from(["{:g}", "{:.3f}", "{:E}", " {:.2f} V", "-{:g}"]),
    st.sampled_from(["{}", "*CLS;:{}", "*IDN?;:{};*OPC", "{};:OUTP ON,(@2)", "DISP ON;:{}"]),
)
def test_no_spelling_of_too_much_passes(header: str, volts: float, style: str, message: str) -> None:
    guard = strict()
    guard.check_text("psu", SUPPLY, "CURR 0.001,(@2)")
    refusal(
        guard, SUPPLY, message.format(f"{header} {style.format(volts)},(@2)").replace(":::", ":").replace("::", ":")
    )


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize(
    ("quantity", "value", "trips"),
    [
        *(("voltage", 7.05, False), ("voltage", 7.1, True), ("voltage", -7.1, True), ("voltage", math.nan, True)),
        *(("current", 0.2, False), ("current", 0.21, True), ("temperature", 134.0, False)),
        *(("temperature", 136.0, True), ("temperature", -51.0, True), ("resistance", 1e9, False)),
    ],
)
def test_a_reading_beyond_a_limit_trips_the_bench(quantity: str, value: float, trips: bool) -> None:
    guard = strict()
    guard.check_text("psu", SUPPLY, SET)
    reading = Reading(value, source="dmm: VOLT:DC, range 10 V")
    if not trips:
        guard.check_reading(quantity, reading)
        assert not guard.tripped
        return
    with pytest.raises(InstrumentError) as error:
        guard.check_reading(quantity, reading)
    assert error.value.where == "dmm"
    assert not error.value.out_of_reach
    assert guard.tripped == error.value.what
    assert "has tripped" in refusal(guard, SUPPLY, "OUTP ON,(@2)")
    guard.check_text("psu", SUPPLY, "OUTP OFF,(@2)")
    guard.check_text("chamber", CHAMBER, "SETN 1;SETP 23")
    guard.check_text("chamber", CHAMBER, "FLOW 1")


@pytest.mark.req("DVT-11")
def test_without_limits_every_reading_passes() -> None:
    guard = Guard(BenchLimits(), may_switch_on=True)
    for quantity in ("voltage", "current", "temperature"):
        guard.check_reading(quantity, Reading(1e6))


class Wire:
    """A transport that keeps what it was sent, and answers from a list."""

    def __init__(self, *replies: str | InstrumentError) -> None:
        self.sent: list[str] = []
        self.replies = list(replies)
        self.calls: list[str] = []

    def write(self, text: str) -> None:
        self.sent.append(text)

    def read(self) -> str:
        reply = self.replies.pop(0)
        if isinstance(reply, InstrumentError):
            raise reply
        return reply

    def query(self, text: str) -> str:
        self.write(text)
        return self.read()

    def clear(self) -> None:
        self.calls.append("clear")

    def close(self) -> None:
        self.calls.append("close")


def guarded(*replies: str | InstrumentError, table: Sequence[Effect] = SUPPLY) -> tuple[Any, Wire, list[str]]:
    wire, notes = Wire(*replies), []
    note = lambda *what: notes.append(" ".join(what))  # noqa: E731
    return GuardedTransport(wire, "psu", table, strict(), note), wire, notes


@pytest.mark.req("DVT-11")
def test_a_refused_text_never_reaches_the_wire_nor_the_transcript() -> None:
    transport, wire, notes = guarded("5.0")
    for send in (transport.write, transport.query):
        with pytest.raises(InstrumentError):
            send("VOLT 99,(@2);:VOLT? (@2)")
    assert wire.sent == notes == []


@pytest.mark.req("DVT-11")
def test_the_transcript_holds_both_directions_and_what_went_wrong() -> None:
    lost = InstrumentError("timeout", resource="psu")
    transport, wire, notes = guarded("5.0", "4.9", lost)
    transport.write("CURR 0.1,(@2)")
    transport.query("VOLT? (@2)")
    transport.read()
    with pytest.raises(InstrumentError, match="timeout"):
        transport.query("CURR? (@2)")
    transport.clear()
    transport.close()
    assert notes == [
        "psu > CURR 0.1,(@2)",
        "psu > VOLT? (@2)",
        "psu < 5.0",
        "psu < 4.9",
        "psu > CURR? (@2)",
        "psu ! timeout",
    ]
    assert wire.calls == ["clear", "close"]


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize(
    ("table", "begin", "ask", "reply", "on"),
    [
        (SUPPLY, SET, "SYST:ERR?", '-222,"Data out of range"', "OUTP ON,(@2)"),
        (LOAD, "MODE C;A 0.01;LVLSEL A", "*ESR?", "+16", "INP 1"),
        (SUPPLY, SET, "CURR 0.05,(@2);:CURR? (@2)", InstrumentError("timeout", resource="psu"), "OUTP ON,(@2)"),
    ],
)
def test_after_a_refusal_of_the_instrument_what_it_was_told_is_unknown(
    table: Sequence[Effect], begin: str, ask: str, reply: str | InstrumentError, on: str
) -> None:
    good = "+0" if ask == "*ESR?" else '+0,"No error"'
    transport, _, _ = guarded(good, reply, table=table)
    transport.write(begin)
    transport.query("*ESR?" if ask == "*ESR?" else "SYST:ERR?")
    transport.write(on)  # known so far
    transport.write(on.replace("ON", "OFF").replace("INP 1", "INP 0"))
    with suppress(InstrumentError):
        transport.query(ask)
    with pytest.raises(InstrumentError, match="is not known here"):
        transport.write(on)


@pytest.mark.req("DVT-11")
def test_what_a_supply_answers_is_known_and_counts_once_its_output_is_on() -> None:
    transport, wire, _ = guarded("+2", "0", "1.0", "6.0", "0.5")
    for text in ("INST:NSEL?", "OUTP? (@2)", "CURR? (@2)", "VOLT? (@2)"):
        transport.query(text)
    transport.write("VOLT 5")  # off, so what its current limit was found at does not matter yet
    with pytest.raises(InstrumentError, match="the current would be 1 A"):
        transport.write("OUTP ON,(@2)")
    transport.write("CURR 0.1;:OUTP ON,(@2)")
    assert wire.sent[-1] == "CURR 0.1;:OUTP ON,(@2)"


@pytest.mark.req("DVT-11")
def test_an_output_that_was_found_on_beyond_a_limit_may_be_switched_off_and_set_lower() -> None:
    transport, wire, _ = guarded("1,1", "20.0;0.1")
    transport.query("OUTP? (@2,3)")
    transport.query("VOLT? (@2);:CURR? (@2)")
    with pytest.raises(InstrumentError, match="20 V"):
        transport.write("CURR 0.05,(@2)")
    for text in ("VOLT 5,(@2)", "CURR 0.05,(@2)", "OUTP OFF,(@2)", "OUTP OFF,(@3)"):
        transport.write(text)
    assert len(wire.sent) == 6


@pytest.mark.req("DVT-11")
def test_what_a_load_or_chamber_answers_is_known() -> None:
    transport, wire, _ = guarded("MODE C", "A 0.1A", "B 50A", "LVLSEL A", "INP 0", table=LOAD)
    for text in ("MODE?", "A?", "B?", "LVLSEL?", "INP?"):
        transport.query(text)
    with pytest.raises(InstrumentError, match="50 A"):
        transport.write("LVLSEL B")
    transport.write("INP 1")
    assert wire.sent[-1] == "INP 1"
    transport, wire, _ = guarded("0", "200.0", "0", table=CHAMBER)
    for text in ("SETN?", "SETP?", "FLOW?"):
        transport.query(text)
    with pytest.raises(InstrumentError, match="200 degC"):
        transport.write("FLOW 1")
    with pytest.raises(InstrumentError, match="200 degC"):
        transport.write("SETP 85;FLOW 1")  # if the chamber refuses 85?
    transport.write("SETP 85")
    transport.write("FLOW 1")


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize("reply", ["", "what", "1;2;3", "+9.9E37", "1,2,3,4"])
def test_a_reply_that_makes_no_sense_teaches_nothing_and_harms_nothing(reply: str) -> None:
    for text in ("VOLT? (@2)", "OUTP? (@2)", "INST:NSEL?", "VOLT?", "VOLT? (@x)", "FOO?", "VOLT? (@2);:CURR? (@2)"):
        transport, _, _ = guarded(reply)
        assert transport.query(text) == reply


class Played:
    """An instrument that notes when it is made safe."""

    def __init__(self, kind: str, log: list[tuple[str, object]], error: Exception | None = None) -> None:
        self.kind, self.log, self.error = kind, log, error

    def make_safe(self, to: object) -> str:
        self.log.append((self.kind, to))
        if self.error is not None:
            raise self.error
        return "is safe"


@pytest.mark.req("DVT-11")
def test_the_safe_state_is_loads_supplies_switches_then_chambers_at_ambient() -> None:
    log: list[tuple[str, object]] = []
    kinds = ("chamber", "switch", "meter", "supply", "load")
    instruments: Any = {kind: Played(kind, log) for kind in kinds}
    results = safe_state(instruments, all_steps(instruments), ambient=21.5)
    assert log == [("load", "off"), ("supply", "off"), ("switch", "off"), ("chamber", 21.5)]
    assert all(result.done for result in results)


@pytest.mark.req("DVT-11")
def test_what_the_list_of_the_safe_state_leaves_out_does_not_stay_on() -> None:
    log: list[tuple[str, object]] = []
    instruments: Any = {kind: Played(kind, log) for kind in ("supply", "chamber", "load")}
    safe_state(instruments, all_steps(instruments, (SafeStep("chamber", 30.0),)))
    assert log == [("chamber", 30.0), ("load", "off"), ("supply", "off")]


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize("error", [InstrumentError("no reply", resource="psu"), ValueError("odd"), OSError("gone")])
def test_a_step_that_fails_does_not_stop_the_next(error: Exception) -> None:
    log: list[tuple[str, object]] = []
    instruments = {"psu": Played("supply", log, error), "oven": Played("chamber", log), "load": Played("load", log)}
    steps = (
        SafeStep("oven", "ambient"),
        SafeStep("psu"),
        SafeStep("nothing"),
        SafeStep("load"),
        SafeStep("oven", 30.0),
    )
    results = safe_state(instruments, steps)  # type: ignore[arg-type]
    assert log == [("chamber", 23.0), ("supply", "off"), ("load", "off"), ("chamber", 30.0)]
    assert [result.done for result in results] == [True, False, False, True, True]
    assert str(error) in results[1].said
