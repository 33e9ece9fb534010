"""Pure: numbers, units and names as people read them on the page and on axes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC

from simorc.core.case import Case
from simorc.core.units import SCALE_FACTORS, Value, as_number, format_quantity, value_to_text
from simorc.workspace.clock import parse_utc

_SIGNS = {"ohm": "Ω", "Ohm": "Ω", "degC": "°C", "deg": "°"}
_PREFIXES = "fpnumkMGT"


def unit_sign(unit: str) -> str:
    """A unit with its sign.

    >>> unit_sign("ppm/degC"), unit_sign("Ohm"), unit_sign("degree")
    ('ppm/°C', 'Ω', 'degree')
    """
    return "/".join(_SIGNS.get(part, part) for part in unit.split("/"))


def quantity(value: float | None, unit: str = "", digits: int = 4, absent: str = "–") -> str:
    """A number with its engineering prefix and unit, `absent` where there is none.

    >>> quantity(1.2e-4, "A"), quantity(12.5, "ppm/degC"), quantity(None)
    ('120 µA', '12.5 ppm/°C', '–')
    """
    if value is None:
        return absent
    number, _, shown = format_quantity(value, unit, digits).partition(" ")
    prefix = shown.removesuffix(unit) if unit else ""
    return f"{number} {'µ' if prefix == 'u' else prefix}{unit_sign(unit)}".strip()


def digits_for(values: Iterable[float]) -> int:
    """Significant digits that tell the smallest value from the largest: 4 to 7.

    >>> digits_for([3.2991, 3.2994]), digits_for([1.0, 2.0])
    (6, 4)
    """
    known = list(values)
    largest = max((abs(v) for v in known), default=0.0)
    span = max(known, default=0.0) - min(known, default=0.0)
    if not span or not largest:
        return 4
    return min(max(math.ceil(math.log10(largest / span)) + 1, 4), 7)


@dataclass(frozen=True, slots=True)
class Scale:
    """One engineering prefix for a whole column or axis: shown number = value / `factor`, in `unit`.

    `decimals` align a column at the point; None where its values differ too much in size for that.
    """

    factor: float
    unit: str
    digits: int = 4
    decimals: int | None = None

    def text(self, value: float) -> str:
        """The bare number.

        >>> Scale(1e-6, "µA", 4, 2).text(19e-6), Scale(1.0, "V").text(0.5)
        ('19.00', '0.5')
        """
        form = f".{self.digits}g" if self.decimals is None else f".{self.decimals}f"
        return format(value / self.factor, form)

    def label(self, name: str) -> str:
        """Name and unit: `iq [µA]`."""
        return f"{name} [{self.unit}]" if self.unit else name


def scale_for(values: Iterable[float], unit: str) -> Scale:
    """The prefix that suits the largest of the values; none for units that take none.

    >>> scale_for([2e-6, 1.2e-4], "A")
    Scale(factor=1e-06, unit='µA', digits=4, decimals=1)
    """
    known = list(values)
    largest = max((abs(v) for v in known), default=0.0)
    shown = format_quantity(largest, unit).partition(" ")[2]
    prefix = shown.removesuffix(unit) if unit else ""
    digits = digits_for(known)
    if largest == 0 or not prefix or prefix not in _PREFIXES:
        return Scale(1.0, unit_sign(unit), digits, _decimals(known, 1.0, digits))
    factor = 1e6 if prefix == "M" else SCALE_FACTORS[prefix]
    sign = "µ" if prefix == "u" else prefix
    return Scale(factor, sign + unit_sign(unit), digits, _decimals(known, factor, digits))


def with_uncertainty(scale: Scale, value: float, uncertainty: float | None) -> str:
    """A value and the bound of its error in one scale, both to the bound's second digit; the value alone without one.

    >>> with_uncertainty(Scale(1.0, "V"), 3.301234, 1.62e-4), with_uncertainty(Scale(1.0, "V"), 3.301234, None)
    ('3.30123 ± 0.00016', '3.301')
    """
    if uncertainty is None:
        return scale.text(value)
    bound = uncertainty / scale.factor
    if not 0 < bound < math.inf:
        return f"{scale.text(value)} ± {bound:g}"
    decimals = min(max(1 - math.floor(math.log10(bound)), 0), 12)
    return f"{value / scale.factor:.{decimals}f} ± {bound:.{decimals}f}"


def plus_minus(uncertainty: float | None, unit: str) -> str:
    """The bound of an error for people, ` ± 160 µV`, empty where there is none."""
    return "" if uncertainty is None else f" ± {quantity(uncertainty, unit, 2)}"


def _decimals(values: Sequence[float], factor: float, digits: int) -> int | None:
    sizes = [abs(v / factor) for v in values if v]
    if not sizes or not 1e-3 <= max(sizes) < 1e6 or statistics.median(sizes) < 1e-2 * max(sizes):
        return None
    return max(digits - 1 - math.floor(math.log10(max(sizes))), 0)


def limits_text(low: float | None, high: float | None, unit: str) -> str:
    """Limits in one phrase: `3.25 V to 3.35 V`, `at most 120 µA`, empty where there are none."""
    if low is not None and high is not None:
        return f"{quantity(low, unit)} to {quantity(high, unit)}"
    if low is not None:
        return f"at least {quantity(low, unit)}"
    return f"at most {quantity(high, unit)}" if high is not None else ""


def axis_values(values: Iterable[Value]) -> list[Value]:
    """The different values of one parameter: numbers sorted, anything else in order of appearance.

    >>> axis_values([85, -40, 85]), axis_values(["tt", "ff", "tt"])
    ([-40, 85], ['tt', 'ff'])
    """
    unique: dict[object, Value] = {}
    for value in values:
        unique.setdefault(axis_key(value), value)
    listed = list(unique.values())
    return sorted(listed, key=float) if is_numeric(listed) else listed


def axis_key(value: Value) -> object:
    """What makes two values the same point of an axis: 1k and 1000 are one, `true` and 1 are not."""
    if type(value) is float or type(value) is int:  # by far the most; a switch is of another type
        return float(value)
    number = as_number(value)
    return value_to_text(value) if number is None else number


def is_numeric(values: Iterable[Value]) -> bool:
    """Whether all values are numbers, so that they have an order and distances."""
    return all(as_number(value) is not None for value in values)


def minute(time: object) -> str:
    """A time from a file, to the minute; what is no time as it is.

    >>> minute("2026-01-01T12:00:59.250Z"), minute(None)
    ('2026-01-01 12:00 UTC', 'an unknown time')
    """
    parsed = parse_utc(time)
    return f"{parsed.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if parsed else str(time or "an unknown time")


def value_text(value: Value) -> str:
    """A parameter's value for people: as written, a long computed number with five digits.

    >>> value_text(1.62), value_text("tt"), value_text(1.7782794100389227e-09)
    ('1.62', 'tt', '1.7783e-09')
    """
    text = value_to_text(value)
    return f"{value:.5g}" if type(value) is float and len(text) > 8 else text


def conditions(case: Case) -> str:
    """The swept parameters of a case for people; a case without any is `the only case`."""
    return ", ".join(f"{name}={value_text(value)}" for name, value in case.conditions.items()) or "the only case"


def count(number: int, noun: str) -> str:
    """`1 case`, `3 cases`, `1,024 cases`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
