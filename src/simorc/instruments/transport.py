"""Instruments over VISA: the only place that knows pyvisa.

On SOCKET and serial both terminators are set, without which nothing is ever received; USB, GPIB, VXI-11 and HiSLIP know
message boundaries themselves. After a timeout the next reply might be the late one of the former query: so the link is
cleared, or made anew where the interface has no clear, and the instrument has to say again who it is, before anything
else is asked. The same happens before the next text when an exchange was broken off halfway, as by Ctrl-C.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any

from simorc.core.bench import BenchSettings, InstrumentSettings
from simorc.core.equipment import Clock, Transport
from simorc.core.errors import InstrumentError, ToolMissingError

if TYPE_CHECKING:
    from pyvisa import ResourceManager
    from pyvisa.resources import MessageBasedResource

_BACKEND = "@py"
_LINGER_S = 0.05
_LOOKS_FOR_IDENTITY = 3


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
    """The instruments of a bench by their VISA resource names (see core.equipment.Link).

    The VISA library is pyvisa-py, unless PYVISA_LIBRARY names another one.

    Raises
    ------
    ToolMissingError: there is no such library
    """

    def __init__(self, bench: BenchSettings) -> None:
        import pyvisa

        self.clock: Clock = WallClock(bench.rate)
        self._transports: list[VisaTransport] = []
        library = os.environ.get("PYVISA_LIBRARY", _BACKEND)
        try:
            self._manager: ResourceManager = pyvisa.ResourceManager(library)
        except Exception as error:  # every backend raises its own kinds
            what = f"the VISA library {library!r} cannot be used: {_words(error)}"
            raise ToolMissingError(what, where=bench.name, hint="PYVISA_LIBRARY names another one") from error

    def open(self, instrument: InstrumentSettings) -> Transport:
        """The transport of one instrument.

        Raises
        ------
        ToolMissingError: it cannot be reached
        """
        transport = VisaTransport(self._manager, instrument)
        self._transports.append(transport)
        return transport

    def begin_case(self, seed: int) -> None:
        """Real readings draw their noise from nobody's seed."""

    def close(self) -> None:
        """Close every resource of this bench; the manager is the process's own, and other benches may use it."""
        for transport in self._transports:
            with suppress(Exception):  # a resource that is gone cannot be closed, and need not be
                transport.close()


class VisaTransport:
    """Text to one VISA resource and back (see core.equipment.Transport)."""

    def __init__(self, manager: ResourceManager, settings: InstrumentSettings) -> None:
        self._manager = manager
        self._settings = settings
        self._identity = ""
        self._sent = ""
        self._is_owed = False
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
        if self._is_owed or self._resource is None:  # an exchange was broken off, or the link was lost
            self._come_back("the link was lost")
        self._is_owed = "?" in text  # stays so when something other than an error ends the wait
        self._do(lambda resource: resource.write(text))

    def read(self) -> str:
        """One response message."""
        reply: str = self._do(lambda resource: resource.read())
        self._is_owed = False
        return reply.rstrip("\r\n")

    def query(self, text: str) -> str:
        """Write, then read; who it is, is kept for the check after a timeout."""
        self.write(text)
        reply = self.read()
        if text.strip().upper() == "*IDN?":
            self._identity = reply
        return reply

    def clear(self) -> None:
        """Throw away what is on its way, in both directions; where the interface has no clear, connect anew.

        Raises
        ------
        InstrumentError: it is out of reach, or another one answers
        """
        self._come_back("it was cleared")

    def close(self) -> None:
        """Let go of the resource; twice is once."""
        resource, self._resource = self._resource, None
        if resource is not None:
            resource.close()

    def _connect(self) -> None:
        settings = self._settings
        resource: Any = self._manager.open_resource(settings.resource, open_timeout=round(settings.timeout_s * 1000))
        try:
            resource.timeout = settings.timeout_s * 1000
            if _is_stream(settings.resource):
                resource.read_termination = settings.terminator
                resource.write_termination = settings.terminator
            for name, value in settings.options.items():
                _set(resource, name, value)
        except BaseException:
            resource.close()
            raise
        self._resource = resource

    def _do(self, action: Callable[[MessageBasedResource], Any]) -> Any:
        if self._resource is None:
            raise self._error("the connection is lost", out_of_reach=True)
        try:
            return action(self._resource)
        except Exception as error:
            what = _words(error)
            self._come_back(what)
            raise self._error(what, out_of_reach=False) from error

    def _come_back(self, reason: str) -> None:
        """Bring the link into a known state: nothing stale is on its way, and the same instrument answers.

        Raises
        ------
        InstrumentError: out of reach
        """
        try:
            self._start_over()
            self._identify()
        except Exception as error:
            with suppress(Exception):
                self.close()
            what = f"{reason}, and it cannot be reached again ({_words(error)})"
            raise self._error(what, out_of_reach=True) from error
        self._is_owed = False

    def _start_over(self) -> None:
        """Device clear where the interface has one; a socket's drain could miss what is late, so that is made anew."""
        resource = self._resource
        if resource is not None and not _is_stream(self._settings.resource):
            with suppress(Exception):
                resource.clear()
                return
        with suppress(Exception):
            self.close()
        time.sleep(_LINGER_S)
        self._connect()

    def _identify(self) -> None:
        """A serial line may still bring the late reply first: it is passed over."""
        if not self._identity:
            return
        assert self._resource is not None
        looks = _LOOKS_FOR_IDENTITY if self._settings.resource.upper().startswith("ASRL") else 1
        found = self._resource.query("*IDN?").rstrip("\r\n")
        while found != self._identity and (looks := looks - 1):
            found = self._resource.read().rstrip("\r\n")
        if found != self._identity:
            raise OSError(f"it now says {found!r}")

    def _error(self, what: str, *, out_of_reach: bool) -> InstrumentError:
        resource = f"{self._settings.name} ({self._settings.resource})"
        return InstrumentError(f"{what} after {self._sent!r}", resource=resource, out_of_reach=out_of_reach)


def _is_stream(resource: str) -> bool:
    """Whether the interface knows no message boundaries."""
    upper = resource.upper()
    return upper.endswith("SOCKET") or upper.startswith("ASRL")


def _set(resource: Any, name: str, value: object) -> None:
    """Set a VISA attribute; words become members where the attribute is a choice: `parity: even`."""
    if not hasattr(type(resource), name):
        raise AttributeError(f"options: pyvisa knows no {name!r} for this resource")
    current = getattr(resource, name)
    if isinstance(current, Enum) and isinstance(value, str):
        value = type(current)[value]
    setattr(resource, name, value)


def _words(error: Exception) -> str:
    """An error in a few words, on one line."""
    return " ".join((str(error) or type(error).__name__).split())
