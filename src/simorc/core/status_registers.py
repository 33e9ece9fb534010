"""Pure: the status registers that IEEE 488.2-1992, chapter 11, gives every instrument."""

from __future__ import annotations

OPERATION_COMPLETE, POWER_ON = 0x01, 0x80
QUERY_ERROR, DEVICE_ERROR, EXECUTION_ERROR, COMMAND_ERROR = 0x04, 0x08, 0x10, 0x20
EVENT_ERRORS = QUERY_ERROR | DEVICE_ERROR | EXECUTION_ERROR | COMMAND_ERROR
"""Bits of the standard event status register (11.5.1)."""
ERROR_AVAILABLE, MESSAGE_AVAILABLE, EVENT_SUMMARY, MASTER_SUMMARY = 0x04, 0x10, 0x20, 0x40
"""Bits of the status byte."""


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
