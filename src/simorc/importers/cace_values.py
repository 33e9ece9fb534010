"""Pure: conditions and limits of a CACE datasheet as numbers in the units of the deck.

CACE states numbers in the unit beside them and hands the deck plain SI numbers: 10 of uA is 1e-05, 5 of % is 0.05.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from simorc.core.units import Quantity, Value, as_number, parse_number, value_from_text
from simorc.importers.plain_units import plain_unit

_KINDS = ("minimum", "typical", "maximum")
_LIMIT_KEYS = ("value", "fail", "calculation", "limit")
_MOST_VALUES = 10_000


def in_deck_units(raw: Any, unit: str) -> Value | None:
    """A value as the deck has it, None where there is none: a number with its scale factor, or a text.

    A text stays as it is written where the unit has no prefix: `00011111` may be a code.

    >>> in_deck_units(10, "uA"), in_deck_units("1.8", "V"), in_deck_units("tt", ""), in_deck_units("any", "V")
    (Quantity('10u'), 1.8, 'tt', None)
    """
    if raw is None or raw == "any" or isinstance(raw, (dict, list)):
        return None
    plain = plain_unit(unit)
    value = raw if isinstance(raw, (int, float)) else value_from_text(str(raw).strip())
    number = as_number(value)
    if number is None or not math.isfinite(number):
        return str(raw)
    if plain.factor == 1.0 or (isinstance(value, Quantity) and value.text[-1:].isalpha()):
        return value  # it needs no scale factor, or has one of its own
    text = f"{number:.12g}"
    return (
        Quantity(f"{text}{plain.scale}") if plain.scale and "e" not in text else float(f"{number * plain.factor:.12g}")
    )


def condition_values(spec: Mapping[str, Any], unit: str) -> tuple[list[Value], Value | None]:
    """The values of a condition in the deck's units, each once, and the typical one.

    As CACE runs them: what is enumerated, then the steps, or minimum, typical and maximum, whichever are stated. (Its
    manual has what is enumerated instead of the others; to run one condition more hides nothing.)

    Raises
    ------
    ValueError: steps that lead nowhere
    """
    listed = spec.get("enumerate", [])
    listed = listed.split() if isinstance(listed, str) else listed if isinstance(listed, list) else [listed]
    if "step" in spec or "stepsize" in spec:
        stated = [*_steps(spec), spec.get("typical")]
    else:
        stated = [spec.get(kind) for kind in _KINDS]
    found = (in_deck_units(one, unit) for one in [*listed, *stated])
    values = list(dict.fromkeys(value for value in found if value is not None))
    typical = in_deck_units(spec.get("typical"), unit)
    return values, typical if typical is not None else next(iter(values), None)


def _steps(spec: Mapping[str, Any]) -> Sequence[float]:
    """From minimum to maximum in sums or products of the step size; the maximum is always the last."""
    low, high = (parse_number(str(spec.get(kind))) for kind in ("minimum", "maximum"))
    logarithmic = str(spec.get("step", "linear")).startswith("log")
    size = parse_number(str(spec.get("stepsize", 2 if logarithmic else 1)))
    if (
        low is None
        or high is None
        or size is None
        or low > high
        or (size <= 1 or low <= 0 if logarithmic else size <= 0)
    ):
        raise ValueError("steps need minimum, maximum and a step size that leads from one to the other")
    near = 1e-9 * (high if logarithmic else size)
    found: list[float] = []
    while len(found) < _MOST_VALUES:
        value = low * size ** len(found) if logarithmic else low + size * len(found)
        if value >= high - near:
            return [*found, high]
        found.append(float(f"{value:.12g}"))
    raise ValueError(f"more than {_MOST_VALUES} steps")


def limits(spec: Mapping[str, Any], unit: str, left: list[str]) -> dict[str, str | float]:
    """The limits of one result as keys of ours; notes what has no counterpart."""
    found: dict[str, str | float] = {}
    usual = {
        "minimum": ("min", ("minimum",), "above"),
        "typical": ("typ", ("average", "median"), "exact"),  # it judges nothing, whichever it is
        "maximum": ("max", ("maximum",), "below"),
    }
    for kind, (key, calculations, limit) in usual.items():
        stated = spec.get(kind)
        if not isinstance(stated, dict):
            continue
        value = in_deck_units(stated.get("value"), unit)
        if value is None or isinstance(value, (str, bool)):
            if isinstance(value, str):
                left.append(f"{kind}: the limit {value!r} is no number")
            continue
        left += [f"{kind}: {key}: unknown" for key in stated if key not in _LIMIT_KEYS]
        words = (("calculation", calculations), ("limit", (limit,)))
        other = [f"{word}: {stated[word]}" for word, known in words if stated.get(word, known[0]) not in known]
        if other:
            left.append(f"{kind} with {', '.join(other)}: an aggregate may say it")
        elif stated.get("fail", True) is False and kind != "typical":
            left.append(f"{kind} {value} judges nothing there (fail: false), and is no limit here")
        else:
            found[key] = str(value) if isinstance(value, Quantity) else value
            if kind == "typical" and stated.get("fail") is True:
                left.append("typical that fails: `typ` judges nothing here")
    return found
