"""Any SCPI relay matrix: the ROUTe subsystem of SCPI-1999, volume 2, chapter 17."""

from __future__ import annotations

from typing import ClassVar

from simorc.instruments.drivers.driver import Driver


class ScpiSwitch(Driver):
    """A matrix of which one relay at a time is closed."""

    kind: ClassVar[str] = "switch"

    def close(self, channel: int) -> None:
        """Connect this one, after all others were opened."""
        self.open_all()
        self.command(f"ROUT:CLOS (@{channel})")
        self.confirm(f"relay {channel}", 1, self.ask_number(f"ROUT:CLOS? (@{channel})"))

    def open_all(self) -> None:
        """Connect none."""
        self.command("ROUT:OPEN:ALL")

    def is_closed(self, channel: int) -> bool:
        """Whether a relay is closed."""
        return self.ask_number(f"ROUT:CLOS? (@{channel})") != 0

    def make_safe(self, to: str | float) -> str:
        """All relays open."""
        self.open_all()
        return "relays open"
