"""A virtual instrument behind a raw socket: lines in, lines out, as VISA's SOCKET resources want it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from simorc.virtual_lab.clock import RateClock
from simorc.virtual_lab.limits import Limits
from simorc.virtual_lab.session import LONGEST_MESSAGE, Session

_CHUNK = 4096
_LINES_AHEAD = 16
_ENCODING = "latin-1"

_Lines = asyncio.Queue["bytes | None"]
_END = b"\n"
"""No line is this: its terminator would have ended it."""


async def serve_socket(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session, clock: RateClock, limits: Limits
) -> None:
    """One client until it goes away; a few lines are read ahead of the one that is being answered.

    Raises
    ------
    LinkLostError: the instrument has lost its link, so the connection ends
    TimeoutError: the client does not read its replies
    """
    session.check_link()
    lines: _Lines = asyncio.Queue(_LINES_AHEAD)
    reading = asyncio.ensure_future(_read(reader, lines))
    answering = asyncio.ensure_future(_answer(lines, writer, session, clock, limits))
    try:
        await asyncio.wait((reading, answering), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            reading.result()
            await asyncio.wait((answering,), timeout=limits.linger_s)
        if answering.done():
            answering.result()
    finally:
        reading.cancel()
        answering.cancel()
        await asyncio.gather(reading, answering, return_exceptions=True)


async def _read(reader: asyncio.StreamReader, lines: _Lines) -> None:
    async for line in _lines(reader):
        await lines.put(line)
    await lines.put(_END)


async def _answer(
    lines: _Lines, writer: asyncio.StreamWriter, session: Session, clock: RateClock, limits: Limits
) -> None:
    while (line := await lines.get()) != _END:
        if line is None:
            session.overrun()
        else:
            session.write(line.decode(_ENCODING))
        while reply := session.take():
            await asyncio.sleep(clock.wall_seconds(reply.ready_s))
            session.check_link()
            writer.write(reply.text.encode(_ENCODING, "replace") + b"\n")
            async with asyncio.timeout(limits.unread_s):
                await writer.drain()
        await asyncio.sleep(0)  # however much a client sends: after each line it is the others' turn


async def _lines(reader: asyncio.StreamReader) -> AsyncIterator[bytes | None]:
    """Lines without line feed; None for one that is longer than an instrument takes, which is thrown away."""
    buffer, too_long = bytearray(), False
    while chunk := await reader.read(_CHUNK):
        buffer += chunk
        *complete, rest = buffer.split(b"\n")
        for line in complete:
            yield None if too_long or len(line) > LONGEST_MESSAGE + 1 else bytes(line)
            too_long = False
        too_long = too_long or len(rest) > LONGEST_MESSAGE + 1
        buffer = bytearray() if too_long else rest
