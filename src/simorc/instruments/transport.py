"""Instruments over VISA: the only place that knows pyvisa.

On SOCKET and serial both terminators are set, without which nothing is ever received; USB, GPIB, VXI-11 and HiSLIP know
message boundaries themselves. After a timeout the next reply might be the late one of the former query: so the link is
cleared, and the instrument has to say again who it is, before anything else is asked.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from simorc.core.bench import BenchSettings, InstrumentSettings
from simorc.core.equipment import Clock, Transport
from simorc.core.errors import InstrumentError, ToolMissingError

if TYPE_CHECKING:
    from pyvisa import ResourceManager
    from pyvisa.resources import MessageBasedResource

_BACKEND = "@py"
_LINGER_S = 0.05


class WallClock:
    """Real time since the bench was opened; `rate` other than 1 in front of a served lab that runs faster."""

    def __init__(self, rate: float = 1.0) -> None:
        self._rate = rate
        self._start = time.monotonic()

    def now(self) -> float:
        """Bench time, s."""
        return (time.monotonic() - self._start) * self._rate

    def sleep(self, seconds: float) -> None:
        """Wait, in bench seconds."""
        if seconds > 0:
            time.sleep(seconds / self._rate)


class VisaLink:
    """The instruments of a bench by their VISA resource names (see core.equipment.Link)."""

    def __init__(self, bench: BenchSettings) -> None:
        import pyvisa

        self.clock: Clock = WallClock(bench.rate)
        self._manager: ResourceManager = pyvisa.ResourceManager(_BACKEND)

    def open(self, instrument: InstrumentSettings) -> Transport:
        """The transport of one instrument.

        Raises
        ------
        ToolMissingError: it cannot be reached
        """
        return VisaTransport(self._manager, instrument)

    def begin_case(self, seed: int) -> None:
        """Real readings draw their noise from nobody's seed."""

    def close(self) -> None:
        """Close every resource that is open."""
        self._manager.close()


class VisaTransport:
    """Text to one VISA resource and back (see core.equipment.Transport)."""

    def __init__(self, manager: ResourceManager, settings: InstrumentSettings) -> None:
        self._manager = manager
        self._settings = settings
        self._identity = ""
        self._sent = ""
        self._resource: MessageBasedResource | None = None
        try:
            self._connect()
        except Exception as error:  # every backend raises its own kinds
            raise ToolMissingError(
                f"{settings.name} cannot be reached: {_words(error)}",
                where=settings.resource,
                hint="is it on and connected, and is `resource:` in the bench's file right?",
            ) from error

    def write(self, text: str) -> None:
        """Send one program message."""
        self._sent = text
        self._do(lambda resource: resource.write(text))

    def read(self) -> str:
        """One response message."""
        reply: str = self._do(lambda resource: resource.read())
        return reply.rstrip("\r\n")

    def query(self, text: str) -> str:
        """Write, then read; who it is, is kept for the check after a timeout."""
        self.write(text)
        reply = self.read()
        if text.strip().upper() == "*IDN?":
            self._identity = reply
        return reply

    def clear(self) -> None:
        """Throw away what is on its way, in both directions; where the interface has no clear, connect anew."""
        resource = self._resource
        try:
            if resource is None or self._settings.resource.upper().endswith("SOCKET"):
                raise NotImplementedError
            resource.clear()
        except Exception:
            self.close()
            time.sleep(_LINGER_S)
            self._connect()

    def close(self) -> None:
        """Let go of the resource; twice is once."""
        if self._resource is not None:
            self._resource.close()
            self._resource = None

    def _connect(self) -> None:
        settings = self._settings
        resource: Any = self._manager.open_resource(settings.resource, open_timeout=round(settings.timeout_s * 1000))
        resource.timeout = settings.timeout_s * 1000
        if settings.resource.upper().endswith("SOCKET") or settings.resource.upper().startswith("ASRL"):
            resource.read_termination = settings.terminator
            resource.write_termination = settings.terminator
        for name, value in settings.options.items():
            setattr(resource, name, value)
        self._resource = resource

    def _do(self, action: Any) -> Any:
        if self._resource is None:
            raise self._error("the connection is lost", out_of_reach=True)
        try:
            return action(self._resource)
        except Exception as error:
            raise self._recovered(_words(error)) from error

    def _recovered(self, what: str) -> InstrumentError:
        """Bring the link back to a known state, and say what happened; out of reach where that fails."""
        sent = self._sent
        try:
            self.clear()
            if self._identity:
                assert self._resource is not None
                found = self._resource.query("*IDN?").rstrip("\r\n")
                if found != self._identity:
                    raise OSError(f"it now says {found!r}")
        except Exception as error:
            self.close()
            self._sent = sent
            return self._error(f"{what}, and it cannot be reached again ({_words(error)})", out_of_reach=True)
        return self._error(what, out_of_reach=False)

    def _error(self, what: str, *, out_of_reach: bool) -> InstrumentError:
        resource = f"{self._settings.name} ({self._settings.resource})"
        return InstrumentError(f"{what} after {self._sent!r}", resource=resource, out_of_reach=out_of_reach)


def _words(error: Exception) -> str:
    """An error in a few words, on one line."""
    return " ".join((str(error) or type(error).__name__).split())
