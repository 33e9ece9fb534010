"""`simorc bench serve`: a simulated bench on loopback, for clients of any make."""

from __future__ import annotations

import asyncio
import json
import math
import signal
import sys
from pathlib import Path

from simorc.commands._common import bench_of
from simorc.core.bench import BenchSettings
from simorc.core.errors import UsageError
from simorc.virtual_lab.server import serve


def bench_serve(bench: str | None, setup: Path | None, ports: str, rate: float | None, as_json: bool) -> int:
    """Serve until interrupted; says where the instruments are, in JSON as one line.

    Parameters
    ----------
    ports: for each instrument its SOCKET and HiSLIP port, comma-separated; the first of a row; or `free`
    rate: bench seconds per wall second; by default that of the bench's clock where it has one, else 1

    Raises
    ------
    UsageError: the bench is not simulated; a rate or ports that are none
    ToolMissingError: a port cannot be had
    """
    settings = bench_of(bench, setup)
    if settings.simulated is None:
        raise UsageError(f"bench {settings.name!r} is not simulated: there is nothing to serve")
    if rate is None:
        rate = settings.simulated.rate if settings.simulated.clock == "rate" else 1.0
    if not math.isfinite(rate):
        raise UsageError(f"--rate: found {rate}, expected bench seconds per second")
    return asyncio.run(_serve(settings, _ports(ports, len(settings.instruments)), rate, as_json))


async def _serve(settings: BenchSettings, ports: list[int], rate: float, as_json: bool) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    lab = await serve(settings, rate, ports)
    try:
        if as_json:
            print(json.dumps({"instruments": lab.resources}), flush=True)
        else:
            for name, resource in lab.resources.items():
                print(f"{name:10} {resource['socket']:38} {resource['hislip']}", flush=True)
            print(
                f"serving bench {settings.name!r} at {rate:g} bench seconds a second; Ctrl-C ends it", file=sys.stderr
            )
        await stopped.wait()
    finally:
        await lab.close()
    return 0


def _ports(text: str, instruments: int) -> list[int]:
    if text == "free":
        return []
    parts = [part.strip() for part in text.split(",")]
    needed = 2 * instruments
    if all(part.isdecimal() and len(part) <= 5 for part in parts):
        numbers = [int(part) for part in parts]
        if len(numbers) == 1:
            numbers = list(range(numbers[0], numbers[0] + needed))
        if len(set(numbers)) == len(numbers) == needed and min(numbers) > 0 and max(numbers) < 65536:
            return numbers
    raise UsageError(
        f"--ports: found {text!r}, expected the first port of a row of {needed}, or free",
        hint=f"or {needed} different ports: for each of the {instruments} instruments one of SOCKET, one of HiSLIP",
    )
