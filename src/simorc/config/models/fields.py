"""The kinds of value that a key may hold, and the base of all sections.

A kind is one object: its name stands in error messages and in the reference, and it reads the value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from simorc.core.errors import UsageError
from simorc.core.tolerance import Tolerance
from simorc.core.units import Value, parse_number, value_from_text, value_to_text

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


class Section(BaseModel):
    """A mapping of the YAML files; an unknown key is an error, and nothing (all keys commented out) is an empty one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_empty(cls, raw: Any) -> Any:
        return _or_empty(raw)


@dataclass(frozen=True)
class Kind:
    """What a key may hold: `expected` names it, `read` returns the value or raises ValueError."""

    expected: str
    read: Callable[[Any], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._check)

    def _check(self, raw: Any) -> Any:
        try:
            return self.read(raw)
        except ValueError as error:
            raise PydanticCustomError("kind", "{expected}", {"expected": self.expected}) from error


def key(default: Any, meaning: str, *, example: str, shown: str = "") -> Any:
    """A key of a section: default, meaning, an example in YAML, and words for a default that does not show itself."""
    return Field(default, description=meaning, json_schema_extra={"example": example, "shown": shown})


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError
    return raw


def _line(raw: Any) -> str:
    if not isinstance(raw, str) or not raw.strip() or _UNPRINTABLE.search(raw):
        raise ValueError
    return raw


def _switch(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise ValueError
    return raw


def read_number(raw: Any) -> int | float:
    """A finite number as it is in YAML, or a text with a SPICE scale factor."""
    number = parse_number(raw) if isinstance(raw, str) else raw
    if number is None or isinstance(number, bool) or not isinstance(number, (int, float)):
        raise ValueError
    if not math.isfinite(number):
        raise ValueError
    return number


def _tolerance(raw: Any) -> Tolerance:
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        raise ValueError
    try:
        return Tolerance.parse(str(raw))
    except UsageError as error:
        raise ValueError from error


def _positive(raw: Any) -> float:
    number = float(read_number(raw))
    if number <= 0:
        raise ValueError
    return number


def _not_negative(raw: Any) -> float:
    number = float(read_number(raw))
    if number < 0:
        raise ValueError
    return number


def _fraction(raw: Any) -> float:
    percent = isinstance(raw, str) and raw.endswith("%")
    number = float(read_number(raw[:-1] if percent else raw)) / (100.0 if percent else 1.0)
    if not 0.0 < number < 1.0:
        raise ValueError
    return number


def _whole(raw: Any) -> int:
    number = read_number(raw)
    if number != int(number) or number < 0:
        raise ValueError
    return int(number)


def _count(raw: Any) -> int:
    number = _whole(raw)
    if number < 1:
        raise ValueError
    return number


def _value(raw: Any) -> Value:
    """A parameter's value: finite, printable, and the same after a trip through text."""
    if not isinstance(raw, (bool, int, float, str)) or (isinstance(raw, float) and not math.isfinite(raw)):
        raise ValueError
    if isinstance(raw, str) and _UNPRINTABLE.search(raw):
        raise ValueError
    return value_from_text(value_to_text(raw))


def _or_empty(raw: Any) -> Any:
    return {} if raw is None else raw


def _listed(raw: Any) -> Any:
    return [raw] if isinstance(raw, (str, int, float)) else raw


Text = Annotated[str, Kind("a text", _text)]
Line = Annotated[str, Kind("a text of one line", _line)]
FilePath = Annotated[str, Kind("a path", _line)]
Switch = Annotated[bool, Kind("true or false", _switch)]
Number = Annotated[float, Kind("a finite number", lambda raw: float(read_number(raw)))]
Written = Annotated[float, Kind("a finite number", read_number)]
Positive = Annotated[float, Kind("a number above 0", _positive)]
NotNegative = Annotated[float, Kind("a number, not negative", _not_negative)]
Allowed = Annotated[Tolerance, Kind("a tolerance: 5m, 2% or 2%+5m", _tolerance)]
Fraction = Annotated[float, Kind("a number above 0 and below 1, or a percentage such as 2%", _fraction)]
Whole = Annotated[int, Kind("a whole number, not negative", _whole)]
Count = Annotated[int, Kind("a whole number of at least 1", _count)]
Scalar = Annotated[Value, Kind("a finite number, a text, or true or false", _value)]
OptionValue = Annotated[str, Kind("a number or a text", lambda raw: value_to_text(_value(raw)))]
Part = TypeVar("Part")
Named = Annotated[dict[str, Part], BeforeValidator(_or_empty)]
Texts = Annotated[tuple[Line, ...], BeforeValidator(_listed)]
