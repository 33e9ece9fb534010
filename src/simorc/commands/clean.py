"""`simorc clean`: delete runs. Nothing but a run directory is ever deleted, and never an active one."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from simorc.commands._common import output_of
from simorc.commands.status import State, line_of, state_or_problem
from simorc.core.errors import ExitCode, RunDirectoryError, UsageError
from simorc.core.ranges import parse_ranges
from simorc.simulators.process import kill_orphans
from simorc.workspace.create import put_back_replaced, unfinished_folders
from simorc.workspace.files import storage_error
from simorc.workspace.layout import RunDirectory, is_run_directory, list_runs
from simorc.workspace.lock import is_active, run_lock
from simorc.workspace.manifest import read_manifest


def clean(run: str | None, setup: Path | None, everything: bool, cache: bool) -> int:
    """Delete one run, or all but active ones, or those that are chosen on the terminal.

    Parameters
    ----------
    run: an exact run id or a path
    everything: every run of the project, without asking; active ones stay and are named
    cache: the cache of results; alone it leaves the runs as they are

    Raises
    ------
    UsageError: no such run, or nobody to ask
    RunDirectoryError: the run is active, or cannot be deleted
    """
    if run is not None and everything:
        raise UsageError("give either a run or --all")
    if run is not None:
        _delete_runs([_exactly(run, setup)])
    elif everything:
        _delete_all(output_of(setup))
    elif not cache:
        _delete_runs(_ask(_finished(list_runs(output_of(setup)))))
    if cache:
        _delete_cache(output_of(setup) / ".cache")
    return ExitCode.DONE


def _exactly(text: str, setup: Path | None) -> RunDirectory:
    """The run directory of exactly that path or id."""
    if not text.strip():  # an unset shell variable; as a path it would mean the current folder
        raise UsageError("an empty text names no run; nothing is deleted")
    path = Path(text)
    if _is_link(path) or is_run_directory(path):
        return _real_run(path)
    if path.name != text or text == "..":
        raise UsageError(f"{text} is not a run directory; nothing is deleted")
    path = output_of(setup) / text
    if _is_link(path) or is_run_directory(path):
        # In its own place a damaged run is one too: how else would one get rid of it?
        return RunDirectory(_no_link(path))
    ids = [run.run_id for run in list_runs(output_of(setup)) if run.run_id.startswith(text)]
    hint = f"did you mean {' or '.join(ids[-5:])}?" if ids else "`simorc status` lists the runs"
    raise UsageError(f"{text!r} is not the exact id of a run; nothing is deleted", hint=hint)


def _real_run(path: Path) -> RunDirectory:
    """A run directory that may lie anywhere, therefore with everything that makes it one."""
    run = RunDirectory(_no_link(path).resolve())
    if not run.metadata.is_file():
        raise UsageError("not a run directory: there is no metadata.csv; nothing is deleted", where=str(run.path))
    read_manifest(run)
    return run


def _is_link(path: Path) -> bool:
    return os.path.islink(path)  # noqa: PTH114  # unlike Path.is_symlink it takes any text for a name


def _no_link(path: Path) -> Path:
    if path.is_symlink():
        hint = f"it leads to {path.resolve()}: name that folder, or remove the link yourself"
        raise UsageError("a symbolic link is not followed; nothing is deleted", where=str(path), hint=hint)
    return path


def _delete_all(output: Path) -> None:
    put_back = put_back_replaced(output)
    doomed = []
    for run in list_runs(output):
        if run in put_back:
            _say(f"{run.run_id}: stays, it was put back: a build was killed while it replaced this run")
        elif run.path.is_symlink():
            _say(f"{run.run_id}: stays, it is a symbolic link")
        elif is_active(run):
            _say(f"{run.run_id}: stays, it is active")
        else:
            doomed.append(run)
    try:
        _delete_runs(doomed)
    finally:
        for folder in unfinished_folders(output):
            _delete(folder, folder.name)


def _delete_cache(folder: Path) -> None:
    if folder.is_dir():
        _delete(_no_link(folder), str(folder))
    else:
        _say(f"no cache in {folder.parent}")


def _finished(runs: Sequence[RunDirectory]) -> list[RunDirectory]:
    """The runs with nothing left to run."""
    states = [(run, state_or_problem(run)) for run in runs if not run.path.is_symlink()]
    return [run for run, state in states if not (state["problem"] or state["active"] or _open_cases(state))]


def _open_cases(state: State) -> int:
    return int(state["pending"] + state["in_progress"])


def _ask(runs: list[RunDirectory]) -> list[RunDirectory]:
    """The runs that a person chooses from a list."""
    if not sys.stdin.isatty():
        raise UsageError("which runs? There is no terminal to ask on", hint="give an exact run id or a path, or --all")
    if not runs:
        _say("no completed runs")
        return []
    for number, run in enumerate(runs, start=1):
        _say(f"{number:3}  {line_of(state_or_problem(run))}")
    while True:
        _say("delete which? (such as 1,3-4; `all`; nothing to leave them)")
        answer = _answer()
        if answer == "all":
            return runs
        try:
            numbers = parse_ranges(answer) if answer else []
            if not numbers or 1 <= numbers[0] <= numbers[-1] <= len(runs):
                return [runs[number - 1] for number in numbers]
            _say(f"there are 1 to {len(runs)}")
        except UsageError as error:
            _say(str(error))


def _answer() -> str:
    try:
        return input("> ").strip()
    except EOFError:
        return ""


def _delete_runs(runs: Sequence[RunDirectory]) -> None:
    """Delete all that can be deleted, then tell the catalogue; raises for those that could not."""
    failures = []
    for run in runs:
        try:
            _delete_run(run)
        except RunDirectoryError as error:
            failures.append(error)
    for output in dict.fromkeys(run.path.parent for run in runs):
        _update_catalogue(output)
    if failures:
        raise failures[0] if len(failures) == 1 else RunDirectoryError("\n".join(map(str, failures)))


def _delete_run(run: RunDirectory) -> None:
    """Delete a run while holding its lock, so that nobody starts it meanwhile; simulators that a crash left end."""
    with run_lock(run):
        kill_orphans(run.path)
        _delete(run.path, run.run_id)


def _update_catalogue(output: Path) -> None:
    from simorc.workspace.catalogue import forget_deleted_runs  # brings numpy along

    try:
        forget_deleted_runs(output)
    except RunDirectoryError as error:
        _say(f"warning: the catalogue of runs could not be brought up to date: {error}")


def _delete(folder: Path, name: str) -> None:
    """Delete a folder; links in it go, what they lead to stays. Interrupted half-way, what is left is no run."""
    doomed = folder.with_name(f".deleting-{os.getpid()}-{folder.name}")
    try:
        size = _size(folder)
        folder.rename(doomed)
        shutil.rmtree(doomed)
    except OSError as error:
        raise storage_error(error, folder, "delete") from error
    print(f"deleted {name}: {_bytes(size)} freed")


def _size(folder: Path) -> int:
    """Bytes in the files of a folder."""
    return sum((Path(root) / name).lstat().st_size for root, _, names in os.walk(folder) for name in names)


def _bytes(size: int) -> str:
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit} ({size} bytes)"
    return f"{size} bytes"


def _say(text: str) -> None:
    print(text, file=sys.stderr)
