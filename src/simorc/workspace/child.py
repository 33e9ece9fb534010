"""A process forked from this one: it has all that is loaded here, and ends with its parent."""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Collection
from contextlib import suppress

from simorc.workspace.parent import bound_to

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_MOST_DESCRIPTORS = 1 << 16


class Child:
    """A forked process that does some work, and nothing of what its parent does at its end.

    It is a session of its own, beyond a terminal's Ctrl-C; signals have their usual effect in it. Whoever forks has no
    threads that hold locks which the work takes.

    Parameters
    ----------
    work: gives the exit code, None for 0; where it raises, which is told on stderr, that is 1
    stdin: descriptor; by default there is nothing to read
    stdout, stderr: descriptors; by default the parent's own
    kept: those of the parent's further descriptors that stay open; by default all

    Raises
    ------
    OSError: the system has no room for another process
    """

    def __init__(
        self,
        work: Callable[[], int | None],
        *,
        stdin: int | None = None,
        stdout: int = 1,
        stderr: int = 2,
        kept: Collection[int] | None = None,
    ) -> None:
        bind = bound_to(os.getpid())
        self._code: int | None = None
        self.pid = os.fork()
        if self.pid:
            return
        code = 1
        try:
            bind()
            gc.freeze()  # a page that the collector touches is copied
            _as_started(os.open(os.devnull, os.O_RDONLY) if stdin is None else stdin, stdout, stderr, kept)
            code = work() or 0
        except BaseException:
            os.write(2, traceback.format_exc().encode("utf-8", "replace"))
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):
                    stream.flush()
            os._exit(code)  # without handlers at exit, without what its parent had not yet written

    def poll(self) -> int | None:
        """As `wait`, but None while it runs."""
        return self._waited(os.WNOHANG)

    def wait(self) -> int:
        """The exit code, once it has ended; of a killed one the signal's number, negative."""
        code = self._waited(0)
        assert code is not None
        return code

    def kill(self) -> None:
        """Kill it with all of its group, and wait for its end; one that has ended stays as it is."""
        if self._code is None:
            for kill in (os.killpg, os.kill):  # at its very beginning it has no group yet
                with suppress(ProcessLookupError):
                    kill(self.pid, signal.SIGKILL)
            self.wait()

    def _waited(self, options: int) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, options)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


def _as_started(stdin: int, stdout: int, stderr: int, kept: Collection[int] | None) -> None:
    """Signals, descriptors and streams as in a process that was started anew."""
    os.setsid()
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    for target, source in enumerate((stdin, stdout, stderr)):
        os.dup2(source, target)
    if kept is not None:
        first = 3
        for descriptor in sorted(kept):
            os.closerange(first, descriptor)
            first = descriptor + 1
        os.closerange(first, _MOST_DESCRIPTORS)
    # The parent's hold what it had not yet written, and perhaps the lock of a thread that does not exist here.
    sys.stdin = os.fdopen(0, encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stdout, sys.stderr = (
        os.fdopen(number, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False) for number in (1, 2)
    )
