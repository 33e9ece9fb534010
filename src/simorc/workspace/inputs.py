"""`inputs/`: sweep, testbench and DUT netlist as they were at build time, and whether they are still the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from simorc.core.errors import RunDirectoryError, UsageError
from simorc.core.plan import Plan
from simorc.workspace.file_notes import FileNotes
from simorc.workspace.files import storage_error
from simorc.workspace.layout import RunDirectory
from simorc.workspace.manifest import manifest_value, read_manifest, write_manifest

_SKIPPED = frozenset({"__pycache__", ".git", ".ipynb_checkpoints", ".pytest_cache"})


def copy_inputs(run: RunDirectory, plan: Plan) -> None:
    """Copy the testbench folder, the sweep file and the DUT netlist into inputs/.

    Symbolic links are followed: the copy holds files and folders only. Byte code, version control and the output
    folder itself are left out.

    Raises
    ------
    UsageError: links in the testbench folder go round in a circle
    RunDirectoryError: a file cannot be read, or the copy not written
    """
    copy_testbench(plan, run.testbench, run.path.parent)
    _copy_file(Path(plan.sweep_file), run.inputs / "sweep" / Path(plan.sweep_file).name)
    if plan.bench_file:
        _copy_file(Path(plan.bench_file), run.inputs / "bench" / Path(plan.bench_file).name)
    netlist = plan.dut.get("netlist")
    if netlist:
        _copy_file(Path(netlist), run.inputs / "dut" / Path(netlist).name)


def copy_testbench(plan: Plan, target: Path, output: Path, suffix: str = "") -> None:
    """Copy the files of the testbench folder whose names end in `suffix`, as `copy_inputs` does.

    Parameters
    ----------
    output: the output folder, which is left out

    Raises
    ------
    UsageError, RunDirectoryError: as for `copy_inputs`
    """
    _copy_folder(Path(plan.testbench_dir), target, output, suffix)


def input_files(run: RunDirectory) -> Iterator[Path]:
    """Every file in inputs/ save caches, in no particular order."""
    for path in run.inputs.rglob("*"):
        if path.is_file() and not _SKIPPED.intersection(path.relative_to(run.inputs).parts):
            yield path


def input_hashes(run: RunDirectory, model_files: Iterable[str | Path] = ()) -> dict[str, str]:
    """sha256 of every file in inputs/ (by its path in the run directory) and of model files (by absolute path).

    Raises
    ------
    RunDirectoryError: a file cannot be read
    """
    notes = FileNotes(run.path.parent)
    hashes = {path.relative_to(run.path).as_posix(): _sha256(path, notes) for path in sorted(input_files(run))}
    hashes |= {str(path): _sha256(path, notes) for path in sorted({Path(file).absolute() for file in model_files})}
    notes.save()
    return hashes


def changed_inputs(run: RunDirectory) -> list[str]:
    """The files in inputs/ and the model files that are no longer what run.json recorded, or are gone.

    Raises
    ------
    RunDirectoryError: run.json is damaged
    """
    recorded = manifest_value(read_manifest(run), "sha256", dict)
    notes = FileNotes(run.path.parent)
    changed = [name for name, expected in recorded.items() if _hash_or_nothing(run.path / name, notes) != expected]
    notes.save()
    return changed


def accept_changed_inputs(run: RunDirectory) -> list[str]:
    """Record the present hashes of changed files, and in `accepted_changes` what was changed; returns the names.

    Raises
    ------
    RunDirectoryError: run.json is damaged or cannot be written
    """
    changed = changed_inputs(run)
    if changed:
        manifest = read_manifest(run)
        notes = FileNotes(run.path.parent)
        now = {name: _hash_or_nothing(run.path / name, notes) for name in changed}
        before = [{"file": name, "was": manifest["sha256"][name], "is": now[name]} for name in changed]
        manifest["accepted_changes"] = [*manifest.get("accepted_changes", []), *before]
        manifest["sha256"] |= now
        write_manifest(run, manifest)
    return changed


def _copy_folder(source: Path, target: Path, output: Path, suffix: str, above: tuple[Path, ...] = ()) -> None:
    """Copy a folder; `above` are the real paths of the folders through which we came."""
    real = source.resolve()
    if real in above or (above and real in above[0].parents):
        raise UsageError("a symbolic link leads back to a folder above it", where=str(source), hint="remove the link")
    if real == output.resolve():
        return
    try:
        target.mkdir(parents=True)
        for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
            if entry.name in _SKIPPED:
                continue
            if entry.is_dir():
                _copy_folder(Path(entry.path), target / entry.name, output, suffix, (*above, real))
            elif (
                entry.name.endswith(suffix) and entry.is_file()
            ):  # neither sockets, nor links to nothing such as an editor's lock
                _copy_file(Path(entry.path), target / entry.name)
    except OSError as error:
        raise storage_error(error, source, "copy the testbench") from error


def _copy_file(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
        target.chmod(target.stat().st_mode | 0o200)  # else a read-only original could not be deleted with its run
    except OSError as error:
        raise storage_error(error, source, f"copy {source.name}") from error


def _sha256(path: Path, notes: FileNotes) -> str:
    try:
        return notes.sha256(str(path))
    except OSError as error:
        raise storage_error(error, path, "read an input") from error


def _hash_or_nothing(path: Path, notes: FileNotes) -> str | None:
    try:
        return _sha256(path, notes)
    except RunDirectoryError:
        return None
