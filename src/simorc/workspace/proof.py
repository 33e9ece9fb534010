"""What is known of a simulator's fast way: comparisons that passed, by content, and runs that have left it.

Comparisons are remembered beside the runs, in `.cache/verified/`, so that a testbench pays for one once.
"""

from __future__ import annotations

import json
from pathlib import Path

from simorc.core.errors import RunDirectoryError
from simorc.workspace.files import is_there, new_file, read_json, replace_file, storage_error
from simorc.workspace.layout import RunDirectory


def read_proof(run: RunDirectory, key: str) -> dict[str, str] | None:
    """What became of a comparison: `outcome` (identical, different), `reason`, `since`; None where there was none."""
    try:
        found = read_json(_file(run, key), "a comparison with the slow way")
    except RunDirectoryError:
        return None
    return {str(name): str(value) for name, value in found.items()}


def write_proof(run: RunDirectory, key: str, outcome: str, reason: str, since: str) -> None:
    """Remember the outcome of a comparison; `identical` only where nobody has found otherwise.

    Parameters
    ----------
    outcome: `identical` or `different`
    reason: what differed
    since: the execution that found out, by its start

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    file = _file(run, key)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, file.parent) from error
    said = [json.dumps({"outcome": outcome, "reason": reason, "since": since}), "\n"]
    if outcome == "identical":
        new_file(file, said)
    else:
        replace_file(file, said, durable=False)


def leave_fast_way(run: RunDirectory, reason: str) -> None:
    """From now on the cases of this run are simulated the slow way, by every worker.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    replace_file(_left(run), [reason, "\n"], durable=False)


def fast_way_left(run: RunDirectory) -> str:
    """Why the cases of this run are simulated the slow way, or empty; cheap enough to ask before every case."""
    if not is_there(f"{run.path}/.status/slow"):
        return ""
    try:
        return _left(run).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _left(run: RunDirectory) -> Path:
    return run.status_dir / "slow"


def _file(run: RunDirectory, key: str) -> Path:
    return run.path.parent / ".cache" / "verified" / f"{key}.json"
