"""Pure: temperatures over time in closed form: a constant, a slope, and exponentials that die away.

Whatever asks at whatever times gets the same temperatures: nothing is integrated step by step.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Profile:
    """T(t) = constant + slope * t + sum of k * exp(-r * t), degC over seconds.

    Parameters
    ----------
    constant: degC
    slope: K/s
    terms: pairs of (k in K, r in 1/s)
    """

    constant: float
    slope: float = 0.0
    terms: tuple[tuple[float, float], ...] = ()

    def at(self, t: float) -> float:
        """The temperature t seconds after its start."""
        return self.constant + self.slope * t + sum(k * math.exp(-r * t) for k, r in self.terms)

    def shifted(self, t: float) -> Profile:
        """The same temperatures with time counted from t on."""
        terms = tuple((k * math.exp(-r * t), r) for k, r in self.terms)
        return Profile(self.constant + self.slope * t, self.slope, terms)


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Profiles that follow one another; the last one holds for ever.

    Parameters
    ----------
    starts: bench times at which they begin, s, ascending
    profiles: one each
    """

    starts: tuple[float, ...]
    profiles: tuple[Profile, ...]

    def at(self, time_s: float) -> float:
        """The temperature at a bench time not before the first start, degC."""
        index = max(bisect.bisect_right(self.starts, time_s) - 1, 0)
        return self.profiles[index].at(time_s - self.starts[index])

    def sampled(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The temperatures at many bench times, degC."""
        index = np.maximum(np.searchsorted(self.starts, times_s, side="right") - 1, 0)
        values = np.empty(len(times_s))
        for number, (start, profile) in enumerate(zip(self.starts, self.profiles, strict=True)):
            here = index == number
            t = times_s[here] - start
            values[here] = profile.constant + profile.slope * t + sum(k * np.exp(-r * t) for k, r in profile.terms)
        return values

    def followed_by(self, after: Trajectory) -> Trajectory:
        """This one until the other begins, then the other."""
        kept = [(s, p) for s, p in zip(self.starts, self.profiles, strict=True) if s < after.starts[0]]
        return Trajectory((*(s for s, _ in kept), *after.starts), (*(p for _, p in kept), *after.profiles))

    def pieces(self, begin_s: float, end_s: float) -> list[tuple[float, Profile]]:
        """What holds between two bench times: durations in s, and profiles counted from the start of each."""
        index = max(bisect.bisect_right(self.starts, begin_s) - 1, 0)
        found, now = [], begin_s
        while now < end_s:
            until = self.starts[index + 1] if index + 1 < len(self.starts) else math.inf
            until = min(until, end_s)
            if until > now:
                found.append((until - now, self.profiles[index].shifted(now - self.starts[index])))
            now, index = until, index + 1
        return found


def lagging(air: Trajectory, start: float, tau_s: float) -> Trajectory:
    """How a sensor with one time constant follows a trajectory.

    Parameters
    ----------
    start: its temperature when the trajectory begins, degC
    tau_s: s
    """
    rate, profiles, temperature = 1.0 / tau_s, [], start
    for index, air_profile in enumerate(air.profiles):
        profile = _response(air_profile, temperature, rate)
        profiles.append(profile)
        if index + 1 < len(air.starts):
            temperature = profile.at(air.starts[index + 1] - air.starts[index])
    return Trajectory(air.starts, tuple(profiles))


def _response(air: Profile, start: float, rate: float) -> Profile:
    """First-order response: T' = rate * (air - T), T(0) = start."""
    constant, slope = air.constant - air.slope / rate, air.slope
    # A term as fast as the sensor itself would need t * exp(-t): a rate a millionth apart is the same to any reader.
    terms = [(k, r * (1 + 1e-6) if math.isclose(r, rate, rel_tol=1e-6) else r) for k, r in air.terms]
    forced = tuple((k * rate / (rate - r), r) for k, r in terms)
    own = start - constant - sum(k for k, _ in forced)
    return Profile(constant, slope, (*forced, (own, rate)))


def inside_since(trajectory: Trajectory, target: float, window: float, now_s: float) -> float | None:
    """Bench time since when a trajectory has been within +-window K of a target without a break; None while outside.

    Exact to a millisecond: closed forms are searched, not polls remembered.
    """
    if abs(trajectory.at(now_s) - target) > window:
        return None
    first = trajectory.starts[0]
    # Beyond this the exponentials are gone, and nothing can cross any more.
    slowest = min((r for _, r in trajectory.profiles[-1].terms), default=1.0)
    settled = min(now_s, trajectory.starts[-1] + 40.0 / slowest)
    step = max((settled - first) / 20_000, 0.05)
    times = np.append(np.arange(first, settled, step), settled)
    outside = np.flatnonzero(np.abs(trajectory.sampled(times)[:-1] - target) > window)
    if not len(outside):
        return first
    last = int(outside[-1])
    return _crossing(trajectory, target, window, float(times[last]), float(times[last + 1]))


def _crossing(trajectory: Trajectory, target: float, window: float, outside: float, inside: float) -> float:
    while inside - outside > 1e-3:
        middle = (outside + inside) / 2
        if abs(trajectory.at(middle) - target) > window:
            outside = middle
        else:
            inside = middle
    return inside
