"""A virtual instrument behind HiSLIP 1.0, synchronized mode (IVI-6.1, High-Speed LAN Instrument Protocol).

A client opens two connections: the synchronous one carries messages and replies, the asynchronous one status queries
and device clears. A message that comes before the former reply was delivered is a query interrupted (-410). Clients
are not sent Interrupted and AsyncInterrupted: they know a stale reply by its message number, and pyvisa-py 0.8.1 takes
AsyncInterrupted for the answer to its next status query. Whether a client waits for a reply that it never asked for
(-420) cannot be seen from here. Locks keep others from locking, not from sending.
"""

from __future__ import annotations

import asyncio
import struct

from simorc.virtual_lab.clock import RateClock
from simorc.virtual_lab.hislip_messages import (
    BAD_INITIALIZATION,
    HEADER,
    LONGEST_PAYLOAD,
    ONE_CHANNEL,
    TOO_LARGE,
    TOO_MANY_CLIENTS,
    FatalError,
    Kind,
    Message,
    read_message,
    unrecognized,
)
from simorc.virtual_lab.limits import Limits
from simorc.virtual_lab.session import LONGEST_MESSAGE, Session

_VERSION = 0x0100
_VENDOR = int.from_bytes(b"so", "big")
_RMT_DELIVERED = 1
_MESSAGES = (Kind.DATA, Kind.DATA_END, Kind.TRIGGER)
_ENCODING = "latin-1"
_SIZE = struct.Struct("!Q")


class Conversation:
    """The two connections of one client."""

    def __init__(self, server: HislipServer, session: Session) -> None:
        self.server = server
        self.session = session
        self.tasks: set[asyncio.Task[None]] = set()
        self.paired = False
        self.deadline = asyncio.timeout(server.limits.handshake_s)
        self._largest = LONGEST_PAYLOAD
        self._unread = False
        self._clearing = False
        self._cleared = asyncio.Event()
        self._input: bytearray | None = bytearray()  # None once it is too long

    def begin_asynchronous(self) -> None:
        """Both connections are there now.

        Raises
        ------
        FatalError: they were before, or it is too late
        """
        if self.paired or self.deadline.expired():
            raise FatalError(BAD_INITIALIZATION, "invalid initialization sequence")
        self.paired = True
        self.deadline.reschedule(None)

    def end(self) -> None:
        """With one of its connections the other ends too."""
        self.tasks.discard(_this_task())
        for task in self.tasks:
            task.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The synchronous connection, until the client goes away."""
        while True:
            message = await read_message(reader)
            if not self.paired:
                raise FatalError(ONE_CHANNEL, "attempt to use connection without both channels established")
            if message.kind == Kind.DEVICE_CLEAR_COMPLETE:
                self._clearing = False
                self._input = bytearray()
                await self._send(writer, Message(Kind.DEVICE_CLEAR_ACKNOWLEDGE))
            elif message.kind in _MESSAGES:
                await self._take(message, writer)
            elif message.kind == Kind.INITIALIZE:
                raise FatalError(BAD_INITIALIZATION, "already initialized")
            elif message.kind == Kind.FATAL_ERROR:
                return
            elif message.kind != Kind.ERROR:
                await self._send(writer, unrecognized(message))
            await asyncio.sleep(0)  # however much a client sends: after each message it is the others' turn

    async def serve_asynchronous(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The asynchronous connection, until the client goes away."""
        while True:
            message = await read_message(reader)
            if message.kind == Kind.ASYNC_INITIALIZE:
                raise FatalError(BAD_INITIALIZATION, "already initialized")
            if message.kind == Kind.FATAL_ERROR:
                return
            if message.kind != Kind.ERROR:
                await self._send(writer, self._answer(message))
            await asyncio.sleep(0)

    def _answer(self, message: Message) -> Message:
        if message.payload is None:
            return TOO_LARGE
        if message.kind == Kind.ASYNC_MAXIMUM_SIZE and len(message.payload) == _SIZE.size:
            self._largest = max(_SIZE.unpack(message.payload)[0] - HEADER.size, 1)
            return Message(Kind.ASYNC_MAXIMUM_SIZE_RESPONSE, payload=_SIZE.pack(LONGEST_PAYLOAD + HEADER.size))
        if message.kind == Kind.ASYNC_STATUS_QUERY:
            self._unread = self._unread and not message.control & _RMT_DELIVERED
            return Message(Kind.ASYNC_STATUS_RESPONSE, self.session.status_byte(waiting=self._unread))
        if message.kind == Kind.ASYNC_DEVICE_CLEAR:
            self._clear()
            return Message(Kind.ASYNC_DEVICE_CLEAR_ACKNOWLEDGE)
        if message.kind == Kind.ASYNC_LOCK:
            return Message(Kind.ASYNC_LOCK_RESPONSE, self.server.lock(self, request=message.control == 1))
        if message.kind == Kind.ASYNC_LOCK_INFO:
            held = int(self.server.holder is not None)
            return Message(Kind.ASYNC_LOCK_INFO_RESPONSE, held, held)
        if message.kind == Kind.ASYNC_REMOTE_LOCAL:
            return Message(Kind.ASYNC_REMOTE_LOCAL_RESPONSE)
        return unrecognized(message)

    def _clear(self) -> None:
        """What is on its way is thrown away; what still comes is too, until the client says that it is through."""
        self.session.clear()
        self._unread = False
        self._clearing = True
        self._cleared.set()

    async def _take(self, message: Message, writer: asyncio.StreamWriter) -> None:
        """One piece of a program message, or a trigger."""
        if self._clearing:
            return
        if self._unread and not message.control & _RMT_DELIVERED:
            self.session.interrupted()
        self._unread = False
        if message.kind == Kind.TRIGGER:
            self.session.write("*TRG")
            return
        if message.payload is None:
            await self._send(writer, TOO_LARGE)
        if self._input is not None:
            fits = message.payload is not None and len(self._input) + len(message.payload) <= LONGEST_MESSAGE + 2
            self._input = self._input + (message.payload or b"") if fits else None
        if message.kind == Kind.DATA_END:
            complete, self._input = self._input, bytearray()
            await self._carry_out(complete, message.parameter, writer)

    async def _carry_out(self, text: bytearray | None, number: int, writer: asyncio.StreamWriter) -> None:
        """One program message; its reply carries the number of the message that asked for it."""
        if text is None:
            self.session.overrun()
            return
        self._cleared.clear()
        self.session.write(text.decode(_ENCODING))
        reply = self.session.take()
        if reply is None or not await self._in_time(reply.ready_s):
            return
        self.session.check_link()
        self._unread = True
        data = reply.text.encode(_ENCODING, "replace") + b"\n"
        while len(data) > self._largest and not self._cleared.is_set():
            await self._send(writer, Message(Kind.DATA, 0, number, data[: self._largest]))
            data = data[self._largest :]
        if not self._cleared.is_set():
            await self._send(writer, Message(Kind.DATA_END, 0, number, data))

    async def _in_time(self, ready_s: float) -> bool:
        """Wait until that bench time; False as soon as a device clear throws the reply away."""
        try:
            async with asyncio.timeout(self.server.clock.wall_seconds(ready_s)):
                await self._cleared.wait()
        except TimeoutError:
            return True
        return False

    async def _send(self, writer: asyncio.StreamWriter, message: Message) -> None:
        writer.write(message.encode())
        async with asyncio.timeout(self.server.limits.unread_s):
            await writer.drain()


class HislipServer:
    """Pairs the connections of the clients of one instrument.

    Parameters
    ----------
    holder: the client that holds the lock
    """

    def __init__(self, clock: RateClock, limits: Limits) -> None:
        self.clock = clock
        self.limits = limits
        self.conversations: dict[int, Conversation] = {}
        self.holder: Conversation | None = None
        self._last = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session) -> None:
        """One connection, of either kind.

        Raises
        ------
        LinkLostError: the instrument has lost its link, so the connection ends
        TimeoutError: the client does not read its replies
        """
        try:
            session.check_link()
            await self._serve(reader, writer, session)
        except FatalError as error:
            writer.write(error.message.encode())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session) -> None:
        try:
            async with asyncio.timeout(self.limits.handshake_s):
                first = await read_message(reader)
        except TimeoutError:
            raise FatalError(BAD_INITIALIZATION, "no handshake in time") from None
        if first.kind == Kind.INITIALIZE:
            await self._synchronous(reader, writer, session)
        elif first.kind == Kind.ASYNC_INITIALIZE:
            await self._asynchronous(reader, writer, first.parameter)
        else:
            raise FatalError(BAD_INITIALIZATION, "invalid initialization sequence")

    async def _synchronous(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session) -> None:
        if len(self.conversations) >= self.limits.clients:
            raise FatalError(TOO_MANY_CLIENTS, "maximum number of clients exceeded")
        number = self._next_number()
        conversation = self.conversations[number] = Conversation(self, session)
        conversation.tasks.add(_this_task())
        try:
            async with conversation.deadline:
                writer.write(Message(Kind.INITIALIZE_RESPONSE, 0, _VERSION << 16 | number).encode())
                await conversation.serve(reader, writer)
        except TimeoutError:
            if not conversation.paired:
                raise FatalError(ONE_CHANNEL, "the asynchronous channel never came") from None
            raise
        finally:
            del self.conversations[number]
            self.lock(conversation, request=False)
            conversation.end()

    async def _asynchronous(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        conversation = self.conversations.get(number)
        if conversation is None:
            raise FatalError(BAD_INITIALIZATION, "invalid initialization sequence")
        conversation.begin_asynchronous()
        conversation.tasks.add(_this_task())
        try:
            writer.write(Message(Kind.ASYNC_INITIALIZE_RESPONSE, 0, _VENDOR).encode())
            await conversation.serve_asynchronous(reader, writer)
        finally:
            conversation.end()

    def lock(self, client: Conversation, *, request: bool) -> int:
        """Hold the lock from now on, or no longer.

        Gives the control code of the answer: 1 done, 0 another one holds it, 3 there is none to release.
        """
        if self.holder not in (None, client):
            return 0 if request else 3
        answer = 1 if request or self.holder is client else 3
        self.holder = client if request else None
        return answer

    def _next_number(self) -> int:
        number = self._last % 0xFFFF + 1
        while number in self.conversations:
            number = number % 0xFFFF + 1
        self._last = number
        return number


def _this_task() -> asyncio.Task[None]:
    task = asyncio.current_task()
    assert task is not None
    return task
