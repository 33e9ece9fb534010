"""Aim-TTi LD400P electronic load (command set: LD400 and LD400P instruction manual).

It has no error queue: the standard event status register says whether it took a command, `EER?` why not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from simorc.core.reading import Reading
from simorc.core.status_registers import EVENT_ERRORS
from simorc.instruments.accuracy import ASSUMED, LOAD_AMPERES, LOAD_VOLTS
from simorc.instruments.drivers.driver import Driver
from simorc.instruments.interfaces import Effect

_READS_BACK_WITHIN = 1e-4
_NUMBER = re.compile(r"[A-Z]* ?([+-]?[\d.]+(?:[eE][+-]?\d+)?) ?[A-Z]*")


class AimTtiLd400p(Driver):
    """The load."""

    kind: ClassVar[str] = "load"
    expected: ClassVar[str] = "LD400"
    _is_told = False
    effects: ClassVar[Sequence[Effect]] = (
        Effect("MODE", "mode"),
        Effect("A", "level"),
        Effect("B", "level"),
        Effect("LVLSEL", "source"),
        Effect("INP", "input"),
        Effect("LOCAL", "harmless"),
    )

    def errors(self) -> list[str]:
        """What the event status register holds, with the number of the execution error."""
        events = int(self.number(self.transport.query("*ESR?"), "*ESR?")) & EVENT_ERRORS
        if not events:
            return []
        self.forget()
        return [f"event status {events}, execution error {self.transport.query('EER?').strip()}"]

    def set_current(self, amperes: float) -> None:
        """Sink a constant current, A, by level A."""
        if not self._is_told or self.ask("MODE?") != "MODE C":
            self.command("MODE C")
        self.command(f"A {amperes:.6g}")
        if not self._is_told or self.ask("LVLSEL?") != "LVLSEL A":
            self.command("LVLSEL A")
        self._is_told = True
        self.confirm("level A", amperes, self._asked("A?"), _READS_BACK_WITHIN)

    def look(self) -> None:
        """Mode, levels, which of them is in effect, and whether the input is on."""
        for text in ("MODE?", "A?", "B?", "LVLSEL?", "INP?"):
            self.ask(text)

    def forget(self) -> None:
        """Mode and level are said again, whatever they are: a guard has to hear them."""
        self._is_told = False

    def on(self) -> None:
        """Switch the input on."""
        self._switch(1)

    def off(self) -> None:
        """Switch the input off."""
        self._switch(0)

    def voltage(self) -> Reading:
        """V at its terminals."""
        value = self._asked("V?")
        return self.reading(value, "V", LOAD_VOLTS.bound(value), f"readback{ASSUMED}", "voltage")

    def current(self) -> Reading:
        """A into its terminals."""
        value = self._asked("I?")
        return self.reading(value, "A", LOAD_AMPERES.bound(value), f"readback{ASSUMED}", "current")

    def make_safe(self, to: str | float) -> str:
        """Input off, read back; what its event status holds does not matter here: old errors may stand there."""
        self.transport.write("INP 0")
        self.confirm("the input", 0, self._asked("INP?"))
        return "input reads back off"

    def _switch(self, state: int) -> None:
        self.command(f"INP {state}")
        self.confirm("the input", state, self._asked("INP?"))

    def _asked(self, text: str) -> float:
        """A reply that carries a header or a unit: `A 0.2A`, `5.00V`."""
        reply = self.ask(text)
        found = _NUMBER.fullmatch(reply)
        return self.number(found[1] if found else reply, text)
