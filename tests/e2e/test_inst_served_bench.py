"""A bench opened over VISA in front of a served lab, by SOCKET and by HiSLIP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from simorc.core.bench import BenchLimits, BenchSettings, InstrumentSettings, PartSettings, Settling, SimulatedLab
from simorc.core.errors import ErrorKind, InstrumentError, ToolMissingError
from simorc.instruments.rack import open_bench
from simorc.instruments.transport import VisaLink
from simorc.virtual_lab.server import ServedLab, served_lab

WIRING = {"psu.2": "vin", "load": "vout", "dmm": "vout", "chamber": "air"}
DRIVERS = {
    "psu": "keysight_e36312a",
    "load": "aimtti_ld400p",
    "dmm": "keysight_34461a",
    "chamber": "temptronic_ats545",
}
RATE = 2000.0


def lab(**keys: Any) -> BenchSettings:
    """What is served."""
    simulated = SimulatedLab(parts={"dut": PartSettings("ldo", "simorc180_tt")}, wiring=WIRING, noise=False)
    return BenchSettings(
        "lab", tuple(InstrumentSettings(n, d) for n, d in DRIVERS.items()), simulated=simulated, **keys
    )


def in_front(served: ServedLab, kind: str, **keys: Any) -> BenchSettings:
    """The bench that a client describes."""
    resources: Mapping[str, Mapping[str, str]] = served.resources
    instruments = tuple(InstrumentSettings(n, d, resources[n][kind], timeout_s=10) for n, d in DRIVERS.items())
    limits = BenchLimits(voltage=7, current=0.2, power=1, chamber_min=-45, chamber_max=130)
    bench = BenchSettings("client", instruments, rate=RATE, limits=limits, settling=Settling(soak_s=20.0))
    return replace(bench, **keys)


@pytest.mark.req("DVT-07", "DVT-08")
@pytest.mark.parametrize("kind", ["socket", "hislip"])
def test_a_served_bench_is_opened_driven_and_left_safe(kind: str) -> None:
    with served_lab(lab(), rate=RATE) as served:
        bench = open_bench(in_front(served, kind, real=True))
        try:
            assert [i["name"] for i in bench.identities] == list(DRIVERS)
            supply = bench.psu.channel(2)
            supply.apply(voltage=5, current_limit=0.1)
            supply.on()
            bench.load.set_current(0.01)
            bench.load.on()
            bench.soak(40)
            assert bench.dmm.voltage().value == pytest.approx(3.3, abs=0.1)
            assert bench.load.current().value == pytest.approx(0.01, abs=1e-3)
            assert all(result.done for result in bench.make_safe())
            assert bench.query("psu", "OUTP? (@1:3)") == "0,0,0"
            assert bench.query("load", "INP?") == "INP 0"
            assert float(str(bench.query("chamber", "SETP?"))) == pytest.approx(23)
        finally:
            bench.close()


@pytest.mark.req("DVT-07")
@pytest.mark.parametrize("kind", ["socket", "hislip"])
def test_a_late_reading_of_a_served_meter_is_never_taken_for_another(kind: str) -> None:
    with served_lab(lab(), rate=1.0) as served:
        settings = InstrumentSettings("dmm", "keysight_34461a", served.resources["dmm"][kind], timeout_s=0.5)
        link = VisaLink(BenchSettings("client", (settings,)))
        try:
            wire = link.open(settings)
            wire.query("*IDN?")
            wire.write("CONF:VOLT:DC 10")
            wire.write("VOLT:NPLC 100")
            with pytest.raises(InstrumentError) as error:
                wire.query("READ?")  # takes four seconds
            assert "'READ?'" in error.value.what
            assert not error.value.out_of_reach
            assert float(wire.query("VOLT:NPLC?")) == 100.0
            assert "34461A" in wire.query("*IDN?")
        finally:
            link.close()


@pytest.mark.req("DVT-08")
def test_outputs_of_a_bench_that_is_not_marked_real_stay_off() -> None:
    with served_lab(lab(), rate=RATE) as served:
        bench = open_bench(in_front(served, "socket"))
        try:
            supply = bench.psu.channel(2)
            supply.apply(voltage=5, current_limit=0.1)
            with pytest.raises(InstrumentError, match="`real: true`"):
                supply.on()
            assert not supply.is_on()
        finally:
            bench.close()


@pytest.mark.req("DVT-08")
def test_a_bench_in_use_or_with_another_instrument_does_not_open() -> None:
    with served_lab(lab(), rate=RATE) as served:
        bench = open_bench(in_front(served, "socket"))
        try:
            with pytest.raises(ToolMissingError, match="in use by process"):
                open_bench(in_front(served, "socket"))
        finally:
            bench.close()
        mixed = in_front(served, "socket")
        first, *others = mixed.instruments
        swapped = replace(first, resource=others[0].resource)
        with pytest.raises(ToolMissingError, match=r"psu says 'THURLBY.*', expected 'E36312A'"):
            open_bench(replace(mixed, instruments=(swapped, *others[1:])))
        open_bench(in_front(served, "socket")).close()  # everything was let go of


@pytest.mark.req("DVT-08")
def test_a_bench_whose_instruments_are_not_there_does_not_open() -> None:
    with served_lab(lab(), rate=RATE) as served:
        gone = in_front(served, "socket")
    with pytest.raises(ToolMissingError, match="psu") as error:
        open_bench(replace(gone, instruments=tuple(replace(i, timeout_s=0.3) for i in gone.instruments)))
    assert error.value.where == gone.instruments[0].resource


@pytest.mark.req("DVT-08")
def test_a_soak_that_never_settles_ends_by_its_timeout_over_the_wire_too() -> None:
    with served_lab(lab(), rate=RATE) as served:
        hasty = Settling(soak_s=5000.0, timeout_s=200.0)
        bench = open_bench(in_front(served, "socket", real=True, settling=hasty))
        try:
            with pytest.raises(InstrumentError) as error:
                bench.soak(40)
            assert error.value.kind is ErrorKind.NEVER_SETTLED
        finally:
            bench.make_safe()
            bench.close()
