"""Instruments in the same process: the text of the wire, and a clock that jumps to when a reply is ready."""

from __future__ import annotations

import pytest

from simorc.core.bench import BenchSettings, FaultSettings, InstrumentSettings, PartSettings, SimulatedLab
from simorc.core.equipment import Transport
from simorc.core.errors import InstrumentError, ToolMissingError
from simorc.virtual_lab.clock import AutojumpClock, RateClock
from simorc.virtual_lab.memory_transport import MemoryLink

TIMEOUT_S = 7.0
DRIVERS = {"psu": "keysight_e36312a", "dmm": "keysight_34461a", "old": "keysight_34461a"}


def bench(**settings: object) -> BenchSettings:
    chosen: dict[str, object] = {
        "parts": {"dut": PartSettings("ldo", "lp2985_33")},
        "wiring": {"psu.2": "vin", "dmm": "vout"},
    }
    instruments = tuple(
        InstrumentSettings(n, d, model="hp_34401a" if n == "old" else "", timeout_s=TIMEOUT_S)
        for n, d in DRIVERS.items()
    )
    return BenchSettings("mini", instruments, "memory", simulated=SimulatedLab(**chosen | settings))  # type: ignore[arg-type]


def opened(link: MemoryLink, bench_: BenchSettings | None = None) -> dict[str, Transport]:
    return {i.name: link.open(i) for i in (bench_ or bench()).instruments}


@pytest.fixture
def link() -> MemoryLink:
    return MemoryLink(bench())


@pytest.mark.req("DVT-07")
def test_the_text_is_that_of_the_wire_without_terminators(link: MemoryLink) -> None:
    wires = opened(link)
    assert wires["psu"].query("*IDN?").startswith("Keysight Technologies,E36312A,")
    wires["psu"].write(" volt 5 , (@2) ;:outp on,(@2)\r\n")
    assert float(wires["psu"].query("MEAS:VOLT? (@2)")) == pytest.approx(5, abs=0.01)
    assert wires["psu"].query("SYST:ERR?") == '+0,"No error"'


@pytest.mark.req("DVT-07")
def test_what_plays_an_instrument_is_its_model_else_its_driver(link: MemoryLink) -> None:
    wires = opened(link)
    assert "34461A" in wires["dmm"].query("*IDN?")
    assert "34401A" in wires["old"].query("*IDN?")


@pytest.mark.req("DVT-07")
def test_the_clock_jumps_to_when_the_reply_is_ready_and_no_further(link: MemoryLink) -> None:
    dmm = opened(link)["dmm"]
    dmm.write("CONF:VOLT:DC 10;:VOLT:DC:NPLC 100")
    assert link.clock.now() == 0.0
    float(dmm.query("READ?"))
    once = link.clock.now()
    assert once >= 2.0  # 100 cycles of 50 Hz
    float(dmm.query("READ?"))
    assert link.clock.now() == pytest.approx(2 * once)


@pytest.mark.req("DVT-07")
def test_a_reply_that_was_ready_long_ago_costs_no_time(link: MemoryLink) -> None:
    psu = opened(link)["psu"]
    psu.write("*IDN?")
    link.clock.sleep(100)
    psu.read()
    assert link.clock.now() == 100


@pytest.mark.req("DVT-07")
def test_reading_without_having_asked_is_a_timeout_and_an_error_of_the_instrument(link: MemoryLink) -> None:
    dmm = opened(link)["dmm"]
    dmm.write("CONF:VOLT:DC")
    with pytest.raises(InstrumentError, match=r"no reply within 7 s after 'CONF:VOLT:DC'") as caught:
        dmm.read()
    assert not caught.value.out_of_reach
    assert link.clock.now() == TIMEOUT_S
    assert dmm.query("SYST:ERR?").startswith("-420,")


@pytest.mark.req("DVT-07")
def test_nothing_stale_is_ever_read(link: MemoryLink) -> None:
    dmm = opened(link)["dmm"]
    dmm.write("*IDN?")
    assert dmm.query("*ESE?") == "+0"
    assert dmm.query("SYST:ERR?").startswith("-410,")
    dmm.write("*IDN?")
    dmm.clear()
    assert dmm.query("SYST:ERR?") == '+0,"No error"'


@pytest.mark.req("DVT-07")
@pytest.mark.parametrize("call", ["write", "read", "query", "clear"])
def test_a_lost_link_answers_nothing_and_says_that_it_is_lost(call: str) -> None:
    settings = bench(faults=(FaultSettings("link_lost", "dmm", after_s=100),))
    link = MemoryLink(settings)
    wires = opened(link, settings)
    wires["dmm"].query("*IDN?")
    link.clock.sleep(100)
    arguments = () if call in ("read", "clear") else ("*IDN?",)
    with pytest.raises(InstrumentError, match=r"dmm \(simulated\).*no connection") as caught:
        getattr(wires["dmm"], call)(*arguments)
    assert caught.value.out_of_reach
    assert link.clock.now() == 100 + TIMEOUT_S
    assert wires["psu"].query("*IDN?")


@pytest.mark.req("DVT-07")
def test_a_link_that_is_lost_before_the_reply_is_ready_loses_the_reply() -> None:
    settings = bench(faults=(FaultSettings("link_lost", "dmm", after_s=1),))
    link = MemoryLink(settings)
    dmm = opened(link, settings)["dmm"]
    dmm.write("CONF:VOLT:DC 10;:VOLT:DC:NPLC 100;:READ?")
    with pytest.raises(InstrumentError, match="no connection"):
        dmm.read()


def noisy(link: MemoryLink, seed: int) -> list[str]:
    dmm = opened(link)["dmm"]
    dmm.write("CONF:VOLT:DC 0.1")
    link.begin_case(seed)
    return [dmm.query("READ?") for _ in range(3)]


@pytest.mark.req("DVT-07")
def test_the_noise_of_a_case_depends_on_its_seed_alone(link: MemoryLink) -> None:
    first = noisy(link, 3)
    assert noisy(link, 4) != first
    assert noisy(link, 3) == first == noisy(MemoryLink(bench()), 3)


@pytest.mark.req("DVT-07")
def test_each_link_has_a_lab_of_its_own(link: MemoryLink) -> None:
    other = MemoryLink(bench())
    opened(link)["psu"].write("VOLT 5,(@2)")
    assert float(opened(link)["psu"].query("VOLT? (@2)")) == 5
    assert float(opened(other)["psu"].query("VOLT? (@2)")) == 0


@pytest.mark.req("DVT-07")
def test_the_clock_is_the_one_that_the_bench_names() -> None:
    assert isinstance(MemoryLink(bench()).clock, AutojumpClock)
    for kind, rate in (("rate", 250.0), ("real", 1.0)):
        clock = MemoryLink(bench(clock=kind, rate=250.0)).clock
        assert isinstance(clock, RateClock)
        assert clock.rate == rate


@pytest.mark.req("DVT-07")
def test_a_bench_that_is_not_simulated_is_not_reached_like_this() -> None:
    with pytest.raises(ToolMissingError, match="'real' is not simulated"):
        MemoryLink(BenchSettings("real", ()))


@pytest.mark.req("DVT-07")
def test_closing_is_possible_at_any_time_and_twice(link: MemoryLink) -> None:
    wire = opened(link)["psu"]
    for _ in range(2):
        wire.close()
        link.close()
