"""A virtual instrument behind HiSLIP 1.0, synchronized mode (IVI-6.1, High-Speed LAN Instrument Protocol).

A client opens two connections: the synchronous one carries messages and replies, the asynchronous one status queries
and device clears. Messages have boundaries, so a query interrupted (-410) is told as on GPIB.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from enum import IntEnum

from simorc.virtual_lab.clock import RateClock
from simorc.virtual_lab.session import LONGEST_MESSAGE, Session

_HEADER = struct.Struct("!2sBBIQ")
_VERSION = 0x0100
_VENDOR = int.from_bytes(b"so", "big")
_MAXIMUM = LONGEST_MESSAGE + 4096
_HANDSHAKE_S = 10.0
_RMT_DELIVERED = 1
_OVERRUN = -363
_INTERRUPTED = -410


class Kind(IntEnum):
    """Message types (IVI-6.1, table 4)."""

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


@dataclass(frozen=True, slots=True)
class Message:
    """One HiSLIP message."""

    kind: int
    control: int = 0
    parameter: int = 0
    payload: bytes = b""

    def encode(self) -> bytes:
        """The bytes of the wire."""
        head = _HEADER.pack(b"HS", self.kind, self.control, self.parameter, len(self.payload))
        return head + self.payload


class ProtocolError(Exception):
    """What came is not HiSLIP, or not what may come now; the connection ends."""


async def read_message(reader: asyncio.StreamReader) -> Message:
    """The next message.

    Raises
    ------
    ProtocolError: it does not begin as one, or is longer than anything a client may send
    asyncio.IncompleteReadError: the client has gone
    """
    prologue, kind, control, parameter, length = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    if prologue != b"HS" or length > _MAXIMUM:
        raise ProtocolError("not a HiSLIP message")
    return Message(kind, control, parameter, await reader.readexactly(length))


class Conversation:
    """The two connections of one client."""

    def __init__(self, session: Session, clock: RateClock) -> None:
        self.session = session
        self.clock = clock
        self.unread = False
        self.cleared = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The synchronous connection, until the client goes away."""
        parts: list[bytes] = []
        while True:
            message = await read_message(reader)
            if message.kind in (Kind.DATA, Kind.DATA_END):
                parts.append(message.payload)
                if sum(map(len, parts)) > _MAXIMUM:
                    parts = [b" " * (LONGEST_MESSAGE + 1)]  # the rest is read, and the whole refused
                if message.kind == Kind.DATA_END:
                    await self._carry_out(b"".join(parts), message, writer)
                    parts = []
            elif message.kind == Kind.TRIGGER:
                self.session.write("*TRG")
            elif message.kind == Kind.DEVICE_CLEAR_COMPLETE:
                parts = []
                await _send(writer, Message(Kind.DEVICE_CLEAR_ACKNOWLEDGE))
            else:
                await _send(writer, Message(Kind.ERROR, 1, 0, b"unrecognized message type"))

    async def serve_async(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The asynchronous connection, until the client goes away."""
        while True:
            await _send(writer, self._answer(await read_message(reader)))

    def _answer(self, message: Message) -> Message:
        if message.kind == Kind.ASYNC_MAXIMUM_SIZE:
            return Message(Kind.ASYNC_MAXIMUM_SIZE_RESPONSE, payload=struct.pack("!Q", _MAXIMUM))
        if message.kind == Kind.ASYNC_STATUS_QUERY:
            return Message(Kind.ASYNC_STATUS_RESPONSE, self.session.status_byte())
        if message.kind == Kind.ASYNC_DEVICE_CLEAR:
            self.cleared += 1
            self.unread = False
            self.session.clear()
            return Message(Kind.ASYNC_DEVICE_CLEAR_ACKNOWLEDGE)
        if message.kind == Kind.ASYNC_LOCK:
            return Message(Kind.ASYNC_LOCK_RESPONSE, 1)
        if message.kind == Kind.ASYNC_LOCK_INFO:
            return Message(Kind.ASYNC_LOCK_INFO_RESPONSE)
        if message.kind == Kind.ASYNC_REMOTE_LOCAL:
            return Message(Kind.ASYNC_REMOTE_LOCAL_RESPONSE)
        return Message(Kind.ERROR, 1, 0, b"unrecognized message type")

    async def _carry_out(self, data: bytes, message: Message, writer: asyncio.StreamWriter) -> None:
        """One program message; its reply carries the number of the message that asked for it."""
        if self.unread and not message.control & _RMT_DELIVERED:
            self.session.instrument.report(_INTERRUPTED)
        self.unread = False
        if len(data) > LONGEST_MESSAGE:
            self.session.instrument.report(_OVERRUN)
            return
        self.session.write(data.decode("latin-1"))
        before = self.cleared
        if not self.session.replies:
            return
        reply = self.session.replies.popleft()
        await asyncio.sleep(self.clock.wall_seconds(reply.ready_s))
        if self.cleared == before:  # a device clear in between throws it away
            self.unread = True
            text = reply.text.encode("latin-1", "replace") + b"\n"
            await _send(writer, Message(Kind.DATA_END, 0, message.parameter, text))


class HislipServer:
    """Pairs the connections of the clients of one instrument."""

    def __init__(self, clock: RateClock) -> None:
        self.clock = clock
        self.conversations: dict[int, Conversation] = {}
        self._last = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session) -> None:
        """One connection, of either kind.

        Raises
        ------
        ProtocolError: it did not introduce itself, or not in time
        """
        try:
            first = await asyncio.wait_for(read_message(reader), _HANDSHAKE_S)
        except TimeoutError:
            raise ProtocolError("no handshake") from None
        if first.kind == Kind.INITIALIZE:
            await self._synchronous(reader, writer, session)
        elif first.kind == Kind.ASYNC_INITIALIZE and first.parameter in self.conversations:
            conversation = self.conversations[first.parameter]
            await _send(writer, Message(Kind.ASYNC_INITIALIZE_RESPONSE, 0, _VENDOR))
            await conversation.serve_async(reader, writer)
        else:
            await _send(writer, Message(Kind.FATAL_ERROR, 3, 0, b"invalid initialization sequence"))

    async def _synchronous(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session) -> None:
        self._last = number = self._last % 0xFFFF + 1
        conversation = self.conversations[number] = Conversation(session, self.clock)
        try:
            await _send(writer, Message(Kind.INITIALIZE_RESPONSE, 0, _VERSION << 16 | number))
            await conversation.serve(reader, writer)
        finally:
            self.conversations.pop(number, None)


async def _send(writer: asyncio.StreamWriter, message: Message) -> None:
    writer.write(message.encode())
    await writer.drain()
