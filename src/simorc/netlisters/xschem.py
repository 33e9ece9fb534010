"""xschem: headless, one start a schematic, whatever the version.

Sources: `xschem --help` of 2.8.1, xschem(1) of 3.4.4, the xschem manual (Netlisting; xschemrc).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from simorc.core.errors import NetlistError, ToolMissingError
from simorc.core.netlister import Netlisted, NetlisterSettings, NetlistKind, Sources
from simorc.netlisters.deck_text import finished, is_whole, named_twice
from simorc.netlisters.xschem_file import Drawing, placeholders
from simorc.netlisters.xschem_reach import reached, read_drawing
from simorc.simulators.process import Finished, ask, kill_orphans, run_process

LOG = "log.txt"
INSTALL_HINT = "type: apt-get install xschem"
_MISSING = re.compile(r"^\*\s*(\S+)\s+-\s+(\S+)\s+IS MISSING !!!!", re.MULTILINE)
_OPEN = re.compile(r"^([^*\s]\S*).*<UNCONNECTED PIN>", re.MULTILINE)
_COMPLAINTS = re.compile(r"unable to open|malformed|missing fields|can not execute|FATAL|evaluation of script", re.I)
_MOST_LINES = 12
_NAME = re.compile(r"[\w.+-]+\.sch")
_SAFE = re.compile(r"[\w./+-]+")
_VERSION_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Arguments:
    """What one family of versions takes; `{rc}`, `{folder}`, `{name}` and `{schematic}` are filled in.

    Parameters
    ----------
    versions: beginning of the version, e.g. `3.`
    """

    versions: str
    options: tuple[str, ...]

    def command(self, program: str, **values: str) -> list[str]:
        """The command line."""
        return [program, *(option.format(**values) for option in self.options)]


ARGUMENTS = (
    Arguments("2.", ("-x", "-q", "-n", "-s", "-r", "--rcfile", "{rc}", "{schematic}")),
    Arguments("", ("-x", "-q", "-n", "-s", "-r", "--rcfile", "{rc}", "-o", "{folder}", "-N", "{name}", "{schematic}")),
)
"""The first that fits is taken. 2.8.1 knows neither `-o` nor `-N`; 3.x is known from its manual page alone."""


class Xschem:
    """Netlists by xschem (`simorc.netlisters`)."""

    tested_versions: ClassVar[tuple[str, ...]] = ("xschem 2.8.1",)

    def __init__(self, settings: NetlisterSettings) -> None:
        self._settings = settings
        self._running: set[Path] = set()

    def version(self) -> str:
        """See `Netlister`; asked for once."""
        return self._version

    @cached_property
    def _version(self) -> str:
        """As `xschem --version` says it, e.g. `xschem 2.8.1`; its exit code is 1 in some versions."""
        try:
            _, said = ask([self._program(), "--version"], _VERSION_TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ToolMissingError(f"xschem does not start: {error}", hint=INSTALL_HINT) from error
        found = re.search(r"XSCHEM V(\S+)", said)
        if found is None:
            raise ToolMissingError("xschem does not say its version", where=self._program(), hint=INSTALL_HINT)
        return f"xschem {found[1]}"

    def sources(self, schematic: Path, search_path: Sequence[Path] = ()) -> Sources:
        """See `Netlister`; xschem's own library does not count: it belongs to the version."""
        own = _own_folders()
        return reached(schematic.resolve(), (*self._settings.libraries, *search_path, *own), own)

    def netlist(self, schematic: Path, kind: NetlistKind) -> Netlisted:
        """See `Netlister`. xschem works on a copy, as 2.8.1 saves what it has read, without what it does not know."""
        program, version = self._program(), self.version()
        if not _NAME.fullmatch(schematic.name):
            hint = "letters, digits, `_`, `.`, `+` and `-` are safe in its name, which ends in `.sch`"
            raise NetlistError("xschem cannot netlist a file of such a name", where=str(schematic), hint=hint)
        if (rcfile := self._settings.rcfile) is not None and not rcfile.is_file():
            raise NetlistError(f"no start-up file {rcfile}", hint="`netlister.rcfile` of the setup names it")
        drawing = read_drawing(schematic)
        started = time.time_ns()
        with tempfile.TemporaryDirectory(prefix="simorc_xschem_", dir=_temporary()) as name:
            folder = Path(name).resolve()
            copy, rc = folder / schematic.name, folder / "rc.tcl"
            result = folder / "netlist" / f"{schematic.stem}.spice"
            result.parent.mkdir()
            copy.write_bytes(schematic.read_bytes())
            rc.write_text(self._start_up(schematic.parent, folder), encoding="utf-8")
            words = {"rc": rc, "folder": result.parent, "name": result.name, "schematic": copy}
            command = _arguments(version).command(program, **{key: str(value) for key, value in words.items()})
            self._running.add(folder)
            try:
                ended = _start(command, schematic.parent, folder, self._settings.timeout_s)
            finally:
                self._running.discard(folder)
            search_path = _said_path(folder)
            text = _read(result)
            said = _read(folder / LOG).replace(str(copy), schematic.name)
            sources = self.sources(schematic, search_path)
            self._check(schematic, ended, text, said, sources, search_path)
        if changed := [path.name for path in sources.files if started <= path.stat().st_mtime_ns <= time.time_ns()]:
            raise NetlistError(f"changed meanwhile: {', '.join(changed)}", where=str(schematic), hint="run it again")
        try:
            made = finished(text, kind, _head(schematic, version), _symbol_pins(schematic) if _is_subckt(kind) else ())
        except ValueError as error:
            hint = f"make {schematic.with_suffix('.sym').name} fit, or delete it"
            raise NetlistError(str(error), where=str(schematic), hint=hint) from error
        lost = [f"{text} of {owner} is not in the netlist" for owner, text in placeholders(drawing) if text not in made]
        lost += [f"a component {symbol} has no name: it is not in the netlist" for symbol in _nameless(drawing)]
        unseen = "is it in the netlist? its changes will go unnoticed"
        lost += [f"no file found for {what}: {unseen}" for what in sources.unresolved]
        return Netlisted(made, sources, tuple(dict.fromkeys(lost)))

    def close(self) -> None:
        """See `Netlister`."""
        for folder in tuple(self._running):
            kill_orphans(folder, folder)

    def _program(self) -> str:
        program = shutil.which("xschem")
        if program is None:
            raise ToolMissingError("xschem is not installed", hint=INSTALL_HINT)
        return program

    def _start_up(self, beside: Path, folder: Path) -> str:
        """The start-up file: the project's own first, then what has to hold."""
        own = ":".join(str(path) for path in _own_folders())
        first = ":".join(str(path) for path in (beside, *self._settings.libraries))
        rc = self._settings.rcfile
        return "\n".join(
            [
                f"set XSCHEM_TMP_DIR {_word(str(folder))}",
                f"set XSCHEM_LIBRARY_PATH {_word(own)}",
                f"source {_word(str(rc))}" if rc is not None else "",
                f"set XSCHEM_LIBRARY_PATH {_word(first)}:$XSCHEM_LIBRARY_PATH",
                "set netlist_type spice",
                "set hspice_netlist 0",  # else braces of placeholders become quotes
                "set flat_netlist 0",
                "set lvs_netlist 0",
                "set top_is_subckt 0",  # 3.x: else a deck would be a subcircuit that nobody calls
                f"set netlist_dir {_word(str(folder / 'netlist'))}",
                f"set simorc_file [open {_word(str(folder / 'search_path'))} w]",
                "puts -nonewline $simorc_file $XSCHEM_LIBRARY_PATH",
                "close $simorc_file",
                "",
            ]
        )

    def _check(
        self, schematic: Path, ended: Finished, text: str, said: str, sources: Sources, search_path: Sequence[Path]
    ) -> None:
        """Raise unless xschem made a whole netlist."""
        where = str(schematic)
        complained = _COMPLAINTS.search(said) is not None
        if ended.timed_out:
            hint = "`netlister.timeout_s` of the setup is the limit; does it wait for somebody in a dialog?"
            raise NetlistError(f"xschem did not end within {self._settings.timeout_s:g} s", where=where, hint=hint)
        if missing := _MISSING.findall(text):
            symbols = ", ".join(f"{name} ({_reference(symbol, sources)})" for name, symbol in missing)
            looked = "\n".join(f"  {path}" for path in (schematic.parent, *search_path))
            hint = f"searched:\n{looked}\n`netlister.libraries` or `netlister.rcfile` of the setup add folders"
            raise NetlistError(f"symbols are missing: {symbols}", where=where, hint=hint)
        if opened := list(dict.fromkeys(_OPEN.findall(text))):
            hint = "wire it, or label it: for SPICE it would be other nodes than drawn"
            raise NetlistError(f"a pin is not connected: {', '.join(opened)}", where=where, hint=hint)
        if twice := named_twice(text):
            hint = "ngspice would take the first and forget the others"
            raise NetlistError(f"several components are called {', '.join(twice)}", where=where, hint=hint)
        if ended.code or complained or not is_whole(text):
            how = f"signal {-ended.code}" if ended.code < 0 else f"exit code {ended.code}"
            what = how if ended.code else "it complained" if complained else "the netlist has no `.end`"
            lines = [line for line in said.splitlines() if line.strip()]
            raise NetlistError(
                f"xschem made no whole netlist: {what}", where=where, hint="\n".join(lines[:_MOST_LINES])
            )


def _start(command: Sequence[str], folder: Path, spare: Path, timeout_s: float) -> Finished:
    try:
        return run_process(command, folder, spare / LOG, _environment(folder, spare), timeout_s, mark=spare)
    except OSError as error:
        raise ToolMissingError(f"xschem does not start: {error}", hint=INSTALL_HINT) from error


def _environment(folder: Path, spare: Path) -> Mapping[str, str]:
    """Without a display, nothing can open a window; xschem's Tcl reads PWD; it makes a folder in HOME, or ends."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    home = kept.get("HOME", "")
    return kept | {"PWD": str(folder), "HOME": home if home and os.access(home, os.W_OK) else str(spare)}


def _temporary() -> str | None:
    """Where temporary folders go: xschem hands their names to a shell, unquoted."""
    return None if _SAFE.fullmatch(tempfile.gettempdir()) else "/tmp"


def _arguments(version: str) -> Arguments:
    number = version.split()[-1]
    return next(known for known in ARGUMENTS if number.startswith(known.versions))


def _own_folders() -> tuple[Path, ...]:
    """The symbol folders that come with xschem, as far as they are here."""
    program = shutil.which("xschem")
    if program is None:
        return ()
    library = Path(program).resolve().parent.parent / "share" / "xschem" / "xschem_library"
    return tuple(folder for folder in (library, library / "devices") if folder.is_dir())


def _said_path(folder: Path) -> list[Path]:
    """The search path that the start-up file ended with."""
    return [Path(text) for text in dict.fromkeys(_read(folder / "search_path").split(":")) if text]


def _reference(symbol: str, sources: Sources) -> str:
    """The reference as it is drawn, where only its last part is known."""
    found = [text for text in sources.unresolved if Path(text.split(" in ")[0]).stem == Path(symbol).stem]
    return found[0] if found else symbol


def _nameless(drawing: Drawing) -> list[str]:
    """Symbols of components that xschem leaves out; what only labels a net needs no name."""
    return [item.reference for item in drawing.instances if not {"name", "lab"} & item.attributes.keys()]


def _symbol_pins(schematic: Path) -> tuple[str, ...]:
    symbol = schematic.with_suffix(".sym")
    return read_drawing(symbol).pins if symbol.is_file() else ()


def _is_subckt(kind: NetlistKind) -> bool:
    return kind is NetlistKind.SUBCKT


def _head(schematic: Path, version: str) -> str:
    return f"{schematic.stem}: made from {schematic.name} by {version}; edit that, then type: simorc netlist --update"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _word(text: str) -> str:
    """A text as one word of Tcl."""
    return re.sub(r"([^\w./:-])", r"\\\1", text)
