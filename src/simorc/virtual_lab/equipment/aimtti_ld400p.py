"""An Aim-TTi LD400P electronic load.

Command set: LD400 and LD400P instruction manual, remote commands, as third-party drivers use it. It has no SCPI error
queue: errors set bits of the standard event status register, and `EER?` gives the number of the last one.
"""

from __future__ import annotations

from typing import ClassVar

from simorc.core.bench import InstrumentSettings
from simorc.core.equipment import LabPorts
from simorc.core.scpi import Range, choice
from simorc.core.scpi_errors import ScpiError
from simorc.core.status_registers import EXECUTION_ERROR
from simorc.virtual_lab.equipment.instrument import Command, VirtualScpi, ignored

_MODES = {
    "C": (Range(0.0, 80.0, 0.0), "A"),
    "P": (Range(0.0, 600.0, 0.0), "W"),
    "R": (Range(0.04, 10e3, 10e3), "OHM"),
    "G": (Range(0.0, 40.0, 0.0), "SIE"),
    "V": (Range(0.0, 80.0, 80.0), "V"),
}
"""Mode -> range and unit of its levels; the limits are assumed."""
_LEVELS = ("A", "B", "T", "V", "E")
_OUT_OF_RANGE = 124
"""Execution error number; assumed."""


class AimTtiLd400p(VirtualScpi):
    """The load: two levels a mode, of which one is selected."""

    identity: ClassVar[str] = "THURLBY THANDAR,LD400P,1{serial:05d},2.01-4.02"

    def __init__(self, settings: InstrumentSettings, lab: LabPorts) -> None:
        super().__init__(settings, lab)
        self.port = lab.load(settings.name)
        self.execution_error = 0
        self.reset()

    def reset(self) -> None:
        """Input off, constant current, all levels at their lowest effect."""
        self.mode, self.selected, self.on = "C", "A", False
        self.levels = {(mode, level): limits.default for mode, (limits, _) in _MODES.items() for level in "AB"}
        self._drive()

    def report(self, code: int) -> None:
        """Errors set status bits alone: there is no queue to read them from."""
        self._push(ScpiError(code))

    def set_mode(self, text: str) -> None:
        """`MODE C`: changing it turns the input off"""
        mode = choice(text, tuple(_MODES))
        if mode != self.mode:
            self.on = False
        self.mode = mode
        self._drive()

    def set_level(self, level: str, text: str) -> None:
        """`A 0.2`"""
        self.levels[self.mode, level] = _MODES[self.mode][0].read(text)
        self._drive()

    def ask_level(self, level: str) -> str:
        """`A?` answers with header and unit: `A 0.2A`"""
        return f"{level} {self.levels[self.mode, level]:g}{_MODES[self.mode][1]}"

    def select(self, text: str) -> None:
        """`LVLSEL B`"""
        self.selected = choice(text, _LEVELS)
        self._drive()

    def set_input(self, text: str) -> None:
        """`INP 1`"""
        self.on = bool(round(Range(0, 1, 0).read(text)))
        self._drive()

    def ask_execution_error(self) -> str:
        """`EER?`: the number of the last execution error, which reading forgets"""
        number, self.execution_error = self.execution_error, 0
        return str(number)

    def ask_voltage(self) -> str:
        """`V?`"""
        return f"{self.port.measure()[0]:.3f}V"

    def ask_current(self) -> str:
        """`I?`"""
        return f"{self.port.measure()[1]:.4f}A"

    def _push(self, error: ScpiError) -> None:
        self.status.note(error.event)
        if error.event == EXECUTION_ERROR:
            self.execution_error = _OUT_OF_RANGE

    def _drive(self) -> None:
        """Levels from outside (transient, external) are not wired here: they ask for nothing."""
        level = self.levels.get((self.mode, self.selected))
        self.port.sink(self.mode, level or 0.0, self.on and level is not None)


_L = AimTtiLd400p
AimTtiLd400p.commands = (
    Command("MODE", _L.set_mode, 1, 1),
    Command("MODE?", lambda i: f"MODE {i.mode}"),
    Command("A", _L.set_level, 1, 1, ("A",)),
    Command("A?", _L.ask_level, 0, 0, ("A",)),
    Command("B", _L.set_level, 1, 1, ("B",)),
    Command("B?", _L.ask_level, 0, 0, ("B",)),
    Command("LVLSEL", _L.select, 1, 1),
    Command("LVLSEL?", lambda i: f"LVLSEL {i.selected}"),
    Command("INP", _L.set_input, 1, 1),
    Command("INP?", lambda i: f"INP {int(i.on)}"),
    Command("V?", _L.ask_voltage),
    Command("I?", _L.ask_current),
    Command("EER?", _L.ask_execution_error),
    Command("QER?", lambda i: "0"),
    Command("LOCAL", ignored),
    Command("IFLOCK?", lambda i: "0"),
)
