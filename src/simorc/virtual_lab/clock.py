"""The three clocks of a bench: one that jumps, one that is scaled against the wall, and the wall itself (rate 1)."""

from __future__ import annotations

import time
from collections.abc import Callable


class AutojumpClock:
    """Bench time that passes only when somebody sleeps, and then at once."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Bench time, s."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Jump ahead, s."""
        self._now += max(seconds, 0.0)


class RateClock:
    """Bench time that runs `rate` times as fast as the wall; 1 is real time.

    Parameters
    ----------
    rate: bench seconds per wall second
    monotonic, wait: the wall's clock and sleep, in seconds
    """

    def __init__(
        self,
        rate: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate = rate
        self._monotonic = monotonic
        self._wait = wait
        self._start = monotonic()

    def now(self) -> float:
        """Bench time, s."""
        return (self._monotonic() - self._start) * self.rate

    def sleep(self, seconds: float) -> None:
        """Wait until that much bench time has passed, s."""
        if seconds > 0:
            self._wait(seconds / self.rate)

    def wall_seconds(self, until_s: float) -> float:
        """Wall seconds from now to a bench time, never negative."""
        return max((until_s - self.now()) / self.rate, 0.0)
