"""ngspice, one process a case."""

from __future__ import annotations

import errno
import mmap
import os
import re
import shutil
import signal
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import ClassVar

from simorc.core.case import Case
from simorc.core.errors import CaseError, ErrorKind, ToolMissingError, UsageError
from simorc.core.plan import SimulatorSettings
from simorc.core.protocols import Deck, SimulationResult
from simorc.core.waveforms import Plot, Waveforms
from simorc.simulators.ngspice_deck import PreparedDeck, prepare_deck
from simorc.simulators.ngspice_log import LogReport, parse_log
from simorc.simulators.process import Finished, ask, run_process
from simorc.simulators.rawfile import RawFileError, check_raw, parse_raw
from simorc.simulators.versions import INSTALL_HINT, TESTED
from simorc.workspace.file_notes import FileNotes
from simorc.workspace.files import make_folder, write_bytes

NETLIST = "netlist.spice"
INIT_FILE = ".spiceinit"
LOG = "ngspice.log"
_NOT_OURS = ("SPICE_USERINIT_DIR", "SPICE_ASCIIRAWFILE")
_OWN_VARIABLE = re.compile("SPICE|NGSPICE")
_LONGEST_LOG = 1 << 24
_FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
_HINTS = {
    ErrorKind.NO_CONVERGENCE: "`retries:` in sim_setup.yaml tries other simulator options, such as {gmin: 1e-10}",
    ErrorKind.TIMESTEP: "`retries:` in sim_setup.yaml tries other simulator options, such as {method: gear}",
    ErrorKind.KILLED: f"by hand: ngspice -b {NETLIST} in the case's folder",
    ErrorKind.TIMEOUT: "`timeout_s:` in sim_setup.yaml, or --timeout, gives it longer",
}
_LOWER = "ngspice takes names of data files in lower case: rename it, and keep it in the testbench's folder"


class Ngspice:
    """Runs every deck in a process of its own, `ngspice -b netlist.spice`, in the case's folder.

    The folder holds what it takes to run the deck by hand: the netlist, and an init file that keeps the user's
    `~/.spiceinit` from being read. `init: [source ~/.spiceinit]` in the settings brings that in.
    """

    tested_versions: ClassVar[tuple[str, ...]] = tuple(f"ngspice-{number}" for number in TESTED)

    def __init__(self, settings: SimulatorSettings) -> None:
        self._settings = settings
        self.notes = FileNotes()

    @cached_property
    def program(self) -> str:
        """Where ngspice is (ToolMissingError where it is not)."""
        program = shutil.which("ngspice")
        if program is None:
            raise ToolMissingError("ngspice is not installed", hint=INSTALL_HINT)
        return program

    @cached_property
    def _version(self) -> str:
        return self.notes.said(self.program, lambda: _said_by(*_state(Path(self.program)))) or "ngspice"

    @cached_property
    def environment(self) -> dict[str, str]:
        """All of the environment that ngspice runs in."""
        ours = {
            # Two processes with two threads each spin against each other: a hundredfold slower.
            "OMP_NUM_THREADS": str(self._settings.threads),
            "OMP_WAIT_POLICY": "passive",
            "NGSPICE_MEAS_PRECISION": "16",
            "LC_ALL": "C",
        }
        # Without a home ngspice crashes.
        inherited = {"HOME": "/nonexistent"} | dict(os.environ)
        return {name: value for name, value in inherited.items() if name not in _NOT_OURS} | ours

    @cached_property
    def identity(self) -> tuple[str, ...]:
        """What tells this program from another build of it: also what it loads at each start, and its environment."""
        own = sorted(f"{name}={value}" for name, value in self.environment.items() if _OWN_VARIABLE.match(name))
        return (*(part for file in (Path(self.program), *self._loaded_at_start()) for part in _state(file)), *own)

    def _loaded_at_start(self) -> list[Path]:
        """The init file of the installation, where it can be found, and the device models that it names."""
        library = self.environment.get("SPICE_LIB_DIR") or Path(self.program).resolve().parent.parent / "share/ngspice"
        places = (Path(self.environment.get("SPICE_SCRIPTS") or "/nonexistent"), Path(library) / "scripts")
        found = next((place / "spinit" for place in places if (place / "spinit").is_file()), None)
        if found is None:
            return []
        words = found.read_text(encoding="utf-8", errors="surrogateescape").split()
        return [found, *(Path(word) for word in words if word.startswith("/") and Path(word).is_file())]

    @cached_property
    def init_file(self) -> str:
        """Text of the init file that ngspice reads before a deck."""
        lines = [f"set num_threads={self._settings.threads}"]
        for line in self._settings.init:
            lines += _sourced(line)
        return "\n".join([*lines, ""])

    def version(self) -> str:
        """Name and version, e.g. `ngspice-39`; asked for once."""
        return self._version

    def order_key(self, case: Case) -> tuple[object, ...]:
        """Row order: processes share nothing."""
        return (case.case_id,)

    def prepare(self, text: str, case: Case, options: Mapping[str, str]) -> PreparedDeck:
        """The netlist with what makes `ngspice -b` run it, and the init file.

        Raises
        ------
        TemplateError: an analysis that ngspice could not be given
        UsageError: the settings name an init file that is not there
        """
        return prepare_deck(text, case.seed, options, {INIT_FILE: self.init_file})

    def run(self, deck: Deck, folder: Path, timeout_s: float) -> SimulationResult:
        """Write the deck into the folder, simulate it there, read what came back.

        Raises
        ------
        ToolMissingError: ngspice is not installed
        OSError: the folder cannot be written, for another reason than a full disk
        """
        return self.run_netlist(deck, folder, timeout_s, NETLIST)

    def run_netlist(self, deck: Deck, folder: Path, timeout_s: float, netlist: str) -> SimulationResult:
        """As `run`, with another file than the deck's own given to ngspice: the same deck on other models.

        Parameters
        ----------
        netlist: path, from the folder
        """
        program = self.program
        try:
            write_deck(deck, folder)
            command = [program, "-b", "-o", LOG, netlist]
            finished = run_process(command, folder, folder / LOG, self.environment, timeout_s)
            note = _note(finished, timeout_s)
            if note:
                with (folder / LOG).open("a", encoding="utf-8") as log:
                    log.write(f"\nsimorc: {note}\n")
        except OSError as error:
            if error.errno not in _FULL_DISK:
                raise
            return _failed(folder, ErrorKind.DISK_FULL, str(error))
        try:
            return self.read(folder)
        except CaseError as error:
            return _failed(folder, error.kind, error.what)

    def read(self, folder: Path) -> SimulationResult:
        """What a run left in the folder: log and raw files.

        Raises
        ------
        CaseError: there is no log, or a raw file is unreadable though the log says that all went well
        """
        log = folder / LOG
        try:
            text = _text_of(log)
        except OSError as error:
            raise CaseError(ErrorKind.LOST, f"there is no log: {error.strerror}", where=_from_run(log)) from error
        report = parse_log(text)
        files = sorted(folder.glob("*.raw"))
        failure = _error(report, log) or _cut(text, log) or _damage(files)
        waves = Waveforms(lambda: _plots(files))
        return SimulationResult(report.values, waves, log, messages=report.messages, error=failure)

    def timed_out(self, folder: Path, timeout_s: float) -> SimulationResult:
        """A case whose time was over in another process than one of its own."""
        (folder / LOG).write_text(f"simorc: {_note(Finished(0, timed_out=True), timeout_s)}\n", encoding="utf-8")
        return self.read(folder)

    def close(self) -> None:
        """Nothing is kept running."""


def write_deck(deck: Deck, folder: Path) -> None:
    """Everything that it takes to run a deck by hand: `ngspice -b netlist.spice` in the folder."""
    place = os.fspath(folder)
    make_folder(place)
    for name, text in {NETLIST: deck.text, **deck.files}.items():
        write_bytes(f"{place}/{name}", text.encode("utf-8", "surrogateescape"))


def deck_files(deck: Deck) -> dict[str, bytes]:
    """The files of a deck by name."""
    return {name: text.encode("utf-8", "surrogateescape") for name, text in {NETLIST: deck.text, **deck.files}.items()}


def files_beside(log: Path) -> dict[str, bytes]:
    """The files that lie in the folder of a log; none where there is more than files."""
    found: dict[str, bytes] = {}
    with os.scandir(log.parent) as entries:
        for entry in entries:
            if not entry.is_file(follow_symlinks=False):
                return {}
            found[entry.name] = Path(entry.path).read_bytes()
    return found


@lru_cache
def _said_by(program: str, *state: str) -> str:
    """What a program says of itself, as long as it is the same file; empty where that is no version."""
    match = re.search(r"ngspice-[\d.]+\+?", ask([program, "--version"])[1])
    return match.group() if match else ""


def _state(file: Path) -> tuple[str, str, str]:
    found = file.stat()
    return os.fspath(file), str(found.st_size), str(found.st_mtime_ns)


def _sourced(line: str) -> list[str]:
    """A line of `init`; `source FILE` as the lines of that file, which ngspice would take for a netlist."""
    match = re.fullmatch(r"\s*source\s+(\S.*?)\s*", line)
    if match is None:
        return [line]
    path = Path(match.group(1).strip("\"'")).expanduser()
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError as error:
        raise UsageError(
            f"simulator init: cannot read {path}: {error.strerror}", hint="see `init:` in sim_setup.yaml"
        ) from error
    return [f"* from {path}", *lines]


def _note(finished: Finished, timeout_s: float) -> str:
    """What the log has to tell that ngspice could not."""
    if finished.timed_out:
        return f"{ErrorKind.TIMEOUT}: no result after {timeout_s:g} s; ngspice was killed"
    if finished.code < 0:
        return f"{ErrorKind.KILLED}: ngspice ended by signal {-finished.code} ({signal.Signals(-finished.code).name})"
    return ""


def _error(report: LogReport, log: Path) -> CaseError | None:
    if report.error is None:
        return None
    kind, what = report.error
    hint = _LOWER if "cannot open file" in what else _HINTS.get(kind, "")
    return CaseError(kind, what, where=_from_run(log), hint=hint)


def _text_of(log: Path) -> str:
    """The log; of one that a deck filled without end the beginning and the end."""
    size = log.stat().st_size
    with log.open("rb") as file:
        data = file.read(_LONGEST_LOG)
        if size > _LONGEST_LOG:
            file.seek(max(size - _LONGEST_LOG, _LONGEST_LOG))
            data += b"\n" + file.read(_LONGEST_LOG)
    return data.decode("utf-8", "replace")


def _cut(text: str, log: Path) -> CaseError | None:
    """A log that ends early because the disk is full, about which ngspice says nothing."""
    if re.search(r"^ngspice-\S+ done", text, re.MULTILINE) or not _is_full(log.parent):
        return None
    return CaseError(ErrorKind.DISK_FULL, "the log ends early and the disk is full", where=_from_run(log))


def _damage(files: list[Path]) -> CaseError | None:
    """The first raw file that is not all there; ngspice says nothing when the disk is full."""
    for file in files:
        try:
            _check(file)
        except (RawFileError, OSError) as error:
            kind = ErrorKind.DISK_FULL if _is_full(file.parent) else ErrorKind.MEASURE_ERROR
            what = error.what if isinstance(error, RawFileError) else str(error)
            return CaseError(kind, what, where=_from_run(file))
    return None


def _check(file: Path) -> None:
    if not file.stat().st_size:
        raise RawFileError("an empty raw file")
    # Mapped: of a large file only the headers are read. The map ends when the last view of it does.
    with file.open("rb") as opened:
        mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    check_raw(memoryview(mapped))


def _is_full(folder: Path) -> bool:
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize < 1 << 16


def _plots(files: list[Path]) -> list[Plot]:
    return [plot for file in files for plot in parse_raw(file.read_bytes())]


def _from_run(path: Path) -> str:
    """The path as seen from the run directory: `results/3/ngspice.log`."""
    return "/".join(path.parts[-3:])


def _failed(folder: Path, kind: ErrorKind, what: str) -> SimulationResult:
    log = folder / LOG
    return SimulationResult({}, Waveforms(), log, error=CaseError(kind, what, where=_from_run(log)))
