"""HiSLIP messages on the wire (IVI-6.1, High-Speed LAN Instrument Protocol, revision 1.1, section 2)."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from enum import IntEnum

from simorc.virtual_lab.session import LONGEST_MESSAGE

HEADER = struct.Struct("!2sBBIQ")
LONGEST_PAYLOAD = LONGEST_MESSAGE + 2
"""A message with CR and LF; what is longer comes in several pieces."""
_PROLOGUE = b"HS"
_CHUNK = 4096


class Kind(IntEnum):
    """Message types."""

    INITIALIZE = 0
    INITIALIZE_RESPONSE = 1
    FATAL_ERROR = 2
    ERROR = 3
    ASYNC_LOCK = 4
    ASYNC_LOCK_RESPONSE = 5
    DATA = 6
    DATA_END = 7
    DEVICE_CLEAR_COMPLETE = 8
    DEVICE_CLEAR_ACKNOWLEDGE = 9
    ASYNC_REMOTE_LOCAL = 10
    ASYNC_REMOTE_LOCAL_RESPONSE = 11
    TRIGGER = 12
    ASYNC_MAXIMUM_SIZE = 15
    ASYNC_MAXIMUM_SIZE_RESPONSE = 16
    ASYNC_INITIALIZE = 17
    ASYNC_INITIALIZE_RESPONSE = 18
    ASYNC_DEVICE_CLEAR = 19
    ASYNC_STATUS_QUERY = 21
    ASYNC_STATUS_RESPONSE = 22
    ASYNC_DEVICE_CLEAR_ACKNOWLEDGE = 23
    ASYNC_LOCK_INFO = 24
    ASYNC_LOCK_INFO_RESPONSE = 25


_FIRST_VENDOR_KIND = 128


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `kind` need not be a known one.

    Parameters
    ----------
    parameter: 32 bits, whose meaning depends on the kind
    payload: None where it was too long, and was thrown away
    """

    kind: int
    control: int = 0
    parameter: int = 0
    payload: bytes | None = b""

    def encode(self) -> bytes:
        """The bytes of the wire."""
        payload = self.payload or b""
        return HEADER.pack(_PROLOGUE, self.kind, self.control, self.parameter, len(payload)) + payload


class FatalError(Exception):
    """What came is not HiSLIP, or may not come now: the client is told, and the connection ends.

    Parameters
    ----------
    code: fatal error code of IVI-6.1
    """

    def __init__(self, code: int, what: str) -> None:
        super().__init__(what)
        self.message = Message(Kind.FATAL_ERROR, code, 0, what.encode())


POORLY_FORMED, ONE_CHANNEL, BAD_INITIALIZATION, TOO_MANY_CLIENTS = 1, 2, 3, 4
"""Fatal error codes."""


def unrecognized(message: Message) -> Message:
    """The answer to a message that this channel does not know."""
    if message.kind >= _FIRST_VENDOR_KIND:
        return Message(Kind.ERROR, 3, 0, b"unrecognized vendor defined message")
    return Message(Kind.ERROR, 1, 0, b"unrecognized message type")


TOO_LARGE = Message(Kind.ERROR, 4, 0, b"message too large")


async def read_message(reader: asyncio.StreamReader) -> Message:
    """The next message; one that is too long is read and thrown away.

    Raises
    ------
    FatalError: it does not begin as a message
    asyncio.IncompleteReadError: the client has gone
    """
    prologue, kind, control, parameter, length = HEADER.unpack(await reader.readexactly(HEADER.size))
    if prologue != _PROLOGUE:
        raise FatalError(POORLY_FORMED, "poorly formed message header")
    if length <= LONGEST_PAYLOAD:
        return Message(kind, control, parameter, await reader.readexactly(length))
    while length > 0:
        length -= len(await reader.readexactly(min(length, _CHUNK)))
    return Message(kind, control, parameter, None)
