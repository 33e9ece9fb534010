"""The files that decks read, found by following their includes."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct, field

from simorc.simulators.deck_paths import RUN, FromRun, file_arguments, file_references, full_path


class ModelFiles(Struct):
    """The files that decks read.

    Parameters
    ----------
    outside: absolute paths of those that the run directory has no copy of, sorted
    missing: `path (included by path)` of those that are not there, sorted
    copies: path in the run directory -> text that its copy must have to read the same files from there; only where
        that is not the file's own text
    """

    outside: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    copies: dict[str, str] = field(default_factory=dict)


def find_model_files(decks: Iterable[str], place: FromRun) -> ModelFiles:
    """Follow `.include` and `.lib file section` from decks into every file; each file is read once."""
    reader = _Reader()
    waiting = _of_decks(decks, place)
    seen = set(waiting)
    result = ModelFiles()
    while waiting:
        path, section, asked_by = reference = waiting.pop()
        text = reader.read(path)
        if text is None:
            result.missing.append(f"{path} (included by {asked_by})")
            continue
        for inner, inner_section in file_references(text, section):
            full = full_path(inner, posixpath.dirname(path))
            reference = (full, inner_section, path)
            if reference not in seen:
                seen.add(reference)
                waiting.append(reference)
    for path, text in reader.texts.items():
        _sort_in(path, text, place, result)
    return ModelFiles(sorted(result.outside), sorted(set(result.missing)), result.copies)


class _Reader:
    """Reads files once."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def read(self, path: str) -> str | None:
        if path not in self.texts:
            try:
                self.texts[path] = Path(path).read_text(encoding="utf-8", errors="surrogateescape")
            except OSError:
                return None
        return self.texts[path]


def _of_decks(decks: Iterable[str], place: FromRun) -> list[tuple[str, str, str]]:
    """(file, section, who asks for it), without repetition."""
    unique: dict[tuple[str, str, str], None] = {}
    for deck in decks:
        for path, section in file_references(deck):
            unique[place.original(path), section, "the template"] = None
        for path in file_arguments(deck):
            unique[place.original(path), "", "the template"] = None
    return list(unique)


def _sort_in(path: str, text: str, place: FromRun, result: ModelFiles) -> None:
    inside = place.map(path)
    if inside == path:
        result.outside.append(path)
        return
    copy = place.in_copy(path, text)
    if copy != text:
        result.copies[inside.removeprefix(RUN)] = copy
