"""Aim-TTi LD400P electronic load (command set: LD400 and LD400P instruction manual).

It has no error queue: the standard event status register says whether it took a command, `EER?` why not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from simorc.core.reading import Reading
from simorc.instruments.accuracy import LOAD_AMPERES, LOAD_VOLTS
from simorc.instruments.drivers.driver import Driver
from simorc.instruments.interfaces import Effect

_ERROR_BITS = 0x3C
_NUMBER = re.compile(r"[A-Z]* ?([+-]?[\d.]+(?:[eE][+-]?\d+)?) ?[A-Z]*")


class AimTtiLd400p(Driver):
    """The load."""

    kind: ClassVar[str] = "load"
    expected: ClassVar[str] = "LD400"
    effects: ClassVar[Sequence[Effect]] = (
        Effect("MODE", "mode"),
        Effect("A", "level"),
        Effect("B", "level"),
        Effect("LVLSEL", "harmless"),
        Effect("INP", "output"),
        Effect("LOCAL", "harmless"),
    )

    def errors(self) -> list[str]:
        """What the event status register holds, with the number of the execution error."""
        events = int(self.ask_number("*ESR?")) & _ERROR_BITS
        if not events:
            return []
        return [f"event status {events}, execution error {self.ask('EER?')}"]

    def set_current(self, amperes: float) -> None:
        """Sink a constant current, A, by level A."""
        if self.ask("MODE?") != "MODE C":
            self.command("MODE C")
        self.command(f"A {amperes:.6g}")
        if self.ask("LVLSEL?") != "LVLSEL A":
            self.command("LVLSEL A")
        self.confirm("level A", amperes, self._asked("A?"), 1e-4)

    def on(self) -> None:
        """Switch the input on."""
        self._switch(1)

    def off(self) -> None:
        """Switch the input off."""
        self._switch(0)

    def voltage(self) -> Reading:
        """V at its terminals."""
        value = self._asked("V?")
        return self.reading(value, "V", LOAD_VOLTS.bound(value), "readback", "voltage")

    def current(self) -> Reading:
        """A into its terminals."""
        value = self._asked("I?")
        return self.reading(value, "A", LOAD_AMPERES.bound(value), "readback", "current")

    def make_safe(self, to: str | float) -> str:
        """Input off, read back."""
        self.off()
        return "input reads back off"

    def _switch(self, state: int) -> None:
        self.command(f"INP {state}")
        self.confirm("the input", state, self._asked("INP?"))

    def _asked(self, text: str) -> float:
        """A reply that carries a header or a unit: `A 0.2A`, `5.00V`."""
        reply = self.ask(text)
        found = _NUMBER.fullmatch(reply)
        return self.number(found[1] if found else reply, text)
