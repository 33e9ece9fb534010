"""What was found in files of models and programs, remembered in `.cache/files.json` beside the runs while unchanged.

To read and hash the models of a process takes as long as a hundred results from the cache. As in the index of git a
file counts as unchanged while its state does: device, inode, size, times. Nothing is remembered of one that changed a
moment before it was read, for a clock may not tell a further change from that one; nor of those beside the runs, which
are made anew with each of them.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from simorc import __version__
from simorc.core.errors import RunDirectoryError
from simorc.workspace.files import file_state, read_open, replace_file

_PLACE = Path(".cache", "files.json")
_SETTLED_NS = 10_000_000_000
"""Beyond what clocks of file systems differ by, and tell apart."""
_MOST = 10_000
_FORMAT = f"{__version__}/2"
"""The number changes with what is looked for in files."""

_PROGRAM = b"\x7fELF"
"""How a file begins that the kernel runs as it is."""

Found = tuple[bool, bool, list[tuple[str, str]]]
"""What `simorc.simulators.deck_inputs` finds in a file: whether it is plain, has libraries, and what it brings in."""


class Note(msgspec.Struct, gc=False):
    """What is known of a file.

    Parameters
    ----------
    state: what of it changes with its content
    sha256: of its content, hexadecimal
    found: what was found in a section of it; where it has none that is ""
    said: what a program says of itself
    """

    state: tuple[int, ...]
    sha256: str
    found: dict[str, Found]
    said: str = ""


class _File(msgspec.Struct):
    format: str
    files: dict[str, Note]


class FileNotes:
    """The notes beside the runs of one folder, as they were when this was made, and what was added since.

    Parameters
    ----------
    output: the folder of the runs; without one nothing is remembered. All paths are absolute
    """

    def __init__(self, output: Path | None = None) -> None:
        self._file = output / _PLACE if output is not None else None
        self._beside = f"{os.path.abspath(output)}/" if output is not None else ""  # noqa: PTH100 (resolves no links)
        self._known = _read(self._file) if self._file is not None else {}
        self._added: dict[str, Note] = {}

    def get(self, path: str) -> Note | None:
        """What is known of an unchanged file."""
        note = self._known.get(path)
        if note is None:
            return None
        with suppress(OSError), open(path, "rb", buffering=0) as file:  # noqa: PTH123  # opened, for NFS looks only then
            if _state(file.fileno()) == note.state:
                return note
        return None

    def read(self, path: str) -> tuple[bytes, Note]:
        """The content of a file, and a note for it to which `found` may be added.

        Raises
        ------
        OSError: it cannot be read
        """
        now = time.time_ns()
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            state = _state(file.fileno())
            data = read_open(file.fileno())
            return data, self._noted(path, hashlib.sha256(data).hexdigest(), now, state, _state(file.fileno()))

    def sha256(self, path: str) -> str:
        """Of a file's content, which may be larger than memory.

        Raises
        ------
        OSError: it cannot be read
        """
        if (note := self.get(path)) is not None:
            return note.sha256
        now = time.time_ns()
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            state = _state(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return self._noted(path, digest, now, state, _state(file.fileno())).sha256

    def said(self, path: str, ask: Callable[[], str]) -> str:
        """What a program says of itself, e.g. its version; asked each time where it may be another that answers.

        That is a script, or a link to a program of another name, which looks at the name that it was called by.

        Parameters
        ----------
        ask: starts it; an empty answer is none
        """
        if self._file is None or not Path(path).resolve().name.startswith(Path(path).name):
            return ask()
        note = self.get(path)
        if note is not None and note.said:
            return note.said
        try:
            data, note = self.read(path)
        except OSError:  # whoever may start it may not always read it
            return ask()
        said = ask()
        if data.startswith(_PROGRAM) and self.get(path) is note:  # the same before and afterwards
            note.said = said
            self._added[path] = note
        return said

    def _noted(self, path: str, digest: str, now: int, before: tuple[int, ...], after: tuple[int, ...]) -> Note:
        """A note for a file that was read; kept where a later change is sure to show."""
        note = self._known.get(path)
        if note is None or note.state != before or note.sha256 != digest:
            note = Note(before, digest, {})
        is_settled = before == after and max(before[-2:]) < now - _SETTLED_NS
        if is_settled and self._file is not None and not path.startswith(self._beside):
            self._known[path] = self._added[path] = note
        return note

    def save(self) -> None:
        """Write what was added; where it cannot be, it is found out again next time."""
        if not self._added or self._file is None:
            return
        known = _read(self._file)  # others may have added to it
        for path, note in self._added.items():
            with suppress(UnicodeEncodeError):  # half a character, in a name
                msgspec.json.encode((path, note))
                known.pop(path, None)
                known[path] = note
        latest = dict(list(known.items())[-_MOST:])
        with suppress(OSError, RunDirectoryError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._file, msgspec.json.encode(_File(_FORMAT, latest)), durable=False)
        self._added = {}


def _read(file: Path) -> dict[str, Note]:
    """Every note; none where another version wrote them, which may have looked for something else."""
    try:
        written = msgspec.json.decode(file.read_bytes(), type=_File)
    except (OSError, msgspec.MsgspecError, UnicodeError):
        return {}
    return written.files if written.format == _FORMAT else {}


def _state(descriptor: int) -> tuple[int, ...]:
    return file_state(os.fstat(descriptor))
