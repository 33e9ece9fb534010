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
import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from msgspec import Struct

from simorc.core.errors import CaseError, ErrorKind
from simorc.simulators.deck_paths import file_arguments, full_path, is_library, reference
from simorc.simulators.flat_models import NO_SECTIONS, FlatModels
from simorc.simulators.lasting import NO_SEED, has_branches
from simorc.simulators.model_cards import (
    GEOMETRY,
    Call,
    UncertainError,
    Unit,
    assigned_by,
    call_of,
    kind_of,
    number,
    plain,
    units_of,
    words_of,
)
from simorc.simulators.model_constants import mentions, without_constants
from simorc.simulators.model_reach import Pruner, drawing_of
from simorc.simulators.ngspice_deck import apart_for_models
from simorc.simulators.ngspice_modes import SAYS_WIDTH
from simorc.workspace.files import text_of

_MOST_CARDS = 20_000
_MOST_TEXT = 400_000_000
_MAYBE_REFERENCE = re.compile(r"\n[^\S\n]*\.(?:inc|lib)[^\n]*", re.IGNORECASE)
_CONTINUED = re.compile(r"\n[ \t]*\+")
_RANDOM = frozenset(("agauss", "gauss", "aunif", "unif", "limit", "trrandom", "sgauss", "sunif", "rnd"))
_ALTERS = ("alter", "alterparam", "altermod")
_NO_BRANCH = ".if (1 > 0)\n.endif\n"
_SCALE = re.compile(r"\bscale\s*=?\s*([^\s=]+)")
_NOT_SEEDED = f"`{NO_SEED}` draws other numbers every time, so nothing could be compared"
_NONE: frozenset[tuple[str, str]] = frozenset()
_References = tuple[tuple[str, str], ...]


class Models(Struct, frozen=True):
    """What takes the place of the `.lib` and `.include` lines of a deck, in their order.

    Parameters
    ----------
    flat: for each line the text behind it: nothing dropped, of a library the chosen section alone
    pruned: the same without what the deck cannot reach; equal to `flat` where there is a doubt
    names: path and section of each
    doubt: why pruning would not be certain, a few words, or empty
    key: the same for decks on the same texts
    branches: there is an `.if` in the pruned texts
    apart: why decks on the pruned texts need a process of their own, or empty
    """

    flat: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    doubt: str = ""
    key: str = ""
    branches: bool = False
    apart: str = ""


class _File(Struct, frozen=True):
    """A flattened file, or a section of one, and its units."""

    text: str
    digest: str
    doubt: str = ""
    units: tuple[Unit, ...] = ()


class _Library(Struct, frozen=True, dict=True):
    """The files behind the reference lines of a deck.

    Parameters
    ----------
    kept: what every deck needs: units without a name, and all that draw random numbers
    drawing: names of functions and parameters that draw random numbers, each time that they are used
    evaluates_all: ngspice evaluates models that nothing uses, of which some draw random numbers: there is an `.if`
    scales: of geometries, as options in the files set them; None for one that is no plain number
    says_width: an option may say which width the limits of bins mean
    """

    names: tuple[str, ...]
    files: tuple[_File, ...]
    doubt: str
    by_name: Mapping[str, Sequence[Unit]]
    kept: Sequence[Unit]
    drawing: Sequence[str]
    evaluates_all: bool
    scales: frozenset[float | None]
    says_width: bool

    @property
    def flat(self) -> tuple[str, ...]:
        """The texts, nothing dropped."""
        return tuple(file.text for file in self.files)

    @cached_property
    def mentions(self) -> frozenset[str]:
        """Every word, save the names that constants give themselves."""
        return mentions(unit for file in self.files for unit in file.units)


class _Card(Struct, frozen=True):
    """What counts of a card of a deck."""

    words: frozenset[str]
    call: Call | None
    scales: frozenset[float | None]
    depth: int
    assigned: Sequence[tuple[str, str]]
    reference: tuple[str, str] | None
    is_library: bool


class ModelLibrary:
    """Reads and parses every file once; one lives as long as a worker.

    Parameters
    ----------
    read: from an absolute path to the text
    simulator_drops_bins: ngspice leaves out bins that no instance needs before it draws for them, as it does in its
        HSPICE mode where lengths and widths are plain numbers
    by_finger: limits of bins mean the width of one finger, if no option says otherwise
    has_sections: `.lib` reads a section of a file, as in all modes but those of PSPICE and LTspice
    """

    def __init__(
        self,
        read: Callable[[str], str] | None = None,
        *,
        simulator_drops_bins: bool = False,
        by_finger: bool = False,
        has_sections: bool = True,
    ) -> None:
        self._simulator_drops_bins = simulator_drops_bins
        self._by_finger = by_finger
        self._has_sections = has_sections
        self._texts = FlatModels(read or text_of, has_sections=has_sections)
        self._cards: dict[str, _Card] = {}
        self._files: dict[tuple[str, str], _File] = {}
        self._libraries: dict[_References, _Library] = {}
        self._models: dict[object, Models] = {}
        self._asked: dict[object, frozenset[str]] = {}
        self._same: dict[object, Models] = {}

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
        all_words = frozenset().union(*[card.words for card in cards])
        doubt = library.doubt or doubt or (_NOT_SEEDED if NO_SEED in all_words else "")
        if doubt:
            return self._whole(library, references, doubt)
        words = frozenset(all_words & library.by_name.keys())
        draws = not all_words.isdisjoint(_RANDOM)
        calls = [card.call for card in cards if card.call is not None and not words.isdisjoint(card.call.words)]
        scales = frozenset().union(*[card.scales for card in cards if card.scales]) | library.scales
        geometries = frozenset((call.words[-1], *map(call.parameters.get, GEOMETRY)) for call in calls)
        by_finger = self._by_finger and not library.says_width and SAYS_WIDTH not in all_words
        like = (references, words, geometries, scales, draws, by_finger)
        key = (like, self._decisive(like, cards))
        if key not in self._models:
            # Options that contradict each other, or themselves: no bin is left out.
            scale = 1.0 if not scales else next(iter(scales)) if len(scales) == 1 else None
            for all_that_draw in (False, True):
                facts = (library.by_name, scale, library.drawing, all_that_draw, self._simulator_drops_bins, by_finger)
                pruner = Pruner(*facts, _assigned(cards))
                pruner.reach(library.kept, words, calls)
                found = _pruned(library, pruner)
                self._asked[like] = self._asked.get(like, frozenset()) | pruner.asked
                if not pruner.has_left_draws or (not draws and all(map(pruner.draws_in_vain, found.pruned))):
                    break
            self._asked[like] |= pruner.asked
            key = (like, self._decisive(like, cards))
            self._models[key] = self._same.setdefault((references, found.key), found)
        return self._models[key]

    def _whole(self, library: _Library, references: _References, doubt: str) -> Models:
        if (references, doubt) not in self._models:
            self._models[references, doubt] = _all_of(library, doubt)
        return self._models[references, doubt]

    def _decisive(self, like: object, cards: Sequence[_Card]) -> frozenset[tuple[str, str]]:
        """Of the values that a deck gives to parameters those that models for its like depend on."""
        asked = self._asked.get(like)
        return _NONE if not asked else frozenset(pair for card in cards for pair in card.assigned if pair[0] in asked)

    def mentioned(self, deck: str, folder: str) -> tuple[str, ...]:
        """The flat texts of `models` without the constants that neither deck nor files mention; for sure pruning only.

        Parameters
        ----------
        folder: absolute path of the folder that the deck's relative paths mean
        """
        references, cards, _ = self._split(deck, folder)
        library = self._library(references)
        words = library.mentions.union(*(card.words for card in cards))
        return tuple(without_constants(file.units, words) for file in library.files)

    def flat(self, references: _References) -> tuple[str, ...]:
        """The text behind each of some references (absolute path, section or empty), read once.

        Raises
        ------
        CaseError: a file or a section of it is missing
        """
        return tuple(itertools.starmap(self._texts.text, references))

    def _split(self, deck: str, folder: str) -> tuple[_References, list[_Card], str]:
        """The files that a deck reads, its cards without the title, and what makes pruning uncertain, or nothing."""
        references: list[tuple[str, str]] = []
        cards: list[_Card] = []
        depth, doubt = 0, ""
        lines = deck.split("\n")[1:]
        for text in lines if not _CONTINUED.search(deck) else _joined(lines):
            card = self._cards.get(text) or self._card(text)
            if not self._has_sections and card.is_library:
                raise CaseError(ErrorKind.MISSING_INCLUDE, NO_SECTIONS)
            if card.reference:
                references.append((full_path(card.reference[0], folder), card.reference[1]))
                doubt = doubt or ("a model file is read inside a subcircuit" if depth else "")
                continue
            depth += card.depth
            if card.words:
                cards.append(card)
        return tuple(references), cards, doubt

    def _card(self, text: str) -> _Card:
        if len(self._cards) > _MOST_CARDS:
            self._cards.clear()
        card = self._cards[text] = _card(text)
        return card

    def _library(self, references: _References) -> _Library:
        if references not in self._libraries:
            self._forget()
            for key, text in zip(references, self.flat(references), strict=True):
                if key not in self._files:
                    self._files[key] = _parsed(text)
            names = tuple(f"{path} {section}".strip() for path, section in references)
            self._libraries[references] = _joint(names, tuple(self._files[key] for key in references))
        return self._libraries[references]

    def _forget(self) -> None:
        """Begin anew when there is much: sections of large libraries hold megabytes each."""
        if self._texts.size > _MOST_TEXT or len(self._models) > _MOST_CARDS:
            self._texts.clear()
            for memory in (self._files, self._libraries, self._models, self._asked, self._same):
                memory.clear()


def with_models(deck: str, paths: Sequence[str]) -> str:
    """The deck with each of its reference lines reading another file."""
    pending = iter(paths)

    def changed(match: re.Match[str]) -> str:
        return f'\n.include "{next(pending)}"' if reference(match.group()[1:]) else match.group()

    return _MAYBE_REFERENCE.sub(changed, deck)


def _joined(lines: Iterable[str]) -> list[str]:
    """Cards with their continuation lines."""
    cards: list[str] = []
    for line in lines:
        first = line.lstrip()[:1]
        if first == "+" and cards:
            cards[-1] += f"\n{line}"
        elif first and first != "*":
            cards.append(line)
    return cards


def _card(text: str) -> _Card:
    card = "" if text.lstrip()[:1] in ("", "*") else plain(text)
    kind = kind_of(card)
    depth = (kind in (".subckt", ".macro")) - (kind in (".ends", ".eom"))
    scales = frozenset(map(number, _SCALE.findall(card))) if kind.startswith(".opt") else frozenset()
    # In a control block `;` is no comment.
    words = words_of(text if card else "")
    # What alters instances may need any bin.
    scales |= frozenset() if words.isdisjoint(_ALTERS) else frozenset((None,))
    found = reference(text) if text.lstrip()[:1] == "." else None
    return _Card(words, call_of(card), scales, depth, assigned_by(card), found, is_library(text))


def _assigned(cards: Iterable[_Card]) -> dict[str, set[str]]:
    assigned: dict[str, set[str]] = {}
    for card in cards:
        for name, value in card.assigned:
            assigned.setdefault(name, set()).add(value)
    return assigned


def _parsed(text: str) -> _File:
    digest = _digest(text)
    if "\0" in text:
        return _File(text, digest, "a model file is not text")
    try:
        return _File(text, digest, "", tuple(units_of(text)))
    except UncertainError as error:
        return _File(text, digest, str(error))


def _joint(names: tuple[str, ...], files: tuple[_File, ...]) -> _Library:
    every = [unit for file in files for unit in file.units]
    by_name: dict[str, list[Unit]] = {}
    for unit in every:
        for name in unit.names:
            by_name.setdefault(name, []).append(unit)
    nameless = [unit for unit in every if not unit.names]
    drawn = drawing_of(every)
    drawing = [name for unit in drawn if unit.kind != ".model" for name in unit.names]
    scales: frozenset[float | None] = frozenset().union(
        *(_card(unit.text).scales for unit in nameless if unit.kind.startswith(".opt"))
    )
    branches = any(unit.kind == ".model" for unit in drawn) and any(has_branches(file.text) for file in files)
    doubt = next((file.doubt for file in files if file.doubt), "")
    says_width = any(SAYS_WIDTH in unit.text.lower() for unit in nameless)
    return _Library(names, files, doubt, by_name, (*nameless, *drawn), drawing, branches, scales, says_width)


def _pruned(library: _Library, pruner: Pruner) -> Models:
    texts = [pruner.text(file.units) for file in library.files]
    if library.evaluates_all and not any(map(has_branches, texts)):
        texts[-1] += _NO_BRANCH
    if any(True for text in texts if "file" in text.lower() for _ in file_arguments(text)):
        return _all_of(library, "a model file names a file of data")
    if any(NO_SEED in text.lower() for text in texts):
        return _all_of(library, _NOT_SEEDED)
    reason = next(filter(None, map(apart_for_models, texts)), "")
    key = _digest(*texts, *(file.digest for file in library.files))
    return Models(library.flat, tuple(texts), library.names, "", key, any(map(has_branches, texts)), reason)


def _all_of(library: _Library, doubt: str) -> Models:
    digests = [file.digest for file in library.files]
    branches = any(map(has_branches, library.flat))
    return Models(library.flat, library.flat, library.names, doubt, _digest(*digests), branches)


def _digest(*texts: str) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "surrogateescape"))
        digest.update(b"\0")
    return digest.hexdigest()
