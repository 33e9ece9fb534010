"""The revision by which a run is judged: its plan and the Python files of its testbench, and how it is replaced."""

from __future__ import annotations

import hashlib
import shutil
from datetime import datetime
from pathlib import Path

from simorc.core.plan import Plan
from simorc.workspace.clock import utc_text
from simorc.workspace.files import storage_error
from simorc.workspace.inputs import input_hashes
from simorc.workspace.layout import RunDirectory
from simorc.workspace.manifest import read_manifest, write_manifest
from simorc.workspace.plan_file import write_plan

FORMER = "former"


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


def adopt_revision(run: RunDirectory, plan: Plan, now: datetime) -> bool:
    """Make a plan and the Python files of its testbench folder the run's own; whether that changed anything.

    The former ones stay in `inputs/former/<number>/`; both revisions and the time stand in run.json under `judged`.

    Raises
    ------
    RunDirectoryError: a file cannot be read or written
    """
    before = revision(run)
    kept = _keep_former(run)
    try:
        for path in Path(plan.testbench_dir).rglob("*.py"):
            if "__pycache__" not in path.parts:
                target = run.testbench / path.relative_to(plan.testbench_dir)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
    except OSError as error:
        raise storage_error(error, run.testbench, "copy the testbench's Python files") from error
    write_plan(run, plan)
    after = revision(run)
    if after == before:
        shutil.rmtree(kept)
    manifest = read_manifest(run)
    models = [name for name in manifest["sha256"] if Path(name).is_absolute()]
    manifest["sha256"] = input_hashes(run) | {name: manifest["sha256"][name] for name in models}
    manifest["judged"] = [*manifest.get("judged", []), {"time": utc_text(now), "before": before, "after": after}]
    write_manifest(run, manifest)
    return after != before


def _judging_files(run: RunDirectory) -> list[Path]:
    return [run.plan, *sorted(run.testbench.rglob("*.py"))]


def _keep_former(run: RunDirectory) -> Path:
    folder = run.inputs / FORMER / str(len(read_manifest(run).get("judged", [])))
    try:
        for path in _judging_files(run):
            target = folder / path.relative_to(run.inputs)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    except OSError as error:
        raise storage_error(error, folder, "keep the former revision") from error
    return folder
