"""Temptronic ATS-545 air-stream system (command set: ATS-545 & -645 interface and applications manual)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simorc.core.reading import Reading
from simorc.instruments.accuracy import ASSUMED, CHAMBER_DEGC
from simorc.instruments.drivers.driver import Driver
from simorc.instruments.interfaces import Effect

_AT_TEMPERATURE = 1
_ERRORS = {0: "overheat", 1: "air open loop", 3: "low flow", 4: "low input air pressure", 5: "air sensor open"}
_ERRORS |= {7: "internal error", 9: "flow sensor hardware error", 10: "no line sense", 14: "no DUT sensor selected"}
_HARMLESS = (  # none of these makes it hotter or colder than SETP may; control by the DUT's sensor (DUTM) would
    "%RM",
    "%GL",
    "%LL",
    "WNDW",
    "SOAK",
    "RAMP",
    "LLIM",
    "ULIM",
    "ADMD",
    "DSNS",
    "DUTC",
    "HEAD",
    "COOL",
    "TTIM",
    "CLER",
    "RSTO",
    "CYCC",
    "LRNM",
)


class TemptronicAts545(Driver):
    """The chamber; window and soak are timed by its firmware."""

    kind: ClassVar[str] = "chamber"
    expected: ClassVar[str] = "ATS-545"
    _number = -1
    _flows = False
    effects: ClassVar[Sequence[Effect]] = (
        Effect("SETN", "select"),
        Effect("SETP", "temperature"),
        Effect("FLOW", "flow"),
        *[Effect(header, "harmless") for header in _HARMLESS],
    )

    def errors(self) -> list[str]:
        """What its error register says now; it has no queue."""
        bits = int(self.number(self.transport.query("EROR?"), "EROR?"))
        return [text for bit, text in _ERRORS.items() if bits >> bit & 1]

    def head_for(self, temperature: float, window: float, soak_s: float) -> None:
        """Go to a temperature (see ThermalChamber)."""
        self.transport.write("%RM")
        self._choose(temperature)
        self._set("WNDW", window)
        self._set("SOAK", soak_s)
        self._set("SETP", temperature)
        self._flow_on()

    def is_settled(self) -> bool:
        """Whether its firmware says so.

        Raises
        ------
        InstrumentError: it reports an error of its own
        """
        self._complain(self.errors())
        return bool(int(self.ask_number("TECR?")) & _AT_TEMPERATURE)

    def temperature(self) -> Reading:
        """What it controls by now, degC."""
        return self.reading(self.ask_number("TEMP?"), "degC", CHAMBER_DEGC, f"control sensor{ASSUMED}", "temperature")

    def make_safe(self, to: str | float) -> str:
        """Off stops the air; a temperature is headed for, whatever its errors, and read back; nobody waits for it."""
        self.transport.write("%RM")
        if to == "off":
            self._flow_off()
            return "flow reads back off"
        wanted, flowed = float(to), self._flows
        self._choose(wanted)
        self._set("SETP", wanted)
        if flowed:
            self._flow_on()
        return f"setpoint reads back {wanted:g} degC"

    def look(self) -> None:
        """Which setpoint is selected, its temperature, and whether the air flows."""
        for text in ("SETN?", "SETP?", "FLOW?"):
            self.ask(text)

    def forget(self) -> None:
        """Another setpoint may be selected."""
        self._number = -1

    def _choose(self, temperature: float) -> None:
        """Select the setpoint for a temperature; until it is set, no air flows: what it was left at may be anything."""
        number = _setpoint_for(temperature)
        if number != self._number and self._flows:
            self._flow_off()
        self._set("SETN", number)
        self._number = number

    def _flow_on(self) -> None:
        self._set("FLOW", 1)
        self._flows = True
        self._complain(self.errors())

    def _flow_off(self) -> None:
        self._set("FLOW", 0)
        self._flows = False

    def _set(self, header: str, value: float) -> None:
        self.transport.write(f"{header} {value:g}")
        self.confirm(header, value, self.ask_number(f"{header}?"), 0.05)

    def _complain(self, errors: list[str]) -> None:
        if errors:
            raise self.error(f"the chamber reports: {', '.join(errors)}")


def _setpoint_for(temperature: float) -> int:
    """Hot, ambient or cold: the firmware keeps one setpoint of each."""
    return 2 if temperature < 20 else 0 if temperature > 30 else 1
