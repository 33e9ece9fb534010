"""`simorc init`: scaffold a project that builds and runs as it stands."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from simorc.core.errors import ExitCode, UsageError


def init(folder: Path, existing: Path | None = None) -> int:
    """Make the files of a new project; a file that is there already is left alone.

    Parameters
    ----------
    existing: a project of another kind: take over what it holds instead of an example

    Raises
    ------
    UsageError: a folder or file cannot be made, or there is nothing to take over
    """
    from simorc.config.project import SETUP_FILE
    from simorc.config.scaffold import FOLDERS, project_files

    files, remarks = (project_files(), []) if existing is None else _taken_over(existing, folder)
    try:
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make {error.filename}: {error.strerror}", where=str(folder)) from error
    kept = make_files(folder, files)
    if existing is not None and SETUP_FILE in kept:
        remarks.append(f"decide: {SETUP_FILE} was there already and names nothing of this yet")
    for remark in remarks:
        print(remark, file=sys.stderr)
    return ExitCode.DONE


def _taken_over(existing: Path, folder: Path) -> tuple[dict[str, str], list[str]]:
    """The files of a project made of an existing one, and what to do next."""
    from simorc.importers.adoption import adopted_files
    from simorc.importers.existing import look_at

    target = folder.absolute().resolve()
    found = look_at(existing.resolve(), target)
    remarks = [f"decide: {remark}" for remark in found.remarks]
    remarks += [f"decide: testbench {name}: {r}" for name, bench in found.testbenches.items() for r in bench.remarks]
    if found.schematics or "schematic" in found.dut:
        remarks.append("next: simorc netlist --update")
    names = [*found.testbenches, *(name for sheet in found.datasheets for name in sheet.setup["sweeps"])]
    remarks += [f"next: simorc build {name}" for name in names[:1]]
    return adopted_files(found, target), remarks


def make_files(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Make the files of a project that are not there yet, say what became of each, and return the others.

    Raises
    ------
    UsageError: a folder or file cannot be made
    """
    made: list[str] = []
    kept: list[str] = []
    try:
        for name, text in files.items():
            (made if write_new(folder / name, text) else kept).append(name)
    except OSError as error:
        raise UsageError(f"cannot make {error.filename}: {error.strerror}", where=str(folder)) from error
    for name in made:
        print(f"made        {folder / name}")
    for name in kept:
        print(f"left alone  {folder / name}")
    return kept


def write_new(path: Path, text: str) -> bool:
    """Write a file unless there is one, or a link or folder, of that name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True
