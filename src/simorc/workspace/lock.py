"""The lock of a run: two executions of one directory exclude each other, and a crash releases it.

It is a kernel lock (flock) on `.status/lock`: it belongs to the open file and goes with the last process that has the
file open, however that process ends. No child inherits it unless it is handed over on purpose. On NFS, Linux keeps
the promise between the clients of one server (it turns flock into a byte-range lock; NFSv3 needs lockd); on a file
system without locks taking it fails with the reason, never silently.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

from simorc.core.errors import RunDirectoryError
from simorc.workspace.files import storage_error
from simorc.workspace.layout import RunDirectory

_BUSY = (errno.EWOULDBLOCK, errno.EACCES)
_TRIES = 10
_PAUSE_S = 0.02


@contextlib.contextmanager
def run_lock(run: RunDirectory) -> Iterator[int]:
    """Hold the lock of a run for the length of a `with` block, which gets its file descriptor.

    A child that shall go on holding the lock gets the descriptor through `pass_fds` and calls `adopt_lock`.

    Raises
    ------
    RunDirectoryError: the run is active, naming who holds it; or the lock file cannot be made
    """
    fd = _locked(run)
    try:
        _sign(fd)
        yield fd
    finally:
        # Closing alone releases it: an explicit unlock would also take it from a child that adopted it.
        os.close(fd)


def adopt_lock(fd: int) -> None:
    """Go on holding, to the end of this process, a lock that the parent handed over; no child inherits it from here.

    Raises
    ------
    RunDirectoryError: the descriptor is not open, or the lock is another process's
    """
    try:
        # The parent's open file has the lock already: taking it again succeeds at once, and only here.
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.set_inheritable(fd, False)
    except OSError as error:
        raise storage_error(error, f"descriptor {fd}", "adopt the lock of a run") from error


def is_active(run: RunDirectory) -> bool:
    """Whether some process holds the lock of a run."""
    try:
        fd = os.open(run.lock, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _BUSY
    else:
        return False
    finally:
        os.close(fd)


def holder(run: RunDirectory) -> dict[str, Any]:
    """Who holds the lock of a run: `pid`, `host`, `command`; empty where it does not say."""
    try:
        data = json.loads(run.lock.read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _locked(run: RunDirectory) -> int:
    """The descriptor of the lock file, locked, and still the file of that name: a deleted one excludes nobody."""
    for _ in range(_TRIES):
        fd = _open(run)
        try:
            _take(fd, run)
            if _is_in_place(fd, run):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
    hint = "is another program deleting `.status`? Nothing was changed"
    raise RunDirectoryError("the lock file is replaced again and again", where=str(run.lock), hint=hint)


def _is_in_place(fd: int, run: RunDirectory) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), run.lock.stat())
    except OSError:
        return False


def _open(run: RunDirectory) -> int:
    try:
        run.status_dir.mkdir(exist_ok=True)  # somebody may have deleted it, to run everything again
        return os.open(run.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise storage_error(error, run.lock, "lock the run") from error


def _take(fd: int, run: RunDirectory) -> None:
    for attempt in range(_TRIES):
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _BUSY:
                raise storage_error(error, run.lock, "lock the run") from error
            # `is_active` holds it for an instant: a look at a run must not keep it from starting.
            if attempt < _TRIES - 1:
                time.sleep(_PAUSE_S)
    raise _in_use(run)


def _in_use(run: RunDirectory) -> RunDirectoryError:
    who = holder(run)
    by = f"process {who.get('pid', '?')} on {who.get('host', '?')} ({who.get('command', '?')})" if who else "a process"
    hint = f"wait until it ends; `simorc status {run.run_id}` shows how far it is"
    return RunDirectoryError(f"run {run.run_id} is in use by {by}", where=str(run.path), hint=hint)


def _sign(fd: int) -> None:
    """Write down who holds it. The lock stands without that, so a full disk does not matter here."""
    text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "command": " ".join(sys.argv)[:500]})
    with contextlib.suppress(OSError):
        os.ftruncate(fd, 0)
        os.pwrite(fd, text.encode(), 0)
