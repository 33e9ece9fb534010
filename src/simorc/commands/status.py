"""`simorc status`: how far runs are, one line each; live while a run is active."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from simorc.commands._common import open_run_directory, output_of
from simorc.core.errors import ExitCode, RunDirectoryError
from simorc.core.record import Status, Tally
from simorc.core.units import format_duration
from simorc.workspace.layout import RunDirectory, list_runs
from simorc.workspace.lock import is_active
from simorc.workspace.manifest import manifest_value, read_manifest
from simorc.workspace.selection import pause_requested
from simorc.workspace.status_store import read_progress, scan_records

_LOOK_EVERY_S = 1.0
_COUNTS = ("total", "completed", "failed", "out_of_spec", "pending")

_ENDED = {"interrupted": "interrupted", "stopped_early": "stopped early"}

State = dict[str, Any]
"""What `--json` prints of one run; a damaged run has its `problem` and no counts.

`in_progress` is null where the controller of an active run does not tell it.
"""


def status(run: str | None, setup: Path | None, as_json: bool, watch: bool) -> int:
    """Print one line a run, newest last.

    Parameters
    ----------
    run: which one; None for all
    as_json: print a list of objects instead, one a run
    watch: go on until no run is active any more

    Raises
    ------
    UsageError, ConfigError: there is no such run, or no project
    RunDirectoryError: the one run that was asked for is damaged
    """
    look = partial(_all_of, output_of(setup)) if run is None else partial(_only, open_run_directory(run, setup))
    show = _show_json if as_json else _Lines(sys.stdout).show
    _follow(look, show) if watch else show(look())
    return ExitCode.DONE


def state_of(run: RunDirectory) -> State:
    """How far a run is: from progress.json while it is active, else from its status files.

    Raises
    ------
    RunDirectoryError: run.json is damaged
    """
    manifest = read_manifest(run)
    total = manifest_value(manifest, "cases", int)
    active = is_active(run)
    progress = read_progress(run) if active else None
    counts, notes = (_counts_of(progress), ()) if progress else _counted(run, total)
    return {
        "run_id": run.run_id,
        "path": str(run.path),
        **{key: manifest.get(key) for key in ("sweep", "testbench", "target", "created", "ended")},
        **counts,
        "active": active,
        "paused": active and pause_requested(run),
        "rate_per_s": progress.get("rate_per_s") if progress else None,
        "remaining_s": progress.get("remaining_s") if progress else None,
        "problem": None,
        "notes": list(notes),
    }


def state_or_problem(run: RunDirectory) -> State:
    """The same, where a damaged run says what is wrong with it."""
    try:
        return state_of(run)
    except RunDirectoryError as error:
        return {"run_id": run.run_id, "path": str(run.path), "problem": str(error), "active": False, "notes": []}


def line_of(state: State) -> str:
    """One line for people: `pvt_dc_20260101120000: 527/1000 completed (52.7%), 3 failed, active, 12.3/s, 0:38 left`."""
    if state["problem"]:
        return f"{state['run_id']}: damaged: {' '.join(state['problem'].split())}"
    completed, total = state["completed"], state["total"]
    # Rounded down: 100.0% is said when everything is completed, not before.
    tenths = 1000 * completed // total if total else 0
    parts = [f"{state['run_id']}: {completed}/{total} completed ({tenths // 10}.{tenths % 10}%)"]
    begun = "held" if state["target"] == "bench" and not state["active"] else "in progress"
    for key, words in (("failed", "failed"), ("out_of_spec", "out of spec"), ("in_progress", begun)):
        if state[key]:
            parts.append(f"{state[key]} {words}")
    if state["active"]:
        parts.append("paused" if state["paused"] else "active")
        parts += [f"{state['rate_per_s']:.3g}/s"] if state["rate_per_s"] else []
        parts += [f"{format_duration(state['remaining_s'])} left"] if state["remaining_s"] is not None else []
    elif state["ended"] in _ENDED and completed < total:
        parts.append(_ENDED[state["ended"]])
    return ", ".join(parts)


def _all_of(output: Path) -> list[State]:
    return [state_or_problem(run) for run in list_runs(output)]


def _only(run: RunDirectory) -> list[State]:
    return [state_of(run)]


def _counts_of(progress: State) -> dict[str, int | None]:
    """The counts that a controller tells; where it does not tell what runs, those cases are among the pending ones."""
    return {key: progress.get(key, 0) for key in _COUNTS} | {"in_progress": progress.get("running")}


def _counted(run: RunDirectory, total: int) -> tuple[dict[str, int | None], tuple[str, ...]]:
    found = scan_records(run)
    tally = Tally.of(total, [record for case_id, record in found.records.items() if case_id < total])
    counts: dict[str, int | None] = {status.value: tally[status] for status in Status}
    return {"total": total, "out_of_spec": tally.out_of_spec, **counts}, found.notes


def _follow(look: Callable[[], list[State]], show: Callable[[list[State]], None]) -> None:
    while True:
        states = look()
        show(states)
        if not any(state["active"] for state in states):
            return
        time.sleep(_LOOK_EVERY_S)


def _show_json(states: list[State]) -> None:
    print(json.dumps(states), flush=True)


class _Lines:
    """Lines that a terminal shows in place; elsewhere only those that changed are printed."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.shown: list[str] = []

    def show(self, states: list[State]) -> None:
        lines = [line_of(state) for state in states]
        if self.stream.isatty():
            width = shutil.get_terminal_size().columns
            back = f"\033[{len(self.shown)}A\033[J" if self.shown else ""
            text = back + "".join(f"{line[:width]}\n" for line in lines)
        else:
            text = "".join(f"{line}\n" for line in lines if line not in self.shown)
        self._explain(states)
        self.stream.write(text)
        self.stream.flush()
        self.shown = lines

    def _explain(self, states: list[State]) -> None:
        """What does not fit in a line, once, on stderr."""
        if self.shown:
            return
        for state in states:
            for note in state["notes"]:
                print(f"{state['run_id']}: {note}", file=sys.stderr)
        if not states:
            print("no runs yet: simorc build SWEEP makes one", file=sys.stderr)
