"""Work that a forked process does while this one does something else."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
from collections.abc import Callable, Iterator

from simorc.workspace.parent import bound_to

Work = Callable[[], None]


@contextlib.contextmanager
def beside(work: Work) -> Iterator[Work]:
    """Have some work done while the body runs, which gets a function that waits until it is done.

    The process inherits all that is loaded, and signal handlers; it ends with this one, and at the latest with the
    body. Where the system has no room for it the work is done here, when somebody waits for it. No thread of this
    process may hold a lock that the work takes.

    Raises
    ------
    ChildProcessError: by that function: the work failed, with its own words, or its process was killed
    """
    try:
        process, answer = _forked(work)
    except OSError:
        yield work
        return
    with os.fdopen(answer, "rb") as told:
        try:
            yield lambda: _check(told.read())
        finally:
            os.kill(process, signal.SIGKILL)  # no harm to one that has answered: it has ended, and is only named still
            os.waitpid(process, 0)


def _forked(work: Work) -> tuple[int, int]:
    """The id of a new process that works, and the descriptor on which it says how that went."""
    bind = bound_to(os.getpid())
    answer, told = os.pipe()
    try:
        process = os.fork()
    except OSError:
        os.close(answer)
        os.close(told)
        raise
    if not process:
        try:
            bind()
            gc.disable()  # it would touch every object, and a page that is touched is copied
            os.write(told, json.dumps(_failure(work)).encode())
        finally:
            os._exit(0)  # nothing of this process's own is to happen a second time
    os.close(told)
    return process, answer


def _failure(work: Work) -> str:
    """Why some work failed; empty where it did not."""
    try:
        work()
    except BaseException as error:  # an interrupt, too: this process has nobody else to tell
        return str(error) or type(error).__name__
    return ""


def _check(told: bytes) -> None:
    failure = json.loads(told) if told else "the process that was to do it was killed"
    if failure:
        raise ChildProcessError(failure)
