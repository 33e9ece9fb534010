"""Any SCPI power supply: the SOURce and OUTPut subsystems of SCPI-1999, volume 2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simorc.core.reading import Reading
from simorc.instruments.accuracy import SUPPLY_AMPERES, SUPPLY_PROGRAMMING, SUPPLY_VOLTS
from simorc.instruments.drivers.driver import Driver
from simorc.instruments.interfaces import Effect

_LEVEL = "[:LEVel][:IMMediate][:AMPLitude]"
_FOLLOWS_WITHIN_V = 0.1
"""Beside programming and readback accuracy: what leads may cost."""
SUPPLY_EFFECTS = (
    Effect(f"[SOURce:]VOLTage{_LEVEL}", "voltage"),
    Effect(f"[SOURce:]CURRent{_LEVEL}", "current"),
    Effect("OUTPut[:STATe]", "output"),
    Effect("INSTrument:NSELect", "select"),
    Effect("[SOURce:]VOLTage:PROTection[:LEVel]", "harmless"),
    Effect("[SOURce:]VOLTage:PROTection:CLEar", "harmless"),
    Effect("[SOURce:]CURRent:PROTection:STATe", "harmless"),
    Effect("[SOURce:]CURRent:PROTection:CLEar", "harmless"),
    Effect("OUTPut:PROTection:CLEar", "harmless"),
    Effect("SYSTem:REMote", "harmless"),
    Effect("SYSTem:LOCal", "harmless"),
    Effect("SYSTem:BEEPer[:IMMediate]", "harmless"),
    Effect("DISPlay[:WINDow][:STATe]", "harmless"),
)


class ScpiPsu(Driver):
    """A supply with one output, or with several that take channel lists."""

    kind: ClassVar[str] = "supply"
    effects: ClassVar[Sequence[Effect]] = SUPPLY_EFFECTS
    channels: ClassVar[int] = 1

    def channel(self, number: int) -> Channel:
        """An output, from 1.

        Raises
        ------
        InstrumentError: there is none of that number
        """
        if not 1 <= number <= self.channels:
            raise self.error(f"there is no channel {number}: there are 1 to {self.channels}")
        return Channel(self, number)

    def make_safe(self, to: str | float) -> str:
        """All outputs off, each read back."""
        for number in range(1, self.channels + 1):
            self.channel(number).off()
        return "outputs read back off"

    def setting(self, number: int, header: str, value: str) -> str:
        """The text of a setting of one output."""
        return f"{header} {value}"

    def query(self, number: int, header: str) -> str:
        """The text of a query of one output."""
        return f"{header}?"


class Channel:
    """One output (see SupplyChannel)."""

    def __init__(self, supply: ScpiPsu, number: int) -> None:
        self._supply = supply
        self._number = number

    def apply(self, voltage: float, current_limit: float) -> None:
        """The current limit first: at no instant is the voltage there without it."""
        self.set_current_limit(current_limit)
        self.set_voltage(voltage)

    def set_voltage(self, voltage: float) -> None:
        """V; when the output is on, it has to follow."""
        self._set("VOLT", voltage)
        if self.is_on():
            self._see_that_it_follows(voltage)

    def set_current_limit(self, current: float) -> None:
        """A."""
        self._set("CURR", current)

    def on(self) -> None:
        """Switch the output on, and see that it follows."""
        self._supply.command(self._supply.setting(self._number, "OUTP", "ON"))
        if not self.is_on():
            raise self._supply.error(f"output {self._number} reads back as off after it was switched on")
        self._see_that_it_follows(self._ask("VOLT"))

    def off(self) -> None:
        """Switch the output off, and see that it is."""
        self._supply.command(self._supply.setting(self._number, "OUTP", "OFF"))
        if self.is_on():
            raise self._supply.error(f"output {self._number} reads back as on after it was switched off")

    def is_on(self) -> bool:
        """Whether the output is on."""
        return self._ask("OUTP") != 0

    def voltage(self) -> Reading:
        """Read back, V."""
        value = self._ask("MEAS:VOLT")
        return self._supply.reading(value, "V", SUPPLY_VOLTS.bound(value), f"readback {self._number}", "voltage")

    def current(self) -> Reading:
        """Read back, A."""
        value = self._ask("MEAS:CURR")
        return self._supply.reading(value, "A", SUPPLY_AMPERES.bound(value), f"readback {self._number}", "current")

    def _set(self, header: str, value: float) -> None:
        self._supply.command(self._supply.setting(self._number, header, f"{value:.9g}"))
        self._supply.confirm(f"{header} of output {self._number}", value, self._ask(header), 1e-4)

    def _ask(self, header: str) -> float:
        return self._supply.ask_number(self._supply.query(self._number, header))

    def _see_that_it_follows(self, wanted: float) -> None:
        """Below its setting it may be, at the current limit; above it never."""
        allowed = SUPPLY_PROGRAMMING.bound(wanted) + SUPPLY_VOLTS.bound(wanted) + _FOLLOWS_WITHIN_V
        found = self.voltage().value
        limit = self._ask("CURR")
        limiting = self.current().value >= limit - SUPPLY_AMPERES.bound(limit)
        if abs(found) > abs(wanted) + allowed or (abs(found) < abs(wanted) - allowed and not limiting):
            raise self._supply.error(
                f"output {self._number} delivers {found:.4g} V after it was set to {wanted:.4g} V",
                hint="a stuck output, or something else drives that node",
            )
