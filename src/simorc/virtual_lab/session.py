"""One client's conversation with one virtual instrument: lines in, replies out.

Message exchange as IEEE 488.2-1992, 6.3 has it, where the interface knows message boundaries (HiSLIP, in process): a
new command throws away a reply that was not read (-410), reading without having asked is -420. A raw socket knows
neither, on the real instruments too: replies simply follow each other.
"""

from __future__ import annotations

from collections import deque

from simorc.core.equipment import LabPorts, Reply, VirtualInstrument

_QUERY_INTERRUPTED, _QUERY_UNTERMINATED, _OVERRUN = -410, -420, -363
LONGEST_MESSAGE = 65_536
MOST_REPLIES = 64


class LinkLostError(ConnectionError):
    """The fault `link_lost`: the instrument is out of reach from now on."""


class Session:
    """One client.

    Parameters
    ----------
    name: of the instrument
    bounded: whether the interface knows where messages end
    """

    def __init__(self, name: str, instrument: VirtualInstrument, lab: LabPorts, *, bounded: bool) -> None:
        self.name = name
        self.instrument = instrument
        self.lab = lab
        self.bounded = bounded
        self.replies: deque[Reply] = deque()

    def write(self, message: str) -> None:
        """Carry out one program message, without its terminator.

        Raises
        ------
        LinkLostError: nothing answers any more
        """
        self._check_link()
        if len(message) > LONGEST_MESSAGE:
            self._report(_OVERRUN)
            return
        if self.bounded and self.replies:
            self.replies.clear()
            self._report(_QUERY_INTERRUPTED)
        reply = self.instrument.execute(message.rstrip("\r\n"))
        if reply is not None:
            self.replies.append(reply)

    def read(self) -> Reply | None:
        """The oldest reply, or None, which is an error where the interface knows that nothing was asked.

        Raises
        ------
        LinkLostError: nothing answers any more
        """
        self._check_link()
        if self.replies:
            return self.replies.popleft()
        if self.bounded:
            self._report(_QUERY_UNTERMINATED)
        return None

    def clear(self) -> None:
        """Device clear."""
        self.replies.clear()
        self.instrument.clear()

    def status_byte(self) -> int:
        """The status byte; bit 4 says that a reply waits."""
        return self.instrument.status_byte() | (0x10 if self.replies else 0)

    def _report(self, code: int) -> None:
        self.instrument.report(code)

    def _check_link(self) -> None:
        if self.lab.fault(self.name, "link_lost") is not None:
            raise LinkLostError(f"{self.name} is out of reach")
