"""Exclusive use of instruments on this host: a kernel lock for each VISA resource.

A bench that another host drives is out of scope: nothing here notices it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from simorc.core.errors import ToolMissingError

_FOLDER = Path("/tmp/simorc-benches")  # the same for everybody on this host, whatever their TMPDIR
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
            for resource in sorted(set(map(_canonical, resources))):
                self.descriptors.append(_locked(resource, time.monotonic() + wait_s))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go; a process that inherited the descriptors still holds the locks."""
        while self.descriptors:
            with suppress(OSError):
                os.close(self.descriptors.pop())


def _canonical(resource: str) -> str:
    """One spelling for resource names that mean the same: the case, and the board number where it is left out."""
    return re.sub(r"^([A-Z]+)::", r"\g<1>0::", resource.strip().upper())


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _opened(resource: str) -> int:
    """The lock file: everybody's, whoever made it and whatever their umask.

    Where it exists it is opened without O_CREAT, which kernels refuse for other people's files in sticky folders.
    """
    _FOLDER.mkdir(exist_ok=True)
    with suppress(PermissionError):
        _FOLDER.chmod(0o1777)
    path = _FOLDER / f"{hashlib.sha256(resource.encode()).hexdigest()[:24]}.lock"
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    with suppress(FileExistsError):
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
        os.fchmod(descriptor, 0o666)
        return descriptor
    return os.open(path, flags)


def _locked(resource: str, deadline: float) -> int:
    try:
        descriptor = _opened(resource)
    except OSError as error:
        what = f"its lock cannot be had: {error.strerror} ({error.filename})"
        raise ToolMissingError(what, where=resource, hint="whose is that file?") from error
    while not _taken(descriptor):
        if time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY_S)
            continue
        holder = os.read(descriptor, 32).decode(errors="replace").strip()
        os.close(descriptor)
        raise ToolMissingError(
            f"in use by process {holder or 'unknown'}, or by its watchdog",
            where=resource,
            hint="a bench belongs to one run at a time: wait for it, or end that process",
        )
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
