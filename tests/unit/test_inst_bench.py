"""What a procedure works with: soaking, settling, selecting parts, texts, the way into the safe state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from simorc.core.bench import BenchLimits, BenchSettings, InstrumentSettings, SafeStep, Settling, SimulatedLab
from simorc.core.errors import ErrorKind, InstrumentError
from simorc.core.reading import Reading
from simorc.core.units import Quantity
from simorc.instruments.bench import Bench
from simorc.instruments.bench_lock import BenchLock
from simorc.instruments.safety import Guard


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class Link:
    def __init__(self) -> None:
        self.clock = Clock()
        self.seeds: list[int] = []
        self.closed = 0

    def begin_case(self, seed: int) -> None:
        self.seeds.append(seed)

    def close(self) -> None:
        self.closed += 1


class Chamber:
    """Reaches any temperature after `takes_s`, and loses it when `lose` is called."""

    kind = "chamber"

    def __init__(self, clock: Clock, name: str = "chamber", takes_s: float = 100.0) -> None:
        self.settings = InstrumentSettings(name, "chamber")
        self.clock, self.takes_s = clock, takes_s
        self.told: list[tuple[float, float, float]] = []
        self.there_s = float("inf")

    def head_for(self, temperature: float, window: float, soak_s: float) -> None:
        self.told.append((temperature, window, soak_s))
        self.there_s = self.clock.now() + self.takes_s

    def lose(self) -> None:
        self.there_s = self.clock.now() + self.takes_s

    def is_settled(self) -> bool:
        return self.clock.now() >= self.there_s

    def temperature(self) -> Reading:
        return Reading(self.told[-1][0] if self.is_settled() else 23.0, "degC")

    def make_safe(self, to: object) -> str:
        return f"heads for {to}"


class Output:
    """A load, supply or switch that notes what it is told in a common log."""

    def __init__(self, name: str, kind: str, log: list[str], error: Exception | None = None) -> None:
        self.settings = InstrumentSettings(name, kind)
        self.kind, self.log, self.error = kind, log, error

    def make_safe(self, to: object) -> str:
        self.log.append(f"{self.settings.name} {to}")
        if self.error is not None:
            raise self.error
        return "off"

    def close(self, channel: int) -> None:
        self.log.append(f"{self.settings.name} closes {channel}")

    def look(self) -> None:
        self.log.append(f"{self.settings.name} is looked at")

    def send(self, text: str) -> str:
        self.log.append(f"{self.settings.name} hears {text}")
        return "reply"


RULE = Settling(window=0.5, soak_s=60, timeout_s=300, resolution=1e-5, interval_s=5, drift_timeout_s=100)


class Setup:
    def __init__(self, *kinds: str, parts: Sequence[str] = (), **keys: Any) -> None:
        self.link = Link()
        self.clock = self.link.clock
        self.log: list[str] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        made: dict[str, Any] = {}
        for kind in kinds:
            made[kind] = Chamber(self.clock) if kind == "chamber" else Output(kind, kind, self.log)
        settings = BenchSettings("b", (), parts=tuple(parts), settling=RULE, **keys)
        guard = Guard(settings.limits, may_switch_on=True)
        self.bench = Bench(settings, self.link, made, guard, BenchLock([]), self.note)  # type: ignore[arg-type]

    def note(self, kind: str, **data: Any) -> None:
        self.events.append((kind, data))

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.events]


@pytest.mark.req("DVT-11")
def test_a_temperature_is_soaked_once_and_costs_nothing_while_it_stays() -> None:
    setup = Setup("chamber")
    setup.bench.soak(Quantity("85"))
    assert setup.bench.chamber.told == [(85.0, 0.5, 60)]
    assert 100 <= setup.clock.now() <= 101
    assert setup.kinds == ["setpoint", "soak", "settled"]
    assert setup.events[-1][1]["sim_time_s"] == setup.clock.now()
    setup.bench.soak(85)
    assert setup.bench.chamber.told == [(85.0, 0.5, 60)]
    assert setup.clock.now() <= 101
    setup.bench.soak(-40)
    assert setup.bench.chamber.told[-1][0] == -40


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize("how", ["lost", "sent elsewhere", "text", "made safe"])
def test_a_temperature_that_may_have_changed_is_soaked_again(how: str) -> None:
    setup = Setup("chamber", "load")
    chamber = setup.bench.chamber
    setup.bench.soak(85)
    if how == "lost":
        chamber.lose()
    elif how == "sent elsewhere":
        chamber.head_for(25.0, 0.5, 60)
        setup.clock.sleep(1000)
    elif how == "text":
        setup.bench.query("load", "A?")
    else:
        setup.bench.make_safe()
    before = len(chamber.told)
    setup.bench.soak(85)
    assert len(chamber.told) == before + 1
    assert chamber.is_settled()


@pytest.mark.req("DVT-11")
def test_a_soak_that_never_settles_is_an_outcome_of_its_own_and_remembered() -> None:
    setup = Setup("chamber")
    setup.bench.chamber.takes_s = 1e9
    with pytest.raises(InstrumentError, match=r"23\.0 degC after 301 s, not 85 \+-0\.5 degC") as error:
        setup.bench.soak(85)
    assert error.value.kind is ErrorKind.NEVER_SETTLED
    assert setup.kinds[-1] == "never settled"
    at = setup.clock.now()
    setup.bench.chamber.takes_s = 100.0
    with pytest.raises(InstrumentError) as again:
        setup.bench.soak(85)
    assert again.value.kind is ErrorKind.NEVER_SETTLED
    assert setup.clock.now() == at  # its further cases fail at once
    setup.bench.soak(25)  # others are soaked
    assert not setup.bench.broken


@pytest.mark.req("DVT-11")
def test_nothing_has_settled_at_a_temperature_that_the_chamber_has_left() -> None:
    setup = Setup("chamber")
    setup.bench.soak(85)
    assert setup.bench.settled(lambda: Reading(1.0, "V")).value == 1.0
    setup.bench.chamber.lose()
    with pytest.raises(InstrumentError, match="chamber left 85 degC after it was soaked there"):
        setup.bench.settled(lambda: Reading(1.0, "V"))
    assert setup.kinds[-1] == "fault"
    before = len(setup.bench.chamber.told)
    setup.bench.soak(85)  # the next case soaks again
    assert len(setup.bench.chamber.told) == before + 1


@pytest.mark.req("DVT-11")
def test_a_bench_without_a_chamber_does_not_claim_a_temperature() -> None:
    with pytest.raises(InstrumentError, match="no chamber to bring to 85 degC"):
        Setup("load").bench.soak(85)


@pytest.mark.req("DVT-11")
def test_two_chambers_are_both_soaked() -> None:
    setup = Setup("chamber")
    other = Chamber(setup.clock, "other", takes_s=250.0)
    setup.bench.instruments = {**setup.bench.instruments, "other": other}  # type: ignore[dict-item]
    setup.bench.soak(85)
    assert setup.bench.chamber.is_settled()
    assert other.is_settled()
    setup.bench.soak(85)
    assert len(other.told) == 1


def exponential(clock: Clock, size: float, tau_s: float, bound: float = 0.0) -> Callable[[], Reading]:
    """A reading that settles at 1 V from `size` above it, which each look takes a second of."""

    def read() -> Reading:
        clock.sleep(1.0)
        return Reading(1.0 + size * 2.718281828 ** (-clock.now() / tau_s), "V", bound, clock.now(), "", "dmm")

    return read


@pytest.mark.req("DVT-11")
def test_a_reading_has_settled_when_it_stands_still_twice_in_a_row() -> None:
    setup = Setup()
    reading = setup.bench.settled(exponential(setup.clock, 0.1, 5.0))
    assert reading.value == pytest.approx(1.0, abs=2e-5)
    assert reading.time_s == setup.clock.now()
    steady = Setup()
    steady.bench.settled(lambda: Reading(1.0, "V"))
    assert steady.clock.now() == 2 * RULE.interval_s


@pytest.mark.req("DVT-11")
def test_one_still_look_between_two_jumps_is_not_settled() -> None:
    setup = Setup()
    values = iter([1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 3.0])
    assert setup.bench.settled(lambda: Reading(next(values), "V")).value == 3.0
    assert next(values, None) is None


@pytest.mark.req("DVT-11")
def test_a_reading_that_drifts_on_never_settles() -> None:
    setup = Setup()
    with pytest.raises(InstrumentError, match=r"dmm still drifts by .* V after 100 s") as error:
        setup.bench.settled(exponential(setup.clock, 0.1, 1e4))
    assert error.value.kind is ErrorKind.NEVER_SETTLED
    assert setup.kinds == ["never settled"]


@pytest.mark.req("DVT-11")
def test_resolution_and_interval_may_be_stated_for_one_reading() -> None:
    coarse, fine = Setup(), Setup()
    coarse.bench.settled(exponential(coarse.clock, 0.1, 20.0), resolution=1e-2)
    fine.bench.settled(exponential(fine.clock, 0.1, 5.0), resolution=1e-7)
    assert coarse.clock.now() < fine.clock.now()
    quick = Setup()
    quick.bench.settled(lambda: Reading(1.0, "V"), interval_s=0.5)
    assert quick.clock.now() == 1.0


@pytest.mark.req("DVT-11")
def test_noise_far_below_the_bound_of_the_error_is_no_drift_unless_it_is_asked_for() -> None:
    """Around 0 V no share of the reading is small enough."""
    wobble = [1e-6, -1e-6, 2e-6, -2e-6] * 20
    near_zero = iter(wobble)
    setup = Setup()
    setup.bench.settled(lambda: Reading(next(near_zero), "V", uncertainty=1e-4))
    strict = iter(wobble)
    with pytest.raises(InstrumentError):
        setup.bench.settled(lambda: Reading(next(strict), "V", uncertainty=1e-4), resolution=1e-5)


@pytest.mark.req("DVT-11")
def test_a_part_is_selected_once_with_everything_off() -> None:
    setup = Setup("switch", "supply", "load", parts=("tt", "ff", "ss"))
    setup.bench.select("ff")
    assert setup.log == ["load off", "supply off", "switch closes 2"]
    setup.bench.select("ff")
    assert len(setup.log) == 3
    setup.bench.query("switch", "ROUT:CLOS (@1)")
    setup.bench.select("ff")  # who knows what is connected now
    assert setup.log[-1] == "switch closes 2"
    assert [data["part"] for kind, data in setup.events if kind == "select"] == ["ff", "ff"]


@pytest.mark.req("DVT-11")
def test_a_part_that_the_bench_does_not_have_is_an_error() -> None:
    setup = Setup("switch", parts=("tt", "ff"))
    with pytest.raises(InstrumentError, match="no part 'fs': it has tt, ff"):
        setup.bench.select("fs")
    with pytest.raises(InstrumentError, match="no switch selects one of tt, ff"):
        Setup("load", parts=("tt", "ff")).bench.select("ff")
    Setup("load").bench.select("anything")  # one part, fixed in place
    Setup("load", parts=("tt",)).bench.select("tt")


@pytest.mark.req("DVT-11")
def test_relays_do_not_move_while_a_supply_cannot_be_switched_off() -> None:
    setup = Setup("switch", "supply", "load", parts=("tt", "ff"))
    setup.bench.load.error = InstrumentError("stuck", resource="load")
    with pytest.raises(InstrumentError, match=r"not off: load: .*stuck"):
        setup.bench.select("ff")
    assert setup.log == ["load off", "supply off"]


@pytest.mark.req("DVT-11")
def test_all_outputs_are_tried_before_one_that_is_not_off_is_told() -> None:
    setup = Setup("supply", "load", "chamber")
    setup.bench.outputs_off()
    assert setup.log == ["load off", "supply off"]
    assert setup.kinds == ["output"]
    setup.bench.load.error = OSError("gone")
    with pytest.raises(InstrumentError, match="not off: load: OSError: gone"):
        setup.bench.outputs_off()
    assert setup.log[2:] == ["load off", "supply off"]
    Setup("chamber").bench.outputs_off()  # nothing to switch


@pytest.mark.req("DVT-11")
def test_the_safe_state_is_the_benchs_own_list_and_each_step_is_an_event() -> None:
    steps = (SafeStep("chamber", "ambient"), SafeStep("supply"))
    setup = Setup("supply", "chamber", safe_state=steps, simulated=SimulatedLab(ambient=21.0))
    results = setup.bench.make_safe()
    assert [(r.instrument, r.said) for r in results] == [("chamber", "heads for 21.0"), ("supply", "off")]
    assert [data["instrument"] for _, data in setup.events] == ["chamber", "supply"]
    assert Setup("supply").bench.settings.ambient == 23.0


@pytest.mark.req("DVT-11")
def test_a_reading_beyond_a_limit_breaks_the_bench() -> None:
    setup = Setup(limits=BenchLimits(voltage=7.0))
    setup.bench.observe("voltage", Reading(5.0, "V"))
    assert not setup.bench.broken
    with pytest.raises(InstrumentError, match="reads 9 V"):
        setup.bench.observe("voltage", Reading(9.0, "V", source="dmm: readback"))
    assert "reads 9 V" in setup.bench.broken
    assert setup.kinds == ["fault"]


@pytest.mark.req("DVT-11")
def test_instruments_are_had_by_name_and_wrong_names_are_told() -> None:
    setup = Setup("load")
    assert setup.bench.load is setup.bench["load"]
    assert setup.bench.query("load", "A?") == "reply"
    setup.bench.query("load", "A 1")  # what else it is set to may matter to a limit
    assert setup.log == ["load hears A?", "load is looked at", "load hears A 1"]
    with pytest.raises(AttributeError, match="no instrument 'lode': it has load"):
        _ = setup.bench.lode
    with pytest.raises(InstrumentError, match="no instrument 'lode': the bench has load"):
        setup.bench.query("lode", "A?")


@pytest.mark.req("DVT-11")
def test_texts_go_into_the_transcript_while_there_is_one() -> None:
    setup, lines = Setup(), []
    setup.bench.note("dmm", ">", "READ?")
    setup.bench.transcript = lines.append
    setup.clock.sleep(12.5)
    setup.bench.note("dmm", "<", "3.3")
    assert lines == ["      12.500 dmm < 3.3\n"]


@pytest.mark.req("DVT-11")
def test_a_case_begins_with_its_seed_and_the_end_closes_everything() -> None:
    setup = Setup()
    setup.bench.begin_case(42)
    assert setup.link.seeds == [42]

    class Wire:
        def __init__(self, error: Exception | None = None) -> None:
            self.error, self.cleared = error, 0

        def clear(self) -> None:
            self.cleared += 1
            if self.error is not None:
                raise self.error

    lost, other = Wire(InstrumentError("lost", resource="x", out_of_reach=True)), Wire()
    setup.bench.transports += [lost, other]  # type: ignore[list-item]
    setup.bench.clear()
    assert (lost.cleared, other.cleared) == (1, 1)
    setup.bench.close()
    assert setup.link.closed == 1
