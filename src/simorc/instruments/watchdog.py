"""A process that brings a bench into its safe state when the one that used it is gone.

It stands outside the worker's session, so that nothing which ends the worker ends it too, and has connections of its
own. It reads a pipe: `done` means that the worker has made the bench safe itself; the pipe's end without it means that
nobody has.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from simorc.core.bench import BenchSettings
from simorc.core.errors import SimorcError
from simorc.instruments.bench import Bench
from simorc.instruments.bench_lock import BenchLock
from simorc.instruments.rack import open_bench
from simorc.instruments.safety import not_done
from simorc.workspace.bench_state import write_bench_state
from simorc.workspace.events import log_event
from simorc.workspace.layout import RunDirectory
from simorc.workspace.plan_file import read_plan

_DONE = b"done\n"
_ATTEMPTS = 5
_PAUSE_S = 1.0


class Watchdog:
    """The worker's end: starts the process, and tells it when it is no longer needed.

    Parameters
    ----------
    locks: descriptors of the bench's lock, which the process keeps until the bench is safe
    """

    def __init__(self, run: RunDirectory, locks: Sequence[int]) -> None:
        command = [sys.executable, "-P", "-m", __spec__.name, str(run.path), *map(str, locks)]
        with (run.status_dir / "watchdog.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=list(locks),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it still watches."""
        return self._process.poll() is None

    def dismiss(self) -> None:
        """The bench is safe: it may go."""
        assert self._process.stdin is not None
        with suppress(OSError):  # it is gone already
            self._process.stdin.write(_DONE)
            self._process.stdin.flush()
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)


def watch(run: RunDirectory, locks: Sequence[int], pipe: int = 0) -> int:
    """Wait for the end of the worker, and make the bench safe unless the worker said that it had."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    settings = read_plan(run).bench
    assert settings is not None
    bench: Bench | None = None
    with suppress(SimorcError):  # some interfaces allow one connection only: then it is opened when it is needed
        bench = _connected(settings, locks)
    said = b""
    while chunk := os.read(pipe, 64):
        said += chunk
    if said.endswith(_DONE):
        return 0
    return _make_safe(run, settings, bench, locks)


def make_safe(run: RunDirectory, settings: BenchSettings, by: str, reason: str, bench: Bench | None = None) -> str:
    """Bring the bench of a run into its safe state and record it; what could not be done, or empty.

    Parameters
    ----------
    by: `watchdog` or `command`
    bench: opened already, or None to open it

    Raises
    ------
    SimorcError: it cannot be opened
    """
    opened = bench or open_bench(settings, make_safe=False)
    try:
        results = opened.make_safe()
    finally:
        opened.close()
    failed = not_done(results)
    for result in results:
        with suppress(SimorcError):
            log_event(run, "safe state", instrument=result.instrument, done=result.done, said=result.said, by=by)
    write_bench_state(run, "unsafe" if failed else "safe", by, failed or reason)
    return failed


def _make_safe(run: RunDirectory, settings: BenchSettings, bench: Bench | None, locks: Sequence[int]) -> int:
    reason = "the worker ended without making the bench safe"
    for _ in range(_ATTEMPTS):
        try:
            opened = bench or _connected(settings, locks)
            if not make_safe(run, settings, "watchdog", reason, opened):
                return 0
        except (SimorcError, OSError) as error:
            print(f"watchdog: {error}", file=sys.stderr)  # noqa: T201 (into watchdog.log)
        bench = None
        time.sleep(_PAUSE_S)
    return 1


def _connected(settings: BenchSettings, locks: Sequence[int]) -> Bench:
    """The bench by connections of this process; the lock is inherited, and stays."""
    lock = BenchLock([])
    lock.descriptors = [os.dup(descriptor) for descriptor in locks]
    return open_bench(settings, make_safe=False, lock=lock)


if __name__ == "__main__":
    sys.exit(watch(RunDirectory(Path(sys.argv[1])), [int(text) for text in sys.argv[2:]]))
