"""Pure: units without their prefixes, as other tools take numbers in them: 10 of uA is 1e-05 A, 5 of % is 0.05."""

from __future__ import annotations

import math
from typing import NamedTuple

from simorc.core.units import parse_number

_SCALES = {
    "T": "t",
    "G": "g",
    "M": "meg",
    "K": "k",
    "k": "k",
    "m": "m",
    "u": "u",
    "µ": "u",
    "μ": "u",
    "n": "n",
    "p": "p",
    "f": "f",
}
_UNITS = {"V", "V-rms", "A", "Hz", "s", "F", "H", "Ohm", "ohm", "W", "S", "C", "m"}
_SIGNS = {"Ω": "Ohm", "ohms": "Ohm", "°": "deg", "°C": "degC", "v": "V", "a": "A", "hz": "Hz", "h": "H"}
_RATIOS = {"ppm": 1e-6, "ppb": 1e-9}


class PlainUnit(NamedTuple):
    """A unit without prefixes; one of the former is `factor` of it, and `scale` is the SPICE scale factor of that."""

    base: str
    scale: str
    factor: float


def plain_unit(unit: str) -> PlainUnit:
    """A unit without its prefixes, also in a quotient; % and ppm are prefixes, too, by themselves of the number 1.

    >>> tuple(plain_unit("uA")), tuple(plain_unit("°C")), tuple(plain_unit("mV/V"))
    (('A', 'u', 1e-06), ('degC', '', 1.0), ('V/V', 'm', 0.001))
    >>> tuple(plain_unit("%")), tuple(plain_unit("%FSR")), tuple(plain_unit("ppm/°C"))
    (('', '', 0.01), ('FSR', '', 0.01), ('1/degC', '', 1e-06))
    """
    upper, *lower = (_one(part.strip()) for part in unit.split("/"))
    base = "/".join([upper.base, *(part.base for part in lower if part.base != "1")])
    base = "" if base == "1" else base
    if any(part.factor != 1.0 for part in lower):
        return PlainUnit(base, "", math.prod([upper.factor, *(1 / part.factor for part in lower)]))
    return PlainUnit(base, upper.scale, upper.factor)


def _one(unit: str) -> PlainUnit:
    if unit in _RATIOS:
        return PlainUnit("1", "", _RATIOS[unit])
    if unit.startswith("%"):
        return PlainUnit(unit[1:] or "1", "", 1e-2)
    known, base = _SIGNS.get(unit, unit), _SIGNS.get(unit[1:], unit[1:])
    if known not in _UNITS and unit[:1] in _SCALES and base in _UNITS:
        scale = _SCALES[unit[0]]
        return PlainUnit(base, scale, parse_number(f"1{scale}") or 1.0)
    return PlainUnit(known, "", 1.0)
