"""Which file is a table, and who reads it: by the ending of its name, the names of the family `tables`."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from simorc import registry
from simorc.core.table import Table


def endings() -> list[str]:
    """The endings that some reader knows: `.csv` …"""
    return [f".{name}" for name in registry.names("tables")]


def is_table(path: Path) -> bool:
    """Whether it is a file whose ending some reader knows."""
    try:
        return path.suffix[1:].lower() in registry.names("tables") and path.is_file()
    except OSError:  # a name too long for a file, a folder that may not be entered
        return False


def read_table(path: Path) -> Table:
    """The table of a file.

    Raises
    ------
    UsageError: no reader knows the ending, or the file is broken
    """
    return cast("Table", registry.load("tables", path.suffix[1:].lower())(path))
