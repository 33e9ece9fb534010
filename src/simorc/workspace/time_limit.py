"""A time limit for code that runs in this process, also for code that never comes back."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_AGAIN_S = 1.0
_MOST_RAISED = 5
_GRACE_S = _AGAIN_S * _MOST_RAISED
EXIT_CODE = 70


class TimeLimitReached(BaseException):
    """The time limit of a case is over. Not an Exception, so that no measure function swallows it by mistake."""


@contextmanager
def time_limit(seconds: float) -> Iterator[Callable[[float], None]]:
    """Raise TimeLimitReached in the body after some seconds, and again every second, five times.

    The body is given a function that grants it, from then on, other seconds.

    A body that swallows them all ends the whole process, and so does a loop inside an extension module, which no
    signal handler can interrupt: for it the kernel counts the CPU time of all threads (ITIMER_PROF, whose signal ends
    a process by default), of which there is at most as much as the processors give. In a worker either costs this case
    alone, because the controller replaces the worker. Works in the main thread, where pytest runs its items; elsewhere
    only the CPU time is limited.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    processors = len(os.sched_getaffinity(0))
    raised, in_body = 0, True

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal raised
        if not in_body:  # the body ended in time, the timer not quite
            return
        raised += 1
        if raised > _MOST_RAISED:
            signal.setitimer(signal.ITIMER_REAL, 0)  # what ends the process may take longer than the next interruption
            os.write(2, f"simorc: no end within {seconds:g} s, and no interruption helps: the process ends\n".encode())
            os._exit(EXIT_CODE)
        raise TimeLimitReached

    def grant(seconds_now: float) -> None:
        nonlocal raised, seconds
        raised, seconds = 0, seconds_now
        signal.setitimer(signal.ITIMER_PROF, (seconds + _GRACE_S) * processors)
        if in_main_thread:
            signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3), _AGAIN_S)

    former = signal.signal(signal.SIGALRM, note) if in_main_thread else None
    try:
        grant(seconds)
        try:
            yield grant
        finally:
            in_body = False
    finally:
        in_body = False  # once more, because the very assignment above may have been interrupted
        if in_main_thread:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, former or signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, 0)


@contextmanager
def no_limit(seconds: float) -> Iterator[Callable[[float], None]]:
    """The same for a body in which nobody's own code runs: to set and clear timers takes a twelfth of a case found."""
    yield lambda seconds_now: None
