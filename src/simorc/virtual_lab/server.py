"""A simulated bench on the network: every instrument behind a SOCKET and a HiSLIP port, for clients of any make."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from simorc.core.bench import BenchSettings
from simorc.core.errors import ToolMissingError
from simorc.virtual_lab.assembly import BuiltLab, build_lab
from simorc.virtual_lab.clock import RateClock
from simorc.virtual_lab.hislip import HislipServer, ProtocolError
from simorc.virtual_lab.session import LinkLostError, Session
from simorc.virtual_lab.socket_server import serve_socket

MOST_CLIENTS = 64
"""Connections at one port at a time; a further one is closed at once."""
LOOPBACK = "127.0.0.1"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class ServedLab:
    """A lab that is being served.

    Parameters
    ----------
    resources: instrument -> `socket` and `hislip` -> VISA resource name
    """

    built: BuiltLab
    clock: RateClock
    resources: Mapping[str, Mapping[str, str]]
    servers: list[asyncio.Server] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def close(self) -> None:
        """Close all ports and connections."""
        for server in self.servers:
            server.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for server in self.servers:
            await server.wait_closed()


async def serve(bench: BenchSettings, rate: float, ports: Sequence[int] = (), host: str = LOOPBACK) -> ServedLab:
    """Serve a simulated bench until `close`.

    Parameters
    ----------
    rate: bench seconds per wall second
    ports: for each instrument in order its SOCKET and its HiSLIP port; free ones where there are none given
    host: the address to listen at

    Raises
    ------
    ToolMissingError: a port cannot be had
    """
    clock = RateClock(rate)
    lab = ServedLab(build_lab(bench, clock), clock, {})
    resources: dict[str, dict[str, str]] = {}
    wanted = iter(ports)
    try:
        for name in lab.built.instruments:
            plain = await _listen(lab, _socket(lab, name), host, next(wanted, 0))
            hislip = await _listen(lab, _hislip(lab, name), host, next(wanted, 0))
            resources[name] = {
                "socket": f"TCPIP::{host}::{plain}::SOCKET",
                "hislip": f"TCPIP::{host}::hislip0,{hislip}::INSTR",
            }
    except BaseException:
        await lab.close()
        raise
    lab.resources = resources
    return lab


@contextmanager
def served_lab(bench: BenchSettings, rate: float = 1000.0, ports: Sequence[int] = ()) -> Iterator[ServedLab]:
    """Serve a simulated bench from a thread while the body runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="served-lab", daemon=True)
    thread.start()
    try:
        lab = asyncio.run_coroutine_threadsafe(serve(bench, rate, ports), loop).result()
        try:
            yield lab
        finally:
            asyncio.run_coroutine_threadsafe(lab.close(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _socket(lab: ServedLab, name: str) -> Serve:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(name, lab.built.instruments[name], lab.built.lab, bounded=False)
        await serve_socket(reader, writer, session, lab.clock)

    return client


def _hislip(lab: ServedLab, name: str) -> Serve:
    server = HislipServer(lab.clock)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(name, lab.built.instruments[name], lab.built.lab, bounded=True)
        await server.serve(reader, writer, session)

    return client


async def _listen(lab: ServedLab, client: Serve, host: str, port: int) -> int:
    clients = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal clients
        task = asyncio.current_task()
        assert task is not None
        lab.tasks.add(task)
        clients += 1
        try:
            if clients <= MOST_CLIENTS:
                await client(reader, writer)
        except (ConnectionError, LinkLostError, ProtocolError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # whatever a client does ends its own connection
        finally:
            clients -= 1
            lab.tasks.discard(task)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    try:
        server = await asyncio.start_server(connected, host, port)
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "choose others with --ports, or leave it out for free ones"
        raise ToolMissingError(f"port {port} cannot be had: {reason}", where=host, hint=hint) from error
    lab.servers.append(server)
    number: int = server.sockets[0].getsockname()[1]
    return number
