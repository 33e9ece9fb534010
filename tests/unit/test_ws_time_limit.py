"""The time limit of code that runs in this process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from simorc.workspace.time_limit import EXIT_CODE, TimeLimitReached, time_limit


@pytest.fixture(autouse=True)
def everything_is_as_before() -> Iterator[None]:
    """No timer goes on after the limit, and the handler is the one that was there."""
    former = signal.getsignal(signal.SIGALRM)
    yield
    assert signal.getitimer(signal.ITIMER_REAL) == signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is former


def test_a_body_in_time_is_left_alone() -> None:
    with time_limit(60):
        pass


def test_a_body_over_its_time_is_interrupted() -> None:
    with pytest.raises(TimeLimitReached), time_limit(0.05):
        time.sleep(60)


def test_a_body_may_be_granted_another_time() -> None:
    with time_limit(0.05) as grant:
        grant(60)
        time.sleep(0.1)
        grant(0.05)
        with pytest.raises(TimeLimitReached):
            time.sleep(60)


def test_an_error_of_the_body_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), time_limit(60):
        _ = 1 / 0


def test_an_alarm_after_the_body_ended_interrupts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    real = signal.setitimer

    def late(timer: signal._ITIMERTYPE, seconds: float, interval: float = 0.0) -> tuple[float, float]:
        if not seconds:
            signal.raise_signal(signal.SIGALRM)
        return real(timer, seconds, interval)

    former = signal.signal(signal.SIGALRM, lambda *_: None)  # after the limit it is somebody else's again
    monkeypatch.setattr(signal, "setitimer", late)
    with time_limit(60):
        done = True
    assert done
    monkeypatch.undo()
    signal.signal(signal.SIGALRM, former)


@pytest.mark.parametrize("processors", [1, 4])
def test_the_cpu_time_is_that_of_all_processors(monkeypatch: pytest.MonkeyPatch, processors: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(processors)))
    with time_limit(10) as grant:
        left, _ = signal.getitimer(signal.ITIMER_PROF)
        grant(20)
        later, _ = signal.getitimer(signal.ITIMER_PROF)
    assert 14.9 * processors < left <= 15.1 * processors
    assert 24.9 * processors < later <= 25.1 * processors


def test_a_body_that_lets_no_interruption_through_ends_the_process_and_says_so() -> None:
    code = """
import os, time
from simorc.workspace import time_limit
time_limit._AGAIN_S = 0.05
end = os._exit
def slowly(code):  # as under coverage, which saves its data first
    os._exit = end
    time.sleep(0.2)
    end(code)
os._exit = slowly
with time_limit.time_limit(0.1):
    while True:
        try:
            time.sleep(60)
        except BaseException: pass
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == EXIT_CODE
    assert done.stderr == "simorc: no end within 0.1 s, and no interruption helps: the process ends\n"


def test_in_another_thread_only_the_cpu_time_is_limited() -> None:
    seen = []

    def body() -> None:
        with time_limit(0.05):
            time.sleep(0.2)
            seen.append(signal.getitimer(signal.ITIMER_PROF)[0])

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert seen[0] > 0
