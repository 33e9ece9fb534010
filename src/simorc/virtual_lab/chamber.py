"""Pure: where the air of a thermal chamber goes: finite ramps, a little overshoot, drift to the room without flow.

Rates and time constants of the default are assumed: a forced-air system with a loaded fixture.
"""

from __future__ import annotations

from dataclasses import dataclass

from simorc.virtual_lab.profile import Profile, Trajectory


@dataclass(frozen=True, slots=True)
class ChamberPhysics:
    """What a chamber can do; all numbers assumed.

    Parameters
    ----------
    heating, cooling: fastest ramps, K/s
    fast_s, slow_s: time constants of the overshoot after a ramp, s; different
    full_span: K from which on a ramp overshoots fully; a shorter one in proportion
    drift_s: time constant towards the room without flow, s
    sensor_s: time constant of the sensor at the DUT, s
    lowest, highest: what it can reach, degC
    """

    heating: float = 1.0
    cooling: float = 0.6
    fast_s: float = 2.0
    slow_s: float = 8.0
    full_span: float = 20.0
    drift_s: float = 180.0
    sensor_s: float = 12.0
    lowest: float = -75.0
    highest: float = 225.0


def heading_for(
    physics: ChamberPhysics, target: float, start: float, start_s: float, ramp: float | None = None
) -> Trajectory:
    """The air on its way to a temperature: a ramp, then an overshoot that goes on from it and dies away.

    Parameters
    ----------
    target, start: degC
    start_s: bench time, s
    ramp: K/s, None for as fast as it can
    """
    target = min(max(target, physics.lowest), physics.highest)
    fastest = physics.heating if target > start else physics.cooling
    rate = fastest if ramp is None else min(ramp, fastest)
    if target == start:
        return Trajectory((start_s,), (Profile(target),))
    slope = rate if target > start else -rate
    # A short ramp never gets up to speed: the same setpoint once more must not stir the air.
    share = min(abs(target - start) / physics.full_span, 1.0)
    k = share * slope / (1.0 / physics.fast_s - 1.0 / physics.slow_s)
    overshoot = Profile(target, 0.0, ((k, 1.0 / physics.slow_s), (-k, 1.0 / physics.fast_s)))
    arrival = start_s + abs(target - start) / rate
    return Trajectory((start_s, arrival), (Profile(start, slope), overshoot))


def drifting(physics: ChamberPhysics, ambient: float, start: float, start_s: float) -> Trajectory:
    """The air without flow, on its way to the temperature of the room."""
    return Trajectory((start_s,), (Profile(ambient, 0.0, ((start - ambient, 1.0 / physics.drift_s),)),))
