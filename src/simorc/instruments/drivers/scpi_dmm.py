"""Any SCPI multimeter: the measurement functions of SCPI-1999, volume 2, chapter 3."""

from __future__ import annotations

from typing import ClassVar

from simorc.core.reading import Reading
from simorc.instruments.accuracy import ASSUMED, METER_AMPERES, METER_VOLTS, Accuracy, aperture_factor, of_range
from simorc.instruments.drivers.driver import Driver


class ScpiDmm(Driver):
    """A multimeter; the bounds are those of a 34401A, which is assumed for other makes."""

    kind: ClassVar[str] = "meter"
    documented: ClassVar[bool] = False
    """Whether the table of accuracies is this meter's own."""
    _configured: tuple[str, float | None, float] | None = None

    def voltage(self, range_: float | None = None, nplc: float = 10) -> Reading:
        """Direct voltage (see Multimeter)."""
        return self._measure("VOLT:DC", range_, nplc, METER_VOLTS, "V", "voltage")

    def current(self, range_: float | None = None, nplc: float = 10) -> Reading:
        """Direct current (see Multimeter)."""
        return self._measure("CURR:DC", range_, nplc, METER_AMPERES, "A", "current")

    def forget(self) -> None:
        """It may be set to anything: it is told anew before the next reading."""
        self._configured = None

    def _measure(
        self,
        function: str,
        range_: float | None,
        nplc: float,
        table: tuple[Accuracy, ...],
        unit: str,
        quantity: str,
    ) -> Reading:
        wanted = (function, range_, nplc)
        if self._configured != wanted:
            self.forget()
            self.command(f"CONF:{function} {'DEF' if range_ is None else f'{range_:.9g}'}")
            self.command(f"{function}:NPLC {nplc:g}")
            self._configured = wanted
        try:
            value = self.ask_number("READ?")
            full_scale = self.ask_number(f"{function}:RANG?")
        except Exception:
            self.forget()
            raise
        if full_scale <= 0:
            raise self.error(f"its range reads back as {full_scale:g} {unit}")
        line = of_range(table, full_scale)
        bound = line.bound(value) + (aperture_factor(nplc) - 1) * line.full_scale * line.range
        assumed = line.assumed or nplc < 1 or not self.documented
        source = f"{function}, range {full_scale:g} {unit}, NPLC {nplc:g}{ASSUMED if assumed else ''}"
        return self.reading(value, unit, bound, source, quantity)
