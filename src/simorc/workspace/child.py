"""A process forked from this one: it has all that is loaded here, and ends with its parent."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress

from simorc.workspace.parent import bound_to

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Child:
    """A forked process that does some work, and nothing of what its parent does at its end.

    It is a session of its own, beyond a terminal's Ctrl-C; signals have their usual effect in it, and
    there is nothing to read on stdin. Whoever forks has no threads that hold locks which the work takes.

    Parameters
    ----------
    work: gives the exit code, None for 0; where it raises that is 1
    log: descriptor of what gets stdout and stderr, and why the work failed; by default the parent's stderr

    Raises
    ------
    OSError: the system has no room for another process
    """

    def __init__(self, work: Callable[[], int | None], log: int | None = None) -> None:
        bind = bound_to(os.getpid())
        self._code: int | None = None
        self.pid = os.fork()
        if not self.pid:
            _live(bind, work, log)

    def wait(self) -> int:
        """The exit code, once it has ended; of a killed one the signal's number, negative."""
        if self._code is None:
            _, status = os.waitpid(self.pid, 0)
            self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def kill(self) -> None:
        """Kill it with all of its group, and wait for its end; one that has ended stays as it is."""
        if self._code is None:
            for kill in (os.killpg, os.kill):  # at its very beginning it has no group yet
                with suppress(ProcessLookupError):
                    kill(self.pid, signal.SIGKILL)
            self.wait()


def _live(bind: Callable[[], None], work: Callable[[], int | None], log: int | None) -> None:
    """What the process does from its first moment to its end."""
    code = 1
    try:
        os.setsid()
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        bind()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        if log is not None:
            _write_to(log)
        code = work() or 0
    except BaseException:
        os.write(2, traceback.format_exc().encode("utf-8", "replace"))
    finally:
        if log is not None:
            with suppress(OSError, ValueError):
                sys.stdout.flush()
        os._exit(code)  # without handlers at exit, without what its parent had not yet written


def _write_to(log: int) -> None:
    """Have both streams write to a descriptor, without what their buffers hold."""
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = sys.stderr = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)
