"""Pure: model files as what they define, so that what a deck does not need can be left out.

A file, or one section of it, becomes a list of units in its own order. What a unit defines stands in `names`; a unit
that defines nothing (an option, an element, a global node) is needed by every deck. A unit is looked into when
somebody asks, since of a library of megabytes a deck reaches a few.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from msgspec import Struct

_BEGIN = re.compile(r"\n[ \t]*(?=[^\s*+])")
_WORD = re.compile(r"\w+(?:\.\w+)*")
_NAME = re.compile(r"\w[\w.]*")
_CONTINUED = re.compile(r"\n(?:[ \t]*(?:\*[^\n]*)?\n)*[ \t]*\+")
_COMMENT = re.compile(r"(?:;|\$\s|\$$|//)[^\n]*", re.MULTILINE)
_COMMENT_LINES = re.compile(r"\n(?:[ \t]*(?:\*[^\n]*)?\n)+")
_HIDDEN = re.compile(r"^[ \t]*\*#[ \t;]*\w", re.MULTILINE)
_PAIR = re.compile(r"([a-z_]\w*)\s*=\s*('[^']*'|\{[^{}]*\}|[^\s'{}=]+)")
_ASSIGNMENT = re.compile(r"""([a-z_]\w*)\s*=\s*('[^']*'|\{[^{}]*\}|[^\s'"{}=]+)(?=\s|$)""")
_OPERATOR = re.compile(r"[-+*/(){}'\"?:^<>]")
_DEFINED = re.compile(r"([a-z_]\w*)\s*(?:\([^()]*\)\s*)?=")
_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(meg|mil|[tgkmunpfa])?[a-z]*", re.IGNORECASE)
_SUFFIXES = {"t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "": 1.0, "m": 1e-3, "mil": 25.4e-6} | {
    "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15, "a": 1e-18
}  # fmt: skip
_BIN = re.compile(r"(.+)\.(\d+)")
_LIMITS = ("lmin", "lmax", "wmin", "wmax")
_LIMIT = re.compile(r"\s*=\s*('[^']*'|\{[^{}]*\}|[^\s'{}]+)")
_BEGINS = {".subckt": 1, ".macro": 1, ".ends": -1, ".eom": -1}
_BRANCHES = {".if": 1, ".endif": -1}
_INNER = (".if", ".subckt", ".macro", ".inc", ".lib")
_LONGEST_KIND = 200
_RANDOM = ("gauss", "unif", "limit")
GEOMETRY = ("l", "w", "nf")
"""Parameters of an instance that the choice of a bin goes by: length, width, number of fingers."""


class UncertainError(Exception):
    """A construct whose pruning would not be certain; says which."""


class Call(Struct, frozen=True):
    """An instance of a subcircuit: its words before the first parameter, and its parameters as written."""

    words: tuple[str, ...]
    parameters: Mapping[str, str]


class Bin(Struct, frozen=True, dict=True):
    """A binned model of a subcircuit: what it is a bin of; lmin, lmax, wmin, wmax in m, None where not plain."""

    base: str
    text: str
    limits: tuple[float, ...] | None

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word in it."""
        return words_of(self.text)


class Subcircuit(Struct, frozen=True):
    """What counts of a subcircuit.

    Parameters
    ----------
    defaults: its own parameters and their values as written
    parts: its text in pieces, bins apart; empty where it has none, or they cannot be told apart with certainty
    geometry: by base of bins, the parameters that are length, width and number of fingers
    calls: the instances in it
    assigned: every parameter that it, a part of it, or an instance in it gives a value to, and the value as written
    """

    defaults: Mapping[str, str]
    parts: tuple[str | Bin, ...]
    geometry: Mapping[str, tuple[str, ...]]
    calls: tuple[Call, ...]
    assigned: tuple[tuple[str, str], ...]


_NO_SUBCIRCUIT = Subcircuit({}, (), {}, (), ())


class Unit(Struct, eq=False, dict=True):
    """A card, or a block of cards, of a model file.

    Parameters
    ----------
    source, begin, end: where its text stands; a text of megabytes is there once
    names: what it defines, in lower case; empty for what every deck needs
    kind: its first word, in lower case
    may_draw: it is no subcircuit, and may draw a random number itself
    """

    source: str
    begin: int
    end: int
    names: tuple[str, ...]
    kind: str
    may_draw: bool

    @property
    def text(self) -> str:
        """As in the file."""
        return self.source[self.begin : self.end]

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word in it, save those in bins that may be left out."""
        parts = self.subcircuit.parts
        return words_of("\n".join(part for part in parts if isinstance(part, str)) if parts else self.text)

    @cached_property
    def subcircuit(self) -> Subcircuit:
        """What counts of a subcircuit, or of other cards that hold instances; of any other unit nothing."""
        holds_instances = self.kind in (".subckt", ".macro", ".if") or self.kind.startswith("x")
        return _subcircuit(self.text) if holds_instances else _NO_SUBCIRCUIT


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


def draws(text: str) -> bool:
    """Whether a text may hold a function that draws a random number."""
    lowered = text.lower()
    return any(word in lowered for word in _RANDOM)


def has_hidden_commands(text: str) -> bool:
    """Whether ngspice executes a comment of a text.

    >>> has_hidden_commands("r1 a 0 1k\\n*#set temp=85"), has_hidden_commands("*### models ###")
    (True, False)
    """
    # Looking for one character takes a fiftieth of the time, and most texts do not have this one.
    return "#" in text and "*#" in text and _HIDDEN.search(text) is not None


def compact(text: str) -> str:
    """The same cards without comment lines, one line each: ngspice reads that in a quarter of the time.

    A card with a comment at the end of a line stays as it is: what begins one differs between ngspice's modes.
    """
    cards = (text[begin : _without_comments(text, begin, end)] for begin, end in cards_of(text))
    return "".join(f"{_joined(card)}\n" for card in cards)


def _joined(card: str) -> str:
    card = _COMMENT_LINES.sub("\n", card)
    return card if _may_hold_comment(card) else _CONTINUED.sub(" ", card)


def _may_hold_comment(card: str) -> bool:
    return ";" in card or "$" in card or "//" in card


def plain(card: str) -> str:
    """A card in one line, in lower case, without comments."""
    lowered = card.lower()
    if _may_hold_comment(lowered):
        lowered = _COMMENT.sub("", lowered)
    return _CONTINUED.sub(" ", lowered).strip() if "\n" in lowered else lowered.strip()


def kind_of(card: str) -> str:
    """The first word of a card, in lower case: `.model`, `.if` also of `.if(a==b)`."""
    return card.split(None, 1)[0].partition("(")[0].lower() if card and not card.isspace() else ""


def call_of(card: str) -> Call | None:
    """The instance of a subcircuit that a plain card is."""
    if not card.startswith("x"):
        return None
    head = re.split(r"\s[\w.]+\s*=|\sparams:", card, maxsplit=1)[0]
    return Call(tuple(head.split()), dict(_PAIR.findall(card)))


def assigned_by(card: str) -> list[tuple[str, str]]:
    """The parameters that a plain card gives values to: a definition, a subcircuit, an instance of one.

    Where the values may be longer than they seem (`a = 1 + 2`), they are empty.
    """
    if not card.startswith(("x", ".para", ".subckt", ".macro")):
        return []
    is_certain = not _OPERATOR.search(_PAIR.sub("", card))
    return [(name, value if is_certain else "") for name, value in _PAIR.findall(card)]


def cards_of(text: str) -> Iterator[tuple[int, int]]:
    """Where each card of a text begins, and where the next one does: continuation lines and comments are with it."""
    begin = -1
    if text[:1] not in ("", "\n", "*", "+") and text.split("\n", 1)[0].strip():
        begin = 0
    for match in _BEGIN.finditer(text):
        if begin >= 0:
            yield begin, match.start()
        begin = match.end()
    if begin >= 0:
        yield begin, len(text)


def units_of(text: str) -> list[Unit]:
    """The units of a text, in its order.

    Raises
    ------
    UncertainError: a construct that is not certain
    """
    if has_hidden_commands(text):
        raise UncertainError("a hidden command (`*#`) in a model file")
    cards = iter([(*place, kind_of(text[place[0] : place[0] + _LONGEST_KIND])) for place in cards_of(text)])
    units: list[Unit] = []
    for begin, end, kind in cards:
        if kind in (".subckt", ".macro", ".if"):
            end = _end_of_block(cards, kind)
        end = _without_comments(text, begin, end)
        if kind == ".if":
            block = text[begin:end]
            names = _defined(plain(block[first:last]) for first, last in cards_of(block))
        elif kind in (".subckt", ".macro"):
            names = _second(text[begin : text.find("\n", begin, end)].lower())
        elif kind.startswith(".para"):
            units += _parameters(text, begin, end)
            continue
        elif kind in (".control", ".endc") or kind.startswith((".prot", ".enc")):
            raise UncertainError(f"`{kind}` in a model file")
        elif kind == ".end":  # of a file that is included it ends nothing
            continue
        else:
            names = _defined([plain(text[begin:end])])
        may_draw = kind in (".func", ".if", ".model") and draws(text[begin:end])
        units.append(Unit(text, begin, end, _certain(names), kind, may_draw))
    return units


def _without_comments(text: str, begin: int, end: int) -> int:
    """Where a card ends that comment and empty lines follow."""
    while (last := text.rfind("\n", begin, end)) >= 0 and text[last + 1 : end].lstrip()[:1] in ("", "*"):
        end = last
    return end


def _end_of_block(cards: Iterator[tuple[int, int, str]], kind: str) -> int:
    steps = _BRANCHES if kind == ".if" else _BEGINS
    depth = 1
    for _, end, inner in cards:
        depth += steps.get(inner, 0)
        if not depth:
            return end
    raise UncertainError(f"`{kind}` without an end in a model file")


def _certain(names: Sequence[str]) -> tuple[str, ...]:
    """None where one has other characters: it might be meant by a text in which it is no word."""
    return tuple(names) if all(_NAME.fullmatch(name) for name in names) else ()


def _defined(cards: Iterable[str]) -> list[str]:
    """What plain cards define; nothing where one of them does something besides."""
    names: list[str] = []
    for card in cards:
        kind = kind_of(card)
        rest = card[len(kind) :]
        if kind in (".model", ".subckt", ".macro"):
            names += _second(card)
        elif kind == ".func":
            names.append(re.split(r"[\s(]", rest.strip(), maxsplit=1)[0])
        elif kind.startswith(".para"):
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


def _parameters(text: str, begin: int, end: int) -> list[Unit]:
    """One unit for each assignment, where the card can be taken apart."""
    card = text[begin:end]
    words = plain(card).split(None, 1)
    rest = words[1] if len(words) > 1 else ""
    drawn = draws(rest)
    if _may_hold_comment(card) or _ASSIGNMENT.sub("", rest).strip():
        return [Unit(text, begin, end, tuple(_DEFINED.findall(rest)), ".param", drawn)]
    texts = [(name, f".param {name}={value}") for name, value in _ASSIGNMENT.findall(rest)]
    return [Unit(one, 0, len(one), (name,), ".param", drawn and draws(one)) for name, one in texts]


def _subcircuit(text: str) -> Subcircuit:
    """What counts of a subcircuit; its bins are cut out and not read."""
    parts: list[str | Bin] = []
    others: list[str] = []
    for begin, end in cards_of(text):
        card = text[begin:end]
        found = _bin(card)
        parts.append(found or card)
        if found is None:
            others.append(plain(card))
    defaults = dict(_PAIR.findall(others[0]))
    for card in others[1:]:
        if card.startswith(".para"):
            defaults |= dict(_PAIR.findall(card))
    assigned = tuple(pair for card in others for pair in assigned_by(card))
    geometry = _geometry(others, {part.base for part in parts if isinstance(part, Bin)})
    calls = tuple(filter(None, map(call_of, others)))
    return Subcircuit(defaults, tuple(parts) if geometry else (), geometry, calls, assigned)


def _bin(card: str) -> Bin | None:
    words = card.partition("\n")[0].lower().split(None, 2)
    found = _BIN.fullmatch(words[1]) if len(words) > 1 and words[0] == ".model" else None
    if found is None:
        return None
    lowered = card.lower()
    limits = tuple(value for value in (_limit(lowered, key) for key in _LIMITS) if value is not None)
    return Bin(found.group(1), card, limits if len(limits) == len(_LIMITS) else None)


def _limit(card: str, key: str) -> float | None:
    """The number behind a word that stands in a card once."""
    places: list[int] = []
    at = card.find(key)
    while at > 0:
        if not (card[at - 1].isalnum() or card[at - 1] == "_"):
            places.append(at + len(key))
        at = card.find(key, at + 1)
    match = _LIMIT.match(card, places[0]) if len(places) == 1 else None
    return number(match.group(1)) if match else None


def _geometry(cards: Sequence[str], bases: set[str]) -> dict[str, tuple[str, ...]]:
    """Whose parameters the geometry of bins is, by base; nothing where that is not certain of all of them."""
    geometry: dict[str, tuple[str, ...]] = {}
    for card in cards[1:]:
        used = bases.intersection(card.split())
        if card.startswith(_INNER) or (used and not card.startswith("m")) or len(used) > 1:
            return {}
        for base in used:
            given = dict(_PAIR.findall(card))
            names = tuple(given.get(key, "1" if key == "nf" else "").strip("'{} ") for key in GEOMETRY)
            if geometry.setdefault(base, names) != names:
                return {}
    return geometry if geometry.keys() == bases else {}
