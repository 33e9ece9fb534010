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
