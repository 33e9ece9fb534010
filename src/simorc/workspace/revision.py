"""The revision by which a run is judged: its plan and the Python files of its testbench, and how it is replaced."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path

from simorc.core.plan import Plan
from simorc.workspace.clock import utc_text
from simorc.workspace.files import link_or_copy, storage_error, swap_folders
from simorc.workspace.inputs import copy_testbench, input_files, input_hashes
from simorc.workspace.layout import RunDirectory
from simorc.workspace.manifest import manifest_value, read_manifest, write_manifest
from simorc.workspace.plan_file import write_plan

_FORMER = "former"
_ASIDE = ".former-inputs"


def revision(run: RunDirectory) -> str:
    """sha256 over the plan and every Python file of the testbench, in hexadecimal.

    Raises
    ------
    RunDirectoryError: a file cannot be read
    """
    digest = hashlib.sha256()
    for path in _judging_files(run):
        try:
            digest.update(f"{path.relative_to(run.inputs)}\0".encode() + path.read_bytes() + b"\0")
        except OSError as error:
            raise storage_error(error, path, "read an input") from error
    return digest.hexdigest()


@contextmanager
def staged_revision(run: RunDirectory, plan: Plan) -> Iterator[RunDirectory]:
    """Prepare an inputs/ with another plan and the Python files of its testbench folder, whole, beside the run's own.

    Gives a folder with nothing but that inputs/, for the length of a `with` block; the run itself is as it was until
    `adopt_revision`.

    Raises
    ------
    RunDirectoryError: a file cannot be read or written
    """
    staged = run.staging
    try:
        try:
            _stage(run, plan, staged)
        except OSError as error:
            raise storage_error(error, staged.path, "prepare the new revision") from error
        yield staged
    finally:
        shutil.rmtree(staged.path, ignore_errors=True)


def adopt_revision(run: RunDirectory, staged: RunDirectory, now: datetime) -> bool:
    """Make a staged revision the run's own, in one step where the file system can; whether that changed anything.

    The former one stays in `inputs/former/<number>/`; both and the time stand in run.json under `judged`.

    Raises
    ------
    RunDirectoryError: a file cannot be read or written; the run's inputs are one revision or the other, whole
    """
    before, after = revision(run), revision(staged)
    if after != before:
        try:
            _keep_former(run, staged)
            swap_folders(staged.inputs, run.inputs, run.path / _ASIDE)
        except OSError as error:
            raise storage_error(error, run.inputs, "replace the inputs") from error
    manifest = read_manifest(run)
    recorded, found = manifest_value(manifest, "sha256", dict), input_hashes(run)
    # What judging does not replace keeps its hash: whether somebody changed it is for `simorc run` to ask.
    kept = {name: digest for name, digest in recorded.items() if not _is_judging(name)}
    manifest["sha256"] = kept | {name: digest for name, digest in found.items() if name not in kept}
    manifest["judged"] = [*manifest.get("judged", []), {"time": utc_text(now), "before": before, "after": after}]
    write_manifest(run, manifest)
    return after != before


def restore_inputs(run: RunDirectory) -> None:
    """Undo what a kill left half done where folders cannot change places in one step; only with the run's lock.

    Raises
    ------
    RunDirectoryError: the run directory cannot be written
    """
    aside = run.path / _ASIDE
    try:
        if aside.exists() and not run.inputs.exists():
            aside.rename(run.inputs)
    except OSError as error:
        raise storage_error(error, aside, "put the inputs back") from error
    shutil.rmtree(aside, ignore_errors=True)


def _stage(run: RunDirectory, plan: Plan, staged: RunDirectory) -> None:
    shutil.rmtree(staged.path, ignore_errors=True)
    copy_testbench(plan, staged.testbench, run.path.parent, suffix=".py")
    for path in input_files(run):
        name = path.relative_to(run.path)
        if not _is_judging(name.as_posix()):
            _link(path, staged.path / name)
    write_plan(staged, plan)


def _is_judging(name: str) -> bool:
    """Whether a file of inputs/, by its path in the run directory, belongs to the revision."""
    return name == "inputs/plan.json" or (name.startswith("inputs/testbench/") and name.endswith(".py"))


def _judging_files(run: RunDirectory) -> list[Path]:
    return sorted(path for path in input_files(run) if _is_judging(path.relative_to(run.path).as_posix()))


def _keep_former(run: RunDirectory, staged: RunDirectory) -> None:
    former = staged.inputs / _FORMER
    folder = next(former / str(number) for number in count() if not (former / str(number)).exists())
    for path in _judging_files(run):
        _link(path, folder / path.relative_to(run.inputs))


def _link(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    link_or_copy(path, target)
