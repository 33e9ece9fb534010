"""Pure: model files as what they define, so that what a deck does not need can be left out.

A file, or one section of it, becomes a list of units in its own order. What a unit defines stands in `names`; a unit
that defines nothing (an option, an element, a global node) is needed by every deck. A unit is looked into when
somebody asks, since of a library of megabytes a deck reaches a few.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

_WORD = re.compile(r"\w+(?:\.\w+)*")
_NAME = re.compile(r"[a-z_][\w.]*")
_CARD = re.compile(r"^[ \t]*[^\s*+][^\n]*(?:\n(?:[ \t]*(?:\*[^\n]*)?\n)*[ \t]*\+[^\n]*)*", re.MULTILINE)
_CONTINUED = re.compile(r"\n(?:[ \t]*(?:\*[^\n]*)?\n)*[ \t]*\+")
_COMMENT = re.compile(r"(?:;|\$\s|\$$|//)[^\n]*", re.MULTILINE)
_COMMENT_LINES = re.compile(r"\n(?:[ \t]*(?:\*[^\n]*)?\n)+")
_HIDDEN = re.compile(r"^[ \t]*\*#", re.MULTILINE)
_PAIR = re.compile(r"([a-z_]\w*)\s*=\s*('[^']*'|\{[^{}]*\}|[^\s'{}=]+)")
_ASSIGNMENT = re.compile(r"""\s*([a-z_]\w*)\s*=\s*('[^']*'|\{[^{}]*\}|"[^"]*"|[^\s'"{}=]+)(?=\s|$)\s*""")
_DEFINED = re.compile(r"([a-z_]\w*)\s*(?:\([^()]*\)\s*)?=")
_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(meg|mil|[tgkmunpfa])?[a-z]*", re.IGNORECASE)
_SUFFIXES = {"t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "": 1.0, "m": 1e-3, "mil": 25.4e-6} | {
    "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15, "a": 1e-18
}  # fmt: skip
_BIN = re.compile(r"(.+)\.(\d+)")
_LIMITS = re.compile(r"\b([lw]m(?:in|ax))\s*=\s*('[^']*'|\{[^{}]*\}|[^\s'{}]+)")
_BLOCKS = {".subckt": "subckt|macro|ends|eom", ".macro": "subckt|macro|ends|eom", ".if": "if|endif"}
_ENDS = ("ends", "eom", "endif")
_INNER = (".if", ".subckt", ".macro", ".inc", ".lib")
GEOMETRY = ("l", "w", "nf")
"""Parameters of an instance that the choice of a bin goes by: length, width, number of fingers."""


class UncertainError(Exception):
    """A construct whose pruning would not be certain; says which."""


@dataclass(frozen=True, slots=True)
class Call:
    """An instance of a subcircuit: its words before the first parameter, and its parameters as written."""

    words: tuple[str, ...]
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bin:
    """A binned model of a subcircuit: what it is a bin of; lmin, lmax, wmin, wmax in m, None where not plain."""

    base: str
    text: str
    limits: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class Subcircuit:
    """What counts of a subcircuit with binned models.

    Parameters
    ----------
    defaults: its own parameters and their values as written
    parts: its text in pieces, bins apart; empty where they cannot be told apart with certainty
    geometry: by base of bins, the parameters that are length, width and number of fingers
    calls: the instances in it
    """

    defaults: Mapping[str, str]
    parts: tuple[str | Bin, ...]
    geometry: Mapping[str, tuple[str, ...]]
    calls: tuple[Call, ...]


@dataclass(eq=False)
class Unit:
    """A card, or a block of cards, of a model file.

    Parameters
    ----------
    text: as in the file
    names: what it defines, in lower case; empty for what every deck needs
    kind: its first word, in lower case
    """

    text: str
    names: tuple[str, ...]
    kind: str = field(default="")

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word in it."""
        return words_of(self.text)

    @cached_property
    def subcircuit(self) -> Subcircuit:
        """What counts of a subcircuit; for any other unit nothing."""
        return _subcircuit(self.text) if self.kind in (".subckt", ".macro") else Subcircuit({}, (), {}, ())


def words_of(text: str) -> frozenset[str]:
    """Every word of a text, in lower case, that may be a name, also the parts of dotted ones."""
    found = set(_WORD.findall(text.lower()))
    return frozenset(found.union(part for word in found if "." in word for part in word.split(".")))


def number(text: str) -> float | None:
    """A SPICE number, in quotes or not; None for anything else, such as an expression.

    >>> number("1.5u"), number("'2meg'"), number("w*2")
    (1.5e-06, 2000000.0, None)
    """
    match = _NUMBER.fullmatch(text.strip(" '{}"))
    return float(match.group(1)) * _SUFFIXES[(match.group(2) or "").lower()] if match else None


def compact(text: str) -> str:
    """The same cards without comment lines, one line each: ngspice reads that in a quarter of the time."""
    return _CONTINUED.sub(" ", _COMMENT_LINES.sub("\n", _COMMENT.sub("", text)))


def cards_of(text: str) -> Iterator[str]:
    """The cards of a text in one line each, lower case, without comments."""
    for match in _CARD.finditer(text):
        yield _plain(match.group())


def call_of(card: str) -> Call | None:
    """The instance of a subcircuit that a card in lower case is."""
    if not card.startswith("x"):
        return None
    head = re.split(r"\s[\w.]+\s*=|\sparams:", card, maxsplit=1)[0]
    return Call(tuple(head.split()), dict(_PAIR.findall(card)))


def units_of(text: str) -> list[Unit]:
    """The units of a text, in its order.

    Raises
    ------
    UncertainError: a construct that is not certain
    """
    if _HIDDEN.search(text):
        raise UncertainError("a hidden command (`*#`) in a model file")
    units: list[Unit] = []
    position = 0
    while match := _CARD.search(text, position):
        position = match.end()
        card = match.group()
        kind = card.split(None, 1)[0].lower()
        if kind in _BLOCKS:
            position = _end_of_block(text, position, kind)
            card = text[match.start() : position]
            units.append(_unit(card, _defined(cards_of(card)) if kind == ".if" else _second(_plain(card)), kind))
        elif kind in (".param", ".para"):
            units += _parameters(card)
        elif kind in (".control", ".endc", ".end") or kind.startswith((".prot", ".enc")):
            raise UncertainError(f"`{kind}` in a model file")
        else:
            units.append(_unit(card, _defined([_plain(card)]), kind))
    return units


def _plain(card: str) -> str:
    lowered = card.lower()
    if ";" in lowered or "$" in lowered or "//" in lowered:
        lowered = _COMMENT.sub("", lowered)
    return _CONTINUED.sub(" ", lowered).strip() if "\n" in lowered else lowered.strip()


def _end_of_block(text: str, position: int, kind: str) -> int:
    depth = 1
    for match in re.compile(rf"^[ \t]*\.({_BLOCKS[kind]})\b[^\n]*", re.MULTILINE | re.IGNORECASE).finditer(
        text, position
    ):
        depth += -1 if match.group(1).lower() in _ENDS else 1
        if not depth:
            return match.end()
    raise UncertainError(f"`{kind}` without an end in a model file")


def _unit(text: str, names: Iterable[str], kind: str) -> Unit:
    found = tuple(names)
    # A name of other characters might be meant by a text in which it is no word.
    return Unit(text, found if all(_NAME.fullmatch(name) for name in found) else (), kind)


def _defined(cards: Iterable[str]) -> list[str]:
    """What cards define; nothing where one of them does something besides."""
    names: list[str] = []
    for card in cards:
        kind, _, rest = card.partition(" ")
        if kind in (".model", ".subckt", ".macro"):
            names += _second(card)
        elif kind == ".func":
            names.append(re.split(r"[\s(]", rest.strip(), maxsplit=1)[0])
        elif kind in (".param", ".para"):
            names += _DEFINED.findall(rest)
        elif kind not in (".if", ".elseif", ".else", ".endif", ".ends", ".eom"):
            return []
    return names


def _second(card: str) -> list[str]:
    """The name on a card of a model or subcircuit, and what a binned one is a bin of."""
    words = card.split(None, 2)
    name = words[1] if len(words) > 1 else ""
    binned = _BIN.fullmatch(name)
    return [name, binned.group(1)] if binned else [name]


def _parameters(card: str) -> list[Unit]:
    """One unit for each assignment, where the card can be taken apart."""
    plain = _plain(card)
    rest = plain.partition(" ")[2]
    units: list[Unit] = []
    position = 0
    while position < len(rest):
        match = _ASSIGNMENT.match(rest, position)
        if match is None:
            return [_unit(card, _DEFINED.findall(rest), ".param")]
        units.append(Unit(f".param {match.group(1)}={match.group(2)}", (match.group(1),), ".param"))
        position = match.end()
    return units


def _subcircuit(text: str) -> Subcircuit:
    cards = [(match.group(), _plain(match.group())) for match in _CARD.finditer(text)]
    defaults = dict(_PAIR.findall(cards[0][1]))
    for _, plain in cards:
        if plain.startswith(".param"):
            defaults |= dict(_PAIR.findall(plain))
    calls = tuple(filter(None, (call_of(plain) for _, plain in cards)))
    parts, geometry = _bins(cards)
    return Subcircuit(defaults, parts, geometry, calls)


def _bins(cards: Sequence[tuple[str, str]]) -> tuple[tuple[str | Bin, ...], dict[str, tuple[str, ...]]]:
    """The pieces of a subcircuit with its bins apart, and whose parameters their geometry is; nothing where unsure."""
    parts: list[str | Bin] = []
    bases: set[str] = set()
    others: list[str] = []
    for card, plain in cards:
        found = _BIN.fullmatch(plain.split(None, 2)[1]) if plain.startswith(".model ") else None
        if found is None:
            parts.append(card)
            others.append(plain)
            continue
        limits = dict(_LIMITS.findall(plain))
        values = [number(limits.get(key, "")) for key in ("lmin", "lmax", "wmin", "wmax")]
        plain_values = tuple(value for value in values if value is not None)
        parts.append(Bin(found.group(1), card, plain_values if len(plain_values) == 4 else None))
        bases.add(found.group(1))
    geometry: dict[str, tuple[str, ...]] = {}
    for plain in others[1:]:
        used = bases.intersection(plain.split())
        if plain.startswith(_INNER) or (used and not plain.startswith("m")) or len(used) > 1:
            return (), {}
        for base in used:
            given = dict(_PAIR.findall(plain))
            names = tuple(given.get(key, "1" if key == "nf" else "").strip("'{} ") for key in GEOMETRY)
            if geometry.setdefault(base, names) != names:
                return (), {}
    return (tuple(parts), geometry) if bases and geometry.keys() == bases else ((), {})
