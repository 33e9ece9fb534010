"""The virtual lab in the same process: the same text as over a wire, and a clock that jumps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from simorc.core.bench import BenchSettings, InstrumentSettings
from simorc.core.equipment import Clock, Transport
from simorc.core.errors import InstrumentError, ToolMissingError
from simorc.virtual_lab.assembly import build_lab
from simorc.virtual_lab.clock import AutojumpClock, RateClock
from simorc.virtual_lab.session import LinkLostError, Session


class MemoryLink:
    """The instruments of one simulated bench; each link has a lab of its own (see core.equipment.Link)."""

    def __init__(self, bench: BenchSettings) -> None:
        if bench.simulated is None:
            raise ToolMissingError(f"bench {bench.name!r} is not simulated", hint="give it `simulated:`")
        kind = bench.simulated.clock
        rates = {"real": 1.0, "rate": bench.simulated.rate}
        self.clock: Clock = RateClock(rates[kind]) if kind in rates else AutojumpClock()
        self.built = build_lab(bench, self.clock)

    def open(self, instrument: InstrumentSettings) -> Transport:
        """The transport of one instrument."""
        played = self.built.instruments[instrument.name]
        return MemoryTransport(instrument, Session(instrument.name, played, self.built.lab, bounded=True), self.clock)

    def begin_case(self, seed: int) -> None:
        """Readings draw their noise from this seed from here on."""
        self.built.lab.reseed(seed)

    def close(self) -> None:
        """Nothing is held."""


class MemoryTransport:
    """Text to one virtual instrument and back (see core.equipment.Transport)."""

    def __init__(self, settings: InstrumentSettings, session: Session, clock: Clock) -> None:
        self._settings = settings
        self._session = session
        self._clock = clock
        self._sent = ""

    def write(self, text: str) -> None:
        """Send one program message."""
        self._sent = text
        with self._in_reach():
            self._session.write(text)

    def read(self) -> str:
        """One response message, at the bench time at which it is ready."""
        with self._in_reach():
            reply = self._session.read()
            if reply is None:
                self._clock.sleep(self._settings.timeout_s)
                raise self._error(f"no reply within {self._settings.timeout_s:g} s", out_of_reach=False)
            self._clock.sleep(reply.ready_s - self._clock.now())
            self._session.check_link()
        return reply.text

    def query(self, text: str) -> str:
        """Write, then read."""
        self.write(text)
        return self.read()

    def clear(self) -> None:
        """Device clear."""
        with self._in_reach():
            self._session.clear()

    def close(self) -> None:
        """Nothing is held."""

    @contextmanager
    def _in_reach(self) -> Iterator[None]:
        """Where nothing answers any more, wait for as long as one waits for that, and say so."""
        try:
            yield
        except LinkLostError as error:
            self._clock.sleep(self._settings.timeout_s)
            raise self._error(f"no connection: {error}", out_of_reach=True) from None

    def _error(self, what: str, *, out_of_reach: bool) -> InstrumentError:
        resource = f"{self._settings.name} (simulated)"
        return InstrumentError(f"{what} after {self._sent!r}", resource=resource, out_of_reach=out_of_reach)
