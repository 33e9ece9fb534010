"""Exclusive use of instruments on this host: a kernel lock for each VISA resource.

A bench that another host drives is out of scope: nothing here notices it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from simorc.core.errors import ToolMissingError

_LOOK_EVERY_S = 0.1


class BenchLock:
    """Locks on resources, gone with the last process that holds their descriptors.

    Parameters
    ----------
    wait_s: seconds to wait for a process that is about to let go

    Raises
    ------
    ToolMissingError: another process uses one of them; names it
    """

    def __init__(self, resources: Sequence[str], wait_s: float = 0.0) -> None:
        self.descriptors: list[int] = []
        try:
            for resource in sorted(set(resources)):
                self.descriptors.append(_locked(resource, time.monotonic() + wait_s))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go; a process that inherited the descriptors still holds the locks."""
        while self.descriptors:
            with suppress(OSError):
                os.close(self.descriptors.pop())


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _locked(resource: str, deadline: float) -> int:
    folder = Path(tempfile.gettempdir()) / "simorc-benches"
    folder.mkdir(mode=0o1777, exist_ok=True)
    with suppress(PermissionError):
        folder.chmod(0o1777)  # everybody's, whatever the umask of whoever came first
    path = folder / f"{hashlib.sha256(resource.encode()).hexdigest()[:24]}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    while not _taken(descriptor):
        if time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY_S)
            continue
        holder = os.read(descriptor, 32).decode(errors="replace").strip()
        os.close(descriptor)
        raise ToolMissingError(
            f"in use by process {holder or 'unknown'}",
            where=resource,
            hint="a bench belongs to one run at a time: wait for it, or end that process",
        )
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
