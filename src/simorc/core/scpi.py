"""Pure: SCPI text: program messages, header patterns, parameters, numbers.

Grammar: IEEE 488.2-1992 (program messages, common commands) and SCPI-1999 volume 1 (header paths, short and long forms,
optional nodes, channel lists).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec import Struct

from simorc.core.scpi_errors import ScpiError

_HEADER = re.compile(r"\s*(\*?[A-Za-z_:][A-Za-z0-9_:]*|%[A-Za-z]+)(\?)?")
_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z%/]*)$")
_TOKEN = re.compile(r"\[|\]|[A-Za-z]+")
_BASES = {"#H": ("[0-9A-F]+", 16), "#Q": ("[0-7]+", 8), "#B": ("[01]+", 2)}
_MULTIPLIERS = {"": 1.0, "K": 1e3, "M": 1e-3, "U": 1e-6, "N": 1e-9, "P": 1e-12, "MA": 1e6, "G": 1e9, "T": 1e12}
_MEGA = ("MHZ", "MOHM")
"""Where M is mega (IEEE 488.2, 7.7.3)."""
_CLOSING = {"'": "'", '"': '"', "(": ")"}


class Unit(Struct, frozen=True, dict=True):
    """One message unit: a header with its path resolved, and its parameters as written.

    Parameters
    ----------
    header: upper case, without leading colon and question mark
    query: whether it asks for a reply
    arguments: the parameters between top-level commas, stripped
    """

    header: str
    query: bool = False
    arguments: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The unit as it can be sent alone."""
        lead = "" if self.header[:1] in "*%" else ":"
        return f"{lead}{self.header}{'?' if self.query else ''} {','.join(self.arguments)}".rstrip()


def split(text: str, separator: str) -> list[str]:
    """Parts of a text between separators that stand outside quotes and parentheses.

    >>> split('A "x;y";B (@1,2);C', ";")
    ['A "x;y"', 'B (@1,2)', 'C']

    Raises
    ------
    ScpiError: -151 or -170, a quote or parenthesis that is never closed
    """
    parts, begin, waiting = [], 0, ""
    for index, sign in enumerate(text):
        if waiting:
            waiting = "" if sign == waiting else waiting
        elif sign in _CLOSING:
            waiting = _CLOSING[sign]
        elif sign == separator:
            parts.append(text[begin:index])
            begin = index + 1
    if waiting:
        raise ScpiError(-170 if waiting == ")" else -151)
    return [*parts, text[begin:]]


def parse_message(text: str) -> list[Unit | ScpiError]:
    """The units of one program message, in order; a unit that cannot be parsed is its error, and ends the message.

    A header without leading colon continues at the level of the one before it; common commands leave the level alone.

    >>> [unit.text for unit in parse_message("volt:prot 5;lev 3;*opc?;:outp on")]
    [':VOLT:PROT 5', ':VOLT:LEV 3', '*OPC?', ':OUTP on']
    """
    units: list[Unit | ScpiError] = []
    path = ""
    try:
        pieces = split(text, ";")
    except ScpiError as error:
        return [error]
    for piece in pieces:
        if not piece.strip():
            continue
        try:
            unit = _unit(piece, path)
        except ScpiError as error:
            return [*units, error]
        if unit.header[:1] not in "*%":
            path = unit.header.rpartition(":")[0]
        units.append(unit)
    return units


def _unit(piece: str, path: str) -> Unit:
    found = _HEADER.match(piece)
    if not found:
        raise ScpiError(-101 if not piece.isprintable() else -102)
    header, query, rest = found[1].upper(), bool(found[2]), piece[found.end() :]
    if rest and not rest[0].isspace() and rest[0] not in "(\"'":
        raise ScpiError(-101 if rest[0] not in "?*%+-.,:=<>!&|/#@$~^`{}[]\\" else -111)
    if "::" in header or header.endswith(":"):
        raise ScpiError(-102)
    if header[0] == ":":
        header = header[1:]
    elif header[0] not in "*%" and path:
        header = f"{path}:{header}"
    arguments = [argument.strip() for argument in split(rest, ",")] if rest.strip() else []
    if any(not argument for argument in arguments):
        raise ScpiError(-102)
    return Unit(header, query, tuple(arguments))


@lru_cache(maxsize=2048)
def _compiled(pattern: str) -> re.Pattern[str]:
    if pattern[0] in "*%":
        return re.compile(re.escape(pattern.upper()))
    return re.compile(_TOKEN.sub(_token, pattern))


def _token(found: re.Match[str]) -> str:
    if found[0] in "[]":
        return {"[": "(?:", "]": ")?"}[found[0]]
    name = found[0]
    return f"(?:{name.upper()}|{_short(name)})1?"


def match(pattern: str, header: str) -> bool:
    """Whether a header, as in `Unit.header`, fits a pattern in the notation of manuals.

    Upper case is the short form; what stands in brackets may be left out; no node has another numeric suffix than 1.

    >>> [match("[SOURce:]VOLTage[:LEVel][:IMMediate]", header) for header in ("VOLT:IMM", "SOUR1:VOLT", "VOLT2")]
    [True, True, False]
    """
    return _compiled(pattern).fullmatch(header) is not None


def _short(word: str) -> str:
    """The short form of a word in the notation of manuals."""
    return "".join(sign for sign in word if not sign.islower())


def parse_number(text: str, unit: str = "") -> float:
    """A number of SCPI: decimal or exponent form, or `#H`, `#Q`, `#B`, with an optional unit and multiplier.

    >>> parse_number("2.5 mV", "V"), parse_number("1e3"), parse_number("#H1F"), parse_number("-inf")
    (0.0025, 1000.0, 31.0, -9.9e+37)

    Raises
    ------
    ScpiError: -131 another unit, -138 a unit where none is allowed, -121 and -123 malformed or too large, or what
        `unwanted` says of something else
    """
    upper = text.strip().upper()
    if upper in ("INF", "INFINITY", "+INF"):
        return 9.9e37
    if upper in ("NINF", "-INF"):
        return -9.9e37
    if upper[:2] in _BASES:
        return _whole(upper[2:], *_BASES[upper[:2]])
    found = _NUMBER.match(upper)
    if not found:
        raise unwanted(upper)
    number = float(found[1]) * _factor(found[2], unit.upper())
    if not math.isfinite(number):
        raise ScpiError(-123)
    return number


def _whole(digits: str, allowed: str, base: int) -> float:
    if not re.fullmatch(allowed, digits):
        raise ScpiError(-121)
    try:
        return float(int(digits, base))
    except OverflowError:
        raise ScpiError(-123) from None


def unwanted(text: str) -> ScpiError:
    """The error for a parameter of another kind than the one that is taken (SCPI-1999, volume 2, 21.8.9).

    >>> [unwanted(text).code for text in ("FOO", "1.5", "'a'", "(@1)", "#14text", "?")]
    [-148, -128, -158, -178, -168, -104]
    """
    kinds = ((-158, r"[\"'].*"), (-178, r"\(.*"), (-168, r"#\d.*"), (-148, r"[A-Za-z]\w*"), (-128, r"[+-]?\.?\d.*"))
    return ScpiError(next((code for code, kind in kinds if re.fullmatch(kind, text, re.DOTALL)), -104))


def _factor(written: str, unit: str) -> float:
    if not written:
        return 1.0
    if unit and written in _MEGA and written.endswith(unit):
        return 1e6
    if not unit:
        raise ScpiError(-138)
    multiplier = written.removesuffix(unit)
    if not written.endswith(unit) or multiplier not in _MULTIPLIERS:
        raise ScpiError(-131)
    return _MULTIPLIERS[multiplier]


class Range(Struct, frozen=True):
    """What a numeric parameter may be: limits, default, unit."""

    low: float
    high: float
    default: float
    unit: str = ""

    def read(self, text: str) -> float:
        """The value of a parameter: a number, MIN, MAX or DEF.

        Raises
        ------
        ScpiError: -222 outside the limits, or no number
        """
        named = self.named(text)
        if named is not None:
            return named
        number = parse_number(text, self.unit)
        if not self.low <= number <= self.high:
            raise ScpiError(-222)
        return number

    def named(self, text: str) -> float | None:
        """What MIN, MAX or DEF stand for; None for anything else."""
        named = {"MIN": self.low, "MAX": self.high, "DEF": self.default}
        return named.get(keyword(text, ("MINimum", "MAXimum", "DEFault")) or "")


def keyword(text: str, words: Iterable[str]) -> str | None:
    """The short form of the one word of a choice, in manual notation, that a parameter stands for, or None.

    >>> keyword("imm", ("IMMediate", "BUS")), keyword("immed", ("IMMediate",))
    ('IMM', None)
    """
    upper = text.strip().upper()
    for word in words:
        if upper in (word.upper(), _short(word)):
            return _short(word)
    return None


def choice(text: str, words: Sequence[str]) -> str:
    """As `keyword`, but anything else is an error.

    Raises
    ------
    ScpiError: -224
    """
    word = keyword(text, words)
    if word is None:
        raise ScpiError(-224)
    return word


def parse_boolean(text: str) -> bool:
    """ON, OFF, or a number, which is rounded; 0 is off.

    Raises
    ------
    ScpiError: -224 another word
    """
    word = keyword(text, ("ON", "OFF"))
    if word:
        return word == "ON"
    try:
        return round(parse_number(text)) != 0
    except ScpiError:
        raise ScpiError(-224) from None


def parse_string(text: str) -> str:
    """The content of a quoted string, either kind of quote.

    Raises
    ------
    ScpiError: -151 a quote within that is not doubled, or what `unwanted` says of something that is not quoted
    """
    if text[:1] not in ("'", '"'):
        raise unwanted(text)
    quote, inner = text[0], text[1:-1].replace(text[0] * 2, "")
    if len(text) < 2 or text[-1] != quote or quote in inner:
        raise ScpiError(-151)
    return text[1:-1].replace(quote * 2, quote)


def parse_channels(text: str, known: Iterable[int]) -> list[int]:
    """The numbers of a channel list.

    >>> parse_channels("(@1:3)", [1, 2, 3]), parse_channels("(@3:2)", [1, 2, 3])
    ([1, 2, 3], [3, 2])

    Raises
    ------
    ScpiError: -171 not a channel list, -222 a channel that does not exist
    """
    exist = set(known)
    found = re.fullmatch(r"\(\s*@([\d\s,:]+)\)", text.strip())
    if not found:
        raise ScpiError(-171)
    channels: list[int] = []
    for part in found[1].split(","):
        ends = [end.strip() for end in part.split(":")]
        if len(ends) > 2 or not all(end.isdecimal() and len(end) < 6 for end in ends):
            raise ScpiError(-171)
        first, last = int(ends[0]), int(ends[-1])
        if not {first, last} <= exist:
            raise ScpiError(-222)
        channels += range(first, last + 1) if first <= last else range(first, last - 1, -1)
    if not set(channels) <= exist:
        raise ScpiError(-222)
    return channels


def format_number(value: float) -> str:
    """A number as instruments write it: sign, point, exponent, and equal to the value when it is read again.

    >>> format_number(0.25), float(format_number(0.1)) == 0.1
    ('+2.500000000E-01', True)
    """
    text = f"{value:+.9E}"
    return text if float(text) == value else f"{value:+.16E}"
