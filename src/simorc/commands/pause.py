"""`simorc pause` and `simorc continue`: hold a run at its next safe point, which is before a case begins."""

from __future__ import annotations

from pathlib import Path

from simorc.commands._common import open_run_directory
from simorc.core.errors import UsageError
from simorc.workspace.layout import RunDirectory
from simorc.workspace.lock import is_active
from simorc.workspace.selection import pause_requested, request_pause, withdraw_pause


def pause(text: str, setup: Path | None) -> int:
    """Ask an active run to wait before its next case; on a bench its outputs go off, the chamber stays.

    Raises
    ------
    UsageError: the run is not active
    """
    run = _active(text, setup)
    request_pause(run)
    print(f"{run.run_id}: pauses before its next case; simorc continue {run.run_id}")
    return 0


def resume(text: str, setup: Path | None) -> int:
    """Let a paused run go on.

    Raises
    ------
    UsageError: the run is not active, or not paused
    """
    run = _active(text, setup)
    if not pause_requested(run):
        raise UsageError("the run is not paused", where=run.run_id)
    withdraw_pause(run)
    print(f"{run.run_id}: goes on")
    return 0


def _active(text: str, setup: Path | None) -> RunDirectory:
    run = open_run_directory(text, setup)
    if not is_active(run):
        raise UsageError(
            "the run is not active", where=run.run_id, hint=f"simorc run {run.run_id} executes what is due"
        )
    return run
