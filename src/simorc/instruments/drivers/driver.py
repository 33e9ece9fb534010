"""What all drivers share: text out, replies in, and whatever the instrument has to say about it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from simorc.core.bench import InstrumentSettings
from simorc.core.equipment import Clock, Transport
from simorc.core.errors import InstrumentError
from simorc.core.reading import Reading
from simorc.instruments.interfaces import Effect, Identity, Observer

OVERLOAD = 9.8e37
_MOST_ERRORS = 50


class Driver:
    """A driver of one instrument that speaks SCPI and has an error queue.

    Parameters
    ----------
    clock: bench time, for the readings
    observe: is told every reading
    """

    kind: ClassVar[str] = "meter"
    expected: ClassVar[str] = ""
    effects: ClassVar[Sequence[Effect]] = ()

    def __init__(
        self, settings: InstrumentSettings, transport: Transport, clock: Clock, observe: Observer | None = None
    ) -> None:
        self.settings = settings
        self.transport = transport
        self.clock = clock
        self._observe = observe

    def identity(self) -> Identity:
        """Ask who it is."""
        return Identity(self.transport.query("*IDN?").strip())

    def errors(self) -> list[str]:
        """Take everything out of its error queue."""
        found: list[str] = []
        for _ in range(_MOST_ERRORS):
            text = self.transport.query("SYST:ERR?").strip()
            if re.match(r"[+-]?0+(,|$)", text):
                return found
            found.append(text)
            self.forget()
        raise self.error(f"its error queue never empties, last: {found[-1]}")

    def send(self, text: str) -> str | None:
        """Any text: a query's reply, or None."""
        self.forget()
        if "?" in text:
            return self.ask(text)
        self.transport.write(text)
        return None

    def look(self) -> None:
        """Ask what it is set to; a guard that listens knows then, too."""

    def forget(self) -> None:
        """Whatever this driver believes of the instrument's settings may no longer be so."""

    def make_safe(self, to: str | float) -> str:
        """Nothing of it can hurt: a look whether it is there."""
        return self.identity().idn

    def command(self, text: str) -> None:
        """Send a setting, and look whether the instrument took it.

        Raises
        ------
        InstrumentError: it says that it did not
        """
        try:
            self.transport.write(text)
            errors = self.errors()
        except InstrumentError:
            self.forget()
            raise
        if errors:
            raise self.error(f"{text!r} was refused: {'; '.join(errors)}")

    def ask(self, text: str) -> str:
        """A query's reply.

        Raises
        ------
        InstrumentError: there is none; with what its error queue says about that
        """
        try:
            return self.transport.query(text).strip()
        except InstrumentError as error:
            said = "" if error.out_of_reach else self._says()
            if not said:
                raise
            raise self.error(f"{error.what}: {said}") from error

    def _says(self) -> str:
        """What its error queue holds; nothing where not even that is answered."""
        try:
            return "; ".join(self.errors())
        except InstrumentError:
            return ""

    def ask_number(self, text: str) -> float:
        """A query's reply as a number.

        Raises
        ------
        InstrumentError: it is none
        """
        reply = self.ask(text)
        return self.number(reply, text)

    def number(self, reply: str, sent: str) -> float:
        """A reply as a number.

        Raises
        ------
        InstrumentError: it is none, or an overload
        """
        try:
            value = float(reply)
        except ValueError:
            raise self.error(f"{sent!r} was answered {reply!r}, not a number") from None
        if math.isnan(value):
            raise self.error(f"{sent!r} was answered {reply!r}, not a number")
        if abs(value) >= OVERLOAD:
            raise self.error(f"{sent!r} was answered {reply!r}: overload", hint="a range too small, or an open input")
        return value

    def confirm(self, what: str, wanted: float, found: float, tolerance: float = 1e-6) -> None:
        """See that a setting was taken.

        Raises
        ------
        InstrumentError: it reads back as something else
        """
        if abs(found - wanted) > tolerance:
            raise self.error(f"{what} reads back as {found:g} after it was set to {wanted:g}")

    def reading(self, value: float, unit: str, bound: float, source: str, quantity: str) -> Reading:
        """What was read, told to the observer too.

        Parameters
        ----------
        bound: of its error, in its unit
        source: function, range and aperture
        quantity: `voltage`, `current`, `temperature`
        """
        wall = datetime.now(UTC).isoformat(timespec="milliseconds")
        found = Reading(value, unit, bound, self.clock.now(), wall, f"{self.settings.name}: {source}")
        if self._observe is not None:
            self._observe(quantity, found)
        return found

    def error(self, what: str, hint: str = "") -> InstrumentError:
        """An error of this instrument."""
        return InstrumentError(what, resource=self.resource, hint=hint)

    @property
    def resource(self) -> str:
        """Name and resource, for people."""
        return f"{self.settings.name} ({self.settings.resource or 'simulated'})"
