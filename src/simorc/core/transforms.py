"""Pure: vectors of waveforms as they are drawn, as real numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from simorc.core.waveforms import Vector

Reals = npt.NDArray[np.float64]


def transformed(vector: Vector, transform: str, unit: str = "") -> tuple[Reals, str]:
    """A vector as real numbers, with their unit.

    Parameters
    ----------
    vector: shape (points,)
    transform: `none`, `db` (20 log10 of the magnitude, NaN where that is 0), `phase` (degrees, unwrapped), `magnitude`,
        `real`, `imag`; `none` gives the magnitude of a complex vector
    unit: of the vector

    >>> transformed(np.array([3 + 4j]), "none", "V"), transformed(np.array([10.0]), "db", "V")
    ((array([5.]), 'V'), (array([20.]), 'dB'))
    """
    match _meant(vector, transform):
        case "db":
            with np.errstate(divide="ignore"):
                decibels = 20.0 * np.log10(np.abs(vector))
            return np.where(np.isfinite(decibels), decibels, np.nan), "dB"
        case "phase":
            return np.degrees(np.unwrap(np.angle(vector))), "deg"
        case "imag":
            return np.imag(vector).astype(float), unit
        case "magnitude":
            return np.abs(vector).astype(float), unit
    return np.real(vector).astype(float), unit


def transformed_name(vector: Vector, transform: str, name: str) -> str:
    """What `transformed` gives, in words for a label; decibels show in the unit.

    >>> transformed_name(np.array([1j]), "none", "v(out)"), transformed_name(np.array([1j]), "phase", "v(out)")
    ('|v(out)|', 'phase of v(out)')
    """
    return _NAMES.get(_meant(vector, transform), "{}").format(name)


_NAMES = {"magnitude": "|{}|", "phase": "phase of {}", "imag": "Im {}", "real": "Re {}"}


def _meant(vector: Vector, transform: str) -> str:
    """A complex vector cannot be drawn as it is: its magnitude is meant."""
    return "magnitude" if transform == "none" and np.iscomplexobj(vector) else transform
