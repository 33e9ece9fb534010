"""New run directories: complete, or not there at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from simorc.core.case import Case
from simorc.core.errors import UsageError
from simorc.core.plan import Plan
from simorc.core.record import Status
from simorc.workspace.files import entries, is_alive, replace_file, storage_error, swap_folders
from simorc.workspace.inputs import copy_inputs, input_hashes
from simorc.workspace.layout import RunDirectory, is_run_directory, module_file_name
from simorc.workspace.lock import run_lock
from simorc.workspace.manifest import new_manifest, write_manifest
from simorc.workspace.metadata import MetadataRow, write_metadata
from simorc.workspace.plan_file import write_plan
from simorc.workspace.test_module import module_text

_UNFINISHED = re.compile(r"\.(?P<what>building|replaced|deleting)-(?P<pid>[0-9]{1,9})-(?P<run_id>.+)")


def create_run(
    output: Path,
    run_id: str,
    plan: Plan,
    cases: Sequence[Case],
    model_files: Iterable[str | Path],
    now: datetime,
    *,
    force: bool = False,
    rewritten: Mapping[str, str] | None = None,
) -> RunDirectory:
    """Make a run directory in the output folder: written whole beside its place, then renamed into it in one step.

    Parameters
    ----------
    cases: what `plan.sweep.cases()` gives, all of it
    model_files: further files that decks include; recorded by their sha256
    now: when the run is made
    force: replace a run of that id, once the new one is complete
    rewritten: copies in inputs/ that need another text than their originals, by path in the run directory: netlists
        whose relative paths would lead elsewhere from there

    Raises
    ------
    UsageError: there is such a run already, and `force` was not given; or the name is taken by something else
    RunDirectoryError: the run to be replaced is active; disk full, read-only folder …; nothing is left behind
    """
    final = output / run_id
    _check_place(final, force)
    building = output / f".building-{os.getpid()}-{run_id}"
    try:
        output.mkdir(parents=True, exist_ok=True)
        _fill(RunDirectory(building), run_id, plan, cases, model_files, now, rewritten or {})
        _put_in_place(building, RunDirectory(final), force)
    except OSError as error:
        raise storage_error(error, final, "build the run") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return RunDirectory(final)


def unfinished_folders(output: Path) -> list[Path]:
    """What killed processes left of runs that they were building, replacing or deleting."""
    return [path for path, _ in _unfinished(output)]


def put_back_replaced(output: Path) -> list[RunDirectory]:
    """Give runs their place again that a killed `--force` had taken away before the new one stood there.

    Raises
    ------
    RunDirectoryError: the output folder cannot be written
    """
    found = []
    for path, match in _unfinished(output):
        run = RunDirectory(output / match["run_id"])
        if match["what"] == "replaced" and is_run_directory(path) and not os.path.lexists(run.path):
            try:
                path.rename(run.path)
            except OSError as error:
                raise storage_error(error, run.path, "put the run back") from error
            found.append(run)
    return found


def _unfinished(output: Path) -> list[tuple[Path, re.Match[str]]]:
    found = [(Path(entry.path), _UNFINISHED.fullmatch(entry.name)) for entry in entries(output)]
    dead = [(path, match) for path, match in found if match and not is_alive(int(match["pid"]))]
    return sorted(dead, key=lambda pair: pair[0])


def _check_place(final: Path, force: bool) -> None:
    if not final.exists() and not final.is_symlink():
        return
    if final.is_symlink() or not is_run_directory(final):
        raise UsageError("something that is not a run has this name", where=str(final), hint="choose another --run-id")
    if not force:
        raise UsageError("there is such a run already", where=str(final), hint="--force replaces it")
    with run_lock(RunDirectory(final)):  # an active run is refused before any work is done
        pass


def _fill(
    run: RunDirectory,
    run_id: str,
    plan: Plan,
    cases: Sequence[Case],
    model_files: Iterable[str | Path],
    now: datetime,
    rewritten: Mapping[str, str],
) -> None:
    run.path.mkdir()
    run.status_dir.mkdir()
    run.results.mkdir()
    copy_inputs(run, plan)
    for name, text in rewritten.items():
        (run.path / name).write_text(text, encoding="utf-8", errors="surrogateescape")
    write_plan(run, plan)
    write_metadata(run, plan, (MetadataRow(case, Status.PENDING, "") for case in cases))
    module = module_text(plan.sweep.name, run_id, len(cases))
    replace_file(run.path / module_file_name(plan.sweep.name), [module])
    write_manifest(run, new_manifest(run_id, plan, len(cases), input_hashes(run, model_files), now))


def _put_in_place(building: Path, run: RunDirectory, force: bool) -> None:
    if not (force and run.path.exists()):
        try:
            building.rename(run.path)
        except OSError as error:
            if run.path.exists():  # somebody else was faster, in this very second
                raise UsageError(
                    "there is such a run already", where=str(run.path), hint="--force replaces it"
                ) from error
            raise
        return
    with run_lock(run):
        swap_folders(building, run.path, building.with_name(building.name.replace(".building-", ".replaced-", 1)))
