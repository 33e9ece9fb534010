"""Temptronic ATS-545 air-stream system (command set: ATS-545 & -645 interface and applications manual)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simorc.core.reading import Reading
from simorc.instruments.accuracy import CHAMBER_DEGC
from simorc.instruments.drivers.driver import Driver
from simorc.instruments.interfaces import Effect

_AT_TEMPERATURE = 1
_ERRORS = {0: "overheat", 1: "air open loop", 3: "low flow", 4: "low input air pressure", 5: "air sensor open"}
_ERRORS |= {7: "internal error", 9: "flow sensor hardware error", 10: "no line sense", 14: "no DUT sensor selected"}
_HARMLESS = (  # none of these makes it hotter or colder than SETP may
    "%RM",
    "%GL",
    "%LL",
    "SETN",
    "WNDW",
    "SOAK",
    "RAMP",
    "LLIM",
    "ULIM",
    "ADMD",
    "DUTM",
    "DSNS",
    "DUTC",
    "HEAD",
    "FLOW",
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
    effects: ClassVar[Sequence[Effect]] = (
        Effect("SETP", "temperature"),
        *[Effect(header, "harmless") for header in _HARMLESS],
    )

    def errors(self) -> list[str]:
        """What its error register says now; it has no queue."""
        bits = int(self.ask_number("EROR?"))
        return [text for bit, text in _ERRORS.items() if bits >> bit & 1]

    def head_for(self, temperature: float, window: float, soak_s: float) -> None:
        """Go to a temperature (see ThermalChamber)."""
        self.transport.write("%RM")
        self._set("SETN", _setpoint_for(temperature))
        self._set("WNDW", window)
        self._set("SOAK", soak_s)
        self._set("SETP", temperature)
        self.command("FLOW 1")

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
        return self.reading(self.ask_number("TEMP?"), "degC", CHAMBER_DEGC, "control sensor", "temperature")

    def make_safe(self, to: str | float) -> str:
        """Off stops the air; a temperature is headed for, whatever its errors, and read back; nobody waits for it."""
        self.transport.write("%RM")
        if to == "off":
            self.transport.write("FLOW 0")
            return "flow off"
        wanted = float(to)
        self.transport.write(f"SETN {_setpoint_for(wanted)}")
        self.transport.write(f"SETP {wanted:g}")
        self.confirm("the setpoint", wanted, self.ask_number("SETP?"), 0.05)
        return f"setpoint reads back {wanted:g} degC"

    def _set(self, header: str, value: float) -> None:
        self.transport.write(f"{header} {value:g}")
        self.confirm(header, value, self.ask_number(f"{header}?"), 0.05)

    def _complain(self, errors: list[str]) -> None:
        if errors:
            raise self.error(f"the chamber reports: {', '.join(errors)}")


def _setpoint_for(temperature: float) -> int:
    """Hot, ambient or cold: the firmware keeps one setpoint of each."""
    return 2 if temperature < 20 else 0 if temperature > 30 else 1
