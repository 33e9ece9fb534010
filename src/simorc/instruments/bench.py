"""The bench that a procedure works with: its instruments, its chamber's temperature, and when the DUT has settled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from simorc.core.bench import BenchSettings, SafeStep
from simorc.core.equipment import Link, Transport
from simorc.core.errors import ErrorKind, InstrumentError
from simorc.core.reading import Reading
from simorc.core.scpi import Unit, parse_message
from simorc.instruments.bench_lock import BenchLock
from simorc.instruments.interfaces import Instrument, Switch, ThermalChamber
from simorc.instruments.safety import Guard, StepResult, all_steps, not_done, safe_state

_POLL_S = 1.0
_NOISE_SHARE = 0.05
EventSink = Callable[..., None]


class Bench:
    """An opened bench: `bench.psu` and `bench["psu"]` are the driver of that name.

    Made by `rack.open_bench`. `on_event(kind, sim_time_s, **data)` is told what happens; `transcript` takes the text
    that goes to and from the instruments.
    """

    def __init__(
        self,
        settings: BenchSettings,
        link: Link,
        instruments: Mapping[str, Instrument],
        guard: Guard,
        lock: BenchLock,
        on_event: EventSink,
    ) -> None:
        self.settings = settings
        self.link = link
        self.instruments = instruments
        self.guard = guard
        self.lock = lock
        self.clock = link.clock
        self.transports: list[Transport] = []
        self.identities: list[Mapping[str, str]] = []
        self.transcript: Callable[[str], object] | None = None
        self.broken = ""
        self._on_event = on_event
        self._soaked: dict[str, float] = {}
        self._never_settled: dict[float, str] = {}
        self._selected = ""

    def __getattr__(self, name: str) -> Any:
        instruments = self.__dict__.get("instruments", {})
        if name in instruments:
            return instruments[name]
        raise AttributeError(f"the bench has no instrument {name!r}: it has {', '.join(instruments)}")

    def __getitem__(self, name: str) -> Any:
        return self.instruments[name]

    def note(self, instrument: str, direction: str, text: str) -> None:
        """Write one text of the wire into the transcript."""
        if self.transcript is not None:
            self.transcript(f"{self.clock.now():12.3f} {instrument} {direction} {text}\n")

    def event(self, kind: str, **data: Any) -> None:
        """Tell what happened, with the bench's time."""
        self._on_event(kind, sim_time_s=round(self.clock.now(), 3), **data)

    def begin_case(self, seed: int) -> None:
        """A case begins: readings on a simulated bench draw their noise from its seed."""
        self.link.begin_case(seed)

    def select(self, part: object) -> None:
        """Connect one of the parts by name; on a bench without a switch that is the one part it has.

        Raises
        ------
        InstrumentError: the bench has no such part
        """
        name, parts = str(part), self.settings.parts
        if not parts:
            return
        if name not in parts:
            what = f"the bench has no part {name!r}: it has {', '.join(parts)}"
            raise InstrumentError(what, resource=self.settings.name, hint="parts: in the bench's file")
        if name == self._selected:
            return
        self._selected = ""
        switches = self._of_kind("switch")
        if len(parts) > 1 and not switches:
            raise InstrumentError(f"no switch selects one of {', '.join(parts)}", resource=self.settings.name)
        self._off(("load", "supply"))  # relays never switch under load
        for switch in switches:
            _as_switch(switch).close(parts.index(name) + 1)
        self._selected = name
        self.event("select", part=name)

    def soak(self, temperature: object) -> None:
        """Have the chamber at a temperature, degC, and soaked; at once where it already is.

        Raises
        ------
        InstrumentError: kind `never_settled` when it takes longer than the bench allows, now or in an earlier case;
            there is no chamber; what else the chamber says
        """
        wanted = float(temperature)  # type: ignore[arg-type]  # a Quantity is a float
        if wanted in self._never_settled:
            raise self._unsettled(self._never_settled[wanted])
        chambers = self._of_kind("chamber")
        if not chambers:
            raise InstrumentError(f"the bench has no chamber to bring to {wanted:g} degC", resource=self.settings.name)
        for chamber in chambers:
            self._soak(_as_chamber(chamber), wanted)

    def settled(
        self, read: Callable[[], Reading], resolution: float | None = None, interval_s: float | None = None
    ) -> Reading:
        """Read until the reading stands still: twice in a row it drifts by less than the resolution in `interval_s`.

        What is within a twentieth of the bound of the reading's own error is a meter's noise, and no drift: near zero
        nothing would ever settle otherwise. A resolution that is asked for here is taken as it is.

        Parameters
        ----------
        read: one reading, e.g. `bench.dmm.voltage`
        resolution: parts of the reading; by default the bench's
        interval_s: bench seconds between two looks; by default the bench's

        Raises
        ------
        InstrumentError: kind `never_settled` when it still drifts after the bench's drift_timeout_s; the chamber is
            no longer where it was soaked
        """
        rule = self.settings.settling
        parts = rule.resolution if resolution is None else resolution
        begin, last, still = self.clock.now(), read(), 0
        while True:
            self.clock.sleep(rule.interval_s if interval_s is None else interval_s)
            now = read()
            drift = abs(now.value - last.value)
            noise = now.uncertainty * _NOISE_SHARE if resolution is None else 0.0
            still = still + 1 if drift <= max(parts * abs(now.value), noise) else 0
            if still == 2:
                self._check_soaked()
                return now
            if self.clock.now() - begin > rule.drift_timeout_s:
                name = now.source or "the reading"
                what = f"{name} still drifts by {drift:.3g} {now.unit} after {rule.drift_timeout_s:g} s"
                self.event("never settled", what=what)
                raise self._unsettled(what)
            last = now

    def query(self, name: str, text: str) -> str | None:
        """Send any text to an instrument, if the limits allow it: the reply of a query, or None.

        Raises
        ------
        InstrumentError: the bench has no such instrument, a limit forbids the text, or nothing answers
        """
        if name not in self.instruments:
            what = f"no instrument {name!r}: the bench has {', '.join(self.instruments)}"
            raise InstrumentError(what, resource=self.settings.name)
        self._soaked, self._selected = {}, ""  # whatever the text does: both are looked at again
        if not all(isinstance(unit, Unit) and unit.query for unit in parse_message(text)):
            self.instruments[name].look()
        return self.instruments[name].send(text)

    def observe(self, quantity: str, reading: Reading) -> None:
        """Check a reading that came in; beyond a limit the bench has tripped.

        Raises
        ------
        InstrumentError: says which limit
        """
        try:
            self.guard.check_reading(quantity, reading)
        except InstrumentError as error:
            self.broken = error.what
            self.event("fault", what=error.what)
            raise

    def outputs_off(self) -> list[StepResult]:
        """Loads and supplies off, the chamber as it is: the safe point of a pause.

        Raises
        ------
        InstrumentError: one of them is not off; all were tried
        """
        results = self._off(("load", "supply"))
        self.event("output", on=False)
        return results

    def make_safe(self) -> list[StepResult]:
        """The bench's safe state, step by step; what its list leaves out comes last, so that nothing stays on."""
        self._soaked, self._selected = {}, ""
        steps = all_steps(self.instruments, self.settings.safe_state)
        results = safe_state(self.instruments, steps, self.settings.ambient)
        for result in results:
            self.event("safe state", instrument=result.instrument, done=result.done, said=result.said)
        return results

    def clear(self) -> None:
        """Throw away what is on its way to and from every instrument; one out of reach says so when it is used next."""
        for transport in self.transports:
            with suppress(InstrumentError):
                transport.clear()

    def close(self) -> None:
        """Let go of the instruments; nothing is switched."""
        self.link.close()
        self.lock.close()

    def _soak(self, chamber: ThermalChamber, wanted: float) -> None:
        rule = self.settings.settling
        name = chamber.settings.name
        if self._soaked.pop(name, None) == wanted and self._is_there(chamber, wanted):
            self._soaked[name] = wanted
            return
        begin = self.clock.now()
        self.event("setpoint", temperature=wanted)
        chamber.head_for(wanted, rule.window, rule.soak_s)
        self.event("soak", temperature=wanted, window=rule.window, soak_s=rule.soak_s)
        while not chamber.is_settled():
            found = chamber.temperature()
            waited = self.clock.now() - begin
            if waited > rule.timeout_s:
                what = f"{found.value:.1f} degC after {waited:.0f} s, not {wanted:g} +-{rule.window:g} degC"
                self._never_settled[wanted] = what
                self.event("never settled", temperature=wanted, found=found.value)
                raise self._unsettled(what)
            self.clock.sleep(_POLL_S)
        self._soaked[name] = wanted
        self.event("settled", temperature=wanted, took_s=round(self.clock.now() - begin, 3))

    def _check_soaked(self) -> None:
        """What was read counts only at the temperature that was soaked."""
        for chamber in self._of_kind("chamber"):
            wanted = self._soaked.get(chamber.settings.name)
            if wanted is not None and not self._is_there(_as_chamber(chamber), wanted):
                del self._soaked[chamber.settings.name]
                what = f"{chamber.settings.name} left {wanted:g} degC after it was soaked there"
                self.event("fault", what=what)
                raise InstrumentError(what, resource=chamber.settings.name)

    def _is_there(self, chamber: ThermalChamber, wanted: float) -> bool:
        """Whether it is still where it was soaked, and nobody has sent it elsewhere since."""
        found = chamber.temperature().value  # first: a limit counts more than a window
        return chamber.is_settled() and abs(found - wanted) <= self.settings.settling.window

    def _off(self, kinds: Sequence[str]) -> list[StepResult]:
        steps = [SafeStep(i.settings.name) for kind in kinds for i in self._of_kind(kind)]
        results = safe_state(self.instruments, steps)
        failed = not_done(results)
        if failed:
            raise InstrumentError(f"not off: {failed}", resource=self.settings.name)
        return results

    def _unsettled(self, what: str) -> InstrumentError:
        return InstrumentError(
            what,
            resource=self.settings.name,
            kind=ErrorKind.NEVER_SETTLED,
            hint="settling: in the bench's file says how long it may take",
        )

    def _of_kind(self, *kinds: str) -> list[Instrument]:
        return [instrument for instrument in self.instruments.values() if instrument.kind in kinds]


def _as_switch(instrument: Instrument) -> Switch:
    return instrument  # type: ignore[return-value]  # its kind says so


def _as_chamber(instrument: Instrument) -> ThermalChamber:
    return instrument  # type: ignore[return-value]  # its kind says so
