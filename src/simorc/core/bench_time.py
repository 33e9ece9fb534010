"""Pure: in which order a bench takes its temperatures, and how long that lasts.

Bench time is chamber time: temperature is the axis that costs, so it is walked in one direction, each soaked once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from simorc.core.bench import Settling

HEATING, COOLING = 1.0, 0.6
"""Ramps of a chamber, K/s; assumed."""
INTO_WINDOW_S = 30.0
"""From the end of a ramp until the overshoot is inside the window; assumed."""


class Prediction(Struct, frozen=True):
    """How long a bench takes, bench seconds.

    Parameters
    ----------
    ramps_s: the chamber on its way
    soaks_s: at a temperature, before the first case there
    cases_s: measuring
    soaks: how many
    """

    ramps_s: float
    soaks_s: float
    cases_s: float
    soaks: int

    @property
    def total_s(self) -> float:
        """All of it."""
        return self.ramps_s + self.soaks_s + self.cases_s


def temperature_order(temperatures: Iterable[float], ambient: float) -> dict[float, int]:
    """The rank of each temperature: in one direction, beginning at the end that is nearer to the room.

    >>> temperature_order([27, -40, 125], ambient=23)
    {-40: 0, 27: 1, 125: 2}
    """
    ascending = sorted(set(temperatures))
    if ascending and abs(ascending[-1] - ambient) < abs(ascending[0] - ambient):
        ascending.reverse()
    return {temperature: rank for rank, temperature in enumerate(ascending)}


def predict(
    temperatures: Sequence[float],
    ambient: float,
    settling: Settling,
    case_s: float,
    ramp_up: float = HEATING,
    ramp_down: float = COOLING,
) -> Prediction:
    """How long cases take in the order given; a temperature that follows itself is not soaked again.

    Parameters
    ----------
    temperatures: of each case in the order of execution, degC
    case_s: measuring of one case
    ramp_up, ramp_down: of the chamber, K/s

    >>> predict([-40.0, -40.0, 125.0], 23.0, Settling(soak_s=120), case_s=10.0).soaks
    2
    """
    here, ramps, soaks = ambient, 0.0, 0
    for index, temperature in enumerate(temperatures):
        if index and temperature == here:
            continue
        ramps += abs(temperature - here) / (ramp_up if temperature > here else ramp_down)
        here, soaks = temperature, soaks + 1
    return Prediction(ramps, soaks * (settling.soak_s + INTO_WINDOW_S), len(temperatures) * case_s, soaks)
