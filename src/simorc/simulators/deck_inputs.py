"""What a deck depends on, as one digest: its text, and the content of every file that ngspice reads for it.

Where that cannot be known for certain (commands that read or write elsewhere, programs that a model starts, a seed
taken from the clock, a file that is not there) there is no digest, and the result is used for nothing else.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from simorc.simulators.deck_paths import file_arguments, file_references, full_path, reference
from simorc.simulators.model_cards import has_hidden_commands
from simorc.simulators.ngspice_modes import has_sections
from simorc.workspace.file_notes import FileNotes, Note
from simorc.workspace.files import as_text, file_state

_MOST_LINES = 20_000
_OUTSIDE = re.compile(
    r"d_process|d_cosim|process_file|\bsimulation\s*=|seed\s*=\s*['\"{(\s]*random|trnoise", re.IGNORECASE
)
_OUTSIDE_WORDS = ("d_process", "d_cosim", "process_file", "simulation", "random", "trnoise")
# The path is not there, or not yet: on the next line, in a variable, in a parameter.
_PATHLESS = re.compile(r"""file(?:name)?\s*(?:=?\s*$|=\s*["']?[${])""", re.IGNORECASE)
_CONTROL = re.compile(
    r"^[ \t]*\.control\b[^\n]*\n(.*?)(?:^[ \t]*\.endc\b|\Z)", re.IGNORECASE | re.MULTILINE | re.DOTALL
)
_COMMAND = re.compile(
    # Those that depend on the deck alone, and write into the case's folder if anywhere.
    r"run|op|dc|ac|tran|noise|tf|sens|pz|disto|sp|pss|print|echo|let|unlet|set|unset|meas|measure|write|wrdata|wrs2p|"
    r"setplot|setscale|settype|destroy|alter|altermod|alterparam|reset|if|else|elseif|end|while|dowhile|repeat|foreach|"
    r"break|continue|label|goto|quit|exit|save|options?|optran|display|show|showmod|listing|linearize|cutout|fft|psd|"
    r"four|fourier|spec|compose|reshape|cross|define|undefine|strcmp|stop|resume|step|delete|trace|rusage",
    re.IGNORECASE,
)
_WRITING = frozenset(("write", "wrdata", "wrs2p"))
_PRINTING = frozenset(("print", "echo", "display", "show", "showmod", "listing", "rusage"))
_NAMING = frozenset(("set", "foreach"))
_ELSEWHERE = re.compile(r"[/~`|]|\.\.|\$\{?\w*(?:path|dir)\b", re.IGNORECASE)
_INIT = frozenset(("set", "unset", "option", "alias", "unalias", "define", "echo"))
_INIT_FILES = frozenset(("codemodel", "osdi", "pre_osdi"))


class _Line(Struct, frozen=True):
    """What counts of a line of a deck: the file that it brings in, files in arguments, whether that is all."""

    reference: tuple[str, str] | None
    arguments: tuple[str, ...]
    is_certain: bool


_NOTHING = _Line(None, (), is_certain=True)


class DeckInputs:
    """Digests of decks; files and lines are looked at once, so that the decks of a run cost little.

    Whoever reads model files for the simulator reads them by `read`, so that the simulator and the digests mean the
    same content. A file that has changed since it was first read makes every key empty that it belongs to.

    Parameters
    ----------
    notes: what earlier processes found in the files
    """

    def __init__(self, notes: FileNotes | None = None) -> None:
        self.notes = notes or FileNotes()
        self._lines: dict[str, _Line] = {}
        self._nothing: set[str] = set()
        """Lines of which nothing counts: nearly all."""
        self._digests: dict[str, str] = {}
        self._changed: set[str] = set()
        self._outside: set[str] = set()
        self._with_libraries: set[str] = set()
        self._inner: dict[tuple[str, str], frozenset[tuple[str, str]]] = {}
        self._behind: dict[tuple[str, str], Sequence[str]] = {}
        self._files: dict[str, tuple[tuple[int, ...], str]] = {}
        self._init: dict[str, tuple[str, ...] | None] = {}

    def read(self, path: str) -> str:
        """The text of a model file, which counts from now on.

        Raises
        ------
        OSError: it cannot be read
        """
        return self._read(path)[0]

    def key(self, text: str, folder: str, init_file: str, further: Sequence[str]) -> str:
        """The digest, the same for decks with the same result; empty where that cannot be known.

        Parameters
        ----------
        text: the rendered template
        folder: absolute path of the case's folder
        init_file: text of the simulator's init file
        further: whatever else counts: the simulator, a seed …
        """
        references, arguments, is_certain = self._split(text, folder)
        init = self._of_init(init_file)
        if init is None or not is_certain or not _stays_here(text):
            return ""
        try:
            models = [path for found in references for path in self._read_for(found)]
            if not has_sections(init_file) and (".lib" in text.lower() or not self._with_libraries.isdisjoint(models)):
                return ""
            if not (self._changed.isdisjoint(models) and self._outside.isdisjoint(models)):
                return ""
            digests = [*map(self._digests.__getitem__, models), *map(self._of_file, (*arguments, *init))]
        except OSError:  # of which ngspice has something to say itself
            return ""
        parts = "\0".join((*further, init_file, *digests, text, ""))
        return hashlib.sha256(parts.encode("utf-8", "surrogateescape")).hexdigest()

    def _split(self, text: str, folder: str) -> tuple[list[tuple[str, str]], list[str], bool]:
        """Model files with their sections, other files, and whether those are all that count."""
        references: list[tuple[str, str]] = []
        arguments: list[str] = []
        is_certain = True
        lines = [line for line in text.split("\n")[1:] if line not in self._nothing]
        for line in lines:
            known = self._lines.get(line) or self._look_at(line)
            if known.reference:
                references.append((full_path(known.reference[0], folder), known.reference[1].lower()))
            if known.arguments:
                arguments += [full_path(path, folder) for path in known.arguments]
            is_certain = is_certain and known.is_certain
        return references, arguments, is_certain

    def _look_at(self, line: str) -> _Line:
        if len(self._lines) + len(self._nothing) > _MOST_LINES:
            self._lines.clear()
            self._nothing.clear()
        found = reference(line) if line.lstrip()[:1] == "." else None
        is_comment = line.lstrip()[:1] == "*"
        is_certain = (
            not has_hidden_commands(line) if is_comment else not (_OUTSIDE.search(line) or _PATHLESS.search(line))
        )
        arguments = tuple(file_arguments(line))
        # ngspice opens the file of that name in lower case.
        is_certain = is_certain and all(path == path.lower() for path in arguments)
        known = _Line(found, arguments, is_certain)
        if known == _NOTHING:
            self._nothing.add(line)
        else:
            self._lines[line] = known
        return known

    def _read_for(self, first: tuple[str, str]) -> Sequence[str]:
        """The files that are read for one, or for a section of it, that one included.

        Raises
        ------
        OSError: one of them cannot be read
        """
        if first not in self._behind:
            waiting, seen = [first], {first}
            while waiting:
                inner = self._read_in(waiting.pop())
                waiting.extend(inner - seen)
                seen |= inner
            self._behind[first] = sorted({path for path, _ in seen})
        return self._behind[first]

    def _read_in(self, place: tuple[str, str]) -> frozenset[tuple[str, str]]:
        """What a file, or a section of it, brings in itself."""
        if place not in self._inner:
            path, section = place
            is_plain, has_libraries, found = self._found_in(path, section)
            if has_libraries:
                self._with_libraries.add(path)
            # Meant from the folder of a library further out, or of the deck.
            goes_astray = not section and any(part and not name.startswith(("/", "~")) for name, part in found)
            if goes_astray or not is_plain:
                self._outside.add(path)
            folder = posixpath.dirname(path)
            self._inner[place] = frozenset((full_path(name, folder), part.lower()) for name, part in found)
        return self._inner[place]

    def _found_in(self, path: str, section: str) -> tuple[bool, bool, Sequence[tuple[str, str]]]:
        """Whether a file is plain and has libraries, and what it, or a section of it, brings in as written there."""
        note = self.notes.get(path)
        if note is None or section not in note.found:
            text, note = self._read(path)
            lower = text.lower()
            has_libraries = ".lib" in lower
            found = list(file_references(text, section)) if has_libraries or ".inc" in lower else []
            note.found[section] = (_is_plain(lower), has_libraries, found)
        else:
            self._count(path, note)
        is_plain, has_libraries, found = note.found[section]
        return is_plain, has_libraries, found

    def _read(self, path: str) -> tuple[str, Note]:
        data, note = self.notes.read(path)
        self._count(path, note)
        return as_text(data), note

    def _count(self, path: str, note: Note) -> None:
        if self._digests.setdefault(path, note.sha256) != note.sha256:
            self._changed.add(path)

    def _of_init(self, text: str) -> tuple[str, ...] | None:
        """The files that an init file loads; None where it does more than set something."""
        if text not in self._init:
            self._init[text] = _loaded(text.splitlines())
        return self._init[text]

    def _of_file(self, path: str) -> str:
        """Digest of a file that ngspice itself reads, taken again where its state says that it may have changed.

        Raises
        ------
        OSError: it cannot be read
        """
        state = file_state(os.stat(path))  # noqa: PTH116
        known = self._files.get(path)
        if known is None or known[0] != state:
            with Path(path).open("rb") as file:
                known = (state, hashlib.file_digest(file, "sha256").hexdigest())
            self._files[path] = known
        return known[1]


def _is_plain(lower: str) -> bool:
    """Whether a model file, in lower case, is text and nothing else: no commands, no programs, no files of data."""
    if ".control" in lower or has_hidden_commands(lower):
        return False
    if any(map(lower.__contains__, _OUTSIDE_WORDS)) and _OUTSIDE.search(_code(lower)):
        return False
    lines = (line for line in _lines_with("file", lower) if line.lstrip()[:1] != "*")
    return not any(_PATHLESS.search(line) or any(file_arguments(line)) for line in lines)


def _code(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("*"))


def _lines_with(word: str, text: str) -> Iterator[str]:
    end = 0
    while (found := text.find(word, end)) >= 0:
        end = text.find("\n", found)
        end = len(text) if end < 0 else end
        yield text[text.rfind("\n", 0, found) + 1 : end]


def _stays_here(text: str) -> bool:
    """Whether commands of a deck read nothing else, and write into the case's folder if anywhere."""
    for block in _CONTROL.findall(text) if ".control" in text.lower() else ():
        for line in block.splitlines():
            command, _, arguments = line.strip().partition(" ")
            if command[:1] in ("", "*", "$", ";"):
                continue
            if not _COMMAND.fullmatch(command) or "`" in line or _ELSEWHERE.search(_named(command.lower(), arguments)):
                return False
    return True


def _named(command: str, arguments: str) -> str:
    """What of a command's arguments may be the name of a file, or become part of one."""
    if command in _WRITING:
        return (arguments.split() or [""])[0]
    if command in _PRINTING:
        return arguments.partition(">")[2]
    return arguments if command in _NAMING else ""


def _loaded(lines: Iterable[str]) -> tuple[str, ...] | None:
    paths: list[str] = []
    for line in lines:
        words = line.split()
        if not words or words[0][0] in "*$;":
            continue
        if words[0].lower() in _INIT_FILES and all(word.startswith("/") for word in words[1:]):
            paths += words[1:]
        elif words[0].lower() not in _INIT:
            return None
    return tuple(paths)
