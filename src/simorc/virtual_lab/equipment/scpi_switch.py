"""A plain relay matrix: one of several DUTs is connected to the bench's instruments.

Commands of the ROUTe subsystem, SCPI-1999 volume 2, chapter 17.
"""

from __future__ import annotations

from typing import ClassVar

from simorc.core.bench import InstrumentSettings
from simorc.core.equipment import LabPorts
from simorc.core.scpi import parse_channels
from simorc.core.scpi_errors import ScpiError
from simorc.virtual_lab.equipment.instrument import Command, VirtualScpi

_CHANNELS = range(1, 9)
_RELAY_S = 0.01


class ScpiSwitch(VirtualScpi):
    """Eight relays, of which one at a time may be closed."""

    identity: ClassVar[str] = "simorc,Switch8,0,1.0"

    def __init__(self, settings: InstrumentSettings, lab: LabPorts) -> None:
        super().__init__(settings, lab)
        self.port = lab.switch(settings.name)

    def reset(self) -> None:
        """All relays open."""
        self.port.close(None)

    def close(self, channels: str) -> None:
        """`ROUT:CLOS (@2)`"""
        numbers = parse_channels(channels, _CHANNELS)
        closed = self.port.closed()
        if len(numbers) > 1 or (closed is not None and closed != numbers[0]):
            raise ScpiError(-221)  # two DUTs would be in parallel
        self.port.close(numbers[0])
        self.take_time(_RELAY_S)

    def open(self, channels: str) -> None:
        """`ROUT:OPEN (@2)`"""
        if self.port.closed() in parse_channels(channels, _CHANNELS):
            self.port.close(None)
        self.take_time(_RELAY_S)

    def ask_closed(self, channels: str) -> str:
        """`ROUT:CLOS? (@1,2)`"""
        closed = self.port.closed()
        return ",".join(str(int(number == closed)) for number in parse_channels(channels, _CHANNELS))


ScpiSwitch.commands = (
    Command("ROUTe:CLOSe", ScpiSwitch.close, 1, 1),
    Command("ROUTe:CLOSe?", ScpiSwitch.ask_closed, 1, 1),
    Command("ROUTe:OPEN", ScpiSwitch.open, 1, 1),
    Command("ROUTe:OPEN:ALL", ScpiSwitch.reset),
)
