"""`run.json`: where a run comes from, what made it, and how it ended."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simorc import __version__
from simorc.core.errors import RunDirectoryError
from simorc.workspace.clock import utc_text
from simorc.workspace.files import read_json, replace_file
from simorc.workspace.layout import RunDirectory

if TYPE_CHECKING:
    from simorc.core.plan import Plan  # brings numpy along, for which `simorc status` has no time

SCHEMA = 1


def new_manifest(run_id: str, plan: Plan, cases: int, sha256: Mapping[str, str], created: datetime) -> dict[str, Any]:
    """The manifest of a run that has not run yet.

    Parameters
    ----------
    cases: how many there are
    sha256: every input (relative to the run directory) and model file (absolute) with its hash
    """
    return {
        "schema": SCHEMA,
        "run_id": run_id,
        "sweep": plan.sweep.name,
        "testbench": plan.testbench,
        "target": plan.target,
        "cases": cases,
        "created": utc_text(created),
        # Build starts no process: the simulator's version is filled in by the first execution.
        "versions": {"simorc": __version__, "python": platform.python_version(), "simulator": None},
        "seed": plan.sweep.base_seed,
        "git_commit": git_commit(Path(plan.setup_file).parent),
        "pdks": {name: dict(pdk) for name, pdk in plan.pdks.items()},
        "environment": dict(plan.environment),
        "instruments": None,
        "sha256": dict(sha256),
        "executions": [],
        "ended": None,
    }


def write_manifest(run: RunDirectory, manifest: Mapping[str, Any]) -> None:
    """Replace run.json in one step.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …; the former file stays
    """
    replace_file(run.manifest, [json.dumps(manifest, indent=2, default=str), "\n"])


def read_manifest(run: RunDirectory) -> dict[str, Any]:
    """The manifest of a run.

    Raises
    ------
    RunDirectoryError: missing, truncated, of another version of simorc, or not a manifest
    """
    manifest = read_json(run.manifest, "the manifest of a run")
    if manifest.get("schema") != SCHEMA or not isinstance(manifest.get("run_id"), str):
        hint = "was it made by another version of simorc, or by another program?"
        what = f"not the manifest of a run: schema {manifest.get('schema')!r}, expected {SCHEMA}"
        raise RunDirectoryError(what, where=str(run.manifest), hint=hint)
    return manifest


def update_manifest(run: RunDirectory, **changes: Any) -> None:
    """Change keys of run.json; only who holds the run's lock may do that.

    Raises
    ------
    RunDirectoryError: as for reading and writing
    """
    write_manifest(run, {**read_manifest(run), **changes})


def add_execution(run: RunDirectory, execution: Mapping[str, Any]) -> None:
    """Append to the list of executions: when it started and ended, with which cases, on what, and how it ended."""
    manifest = read_manifest(run)
    write_manifest(run, {**manifest, "executions": [*manifest.get("executions", []), dict(execution)]})


def spared_cases(run: RunDirectory) -> int:
    """How many cases need not run, since the run was stopped early; 0 also where run.json does not tell.

    Raises
    ------
    RunDirectoryError: run.json is damaged
    """
    return spared_of(read_manifest(run))


def spared_of(manifest: Mapping[str, Any]) -> int:
    """The same, of a manifest."""
    stopped = manifest.get("stopped_early")
    spared = stopped.get("spared") if isinstance(stopped, Mapping) else 0
    return spared if isinstance(spared, int) else 0


def git_commit(folder: Path) -> str | None:
    """The commit that is checked out in the repository around a folder, or None; reads its files, starts nothing."""
    repository = repository_of(folder)
    return _head(repository / ".git") if repository is not None else None


def repository_of(folder: Path) -> Path | None:
    """The folder of the git repository around a folder, or None."""
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)


def _head(git: Path) -> str | None:
    try:
        if git.is_file():  # a worktree or a submodule keeps its own HEAD elsewhere
            git = (git.parent / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()).resolve()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref:"):
            return head or None
        return _reference(git, head.removeprefix("ref:").strip())
    except (OSError, UnicodeDecodeError):
        return None


def _reference(git: Path, name: str) -> str | None:
    common = git / "commondir"
    homes = [git, (git / common.read_text(encoding="utf-8").strip()).resolve()] if common.is_file() else [git]
    for home in homes:
        if (home / name).is_file():
            return (home / name).read_text(encoding="utf-8").strip()
        if (home / "packed-refs").is_file():
            for line in (home / "packed-refs").read_text(encoding="utf-8").splitlines():
                commit, _, packed = line.partition(" ")
                if packed == name:
                    return commit
    return None


def manifest_value(manifest: Mapping[str, Any], key: str, kind: type) -> Any:
    """One value of a manifest that other code relies on.

    Raises
    ------
    RunDirectoryError: not there, or of another type
    """
    value = manifest.get(key)
    if not isinstance(value, kind):
        raise RunDirectoryError(f"run.json: {key}: found {value!r}, expected {kind.__name__}")
    return value
