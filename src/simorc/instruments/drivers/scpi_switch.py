"""Any SCPI relay matrix: the ROUTe subsystem of SCPI-1999, volume 2, chapter 17."""

from __future__ import annotations

from typing import ClassVar

from simorc.instruments.drivers.driver import Driver


class ScpiSwitch(Driver):
    """A matrix of which one relay at a time is closed."""

    kind: ClassVar[str] = "switch"
    relays: ClassVar[int] = 8
    """How many it has; assumed."""

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
        """All relays open, read back; old errors in its queue do not matter here."""
        self.transport.write("ROUT:OPEN:ALL")
        reply = self.ask(f"ROUT:CLOS? (@1:{self.relays})")
        if any(state.strip() != "0" for state in reply.split(",")):
            raise self.error(f"relays read back as {reply} after all were opened")
        return "relays read back open"
