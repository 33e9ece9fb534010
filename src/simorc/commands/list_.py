"""`simorc list`: what a project has to offer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simorc.core.errors import ExitCode

if TYPE_CHECKING:
    from simorc.config.project import SweepEntry, TestbenchEntry


def list_(setup: Path | None, as_json: bool) -> int:
    """Print sweeps with their case counts, and testbenches with their targets, one line each.

    Raises
    ------
    UsageError: there is no project here
    ConfigError: every problem in its files
    """
    from simorc.config.project import find_setup, load_project

    project = load_project(find_setup(Path.cwd(), setup))
    sweeps = [_sweep(entry) for entry in project.sweeps.values()]
    testbenches = [_testbench(entry) for entry in project.testbenches.values()]
    if as_json:
        print(json.dumps({"sweeps": sweeps, "testbenches": testbenches}, indent=2))
        return ExitCode.DONE
    rows = [
        ("sweep", row["name"], f"{row['cases']:,} cases", f"testbench {row['testbench']}", f"target {row['target']}")
        for row in sweeps
    ]
    rows += [
        ("testbench", row["name"], "", "", f"targets {', '.join(row['targets']) or 'none'}") for row in testbenches
    ]
    print("\n".join(_aligned(rows)) if rows else "no sweeps and no testbenches")
    return ExitCode.DONE


def _sweep(entry: SweepEntry) -> dict[str, Any]:
    conditions = entry.sweep.where or entry.sweep.exclude
    cases = sum(1 for _ in entry.sweep.cases()) if conditions else entry.sweep.size
    return {
        "name": entry.name,
        "testbench": entry.testbench,
        "target": entry.target,
        "cases": cases,
        "parameters": list(entry.sweep.swept),
        "file": str(entry.path),
    }


def _testbench(entry: TestbenchEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "targets": list(entry.targets),
        "parameters": list(entry.parameters),
        "folder": str(entry.folder),
    }


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The rows as text, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
