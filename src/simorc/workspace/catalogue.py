"""`catalogue.sqlite` beside the runs: what all of them hold, for questions over many of them.

The run directories are the truth; the catalogue is made from them and may be deleted at any time. Whoever changes it
holds a lock, works on a copy and renames that into place: a reader sees the former one or the new one, whole. The lock
file says which file was put there last; any other is gone through for damage before it is built upon (ADR 14).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from simorc.core.aggregates import AggregateResult
from simorc.core.errors import RunDirectoryError, SimorcError
from simorc.workspace.catalogue_rows import SCHEMA, TABLES, case_rows, instrument_rows, measurement_rows, run_row
from simorc.workspace.files import entries, storage_error
from simorc.workspace.gather import Gathered, aggregates_of, look
from simorc.workspace.layout import CATALOGUE, RunDirectory, is_run_directory
from simorc.workspace.lock import is_active
from simorc.workspace.manifest import read_manifest

LOCK_WAIT_S = 60.0
_PAUSE_S = 0.05
_PREPARE = (
    "PRAGMA journal_mode = OFF",  # a copy that was not finished is thrown away
    "PRAGMA synchronous = OFF",  # the file is made durable once, before it is renamed
)
_HINT = "the runs are safe, and the catalogue is made anew from them once it is deleted"

_Change = Callable[[sqlite3.Connection], None]


def update_catalogue(run: RunDirectory, gathered: Gathered, aggregates: Sequence[AggregateResult]) -> None:
    """Replace what the catalogue says of a run by what was gathered.

    Runs whose directories are gone leave it, and runs that it does not know enter it. A catalogue that is missing,
    damaged or of an older simorc is made anew from the run directories.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder, no lock to be had, a catalogue of a newer simorc; it is as it was
    """
    _rewrite(run.path.parent, lambda db: _put(db, run, gathered, aggregates))


def forget_deleted_runs(output: Path) -> None:
    """Take runs whose directories are gone out of the catalogue of a folder; where there is none, none is made.

    Raises
    ------
    RunDirectoryError: as for `update_catalogue`
    """
    if (output / CATALOGUE).exists():
        _rewrite(output, lambda db: None)


def rebuild_catalogue(output: Path) -> None:
    """Make the catalogue of a folder anew from its run directories; those that are active enter it when they end.

    Raises
    ------
    RunDirectoryError: as for `update_catalogue`
    """
    _rewrite(output, lambda db: None, anew=True)


def _rewrite(output: Path, change: _Change, *, anew: bool = False) -> None:
    """Make a change in a copy, or in a new catalogue where there is none to copy, and put it in its place."""
    final = output / CATALOGUE
    temporary = output / f".{CATALOGUE}.{os.getpid()}.tmp"
    try:
        with _locked(output / f".{CATALOGUE}.lock") as lock:
            _remove_leftovers(output)
            try:
                if anew or not _revised(final, temporary, change, is_ours=_identity(final) == os.pread(lock, 100, 0)):
                    _make(temporary, output, change)
                _finish(temporary, final)
                _note(lock, _identity(final))
            finally:
                temporary.unlink(missing_ok=True)
    except sqlite3.Error as error:
        raise RunDirectoryError(f"cannot write the catalogue: {error}", where=str(final), hint=_HINT) from error
    except OSError as error:
        raise storage_error(error, final) from error


def _revised(final: Path, temporary: Path, change: _Change, *, is_ours: bool) -> bool:
    """Whether there is a catalogue that could be copied and changed; not where it is damaged or of an older simorc.

    Parameters
    ----------
    is_ours: whether nobody has touched it since it was put there
    """
    try:
        shutil.copyfile(final, temporary)
        with _opened(temporary) as db:
            if not _is_usable(db, final) or not (is_ours or _is_whole(db)):
                return False
            _follow(db, final.parent, change)
    except (FileNotFoundError, sqlite3.DatabaseError):
        return False
    return True


def _make(temporary: Path, output: Path, change: _Change) -> None:
    temporary.unlink(missing_ok=True)
    with _opened(temporary) as db:
        db.executescript(TABLES)
        db.execute(f"PRAGMA user_version = {SCHEMA}")
        _follow(db, output, change)


def _is_usable(db: sqlite3.Connection, final: Path) -> bool:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA:
        what = f"the catalogue is of a newer simorc: schema {version}, expected {SCHEMA}"
        raise RunDirectoryError(what, where=str(final), hint=_HINT)
    return bool(version == SCHEMA)


def _is_whole(db: sqlite3.Connection) -> bool:
    """Goes through all of it, which takes longer than a change."""
    return bool(db.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))


def _follow(db: sqlite3.Connection, output: Path, change: _Change) -> None:
    """Make a change, and bring the list of runs to what the folder holds."""
    db.execute("BEGIN")
    change(db)
    known = {run_id for (run_id,) in db.execute("SELECT run_id FROM runs")}
    for run_id in known:
        if not is_run_directory(output / run_id):
            _drop(db, run_id)
    for entry in entries(output):
        if entry.name not in known and not entry.name.startswith(".") and entry.is_dir():
            _add(db, RunDirectory(output / entry.name))
    db.execute("COMMIT")


def _add(db: sqlite3.Connection, run: RunDirectory) -> None:
    """Enter a run that the catalogue does not know; `simorc status` tells of those that are damaged."""
    if is_run_directory(run.path) and not is_active(run):
        with contextlib.suppress(SimorcError):
            gathered = look(run)
            _put(db, run, gathered, aggregates_of(gathered))


def _put(db: sqlite3.Connection, run: RunDirectory, gathered: Gathered, aggregates: Sequence[AggregateResult]) -> None:
    manifest = read_manifest(run)
    row = run_row(run.run_id, gathered, aggregates, manifest)
    _drop(db, run.run_id)
    (key,) = db.execute("SELECT coalesce(max(run), 0) + 1 FROM runs").fetchone()
    _insert(db, "runs", [(key, *row)])
    _insert(db, "cases", case_rows(key, gathered))
    _insert(db, "measurements", measurement_rows(key, gathered))
    _insert(db, "instruments", instrument_rows(key, manifest))


def _drop(db: sqlite3.Connection, run_id: str) -> None:
    for table in ("measurements", "cases", "instruments", "runs"):  # faster than to have each row look for its own
        db.execute(f"DELETE FROM {table} WHERE run = (SELECT run FROM runs WHERE run_id = ?)", (run_id,))


def _insert(db: sqlite3.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    iterator = iter(rows)
    first = next(iterator, None)
    if first is not None:
        marks = ", ".join("?" * len(first))
        # A record may name a measurement twice, when a hook added it: the last one counts, as in results.csv.
        db.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", chain([first], iterator))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        for pragma in _PREPARE:
            db.execute(pragma)
        yield db


def _finish(temporary: Path, final: Path) -> None:
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(final)


def _identity(path: Path) -> bytes:
    """What changes with the content of a file; empty where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return b""
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns}".encode()


def _note(lock: int, identity: bytes) -> None:
    """Write into the lock file; where the disk is full, whoever is next goes through the catalogue first."""
    with contextlib.suppress(OSError):
        os.ftruncate(lock, 0)
        os.pwrite(lock, identity, 0)


def _remove_leftovers(output: Path) -> None:
    """Delete what killed processes left: under the lock nobody else has a temporary file."""
    for entry in entries(output):
        if entry.name.startswith(f".{CATALOGUE}.") and entry.name.endswith(".tmp"):
            Path(entry.path).unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Hold a kernel lock on a file that stays, and give its descriptor; waits for others, at most a minute."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + LOCK_WAIT_S
        while not _taken(fd):
            if time.monotonic() > deadline:
                raise RunDirectoryError("the catalogue is in use by another process", where=str(path), hint=_HINT)
            time.sleep(_PAUSE_S)
        yield fd
    finally:
        os.close(fd)


def _taken(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
