"""The one place that starts a simulator's process, waits for it, and ends it with everything that it started."""

from __future__ import annotations

import contextlib
import math
import os
import resource
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

_SLACK_S = 5
RUN_VARIABLE = "SIMORC_RUN"
"""Environment variable by which a process is known to belong to a case: the absolute path of its folder."""


class Finished(Struct, frozen=True):
    """How a process ended: its exit code, negative for a signal; or at the time limit."""

    code: int
    timed_out: bool = False


def run_process(
    command: Sequence[str],
    folder: Path,
    log: Path,
    environment: Mapping[str, str],
    timeout_s: float,
    *,
    mark: Path | None = None,
) -> Finished:
    """Run a command in a folder, in a session of its own, and wait for it.

    Parameters
    ----------
    command: program and arguments; no shell
    log: takes what the command writes to stdout and stderr
    environment: all of it; the folder is added as `SIMORC_RUN`
    timeout_s: seconds after which the whole process group is killed
    mark: what is added as `SIMORC_RUN` instead, for `kill_orphans`

    Raises
    ------
    OSError: the program cannot be started, or the log not written
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, RUN_VARIABLE: os.path.abspath(mark or folder)},  # noqa: PTH100 (resolves no links)
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    timed_out = True
    _bound(process.pid, timeout_s)
    try:
        timed_out = not _ends_within(process.pid, timeout_s)
    finally:
        # Not reaped yet, so the number is still its own, whatever else the group holds.
        _kill_group(process.pid)
        code = process.wait()
    return Finished(code, timed_out)


def ask(command: Sequence[str], timeout_s: float = 60) -> tuple[int, str]:
    """Run a command that takes no input, and return its exit code and what it said on stdout and stderr.

    Raises
    ------
    OSError: the program cannot be started
    subprocess.TimeoutExpired: it did not end in time, and was killed
    """
    said = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout_s,
        check=False,
        text=True,
        errors="replace",
    )
    return said.returncode, said.stdout


def _bound(pid: int, timeout_s: float) -> None:
    """Have the kernel end the process by its CPU time, should nobody be left to look at the clock."""
    limit = (math.ceil(timeout_s) + _SLACK_S) * (os.cpu_count() or 1)
    with contextlib.suppress(OSError, ValueError):  # it may have ended already, or have a lower limit
        resource.prlimit(pid, resource.RLIMIT_CPU, (limit, limit))


def _ends_within(pid: int, timeout_s: float) -> bool:
    """Wait on the process itself: `subprocess` looks every 50 ms only when there is a time limit."""
    descriptor = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(max(0, round(timeout_s * 1000))))
    finally:
        os.close(descriptor)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def kill_orphans(run: Path, folder: Path | None = None) -> list[int]:
    """Kill the simulator processes that work in a run directory, and return their ids.

    For whoever holds the run's lock, and so knows that no worker is alive that would wait for them.

    Parameters
    ----------
    run: the run directory
    folder: one case's folder in it; by default all of them
    """
    inside = os.path.abspath(folder or run / "results")  # noqa: PTH100
    killed = []
    for pid in _processes():
        # Opened first: what is then read, and killed, is one and the same process.
        with contextlib.suppress(OSError), _opened(pid) as descriptor:
            if _belongs(pid, inside):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                killed.append(pid)
    return killed


def _processes() -> Iterator[int]:
    own = os.getpid()
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal() and int(entry.name) != own:
            yield int(entry.name)


@contextlib.contextmanager
def _opened(pid: int) -> Iterator[int]:
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _belongs(pid: int, inside: str) -> bool:
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    prefix = f"{RUN_VARIABLE}={inside}".encode("utf-8", "surrogateescape")
    return any(entry == prefix or entry.startswith(prefix + b"/") for entry in entries)
