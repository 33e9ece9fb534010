"""`simorc import`: a project of another tool as testbenches and sweeps of ours."""

from __future__ import annotations

import sys
from pathlib import Path

from simorc.commands.init import write_new
from simorc.core.errors import ExitCode, UsageError


def import_cace(file: Path, folder: Path) -> int:
    """Make testbenches and sweeps of a CACE datasheet; a file that is there already is left alone.

    Raises
    ------
    UsageError: it is no datasheet of format 5.x, nothing of it can be carried over, or a file cannot be made
    ConfigError: it is no YAML
    """
    from simorc.importers.cace import import_cace as imported_from

    imported = imported_from(file, folder.absolute())
    made: list[str] = []
    kept: list[str] = []
    try:
        for name, text in imported.files.items():
            (made if write_new(folder / name, text) else kept).append(name)
    except OSError as error:
        raise UsageError(f"cannot make {error.filename}: {error.strerror}", where=str(folder)) from error
    for name in made:
        print(f"made        {folder / name}")
    for name in kept:
        print(f"left alone  {folder / name}")
    if "sim_setup.yaml" in kept:
        for section in ("testbenches", "sweeps"):
            for name, path in imported.setup[section].items():
                print(f"add to sim_setup.yaml, {section}: {{{name}: {path}}}", file=sys.stderr)
    print(f"not carried over: {len(imported.left) or 'nothing'}")
    for text in imported.left:
        print(f"  {text}")
    return ExitCode.DONE
