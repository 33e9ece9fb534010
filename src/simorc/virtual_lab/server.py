"""A simulated bench on the network: every instrument behind a SOCKET and a HiSLIP port, for clients of any make."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from simorc.core.bench import BenchSettings
from simorc.core.errors import ToolMissingError
from simorc.virtual_lab.assembly import BuiltLab, build_lab
from simorc.virtual_lab.clock import RateClock
from simorc.virtual_lab.hislip import HislipServer
from simorc.virtual_lab.limits import Limits
from simorc.virtual_lab.session import Session
from simorc.virtual_lab.socket_server import serve_socket

LOOPBACK = "127.0.0.1"
_READ_AHEAD = 16_384
_FLUSH_S = 5.0
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
    limits: Limits
    resources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    servers: list[asyncio.Server] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def session(self, instrument: str, *, bounded: bool) -> Session:
        """A new client's conversation with an instrument."""
        return Session(instrument, self.built.instruments[instrument], self.built.lab, bounded=bounded)

    async def close(self) -> None:
        """Close all ports and connections; what a client has not read by now is lost."""
        for server in self.servers:
            server.close()
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for server in self.servers:
            await server.wait_closed()


async def serve(
    bench: BenchSettings, rate: float, ports: Sequence[int] = (), host: str = LOOPBACK, limits: Limits | None = None
) -> ServedLab:
    """Serve a simulated bench until `close`.

    Parameters
    ----------
    rate: bench seconds per wall second
    ports: for each instrument in order its SOCKET and its HiSLIP port; free ones where there are none given
    host: the address to listen at
    limits: what a client may take up

    Raises
    ------
    ToolMissingError: a port cannot be had
    """
    clock = RateClock(rate)
    lab = ServedLab(build_lab(bench, clock), clock, limits or Limits())
    resources: dict[str, dict[str, str]] = {}
    wanted = iter(ports)
    try:
        for name in lab.built.instruments:
            plain = await _listen(lab, _socket(lab, name), lab.limits.clients, host, next(wanted, 0))
            # two connections a client, and some that have not said yet what they are
            hislip = await _listen(lab, _hislip(lab, name), 3 * lab.limits.clients, host, next(wanted, 0))
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
def served_lab(
    bench: BenchSettings, rate: float = 1000.0, ports: Sequence[int] = (), limits: Limits | None = None
) -> Iterator[ServedLab]:
    """Serve a simulated bench from a thread while the body runs; parameters as those of `serve`."""
    started: Future[tuple[ServedLab, Callable[[], object]]] = Future()

    async def body() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        try:
            lab = await serve(bench, rate, ports, limits=limits)
        except BaseException as error:
            started.set_exception(error)
            return
        started.set_result((lab, lambda: loop.call_soon_threadsafe(stop.set)))
        await stop.wait()
        await lab.close()

    thread = threading.Thread(target=asyncio.run, args=(body(),), name="served-lab", daemon=True)
    thread.start()
    try:
        lab, end = started.result()
        try:
            yield lab
        finally:
            end()
    finally:
        thread.join()


def _socket(lab: ServedLab, name: str) -> Serve:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve_socket(reader, writer, lab.session(name, bounded=False), lab.clock, lab.limits)

    return client


def _hislip(lab: ServedLab, name: str) -> Serve:
    server = HislipServer(lab.clock, lab.limits)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.serve(reader, writer, lab.session(name, bounded=True))

    return client


async def _listen(lab: ServedLab, client: Serve, most: int, host: str, port: int) -> int:
    """Serve at a port, 0 for a free one, and give its number; a connection too many is closed at once."""
    connections = 0

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        task = asyncio.current_task()
        assert task is not None
        lab.tasks.add(task)
        connections += 1
        try:
            if connections <= most:
                await client(reader, writer)
            await _finish(writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # whatever becomes of a client ends its own connection
        finally:
            connections -= 1
            lab.tasks.discard(task)
            writer.transport.abort()

    try:
        server = await asyncio.start_server(connected, host, port, limit=_READ_AHEAD)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = "choose others with --ports, or leave it out for free ones"
        raise ToolMissingError(f"port {port} cannot be had: {reason}", where=host, hint=hint) from error
    lab.servers.append(server)
    number: int = server.sockets[0].getsockname()[1]
    return number


async def _finish(writer: asyncio.StreamWriter) -> None:
    """Close, with what was written last still delivered to a client that reads it."""
    writer.close()
    with suppress(OSError):
        async with asyncio.timeout(_FLUSH_S):
            await writer.wait_closed()
