"""A virtual instrument behind a raw socket: lines in, lines out, as VISA's SOCKET resources want it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from simorc.virtual_lab.clock import RateClock
from simorc.virtual_lab.session import LONGEST_MESSAGE, Session

_CHUNK = 4096
_ENCODING = "latin-1"
OVERRUN = -363


async def serve_socket(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session, clock: RateClock
) -> None:
    """One client until it goes away. One that does not read its replies waits for itself alone.

    Raises
    ------
    LinkLostError: the instrument has lost its link, so the connection ends
    """
    async for line in _lines(reader):
        if line is None:
            session.instrument.report(OVERRUN)
            continue
        session.write(line)
        while session.replies:
            reply = session.replies.popleft()
            await asyncio.sleep(clock.wall_seconds(reply.ready_s))
            writer.write(reply.text.encode(_ENCODING, "replace") + b"\n")
            await writer.drain()


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[str | None]:
    """Lines without their terminator; None for one that is longer than an instrument takes, which is thrown away."""
    buffer, too_long = bytearray(), False
    while chunk := await reader.read(_CHUNK):
        buffer += chunk
        while (end := buffer.find(b"\n")) >= 0:
            line = bytes(buffer[:end])
            del buffer[: end + 1]
            if too_long or len(line) > LONGEST_MESSAGE:
                too_long = False
                yield None
            else:
                yield line.decode(_ENCODING).rstrip("\r")
        if len(buffer) > LONGEST_MESSAGE:
            too_long = True
            buffer.clear()
