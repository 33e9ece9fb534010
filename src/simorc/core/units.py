"""Pure: numbers with SPICE scale factors, and parameter values that survive a trip through text."""

from __future__ import annotations

import math
import re

SCALE_FACTORS = {
    "": 1.0,
    "f": 1e-15,
    "p": 1e-12,
    "n": 1e-9,
    "u": 1e-6,
    "µ": 1e-6,
    "μ": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "K": 1e3,
    "meg": 1e6,
    "Meg": 1e6,
    "MEG": 1e6,
    "g": 1e9,
    "G": 1e9,
    "t": 1e12,
    "T": 1e12,
}
"""SPICE scale factors. A lone `M` is left out on purpose: SPICE reads it as milli, most people as mega."""

_NUMBER = re.compile(
    r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?)(f|p|n|u|µ|μ|m|k|K|meg|Meg|MEG|g|G|t|T)?"
)
_PREFIXED = frozenset({"V", "A", "W", "Hz", "s", "F", "H", "Ohm", "ohm", "S", "C", "J"})
_SI_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}


class Quantity(float):
    """A number that remembers how it was written: `10u` computes as 1e-05 and prints as `10u`.

    >>> q = Quantity("10u")
    >>> q * 2, str(q), f"{q}"
    (2e-05, '10u', '10u')
    """

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Quantity:
        number = parse_number(text)
        if number is None:
            raise ValueError(f"not a number: {text!r}")
        self = super().__new__(cls, number)
        self.text = text
        return self

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Quantity({self.text!r})"

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else self.text

    def __reduce__(self) -> tuple[type[Quantity], tuple[str]]:
        return (Quantity, (self.text,))


_BASE_UNITS = _PREFIXED | {"m", "g", "K"}
_UNIT_PREFIXES = {sign: 10.0**power for power, sign in _SI_PREFIXES.items()} | {"µ": 1e-6, "μ": 1e-6}
_PLAIN_UNITS = {
    "%": ("1", 1e-2),
    "ppm": ("1", 1e-6),
    "1": ("1", 1.0),
    "deg": ("rad", math.pi / 180),
    "°": ("rad", math.pi / 180),
    "ohm": ("Ohm", 1.0),
    "Ω": ("Ohm", 1.0),
    "degC": ("K", 1.0),
    "°C": ("K", 1.0),
    "min": ("s", 60.0),
    "h": ("s", 3600.0),
}
_CELSIUS = frozenset({"degC", "°C"})
_ZERO_CELSIUS_K = 273.15

Value = int | float | str | bool
"""A parameter's value: a number (plain or `Quantity`), a text such as a corner's name, or a switch."""


def parse_number(text: str) -> float | None:
    """The number that a text with an optional SPICE scale factor stands for, or None.

    >>> parse_number("2.5meg"), parse_number("10u"), parse_number("tt"), parse_number("1M")
    (2500000.0, 1e-05, None, None)
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return None
    mantissa, suffix = match.groups()
    # Text arithmetic keeps 10u equal to the literal 1e-05, which 10 * 1e-6 is not.
    exponent = round(math.log10(SCALE_FACTORS[suffix or ""]))
    base, _, power = mantissa.lower().partition("e")
    number = float(f"{base}e{int(power or 0) + exponent}")
    return number if math.isfinite(number) else None


def value_from_text(text: str) -> Value:
    """The value a text stands for; `value_to_text` gives the same text back.

    >>> value_from_text("27"), value_from_text("tt"), value_from_text("10u"), value_from_text("5.0")
    (27, 'tt', Quantity('10u'), 5.0)
    """
    if text in ("true", "false"):
        return text == "true"
    if parse_number(text) is None or text != text.strip():
        return text
    if re.fullmatch(r"-?[0-9]{1,15}", text) and str(int(text)) == text:
        return int(text)
    if re.search(r"[a-dA-Df-zF-Zµμ]", text) is None and repr(float(text)) == text:
        return float(text)
    return Quantity(text)


def value_to_text(value: Value) -> str:
    """The text of a value as it stands in a deck and in metadata.csv.

    >>> value_to_text(5e-05), value_to_text(True), value_to_text(Quantity("10u"))
    ('5e-05', 'true', '10u')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (Quantity, str)):
        return str(value)
    return repr(value)


def conversion(unit: str, wanted: str) -> tuple[float, float] | None:
    """Factor and offset that turn a number in one unit into another one; None where the units do not fit each other.

    SI prefixes, quotients such as mV/V, degC and K, % and ppm are known (SI Brochure, 9th edition, tables 2 to 8).
    Anything else, such as dB, is itself alone.

    >>> conversion("mV", "V"), conversion("K", "degC"), conversion("V", "A")
    ((0.001, 0.0), (1.0, -273.15), None)
    >>> conversion("ppm/K", "ppm/degC"), conversion("mV/V", "%")
    ((1.0, 0.0), (0.1, 0.0))
    """
    if unit == wanted:
        return 1.0, 0.0
    (base, factor), (wanted_base, wanted_factor) = _in_base(unit), _in_base(wanted)
    if base != wanted_base:
        return None
    shift = _ZERO_CELSIUS_K * ((unit in _CELSIUS) - (wanted in _CELSIUS))
    return _quotient(factor, wanted_factor), _quotient(shift, wanted_factor)


def _quotient(a: float, b: float) -> float:
    """Free of the last digit's error, so that 1 mV is 0.001 V to the last bit."""
    return float(f"{a / b:.14g}")


def _in_base(unit: str) -> tuple[str, float]:
    """A unit as base units in a fixed order, and what one of it is worth in them."""
    upper, *lower = (_one_in_base(part.strip()) for part in unit.split("/"))
    factor = upper[1]
    below = []
    for base, worth in lower:
        factor /= worth
        below.append(base)
    if upper[0] in below:
        below.remove(upper[0])
        upper = ("1", 1.0)
    return "/".join([upper[0], *sorted(base for base in below if base != "1")]), factor


def _one_in_base(unit: str) -> tuple[str, float]:
    if unit in _PLAIN_UNITS:
        return _PLAIN_UNITS[unit]
    if unit in _BASE_UNITS:
        return unit, 1.0
    prefix, base = unit[:1], unit[1:]
    if prefix in _UNIT_PREFIXES and (base in _BASE_UNITS or base == "Ω"):
        return _one_in_base(base)[0], _UNIT_PREFIXES[prefix]
    return unit, 1.0


def as_number(value: Value) -> float | None:
    """The value as a plain float, or None where it is a text or a switch."""
    if isinstance(value, (bool, str)):
        return None
    return float(value)


def format_duration(seconds: float) -> str:
    """Seconds as a clock shows them.

    >>> format_duration(38.4), format_duration(3725.0)
    ('0:38', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_quantity(value: float | None, unit: str = "", digits: int = 4) -> str:
    """A number for people: engineering prefix and unit, `-` where there is none.

    Prefixes are used only where the unit takes one (V, A, Hz, s, …), never for dB, %, ppm/degC, degrees.

    >>> format_quantity(3.29912, "V"), format_quantity(1.2e-4, "A"), format_quantity(61.234567, "dB")
    ('3.299 V', '120 uA', '61.23 dB')
    """
    if value is None:
        return "-"
    if not math.isfinite(value):
        return str(value)
    if unit not in _PREFIXED or value == 0:
        return f"{value + 0.0:.{digits}g} {unit}".strip()  # + 0.0 takes the sign from -0.0
    # Rounded first, as text: 999.96 with 4 digits is 1.000 k, not 1000.
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    exponent = min(max(int(power) // 3 * 3, -15), 12)
    number = float(f"{mantissa}e{int(power) - exponent}")
    return f"{number:.{max(digits, 3)}g} {_SI_PREFIXES[exponent]}{unit}"
