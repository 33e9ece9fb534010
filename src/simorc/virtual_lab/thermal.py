"""Pure: heat flow from a junction to the air, through a Cauer ladder, by exact exponential steps.

Node i has a capacitance to ground and a resistance to node i+1; the last resistance leads to the air. Node temperatures
are physical, unlike those of a Foster network.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from simorc.virtual_lab.profile import Profile

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class CauerLadder:
    """A ladder from the junction to the air.

    Parameters
    ----------
    rungs: pairs of (K/W towards the next node or the air, J/K of the node), junction first
    """

    rungs: tuple[tuple[float, float], ...]

    @property
    def resistance(self) -> float:
        """Junction to air, K/W."""
        return sum(r for r, _ in self.rungs)

    def steady(self, air: float, power: float) -> Vector:
        """Node temperatures after a long time at constant air and power, degC, junction first.

        >>> CauerLadder(((10.0, 0.1), (50.0, 1.0))).steady(25.0, 1.0).tolist()
        [85.0, 75.0]
        """
        resistances = [r for r, _ in self.rungs]
        return np.array([air + power * sum(resistances[index:]) for index in range(len(resistances))])

    def stored(self, temperatures: Vector) -> float:
        """Heat in the nodes, J, against 0 degC."""
        return float(sum(c * t for (_, c), t in zip(self.rungs, temperatures, strict=True)))

    @cached_property
    def _modes(self) -> tuple[Vector, Vector, Vector, Vector, Vector]:
        """Rates in 1/s; transformation to modes and back; what 1 degC of air and 1 W give to each mode, K/s."""
        g = [1.0 / r for r, _ in self.rungs]
        c = np.array([c for _, c in self.rungs])
        count = len(g)
        conductance = np.zeros((count, count))
        for i in range(count):
            conductance[i, i] += g[i]
            if i + 1 < count:
                conductance[i + 1, i + 1] += g[i]
                conductance[i, i + 1] -= g[i]
                conductance[i + 1, i] -= g[i]
        root = np.sqrt(c)
        rates, vectors = np.linalg.eigh(conductance / np.outer(root, root))
        into, back = vectors.T * root, (vectors.T / root).T
        air_drive = into[:, -1] * (g[-1] / c[-1])
        power_drive = into[:, 0] / c[0]
        return rates, into, back, air_drive, power_drive

    def step(self, temperatures: Vector, dt: float, air: Profile, power: float, power_slope: float = 0.0) -> Vector:
        """Node temperatures dt seconds later; exact for the air's closed form and a linear power, whatever dt is.

        Parameters
        ----------
        temperatures: of the nodes now, degC, junction first
        dt: s
        air: from now on
        power: into the junction now, W
        power_slope: W/s
        """
        rates, into, back, air_drive, power_drive = self._modes
        decay = np.exp(-rates * dt)
        constant, ramp = _held(rates, decay, dt), _ramped(rates, decay, dt)
        modes = (into @ temperatures) * decay
        modes = modes + (air_drive * air.constant + power_drive * power) * constant
        modes = modes + (air_drive * air.slope + power_drive * power_slope) * ramp
        for k, r in air.terms:
            modes = modes + air_drive * k * _decaying(rates, decay, r, dt)
        return np.asarray(back @ modes)


def _held(rates: Vector, decay: Vector, dt: float) -> Vector:
    """Response of each mode to a constant 1: the integral of exp(-rate (dt - s))."""
    return np.asarray((1.0 - decay) / rates)


def _ramped(rates: Vector, decay: Vector, dt: float) -> Vector:
    """Response of each mode to s: the integral of exp(-rate (dt - s)) s."""
    return np.asarray((dt - (1.0 - decay) / rates) / rates)


def _decaying(rates: Vector, decay: Vector, r: float, dt: float) -> Vector:
    """Response of each mode to exp(-r s)."""
    difference = rates - r
    same = np.abs(difference) * dt < 1e-9
    safe = np.where(same, 1.0, difference)
    return np.asarray(np.where(same, dt * decay, (math.exp(-r * dt) - decay) / safe))


def foster_to_cauer(pairs: Sequence[tuple[float, float]]) -> CauerLadder:
    """The ladder with the same junction response as a Foster table.

    The impedance sum of R / (1 + s tau) is taken apart as a continued fraction: capacitance to ground, then series
    resistance, and so on (Cauer's first form).

    Parameters
    ----------
    pairs: (K/W, tau in s) of each Foster stage; time constants must differ
    """
    numerator, denominator = Polynomial([0.0]), Polynomial([1.0])
    for index, (resistance, _) in enumerate(pairs):
        others = Polynomial([1.0])
        for other, (_, tau) in enumerate(pairs):
            if other != index:
                others *= Polynomial([1.0, tau])
        numerator += resistance * others
    for _, tau in pairs:
        denominator *= Polynomial([1.0, tau])
    rungs = []
    for order in range(len(pairs), 0, -1):
        # Admittance D/N = s C + remainder; impedance N/remainder = R + rest.
        capacitance = denominator.coef[order] / numerator.coef[order - 1]
        remainder = Polynomial((denominator - Polynomial([0.0, capacitance]) * numerator).coef[:order])
        resistance = numerator.coef[order - 1] / remainder.coef[order - 1]
        rungs.append((float(resistance), float(capacitance)))
        rest = (numerator - resistance * remainder).coef[: max(order - 1, 1)]
        numerator, denominator = Polynomial(rest), remainder
    return CauerLadder(tuple(rungs))
