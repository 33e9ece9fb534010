"""Pure: bounds of readings' errors, one year after calibration, 23 +-5 degC.

Outside 18 to 28 degC makers add a temperature coefficient, which is left out here: a bench stands in a room.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Bound of one range.

    Parameters
    ----------
    range: full scale, in the unit of the reading
    reading, full_scale: parts of the reading and of the range
    assumed: whether no source was found for these figures
    """

    range: float
    reading: float
    full_scale: float
    assumed: bool = False

    def bound(self, value: float) -> float:
        """The bound at a reading, in its unit.

        >>> Accuracy(10.0, 35e-6, 5e-6).bound(3.3)
        0.0001655
        """
        return round(abs(value) * self.reading + self.range * self.full_scale, 15)


METER_VOLTS = (
    Accuracy(0.1, 50e-6, 35e-6),
    Accuracy(1.0, 40e-6, 7e-6),
    Accuracy(10.0, 35e-6, 5e-6),
    Accuracy(100.0, 45e-6, 6e-6),
    Accuracy(1000.0, 45e-6, 10e-6),
)
"""34401A service guide, gain verification table; the 34461A states the same for these ranges."""
METER_AMPERES = (
    Accuracy(1e-4, 500e-6, 250e-6, assumed=True),
    Accuracy(1e-3, 500e-6, 60e-6, assumed=True),
    Accuracy(1e-2, 500e-6, 200e-6),
    Accuracy(0.1, 500e-6, 50e-6),
    Accuracy(1.0, 1000e-6, 100e-6),
    Accuracy(3.0, 2000e-6, 200e-6, assumed=True),
    Accuracy(10.0, 2500e-6, 500e-6, assumed=True),
)
"""10 mA, 100 mA and 1 A: 34401A service guide, gain verification table; the others are assumed."""
SUPPLY_VOLTS = Accuracy(1.0, 500e-6, 5e-3, assumed=True)
SUPPLY_AMPERES = Accuracy(1.0, 1500e-6, 5e-3, assumed=True)
SUPPLY_PROGRAMMING = Accuracy(1.0, 500e-6, 10e-3, assumed=True)
"""E364xA manual, readback and programming (fixed parts in V and A): assumed to hold for the E36312A."""
LOAD_VOLTS = Accuracy(80.0, 1e-3, 250e-6, assumed=True)
LOAD_AMPERES = Accuracy(80.0, 2e-3, 250e-6, assumed=True)
"""Assumed for the LD400P."""
CHAMBER_DEGC = 1.0
"""K, of the temperature at the sensor; assumed."""
ASSUMED = ", accuracy assumed"
"""What a reading's source says where no figure was found."""


def of_range(table: Sequence[Accuracy], full_scale: float) -> Accuracy:
    """The line of a table for the range that an instrument says it uses."""
    return min(table, key=lambda line: abs(math.log(line.range / full_scale)))


def aperture_factor(nplc: float) -> float:
    """By how much short apertures loosen the share of the range: from 1 power line cycle on 1 (below assumed)."""
    return 1.0 if nplc >= 1 else 1.0 / math.sqrt(nplc)
