"""A process forked from this one: it has all that is loaded here, and ends with its parent.

What a fork shares and a started process would not is reset: signals, streams, group, descriptors, functions at exit,
and the state of numpy's global generator, for two workers must not draw the same numbers.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import warnings
from collections.abc import Callable, Collection
from contextlib import suppress

from simorc.workspace.parent import bound_to

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_MOST_DESCRIPTORS = 1 << 16
_ending: list[Child] = []
"""Those that were left; whoever makes the next one looks whether they have ended."""
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Environment for numpy's helpers: every process has a core."""


class Child:
    """A forked process that does some work, and nothing of what its parent does at its end.

    Signals have their usual effect in it. Whoever forks has no threads that hold locks which the work takes.

    Parameters
    ----------
    work: gives the exit code, None for 0; where it raises, which is told on stderr, that is 1
    stdin: descriptor; by default there is nothing to read
    stdout, stderr: descriptors; by default the parent's own
    kept: those of the parent's further descriptors that stay open
    leads: whether it leads a session and group of its own, beyond a terminal's Ctrl-C; otherwise it is in its parent's

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
        kept: Collection[int] = (),
        leads: bool = True,
    ) -> None:
        _ending[:] = filter(_is_left, _ending)
        bind = bound_to(os.getpid())
        self._code: int | None = None
        self._leads = leads
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which hold nothing that the work takes
            self.pid = os.fork()
        if self.pid:
            return
        code = 1
        try:
            bind()
            if leads:
                os.setsid()
            _as_started(os.open(os.devnull, os.O_RDONLY) if stdin is None else stdin, stdout, stderr, kept)
            code = work() or 0
        except BaseException:
            import traceback  # loaded where it is needed: other processes are forked before anything else

            os.write(2, traceback.format_exc().encode("utf-8", "replace"))
        finally:
            with suppress(Exception):
                atexit._run_exitfuncs()
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):
                    stream.flush()
            os._exit(code)  # without what its parent had not yet written

    def poll(self) -> int | None:
        """As `wait`, but None while it runs."""
        return self._waited(os.WNOHANG)

    def wait(self) -> int:
        """The exit code, once it has ended; of a killed one the signal's number, negative."""
        code = self._waited(0)
        assert code is not None
        return code

    def kill(self) -> None:
        """Kill it, with all of a group that it leads, and wait for its end; one that has ended stays as it is."""
        if self._code is None:
            if self._leads:
                with suppress(ProcessLookupError):  # at its very beginning it has no group yet
                    os.killpg(self.pid, signal.SIGKILL)
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.wait()

    def leave(self) -> None:
        """Leave one that has done its work to itself: to take apart its memory takes as long as ten cases."""
        _ending.append(self)

    def _waited(self, options: int) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, options)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


def _is_left(child: Child) -> bool:
    try:
        return child.poll() is None
    except ChildProcessError:  # somebody else has waited for it, or it is the parent's own
        return False


def _as_started(stdin: int, stdout: int, stderr: int, kept: Collection[int]) -> None:
    """What is as in a process that was started anew."""
    gc.freeze()  # a page that the collector touches is copied
    atexit._clear()
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    for target, source in enumerate((stdin, stdout, stderr)):
        os.dup2(source, target)
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
    if generator := sys.modules.get("numpy.random"):
        generator.seed()
