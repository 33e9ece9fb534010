"""Pure: arguments of commands, and what queries answer."""

from __future__ import annotations

from simorc.core.scpi import Range, format_number
from simorc.core.scpi_errors import ScpiError


def integer(text: str, low: int, high: int) -> int:
    """A whole number between limits; MIN and MAX are these.

    Raises
    ------
    ScpiError: -222 outside, or no number
    """
    return round(Range(low, high, low).read(text))


def limits_or(limits: Range, value: float, word: str | None) -> str:
    """What a query answers: the setting, or with MIN, MAX, DEF as argument that limit.

    Raises
    ------
    ScpiError: -224 another argument
    """
    if word is None:
        return format_number(value)
    named = limits.named(word)
    if named is None:
        raise ScpiError(-224)
    return format_number(named)


def smallest_at_least(choices: tuple[float, ...], wanted: float) -> float:
    """The smallest of ascending choices that is not below a value.

    Raises
    ------
    ScpiError: -222 all are
    """
    for candidate in choices:
        if candidate >= wanted * (1 - 1e-9):
            return candidate
    raise ScpiError(-222)


def format_reading(value: float) -> str:
    """A reading as instruments write it, to nine digits."""
    return f"{value:+.8E}"
