"""Pure: conditions and limits of a CACE datasheet as numbers in the units of the deck.

CACE states numbers in the unit beside them and hands the deck plain SI numbers: 10 of uA is 1e-05.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from simorc.core.units import Quantity, Value, parse_number

_SCALES = {
    "T": "t",
    "G": "g",
    "M": "meg",
    "k": "k",
    "m": "m",
    "u": "u",
    "µ": "u",
    "μ": "u",
    "n": "n",
    "p": "p",
    "f": "f",
}
_UNITS = {"V", "A", "Hz", "s", "F", "H", "Ohm", "ohm", "W", "S", "C", "J"}
_SIGNS = {"Ω": "Ohm", "°": "deg", "°C": "degC", "ohms": "Ohm"}
_KINDS = ("minimum", "typical", "maximum")
_MOST_VALUES = 10_000


class PlainUnit(NamedTuple):
    """A unit without prefixes; one of the former is `factor` of it, and `scale` is the SPICE scale factor of that."""

    base: str
    scale: str
    factor: float


def plain_unit(unit: str) -> PlainUnit:
    """The unit that CACE takes results in: without its prefixes, also in a quotient.

    >>> tuple(plain_unit("uA")), tuple(plain_unit("°C")), tuple(plain_unit("mV/V"))
    (('A', 'u', 1e-06), ('degC', '', 1.0), ('V/V', 'm', 0.001))
    """
    upper, *lower = (_one(part.strip()) for part in unit.split("/"))
    base = "/".join([upper.base, *(part.base for part in lower)])
    if any(part.scale for part in lower):
        return PlainUnit(base, "", math.prod([upper.factor, *(1 / part.factor for part in lower)]))
    return PlainUnit(base, upper.scale, upper.factor)


def _one(unit: str) -> PlainUnit:
    known = _SIGNS.get(unit, unit)
    base = _SIGNS.get(unit[1:], unit[1:])
    if known not in _UNITS and unit[:1] in _SCALES and base in _UNITS:
        scale = _SCALES[unit[0]]
        return PlainUnit(base, scale, float(Quantity(f"1{scale}")))
    return PlainUnit(known, "", 1.0)


def in_deck_units(raw: Any, unit: str) -> Value | None:
    """A value as the deck has it, None where there is none: a number with its scale factor, or a text.

    >>> in_deck_units(10, "uA"), in_deck_units("1.8", "V"), in_deck_units("tt", ""), in_deck_units("any", "V")
    (Quantity('10u'), 1.8, 'tt', None)
    """
    if raw is None or raw == "any" or isinstance(raw, (dict, list)):
        return None
    number = raw if isinstance(raw, (int, float)) and not isinstance(raw, bool) else parse_number(str(raw))
    if number is None:
        return str(raw)
    plain = plain_unit(unit)
    if isinstance(raw, str) and raw.strip()[-1:].isalpha():
        return Quantity(raw.strip())  # it has a scale factor of its own
    text = f"{number:.12g}"
    if plain.scale and "e" not in text:
        return Quantity(f"{text}{plain.scale}")
    return number if plain.factor == 1.0 else float(f"{number * plain.factor:.12g}")


def condition_values(spec: Mapping[str, Any], unit: str) -> tuple[list[Value], Value | None]:
    """The values of a condition in the deck's units, and the typical one.

    Raises
    ------
    ValueError: steps that lead nowhere
    """
    typical = in_deck_units(spec.get("typical"), unit)
    raw: Sequence[Any] = [spec[kind] for kind in _KINDS if spec.get(kind) is not None]
    if "enumerate" in spec:
        listed = spec["enumerate"]
        raw = listed.split() if isinstance(listed, str) else listed if isinstance(listed, list) else [listed]
    elif "step" in spec or "stepsize" in spec:
        stepped = _steps(spec)
        raw = stepped if typical is None or spec["typical"] in stepped else [*stepped, spec["typical"]]
    values = list(dict.fromkeys(value for value in (in_deck_units(one, unit) for one in raw) if value is not None))
    return values, typical if typical is not None else next(iter(values), None)


def _steps(spec: Mapping[str, Any]) -> Sequence[float]:
    """From minimum to maximum in sums or products of the step size."""
    low, high = (parse_number(str(spec.get(kind))) for kind in ("minimum", "maximum"))
    logarithmic = str(spec.get("step", "linear")).startswith("log")
    size = parse_number(str(spec.get("stepsize", 2 if logarithmic else 1)))
    if low is None or high is None or size is None or (size <= 1 or low <= 0 if logarithmic else size <= 0):
        raise ValueError("steps need minimum, maximum and a step size that leads from one to the other")
    found: list[float] = []
    while len(found) < _MOST_VALUES:
        value = low * size ** len(found) if logarithmic else low + size * len(found)
        if value > high * (1 + 1e-9) if high > 0 else value > high + 1e-12:
            return found
        found.append(float(f"{value:.12g}"))
    raise ValueError(f"more than {_MOST_VALUES} steps")


def limits(spec: Mapping[str, Any], unit: str, left: list[str]) -> dict[str, str | float]:
    """The limits of one result as keys of ours; notes what has no counterpart."""
    found: dict[str, str | float] = {}
    usual = {"minimum": ("min", "minimum", "above"), "typical": ("typ", "average", "exact")}
    usual["maximum"] = ("max", "maximum", "below")
    for kind, (key, calculation, limit) in usual.items():
        stated = spec.get(kind)
        if not isinstance(stated, dict):
            continue
        value = in_deck_units(stated.get("value"), unit)
        if value is None or isinstance(value, (str, bool)):
            if isinstance(value, str):
                left.append(f"{kind}: the limit {value!r} is no number")
            continue
        other = [f"{word}: {stated[word]}" for word, std in (("calculation", calculation), ("limit", limit))
                 if stated.get(word, std) != std]  # fmt: skip
        if other:
            left.append(f"{kind} with {', '.join(other)}: an aggregate may say it")
        elif stated.get("fail", True) is False and kind != "typical":
            left.append(f"{kind} {value} judges nothing there (fail: false), and is no limit here")
        else:
            found[key] = str(value) if isinstance(value, Quantity) else value
            if kind == "typical" and stated.get("fail") is True:
                left.append("typical that fails: `typ` judges nothing here")
    return found
