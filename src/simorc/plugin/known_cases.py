"""Cases whose results are in the cache: `simorc run` records them before it starts a session, without pytest (ADR 13).

Forked processes share them; each is a worker as those of a session are, apart from hooks, which nobody listens to here.
"""

from __future__ import annotations

import math
import os
import select
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, cast

from simorc.core.errors import SimorcError
from simorc.plugin.run_context import RunContext
from simorc.plugin.spice_target import SpiceTarget
from simorc.workspace.child import Child
from simorc.workspace.layout import RunDirectory
from simorc.workspace.time_limit import no_limit

if TYPE_CHECKING:
    from pluggy import HookRelay

_MOST_MISSES = 20
"""After so many more misses than hits one more leaves the rest of a block to a session, which looks again."""
_LOOK_EVERY_S = 0.1
_BLOCK = 10
"""Cases that a process takes at once: neighbours, which read the same model files."""
_MOST_BLOCKS = 1000
"""So many numbers any pipe holds."""


def record_known_cases(
    run: RunDirectory, workers: int, log: int, watch: Callable[[], bool], meanwhile: Callable[[], None]
) -> None:
    """Execute those cases of the selection that the cache has results for; whatever else is left as it is.

    Parameters
    ----------
    log: descriptor, which gets what goes wrong
    watch: called ten times a second; whether the processes are to be killed
    meanwhile: called once they run
    """
    context = RunContext(run, "", cast("HookRelay", _Nobody()), since="", selected=True, rerun=False)
    try:
        target = context.runner.target
        cases = context.chosen
        if not isinstance(target, SpiceTarget) or not any(map(target.is_known, (cases[0], cases[-1]))):
            return
        processes: list[Child] = []
        size = max(_BLOCK, math.ceil(len(cases) / _MOST_BLOCKS))
        with _queue(range(0, len(cases), size)) as queue:
            with suppress(OSError):  # the system has no room for so many processes: fewer take what there is
                for _ in range(workers):
                    take = partial(_take, context, queue, size)
                    processes.append(Child(take, stdout=log, stderr=log, kept=[queue]))
            _wait_for(processes, watch, meanwhile)
    except (SimorcError, OSError):  # a session tells
        return
    finally:
        context.close()


class _Nobody:
    """Who listens to the hooks of simorc where there is no pytest."""

    def __getattr__(self, hook: str) -> Callable[..., None]:
        return lambda **arguments: None


def _take(context: RunContext, queue: int, size: int) -> None:
    runner = context.runner
    runner.worker = f"cache:{os.getpid()}"
    runner.limit = no_limit
    target = cast("SpiceTarget", runner.target)
    misses = 0
    with closing(context):
        for first in _numbers(queue):
            for case in context.chosen[first : first + size]:
                if not context.goes_on():
                    return
                if target.is_known(case):
                    misses -= 1
                    context.executed(case)
                elif misses < _MOST_MISSES:
                    misses += 1
                else:  # its neighbours are hardly known either
                    break


@contextmanager
def _queue(numbers: Sequence[int]) -> Iterator[int]:
    """A descriptor from which the processes that inherit it read numbers, each number once among them all."""
    queue, end = os.pipe()
    try:
        try:
            os.write(end, array("I", numbers))
        finally:
            os.close(end)
        yield queue
    finally:
        os.close(queue)


def _numbers(queue: int) -> Iterator[int]:
    """Those that no other process has taken."""
    while number := os.read(queue, 4):
        yield int.from_bytes(number, sys.byteorder)


def _wait_for(processes: Sequence[Child], watch: Callable[[], bool], meanwhile: Callable[[], None]) -> None:
    """Until all have ended; no case of one that is killed is lost, its session finds them as it finds others."""
    descriptors: dict[int, Child] = {}
    try:
        for process in processes:
            descriptors[os.pidfd_open(process.pid)] = process
        meanwhile()
        while descriptors:
            ended, _, _ = select.select(descriptors, [], [], _LOOK_EVERY_S)
            for descriptor in ended:
                descriptors.pop(descriptor).wait()
                os.close(descriptor)
            if watch():
                break
    finally:
        for process in processes:
            process.kill()
        for descriptor in descriptors:
            os.close(descriptor)
