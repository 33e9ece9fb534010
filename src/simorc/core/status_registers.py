"""Pure: the status registers that IEEE 488.2-1992, chapter 11, gives every instrument."""

from __future__ import annotations

OPERATION_COMPLETE = 0x01
QUERY_ERROR = 0x04
POWER_ON = 0x80
ERROR_AVAILABLE = 0x04
MESSAGE_AVAILABLE = 0x10
EVENT_SUMMARY = 0x20
MASTER_SUMMARY = 0x40


class StatusRegisters:
    """Event status and status byte with their enable masks."""

    def __init__(self) -> None:
        self.events = POWER_ON
        self.event_enable = 0
        self.request_enable = 0

    def note(self, bits: int) -> None:
        """Set bits of the event status register; they stay until it is read."""
        self.events |= bits

    def take_events(self) -> int:
        """The event status register, which reading clears."""
        events, self.events = self.events, 0
        return events

    def status_byte(self, *, errors: bool, message: bool) -> int:
        """The status byte.

        Parameters
        ----------
        errors: whether the error queue holds something
        message: whether a reply waits
        """
        byte = ERROR_AVAILABLE * errors | MESSAGE_AVAILABLE * message
        byte |= EVENT_SUMMARY * bool(self.events & self.event_enable)
        return byte | MASTER_SUMMARY * bool(byte & self.request_enable & ~MASTER_SUMMARY)
