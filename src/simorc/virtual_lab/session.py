"""One client's conversation with one virtual instrument: messages in, replies out.

The message exchange of IEEE 488.2-1992, where the interface knows where messages end (HiSLIP, in process): a new
message throws away a reply that was not read (-410), and reading without having asked is -420. A raw socket knows
neither, on the real instruments too: replies simply follow each other.
"""

from __future__ import annotations

from collections import deque

from simorc.core.equipment import LabPorts, Reply, VirtualInstrument
from simorc.core.status_registers import MESSAGE_AVAILABLE

INTERRUPTED, UNTERMINATED, OVERRUN = -410, -420, -363
LONGEST_MESSAGE = 4096
"""Characters that the input buffer of an instrument holds; assumed."""


class LinkLostError(ConnectionError):
    """The fault `link_lost`: the instrument is out of reach from now on."""


class Session:
    """One client.

    Every method raises LinkLostError where nothing answers any more.

    Parameters
    ----------
    name: of the instrument
    bounded: whether the interface knows where messages end
    """

    def __init__(self, name: str, instrument: VirtualInstrument, lab: LabPorts, *, bounded: bool) -> None:
        self.name = name
        self._instrument = instrument
        self._lab = lab
        self._bounded = bounded
        self._replies: deque[Reply] = deque()

    def write(self, message: str) -> None:
        """Carry out one program message, whether or not its terminator is still there."""
        self.check_link()
        if self._bounded and self._replies:
            self._replies.clear()
            self._instrument.report(INTERRUPTED)
        text = message.removesuffix("\n").removesuffix("\r")
        if len(text) > LONGEST_MESSAGE:
            self._instrument.report(OVERRUN)
            return
        reply = self._instrument.execute(text)
        if reply is not None:
            self._replies.append(reply)

    def overrun(self) -> None:
        """A message came that is longer than any buffer, and was thrown away."""
        self.check_link()
        self._instrument.report(OVERRUN)

    def interrupted(self) -> None:
        """A message came before the former reply was read, which only the interface could notice."""
        self.check_link()
        self._instrument.report(INTERRUPTED)

    def read(self) -> Reply | None:
        """The oldest reply; None where nothing was asked, which is an error in a bounded conversation."""
        reply = self.take()
        if reply is None and self._bounded:
            self._instrument.report(UNTERMINATED)
        return reply

    def take(self) -> Reply | None:
        """The oldest reply, if there is one, for an interface that sends replies of its own accord."""
        self.check_link()
        return self._replies.popleft() if self._replies else None

    def clear(self) -> None:
        """Device clear."""
        self.check_link()
        self._replies.clear()
        self._instrument.clear()

    def status_byte(self, *, waiting: bool = False) -> int:
        """The status byte; bit 4 says that a reply waits, here or (`waiting`) on its way to the client."""
        self.check_link()
        return self._instrument.status_byte() | (MESSAGE_AVAILABLE if self._replies or waiting else 0)

    def check_link(self) -> None:
        """Nothing, as long as the instrument can be reached."""
        if self._lab.fault(self.name, "link_lost") is not None:
            raise LinkLostError(f"{self.name} is out of reach")
