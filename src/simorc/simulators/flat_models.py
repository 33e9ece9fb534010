"""Pure but for the function that reads files: what ngspice reads behind an `.include` or `.lib` line, as one text.

Measured: of a library it takes the first section of a name, up to the next `.endl`; a section in a file that is read as
a whole, or in another section, is an error. A relative `.include` means the folder of its file, a relative `.lib` that
of the library around it, or of the deck. Where it would find an error the text is left to ngspice, which tells it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable

from simorc.core.errors import CaseError, ErrorKind
from simorc.simulators.deck_paths import full_path, is_library, is_section_end, reference, section_begin

NO_SECTIONS = "in the modes of PSPICE and LTspice `.lib` reads a whole file, wherever ngspice finds it"
_DEEPEST = 50
_MIDDLE = re.compile(r"(?:[ \t]*(?:\*[^\n]*)?\n)*[ \t]*\+")
_DIRECTIVE = re.compile(r"\n[ \t]*\.(?:inc|lib|endl)[^\n]*", re.IGNORECASE)


class FlatModels:
    """The texts behind references, each made once.

    Parameters
    ----------
    read: from an absolute path to the text
    has_sections: `.lib` reads a section of a file
    """

    def __init__(self, read: Callable[[str], str], *, has_sections: bool = True) -> None:
        self._read = read
        self._has_sections = has_sections
        self._texts: dict[tuple[str, str], str] = {}

    def text(self, path: str, section: str) -> str:
        """The text behind a reference of a deck.

        Parameters
        ----------
        path: absolute
        section: empty for the file as a whole

        Raises
        ------
        CaseError: ngspice would find something missing, or elsewhere than this does
        """
        if (path, section) not in self._texts:
            text = self._flat(path, section)
            if _MIDDLE.match(text):
                raise CaseError(ErrorKind.MISSING_INCLUDE, f"{path} begins in the middle of a card")
            self._texts[path, section] = text
        return self._texts[path, section]

    @property
    def size(self) -> int:
        """Characters of all texts."""
        return sum(map(len, self._texts.values()))

    def clear(self) -> None:
        """Read anew what is asked for from now on."""
        self._texts.clear()

    def _flat(self, path: str, section: str, around: str = "", depth: int = 0) -> str:
        """The text of a file, or of the first section of that name in it, with everything that it includes.

        Parameters
        ----------
        around: folder of the library that the file belongs to; empty for the deck's

        Raises
        ------
        CaseError: ngspice would find something missing, or in another place than beside the file
        """
        if depth > _DEEPEST:
            raise CaseError(ErrorKind.MISSING_INCLUDE, f"{path} includes itself")
        text, folder = self._text(path), posixpath.dirname(path)
        section = section.strip("\"'").lower()
        around = folder if section else around
        pieces: list[str] = []
        position, active = 0, not section
        for match in _DIRECTIVE.finditer(text):
            line = match.group()[1:]
            if not self._has_sections and is_library(line):
                raise CaseError(ErrorKind.MISSING_INCLUDE, NO_SECTIONS)
            found = reference(line)
            begun = None if found else section_begin(line)
            if active:
                pieces.append(text[position : match.start() + 1])
                if begun is not None:
                    raise CaseError(
                        ErrorKind.MISSING_INCLUDE, f"{path} begins section {begun!r} in another, or in none"
                    )
                if section and is_section_end(line):
                    return "".join([*pieces, "\n"])
                pieces.append(self._behind(found, path, around, depth) if found else line)
                position = match.end()
            elif begun == section:
                position, active = match.end(), True
        if section:
            raise CaseError(ErrorKind.MISSING_INCLUDE, f"{path} has no section {section!r}, or no end of it")
        return "".join([*pieces, text[position:], "\n"])

    def _behind(self, found: tuple[str, str], path: str, around: str, depth: int) -> str:
        """The text behind a line of a file; that of libraries means the folder of the library around it."""
        name, section = found
        folder = around if section else posixpath.dirname(path)
        if not folder and not posixpath.isabs(posixpath.expanduser(name)):
            raise CaseError(ErrorKind.MISSING_INCLUDE, f"{path} reads {name}, which is not meant from its own folder")
        return self._flat(full_path(name, folder), section, around, depth + 1)

    def _text(self, path: str) -> str:
        """A file's text behind an empty line."""
        try:
            return f"\n{self._read(path)}"
        except OSError as error:
            raise CaseError(ErrorKind.MISSING_INCLUDE, f"cannot read {path}: {error.strerror}") from error
