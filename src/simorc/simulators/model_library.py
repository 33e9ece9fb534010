"""Pure but for the function that reads files: model libraries flattened, and pruned to what a deck can reach.

ngspice reads every section of a library, and what it has read costs it more than what it simulates. Here only the
chosen section is read; of that stays what the deck's words lead to, step by step: subcircuits, models, functions and
parameters, and of models in bins those whose limits hold for the geometries that the deck uses. What draws a random
number stays also where nothing leads to it, since leaving it out would shift all later draws.

Nobody has to believe this: the first deck on each pruned library is compared with the unpruned one
(`simorc.plugin.verification`).
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simorc.core.errors import CaseError, ErrorKind
from simorc.simulators.deck_paths import full_path, is_section_end, reference, section_begin
from simorc.simulators.model_cards import (
    GEOMETRY,
    Bin,
    Call,
    Subcircuit,
    UncertainError,
    Unit,
    call_of,
    cards_of,
    number,
    units_of,
    words_of,
)

_SLACK = 1e-3
_DEEPEST = 50
_MOST_CARDS = 20_000
_DIRECTIVE = re.compile(r"^[ \t]*\.(?:inc|lib|endl)[^\n]*", re.MULTILINE | re.IGNORECASE)
_RANDOM = ("agauss", "gauss", "aunif", "unif", "limit")
_DRAWS = re.compile(rf"\b(?:{'|'.join(_RANDOM)})\b", re.IGNORECASE)
_SCALE = re.compile(r"\bscale\s*=?\s*([^\s=]+)")


@dataclass(frozen=True, slots=True)
class Models:
    """What takes the place of the `.lib` and `.include` lines of a deck, in their order.

    Parameters
    ----------
    flat: for each line the text behind it: nothing dropped, of a library the chosen section alone
    pruned: the same without what the deck cannot reach; equal to `flat` where there is a doubt
    names: path and section of each
    doubt: why pruning would not be certain, a few words, or empty
    key: the same for decks on the same texts
    """

    flat: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    doubt: str = ""
    key: str = ""


@dataclass(frozen=True)
class _Library:
    """The flattened files behind the reference lines of a deck, and their units.

    Parameters
    ----------
    kept: what every deck needs: units without a name, and all that draw random numbers
    scales: of geometries, as options in the files set them; None for one that is no plain number
    """

    names: tuple[str, ...]
    flat: tuple[str, ...]
    doubt: str = ""
    units: tuple[tuple[Unit, ...], ...] = ()
    by_name: Mapping[str, Sequence[Unit]] = field(default_factory=dict)
    kept: Sequence[Unit] = ()
    scales: frozenset[float | None] = frozenset()


@dataclass(frozen=True, slots=True)
class _Card:
    """What counts of a card of a deck."""

    words: frozenset[str]
    call: Call | None
    scales: frozenset[float | None]
    depth: int


class ModelLibrary:
    """Reads and parses every file once; one lives as long as a worker.

    Parameters
    ----------
    read: from an absolute path to the text
    """

    def __init__(self, read: Callable[[str], str] | None = None) -> None:
        self._read = read or _read_text
        self._texts: dict[str, str] = {}
        self._cards: dict[str, _Card] = {}
        self._flats: dict[tuple[tuple[str, str], ...], tuple[str, ...]] = {}
        self._libraries: dict[tuple[tuple[str, str], ...], _Library] = {}
        self._models: dict[object, Models] = {}

    def models(self, deck: str, folder: str) -> Models:
        """What stands behind a deck's reference lines; a deck of a sweep costs little when its like was there before.

        Parameters
        ----------
        folder: absolute path of the folder that the deck's relative paths mean

        Raises
        ------
        CaseError: a file or a section of it is missing
        """
        references, cards, doubt = self._split(deck, folder)
        if not references:
            return Models()
        library = self._library(references)
        if library.doubt or doubt:
            return _all_of(library, library.doubt or doubt)
        words = frozenset().union(*(card.words for card in cards)) & library.by_name.keys()
        calls = [card.call for card in cards if card.call is not None and not words.isdisjoint(card.call.words)]
        scales = frozenset().union(*(card.scales for card in cards)) | library.scales
        geometries = frozenset((call.words[-1], *map(call.parameters.get, GEOMETRY)) for call in calls)
        key = (references, frozenset(words), geometries, scales)
        if key not in self._models:
            self._models[key] = _pruned(library, words, calls, scales)
        return self._models[key]

    def flat(self, references: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
        """The text behind each of some references (absolute path, section or empty), read once.

        Raises
        ------
        CaseError: a file or a section of it is missing
        """
        if references not in self._flats:
            self._flats[references] = tuple(self._flat(path, section.lower(), 0) for path, section in references)
        return self._flats[references]

    def _split(self, deck: str, folder: str) -> tuple[tuple[tuple[str, str], ...], list[_Card], str]:
        """The files that a deck reads, its cards without the title, and what makes pruning uncertain, or nothing."""
        references: list[tuple[str, str]] = []
        cards: list[_Card] = []
        depth, doubt = 0, ""
        lines = deck.split("\n")[1:]
        for line in lines if "\n+" not in deck else cards_of("\n".join(lines)):
            found = reference(line) if line.lstrip()[:1] == "." else None
            if found:
                references.append((full_path(found[0], folder), found[1]))
                doubt = doubt or ("a model file is read inside a subcircuit" if depth else "")
                continue
            card = self._card(line)
            depth += card.depth
            cards.append(card)
        return tuple(references), cards, doubt

    def _card(self, line: str) -> _Card:
        if line not in self._cards:
            if len(self._cards) > _MOST_CARDS:
                self._cards.clear()
            self._cards[line] = _card(line)
        return self._cards[line]

    def _library(self, references: tuple[tuple[str, str], ...]) -> _Library:
        if references not in self._libraries:
            self._libraries[references] = _parsed(references, self.flat(references))
        return self._libraries[references]

    def _flat(self, path: str, section: str, depth: int) -> str:
        """The text of a file, or of one section of it, with everything that it includes.

        Of a file that is read as a whole the sections are left out: they are defined there, not used.
        """
        if depth > _DEEPEST:
            raise CaseError(ErrorKind.MISSING_INCLUDE, f"{path} includes itself")
        text, folder = self._text(path), posixpath.dirname(path)
        pieces: list[str] = []
        position, current, seen = 0, "", not section
        for match in _DIRECTIVE.finditer(text):
            line, active = match.group(), current == section
            found = reference(line) if active else None
            begun = None if found else section_begin(line)
            if active:
                pieces.append(text[position : match.start()])
            if begun is not None:
                current, seen = begun, seen or begun == section
            elif is_section_end(line):
                current = ""
            elif active:
                pieces.append(self._flat(full_path(found[0], folder), found[1].lower(), depth + 1) if found else line)
            position = match.end()
        if not seen:
            raise CaseError(ErrorKind.MISSING_INCLUDE, f"{path} has no section {section!r}")
        return "".join([*pieces, text[position:] if current == section else "", "\n"])

    def _text(self, path: str) -> str:
        if path not in self._texts:
            try:
                self._texts[path] = self._read(path)
            except OSError as error:
                raise CaseError(ErrorKind.MISSING_INCLUDE, f"cannot read {path}: {error.strerror}") from error
        return self._texts[path]


def with_models(deck: str, paths: Sequence[str]) -> str:
    """The deck with each of its reference lines reading another file."""
    pending = iter(paths)
    lines = deck.split("\n")
    for number_, line in enumerate(lines):
        if number_ and line.lstrip()[:1] == "." and reference(line):
            lines[number_] = f'.include "{next(pending)}"'
    return "\n".join(lines)


def _card(line: str) -> _Card:
    plain = next(cards_of(line), "")
    kind = plain.split(None, 1)[0] if plain else ""
    depth = (kind in (".subckt", ".macro")) - (kind in (".ends", ".eom"))
    scales = frozenset(map(number, _SCALE.findall(plain))) if kind.startswith(".opt") else frozenset()
    return _Card(words_of(plain), call_of(plain), scales, depth)


def _parsed(references: Sequence[tuple[str, str]], flat: tuple[str, ...]) -> _Library:
    names = tuple(f"{path} {section}".strip() for path, section in references)
    if any("\0" in text for text in flat):
        return _Library(names, flat, "a model file is not text")
    try:
        units = tuple(tuple(units_of(text)) for text in flat)
    except UncertainError as error:
        return _Library(names, flat, str(error))
    every = [unit for part in units for unit in part]
    by_name: dict[str, list[Unit]] = {}
    for unit in every:
        for name in unit.names:
            by_name.setdefault(name, []).append(unit)
    nameless = [unit for unit in every if not unit.names]
    scales: frozenset[float | None] = frozenset().union(*(_card(unit.text).scales for unit in nameless))
    return _Library(names, flat, "", units, by_name, (*nameless, *_drawing(every)), scales)


def _drawing(units: Sequence[Unit]) -> list[Unit]:
    """The parameters that draw random numbers, themselves or through functions and parameters that they use."""
    loose = [unit for unit in units if unit.names and unit.kind in (".param", ".func", ".if")]
    drawn = {id(unit): unit for unit in loose if _DRAWS.search(unit.text)}
    words: set[str] = set()
    fresh = list(drawn.values())
    while fresh:
        words.update(name for unit in fresh for name in unit.names)
        fresh = [unit for unit in loose if id(unit) not in drawn and not words.isdisjoint(unit.words)]
        drawn |= {id(unit): unit for unit in fresh}
    return list(drawn.values())


def _all_of(library: _Library, doubt: str) -> Models:
    return Models(library.flat, library.flat, library.names, doubt, _key(library.flat))


def _pruned(library: _Library, words: Iterable[str], calls: Sequence[Call], scales: frozenset[float | None]) -> Models:
    reached = _reach(library, words)
    every = [*calls, *(call for unit in reached for call in unit.subcircuit.calls)]
    # Options that contradict each other, or themselves: no bin is left out.
    scale = 1.0 if not scales else next(iter(scales)) if len(scales) == 1 else None
    kept = set(map(id, reached))
    texts = tuple(
        "".join(f"{_without_bins(unit, every, scale)}\n" for unit in part if id(unit) in kept) for part in library.units
    )
    return Models(library.flat, texts, library.names, "", _key((*texts, *library.flat)))


def _reach(library: _Library, words: Iterable[str]) -> list[Unit]:
    """Every unit that words lead to, and what all decks need."""
    reached: dict[int, Unit] = {}
    waiting = [*library.kept, *(unit for word in words for unit in library.by_name[word])]
    known = library.by_name.keys()
    while waiting:
        unit = waiting.pop()
        if id(unit) not in reached:
            reached[id(unit)] = unit
            waiting.extend(other for word in unit.words & known for other in library.by_name[word])
    return list(reached.values())


def _without_bins(unit: Unit, calls: Sequence[Call], scale: float | None) -> str:
    """The text of a unit; of a subcircuit with bins without those that no instance can need."""
    subcircuit = unit.subcircuit
    if not subcircuit.parts or scale is None:
        return unit.text
    mine = [call for call in calls if unit.names and unit.names[0] in call.words]
    wanted = {base: _geometries(subcircuit, mine, names) for base, names in subcircuit.geometry.items()}
    return "\n".join(
        part if isinstance(part, str) else part.text
        for part in subcircuit.parts
        if isinstance(part, str) or _is_wanted(part, wanted[part.base], scale)
    )


_Geometry = tuple[float, Sequence[float]]


def _geometries(subcircuit: Subcircuit, calls: Sequence[Call], names: Sequence[str]) -> list[_Geometry]:
    """Length and widths that the choice of a bin may go by, for each instance; empty where any is no plain number.

    The width that counts is that of all fingers or of one, as ngspice's compatibility mode says.
    """
    found: list[_Geometry] = []
    for call in calls:
        values: list[float | None] = []
        for name in names:
            values.append(number(call.parameters.get(name, subcircuit.defaults.get(name, name))))
        length, width, fingers = values
        if length is None or width is None or not fingers:
            return []
        found.append((length, (width, width / fingers)))
    return found


def _is_wanted(part: Bin, geometries: Sequence[_Geometry], scale: float) -> bool:
    """Whether a bin stays: also where it touches a geometry with its limits."""
    if part.limits is None or not geometries:
        return True
    lmin, lmax, wmin, wmax = part.limits
    return any(
        _within(length * scale, lmin, lmax) and any(_within(width * scale, wmin, wmax) for width in widths)
        for length, widths in geometries
    )


def _within(value: float, low: float, high: float) -> bool:
    return low * (1 - _SLACK) <= value <= high * (1 + _SLACK)


def _key(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "surrogateescape"))
        digest.update(b"\0")
    return digest.hexdigest()


def _read_text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="surrogateescape")
