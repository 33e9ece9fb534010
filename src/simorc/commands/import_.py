"""`simorc import`: a project of another tool as testbenches and sweeps of ours."""

from __future__ import annotations

import sys
from pathlib import Path

from simorc.commands.init import make_files
from simorc.core.errors import ExitCode


def import_cace(file: Path, folder: Path) -> int:
    """Make testbenches and sweeps of a CACE datasheet; a file that is there already is left alone.

    Raises
    ------
    UsageError: it is no datasheet of format 5.x, nothing of it can be carried over, or a file cannot be made
    ConfigError: it is no YAML
    """
    from simorc.importers.cace import import_cace as imported_from

    imported = imported_from(file, folder.absolute())
    kept = make_files(folder, imported.files)
    if "sim_setup.yaml" in kept:
        for section in ("testbenches", "sweeps"):
            for name, path in imported.setup[section].items():
                print(f"add to sim_setup.yaml, {section}: {{{name}: {path}}}", file=sys.stderr)
    print(f"not carried over: {len(imported.left) or 'nothing'}")
    for text in imported.left:
        print(f"  {text}")
    return ExitCode.DONE
