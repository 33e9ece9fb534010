"""From settings to an opened bench, and what each fault of a simulated one leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from simorc.core.bench import (
    BenchLimits,
    BenchSettings,
    FaultSettings,
    InstrumentSettings,
    PartSettings,
    SafeStep,
    Settling,
    SimulatedLab,
)
from simorc.core.errors import InstrumentError, ToolMissingError, UsageError
from simorc.core.reading import Reading
from simorc.instruments.bench import Bench
from simorc.instruments.rack import calibration_warnings, open_bench
from simorc.virtual_lab.faults import FAULTS

DRIVERS = {
    "psu": "keysight_e36312a",
    "load": "aimtti_ld400p",
    "dmm": "keysight_34461a",
    "ammeter": "keysight_34461a",
    "chamber": "temptronic_ats545",
    "switch": "scpi_switch",
}
WIRING = {"psu.2": "vin", "load": "vout", "dmm": "vout", "ammeter": "ground", "chamber": "air", "switch": "parts"}
PARTS = ("tt", "ff", "ss")


def settings(*faults: FaultSettings, **keys: Any) -> BenchSettings:
    """The simulated bench of the example, or of other instruments."""
    names = [i.name for i in keys.get("instruments", ())] or list(DRIVERS)
    parts = {name: PartSettings("ldo", f"simorc180_{name}") for name in PARTS}
    wiring = {text: point for text, point in WIRING.items() if text.partition(".")[0] in names}
    lab = SimulatedLab(parts=parts, wiring=wiring, faults=faults)
    bench = BenchSettings(
        "virtual",
        tuple(InstrumentSettings(name, driver) for name, driver in DRIVERS.items()),
        transport="memory",
        parts=PARTS,
        limits=BenchLimits(voltage=7, current=0.15, power=1, chamber_min=-45, chamber_max=130, tj=150, theta_ja=60),
        settling=Settling(timeout_s=900, drift_timeout_s=300),
        simulated=lab,
    )
    return replace(bench, **keys)


def procedure(bench: Bench, part: str = "tt", temperature: float = 85.0) -> Mapping[str, Reading]:
    """What the example does."""
    bench.select(part)
    supply = bench.psu.channel(2)
    bench.load.set_current(0.01)
    supply.apply(voltage=5.0, current_limit=0.1)
    supply.on()
    bench.load.on()
    bench.soak(temperature)
    vout = bench.settled(bench.dmm.voltage)
    iq = bench.ammeter.current()
    bench.load.set_current(0.05)
    return {"vout": vout, "iq": iq, "load_reg": vout - bench.settled(bench.dmm.voltage)}


@pytest.mark.req("DVT-08", "DVT-11")
def test_a_simulated_bench_is_opened_measured_and_left_safe() -> None:
    bench = open_bench(settings())
    lines: list[str] = []
    bench.transcript = lines.append
    found = {part: procedure(bench, part) for part in PARTS}
    assert all(reading["vout"].value == pytest.approx(3.3, abs=0.05) for reading in found.values())
    assert len({reading["vout"].value for reading in found.values()}) == 3  # three parts, not one
    vout = found["tt"]["vout"]
    assert vout.uncertainty == pytest.approx(vout.value * 35e-6 + 10 * 5e-6)
    assert 10e-6 < found["tt"]["iq"].value < 1e-3
    assert 0 < found["tt"]["load_reg"].value < 0.02
    assert any("psu > VOLT 5,(@2)" in line for line in lines)
    assert any("dmm < " in line for line in lines)
    results = bench.make_safe()
    assert [r.instrument for r in results] == ["load", "psu", "switch", "chamber"]
    assert all(r.done for r in results)
    assert bench.psu.channel(2).is_on() is False
    bench.close()


@pytest.mark.req("DVT-08")
def test_a_bench_is_opened_in_its_safe_state_and_knows_its_instruments() -> None:
    events: list[str] = []
    known = InstrumentSettings("dmm", "keysight_34461a", calibrated="2025-01-01", calibration_due="2026-01-01")
    bench = open_bench(settings(instruments=(known,)), lambda kind, **data: events.append(kind))
    (identity,) = bench.identities
    assert identity["name"] == "dmm"
    assert identity["driver"] == "keysight_34461a"
    assert "34461A" in identity["idn"]
    assert identity["serial"].startswith("MY")
    assert identity["firmware"].startswith("A.")
    assert identity["calibration_due"] == "2026-01-01"
    bench.close()
    events.clear()
    open_bench(settings(), lambda kind, **data: events.append(kind)).close()
    assert events == ["safe state"] * 4
    events.clear()
    open_bench(settings(), lambda kind, **data: events.append(kind), make_safe=False).close()
    assert events == []


@pytest.mark.req("DVT-08")
def test_overdue_calibration_is_warned_of() -> None:
    instruments = (
        InstrumentSettings("a", "scpi_dmm", calibration_due="2026-03-01"),
        InstrumentSettings("b", "scpi_dmm", calibration_due="2026-03-02"),
        InstrumentSettings("c", "scpi_dmm"),
    )
    bench = settings(instruments=instruments)
    assert calibration_warnings(bench, date(2026, 3, 2)) == ["a: calibration was due on 2026-03-01"]
    assert calibration_warnings(bench, date(2026, 3, 1)) == []
    assert (
        len(calibration_warnings(settings(instruments=(replace(instruments[0], calibration_due="2001-01-01"),)))) == 1
    )


@pytest.mark.req("DVT-08")
@pytest.mark.parametrize(("idn", "model"), [("E36313A", ""), ("", "keysight_34461a")])
def test_another_instrument_than_expected_does_not_open_the_bench(idn: str, model: str) -> None:
    events: list[str] = []
    wrong = InstrumentSettings("psu", "keysight_e36312a", idn=idn, model=model)
    with pytest.raises(ToolMissingError, match=r"psu says '.*', expected 'E3631.A' in it") as error:
        open_bench(settings(instruments=(wrong,)), lambda kind, **data: events.append(kind))
    assert "idn:" in error.value.hint
    assert events == []  # nothing was switched


@pytest.mark.req("DVT-08")
def test_what_an_instrument_is_expected_to_say_may_be_stated() -> None:
    other = InstrumentSettings("psu", "keysight_e36312a", idn="e3631a", model="keysight_e3631a")
    open_bench(settings(instruments=(other,))).close()


@pytest.mark.req("DVT-11")
def test_drivers_and_raw_texts_are_held_to_the_same_limits() -> None:
    bench = open_bench(settings())
    supply = bench.psu.channel(2)
    for tried in (lambda: supply.apply(8.0, 0.1), lambda: bench.query("psu", "curr 0.1,(@2);:sour:volt 8,(@2)")):
        with pytest.raises(InstrumentError, match="8 V, the bench's limit is 7 V"):
            tried()
    with pytest.raises(InstrumentError, match="the load's current would be 1 A"):
        bench.load.set_current(1.0)
    with pytest.raises(InstrumentError, match="135 degC"):
        bench.soak(135)
    assert bench.query("psu", "VOLT? (@2)") == "+0.000000000E+00"
    assert not bench.broken
    procedure(bench)  # and goes on
    bench.close()


@pytest.mark.req("DVT-11", "DVT-13")
@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("psu", ["VOLT 5", "VOLT?", "CURR 0.1", "OUTP ON"]),
        ("psu", ["INST:NSEL 2", "VOLT 5;CURR 0.1;:OUTP ON", "MEAS:VOLT?"]),
        ("psu", ["VOLT 5,(@2);:CURR 0.1,(@2);:OUTP ON,(@2)"]),
        ("load", ["A 0.1", "INP 1", "INP 0", "MODE R", "A 100", "INP 1"]),
        ("chamber", ["SETP 25", "SETN 0", "SETP 85", "FLOW 1"]),
        ("switch", ["ROUT:CLOS (@2)", "ROUT:OPEN:ALL"]),
        ("dmm", ["CONF:VOLT 10", "READ?"]),
    ],
)
def test_single_texts_from_a_command_line_find_the_bench_as_it_is(name: str, texts: Sequence[str]) -> None:
    bench = open_bench(settings(), make_safe=False)
    for text in texts:
        bench.guard.forget(name)  # each comes from a process of its own
        bench.query(name, text)
        assert bench.instruments[name].errors() == []
    bench.close()


@pytest.mark.req("DVT-11", "DVT-13")
@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("psu", ["VOLT 5", "OUTP ON"]),  # as it was switched on: 5 A
        ("psu", ["VOLT 7.5"]),
        ("load", ["MODE R", "A 1"]),
        ("chamber", ["FLOW 1", "SETN 0"]),  # as it was switched on: 125 degC
    ],
)
def test_single_texts_that_end_beyond_a_limit_are_refused(name: str, texts: Sequence[str]) -> None:
    limits = replace(settings().limits, chamber_max=100.0)
    bench = open_bench(settings(limits=limits), make_safe=False)
    *before, last = texts
    for text in before:
        bench.query(name, text)
        bench.guard.forget(name)
    with pytest.raises(InstrumentError, match="was not sent"):
        bench.query(name, last)
    bench.close()


@pytest.mark.req("DVT-08", "DVT-13")
@pytest.mark.parametrize(
    ("name", "said"),
    [("psu", '-113,"Undefined header"'), ("dmm", '-113,"Undefined header"'), ("load", "event status 3[62]")],
)
def test_a_question_that_is_not_answered_is_an_error_with_what_the_queue_says(name: str, said: str) -> None:
    bench = open_bench(settings())
    with pytest.raises(InstrumentError, match=rf"no reply within 5 s after 'BAD\?': .*{said}") as error:
        bench.query(name, "BAD?")
    assert error.value.where.startswith(name)
    assert not error.value.out_of_reach
    assert bench.instruments[name].errors() == []
    bench.close()


@pytest.mark.req("DVT-08")
def test_the_older_supply_and_meter_measure_the_same_bench() -> None:
    older = {"psu": "keysight_e3631a", "dmm": "hp_34401a"}
    instruments = tuple(InstrumentSettings(name, older.get(name, driver)) for name, driver in DRIVERS.items())
    bench, other = open_bench(settings(instruments=instruments)), open_bench(settings())
    found, expected = procedure(bench), procedure(other)
    assert found["vout"].value == pytest.approx(expected["vout"].value, abs=1e-4)
    for other_output in (1, 3):  # they go on together, the others at 0 V
        assert bench.psu.channel(other_output).voltage().value == pytest.approx(0.0, abs=1e-2)
    assert all(r.done for r in bench.make_safe())
    bench.close()
    other.close()


@pytest.mark.req("DVT-11")
def test_a_meters_function_that_a_raw_text_changed_is_set_again() -> None:
    bench = open_bench(settings())
    procedure(bench)
    before = bench.dmm.voltage().value
    bench.query("dmm", "CONF:RES")
    assert bench.dmm.voltage().value == pytest.approx(before, abs=1e-3)
    bench.close()


BEFALLS = {
    "sensor_open": "chamber",
    "soak_never_reached": "chamber",
    "over_temperature": "chamber",
    "link_lost": "dmm",
    "wrong_idn": "psu",
    "drift": "dmm",
    "stuck_output": "psu",
    "error_queue_full": "psu",
}


def outcome(fault: FaultSettings) -> tuple[str, Bench | None]:
    """What a bench with this fault leads to."""
    try:
        bench = open_bench(settings(fault))
    except ToolMissingError:
        return "missing", None
    except InstrumentError as error:
        return error.kind.value, None
    try:
        for temperature in (25.0, 85.0):
            procedure(bench, temperature=temperature)
        bench.outputs_off()
    except InstrumentError as error:
        return error.kind.value, bench
    return "completed", bench


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize("kind", sorted(FAULTS))
@pytest.mark.parametrize("after_s", [0.0, 60.0])
def test_each_fault_leads_to_its_outcome(kind: str, after_s: float) -> None:
    expected = FAULTS[kind].outcome
    if after_s and kind == "wrong_idn":
        expected = "completed"  # nobody asks again while it answers
    if not after_s and kind == "link_lost":
        expected = "missing"  # it is out of reach from the start
    found, bench = outcome(FaultSettings(kind, BEFALLS[kind], after_s))
    assert found == expected
    if bench is not None:
        results = {r.instrument: r for r in bench.make_safe()}
        assert results["load"].done  # a faulty instrument does not keep the others from it
        bench.close()


@pytest.mark.req("DVT-11")
def test_a_supply_that_stays_on_is_told_by_the_safe_state() -> None:
    bench = open_bench(settings(FaultSettings("stuck_output", "psu", 100.0)))
    procedure_error = None
    try:
        procedure(bench)
    except InstrumentError as error:
        procedure_error = error
    results = {r.instrument: r for r in bench.make_safe()}
    assert not results["psu"].done, procedure_error
    assert "outputs not off" in results["psu"].said
    assert results["load"].done
    assert results["chamber"].done
    bench.close()


@pytest.mark.req("DVT-08")
def test_a_bench_that_is_not_simulated_has_no_memory() -> None:
    with pytest.raises(ToolMissingError, match="not simulated"):
        open_bench(replace(settings(), simulated=None))


@pytest.mark.req("DVT-08", "DVT-11")
@pytest.mark.parametrize("to", ["ambient", 5.0])
def test_only_a_chamber_has_a_temperature_in_the_safe_state(to: str | float) -> None:
    with pytest.raises(UsageError, match=f"psu can only be off, not {to}: it is no chamber"):
        open_bench(settings(safe_state=(SafeStep("load"), SafeStep("psu", to))))
