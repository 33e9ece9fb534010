"""Any SCPI power supply: the SOURce and OUTPut subsystems of SCPI-1999, volume 2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simorc.core.errors import InstrumentError
from simorc.core.reading import Reading
from simorc.instruments.accuracy import ASSUMED, SUPPLY_AMPERES, SUPPLY_PROGRAMMING, SUPPLY_VOLTS
from simorc.instruments.drivers.driver import Driver
from simorc.instruments.interfaces import Effect

_LEVEL = "[:LEVel][:IMMediate][:AMPLitude]"
_FOLLOWS_WITHIN_V = 0.1
"""Beside programming and readback accuracy: what leads may cost."""
_FOLLOWS_AFTER_S = (0.0, 0.02, 0.1, 0.5)
"""Bench seconds between looks whether an output follows: it slews, and charges what is connected; assumed."""
_READS_BACK_WITHIN = 1e-3
"""V or A: the coarsest programming step of the older E3631A is less, as assumed for others."""
SUPPLY_EFFECTS = (
    Effect(f"[SOURce:]VOLTage{_LEVEL}", "voltage"),
    Effect(f"[SOURce:]CURRent{_LEVEL}", "current"),
    Effect("OUTPut[:STATe]", "output"),
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
    """A supply with one output."""

    kind: ClassVar[str] = "supply"
    effects: ClassVar[Sequence[Effect]] = SUPPLY_EFFECTS
    channels: ClassVar[int] = 1
    selects: ClassVar[bool] = False
    """Whether one of its outputs is selected, which settings that list none are about."""

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
        """All outputs off, each read back, whatever became of those before it.

        What it says in its error queue does not matter here: old errors may stand there.
        """
        still_on = [number for number in range(1, self.channels + 1) if not self._is_off(number)]
        if still_on:
            raise self.error(f"outputs not off after they were switched off: {', '.join(map(str, still_on))}")
        return "outputs read back off"

    def look(self) -> None:
        """What each output is set to, whether it is on, and which is selected, which queries of some change."""
        selected = self.ask_number("INST:NSEL?") if self.selects else None
        for number in range(1, self.channels + 1):
            for header in ("VOLT", "CURR", "OUTP"):
                self.ask(self.query(number, header))
        if selected is not None:
            self.transport.write(f"INST:NSEL {selected:g}")

    def prepare(self, number: int) -> None:
        """What has to be done before an output may go on."""

    def _is_off(self, number: int) -> bool:
        try:
            self.transport.write(self.setting(number, "OUTP", "OFF"))
            return not self.channel(number).is_on()
        except InstrumentError as error:
            if error.out_of_reach:
                raise
            return False

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
        self._supply.prepare(self._number)
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
        return self._supply.reading(
            value, "V", SUPPLY_VOLTS.bound(value), f"readback {self._number}{ASSUMED}", "voltage"
        )

    def current(self) -> Reading:
        """Read back, A."""
        value = self._ask("MEAS:CURR")
        return self._supply.reading(
            value, "A", SUPPLY_AMPERES.bound(value), f"readback {self._number}{ASSUMED}", "current"
        )

    def _set(self, header: str, value: float) -> None:
        self._supply.command(self._supply.setting(self._number, header, f"{value:.9g}"))
        self._supply.confirm(f"{header} of output {self._number}", value, self._ask(header), _READS_BACK_WITHIN)

    def _ask(self, header: str) -> float:
        return self._supply.ask_number(self._supply.query(self._number, header))

    def _see_that_it_follows(self, wanted: float) -> None:
        """Below its setting it may be, at the current limit; above it never."""
        allowed = SUPPLY_PROGRAMMING.bound(wanted) + SUPPLY_VOLTS.bound(wanted) + _FOLLOWS_WITHIN_V
        found = 0.0
        for pause in _FOLLOWS_AFTER_S:
            self._supply.clock.sleep(pause)
            found = self.voltage().value
            short = abs(found) < abs(wanted) - allowed
            if abs(found) <= abs(wanted) + allowed and not (short and not self._is_limiting()):
                return
        raise self._supply.error(
            f"output {self._number} delivers {found:.4g} V after it was set to {wanted:.4g} V",
            hint="a stuck output, or something else drives that node",
        )

    def _is_limiting(self) -> bool:
        limit = self._ask("CURR")
        return self.current().value >= limit - SUPPLY_AMPERES.bound(limit)
