"""A time limit for code that runs in this process, also for code that never comes back."""

from __future__ import annotations

import faulthandler
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_GRACE_S = 5.0


class TimeLimitReached(BaseException):
    """The time limit of a case is over. Not an Exception, so that no measure function swallows it by mistake."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeLimitReached in the body after some seconds, again every second until it yields.

    Code that holds the interpreter (a loop in an extension module) cannot be interrupted: after a grace of five more
    seconds the whole worker process ends, which costs this case alone, because the controller replaces the worker.
    Works in the main thread only, where pytest runs its items; elsewhere only the second step is there.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    faulthandler.dump_traceback_later(seconds + _GRACE_S, exit=True)
    if in_main_thread:
        former = signal.signal(signal.SIGALRM, _raise)
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3), 1.0)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        if in_main_thread:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, former)


def _raise(number: int, frame: FrameType | None) -> None:
    raise TimeLimitReached
