"""Work that a forked process does while this one does something else."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator

from simorc.workspace.child import Child

Work = Callable[[], None]


@contextlib.contextmanager
def beside(work: Work) -> Iterator[Work]:
    """Have some work done while the body runs, which gets a function that waits until it is done.

    The process ends with this one, and at the latest with the body (`Child`). Where the system has no room for it the
    work is done here, when somebody waits for it.

    Raises
    ------
    ChildProcessError: by that function: the work failed, with its own words, or its process was killed
    """
    try:
        process, answer = _started(work)
    except OSError:
        yield work
        return
    with os.fdopen(answer, "rb") as told:
        try:
            yield lambda: _check(told.read())
        finally:
            process.kill()


def _started(work: Work) -> tuple[Child, int]:
    """A process that works, and the descriptor on which it says how that went."""
    answer, told = os.pipe()
    try:
        return Child(lambda: _tell(told, work), kept=[told]), answer
    except OSError:
        os.close(answer)
        raise
    finally:
        os.close(told)


def _tell(told: int, work: Work) -> None:
    os.write(told, json.dumps(_failure(work)).encode())


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
