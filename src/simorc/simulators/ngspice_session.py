"""A long-lived ngspice: one child process that loads deck after deck, one at a time.

The program is the very one that `ngspice -b` runs, in its pipe mode (`-p`), in a folder of its own in memory. What was
measured of it stands in `versions`. Nothing survives from one deck to the next: all plots are destroyed and the circuit
is removed before each, the raw file of each has a name that no other had.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from simorc.simulators.ngspice_deck import Script
from simorc.simulators.process import RUN_VARIABLE
from simorc.workspace.files import is_alive, read_bytes, write_bytes
from simorc.workspace.parent import bound_to

_MEMORY = Path("/dev/shm")
_PREFIX = "simorc-ngspice-"
_LONGEST_LOG = 1 << 24
_ASKS = b"y/n ?"
_LOOK_EVERY_S = 0.5
_WITHOUT_SCALE = ("op", "tf", "noise_total")
_KEEPS_MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": "67108864",
    "MALLOC_TOP_PAD_": "16777216",
    "MALLOC_MMAP_THRESHOLD_": "67108864",
}
"""What one deck frees is there for the next, instead of going to the system and back: 6 % of a small deck's time."""
_LAST_WORD = "\nset filetype=binary\n"  # as what is added to a deck says it


class SessionEndedError(Exception):
    """The session has ended, or had to be ended, before the deck was through.

    Parameters
    ----------
    timed_out: the time was over
    """

    def __init__(self, what: str, *, timed_out: bool = False) -> None:
        super().__init__(what)
        self.timed_out = timed_out


class Output(Struct, frozen=True):
    """What a session says of one deck: the lines that came, and the raw file, empty where none was written."""

    log: bytes
    raw: bytes


class NgspiceSession:
    """One ngspice process, started at once.

    Parameters
    ----------
    command: the program, without arguments
    environment: all of it
    init: text of its init file
    belongs_to: absolute path of a folder in the `results/` that the process works for

    Raises
    ------
    OSError: the program cannot be started, or there is no place for its files
    """

    def __init__(self, command: str, environment: Mapping[str, str], init: str, belongs_to: str) -> None:
        self.decks = 0
        self.folder = new_folder()
        self._place = os.fspath(self.folder)
        self._log, self._read = -1, 0
        try:
            (self.folder / ".spiceinit").write_text(init + _LAST_WORD, encoding="utf-8", errors="surrogateescape")
            os.mkfifo(self.folder / "done")
            # Also for writing, so that there is always somebody at the other end.
            self._done = os.open(self.folder / "done", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            self._process = subprocess.Popen(
                [command, "-p", "-o", "log"],
                cwd=self.folder,
                env={**_KEEPS_MEMORY, **environment, RUN_VARIABLE: belongs_to},
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=bound_to(os.getpid()),
            )
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self._pidfd = os.pidfd_open(self._process.pid)
        self._poll = select.poll()
        self._poll.register(self._done, select.POLLIN)
        self._poll.register(self._pidfd, select.POLLIN)

    def run(self, script: Script, timeout_s: float) -> Output:
        """Load one deck, run its analyses, and bring back what they gave.

        Raises
        ------
        SessionEndedError: it died, asked something, or took too long; the session is closed then
        OSError: the deck cannot be written
        """
        self.decks += 1
        raw = f"{self.decks}.raw"
        write_bytes(f"{self._place}/deck.spice", script.netlist.encode("utf-8", "surrogateescape"))
        clean = ["destroy all", "remcirc"] if self.decks > 1 else []
        commands = [*clean, "source deck.spice", *script.commands, *_written(raw, script)]
        try:
            # The answer on a line of its own: what breaks off one command takes the rest of its line along.
            self._tell(f"{_together(commands)}\necho {self.decks} > done\n")
            self._wait(timeout_s)
            return Output(self._new_log(), _taken(f"{self._place}/{raw}"))
        except BaseException:  # also a time limit that strikes from outside: nobody knows where ngspice is now
            self.close()
            raise

    @property
    def is_open(self) -> bool:
        """Whether it takes further decks."""
        return self._done >= 0

    def memory(self) -> int:
        """Bytes of memory that the process holds; 0 once it has ended."""
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * os.sysconf("SC_PAGESIZE")

    def close(self) -> None:
        """End the process and delete its files; twice is once."""
        if self._done < 0:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # what was not read any more
            self._process.stdin.close()
        self._process.wait()
        if self._log >= 0:
            os.close(self._log)
        os.close(self._pidfd)
        os.close(self._done)
        self._done = -1
        shutil.rmtree(self.folder, ignore_errors=True)

    def _tell(self, text: str) -> None:
        assert self._process.stdin is not None
        data = text.encode("utf-8", "surrogateescape")
        try:
            while data:
                data = data[os.write(self._process.stdin.fileno(), data) :]
        except BrokenPipeError:
            raise SessionEndedError(self._death()) from None

    def _wait(self, timeout_s: float) -> None:
        """Until ngspice says that it has come to the end of the commands."""
        expected = b"%d\n" % self.decks
        left_s = timeout_s
        while True:
            events = dict(self._poll.poll(max(0, round(min(left_s, _LOOK_EVERY_S) * 1000))))
            if self._done in events:
                if os.read(self._done, 4096) != expected:
                    raise SessionEndedError("it answered out of turn")
                return
            if events:
                raise SessionEndedError(self._death())
            if self._log_end().rstrip().endswith(_ASKS):
                raise SessionEndedError("it asks whether to go on with a broken netlist")
            left_s -= _LOOK_EVERY_S
            if left_s <= 0:
                raise SessionEndedError(f"no result after {timeout_s:g} s", timed_out=True)

    def _death(self) -> str:
        code = self._process.wait()
        return (
            f"it ended by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"it ended with code {code}"
        )

    def _new_log(self) -> bytes:
        """What the log has more than before; of very much, the beginning."""
        if self._log < 0:
            self._log = os.open(f"{self._place}/log", os.O_RDONLY | os.O_CLOEXEC)
        begin, self._read = self._read, os.fstat(self._log).st_size
        return os.pread(self._log, min(self._read - begin, _LONGEST_LOG), begin)

    def _log_end(self) -> bytes:
        with contextlib.suppress(OSError), (self.folder / "log").open("rb") as file:
            file.seek(max(self._read, file.seek(0, os.SEEK_END) - 256))
            return file.read()
        return b""


def _together(commands: Sequence[str]) -> str:
    """Commands on one line where they can be, for ngspice looks up the memory of the system twice a line.

    Before the first of a line it fills in the variables of all, and it knows the words of a block only at a beginning;
    the only blocks in a `Script` begin with `if`.
    """
    apart = any("$" in command or command.startswith("if ") for command in commands)
    return ("\n" if apart else ";").join(commands)


def _written(file: str, script: Script) -> list[str]:
    """The commands that write plots into one file, as few as there can be.

    A plot may be a single vector, whose name ngspice loses where the plot is named in the command.
    """
    lonely = {plot for plot, kind in zip(script.plots, script.kinds, strict=True) if kind in _WITHOUT_SCALE}
    groups = [list(group) for _, group in groupby(script.plots, key=lambda plot: plot if plot in lonely else "")]
    commands: list[str] = []
    for number, group in enumerate(groups):
        commands += ["set appendwrite"] if number == 1 else []
        commands += [f"setplot {group[0]}", f"write {file}"] if group[0] in lonely else [_write(file, group)]
    return [*commands, "unset appendwrite"] if len(groups) > 1 else commands


def _write(file: str, plots: Sequence[str]) -> str:
    return f"write {file} {' '.join(f'{plot}.all' for plot in plots)}"


def _taken(path: str) -> bytes:
    """The content of a file, which is gone afterwards; empty where there is none."""
    try:
        data = read_bytes(path)
    except FileNotFoundError:
        return b""
    os.unlink(path)  # noqa: PTH108
    return data


def new_folder() -> Path:
    """A folder of this process, in memory where that can be had; those that killed processes left are deleted."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    for folder in _left_behind(place):
        shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place))


def _left_behind(place: Path) -> Iterator[Path]:
    for folder in place.glob(f"{_PREFIX}*"):
        match = re.match(r"(\d+)-", folder.name.removeprefix(_PREFIX))
        if match and not is_alive(int(match.group(1))):
            yield folder
