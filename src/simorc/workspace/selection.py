"""What one execution of a run is to do: written by the command, read by every pytest worker.

A file, because the list may hold 100,000 cases and every worker, also one that replaces a crashed one, must collect
exactly the same items.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field, structs

from simorc.core.errors import RunDirectoryError
from simorc.core.ranges import format_ranges, parse_ranges
from simorc.workspace.files import is_there, replace_file, storage_error
from simorc.workspace.layout import RunDirectory

_RANGES = ("cases", "sample", "anew")


class Selection(Struct, frozen=True):
    """The cases of one execution.

    Parameters
    ----------
    cases: ids to execute, whatever their status; nothing else is collected
    since: UTC time of the start; a case completed after it is not executed again by a second worker
    check: the case that is simulated twice to see whether results are repeatable, or None
    timeout_s: seconds a case may take, where the command line gives it; else the plan's
    max_fail: start no further case once so many have failed, or None
    verify: which results are compared with a slower way: `models`, `original`, `none`, as in `Verify`
    sample: ids of the cases that are compared beyond the first of every kind
    always: compare them also where a comparison of an earlier execution holds
    cache: of results: `use`, `renew` (nothing is taken from it), `none`
    others: how the run's other cases stand, by `completed`, `failed`, `pending`, `out_of_spec`
    block: how many cases make one test of the session; 0 for the generated module's own, one test a case
    anew: ids among `cases` that have a record already
    earlier: how many cases earlier sessions of this execution finished
    due: how many cases this execution is about, where there are further sessions; else 0
    """

    cases: tuple[int, ...]
    since: str
    check: int | None = None
    timeout_s: float | None = None
    max_fail: int | None = None
    verify: str = "models"
    sample: tuple[int, ...] = ()
    always: bool = False
    cache: str = "use"
    others: Mapping[str, int] = field(default_factory=dict)
    block: int = 0
    anew: tuple[int, ...] = ()
    earlier: int = 0
    due: int = 0


def write_selection(run: RunDirectory, selection: Selection) -> None:
    """Keep a selection for the workers, and take back an old request to stop.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    try:
        _stop_file(run).unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, _stop_file(run), "take back the request to stop") from error
    withdraw_pause(run)
    ranges = {name: format_ranges(getattr(selection, name)) for name in _RANGES}
    fields = structs.asdict(selection) | ranges
    replace_file(_file(run), [json.dumps(fields)], durable=False)


def read_selection(run: RunDirectory) -> Selection:
    """The selection of the execution in progress.

    Raises
    ------
    RunDirectoryError: there is none, or it is damaged
    """
    try:
        fields = json.loads(_file(run).read_text(encoding="utf-8"))
        for name in _RANGES:
            fields[name] = tuple(parse_ranges(fields[name])) if fields[name] else ()
        return Selection(**fields)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RunDirectoryError(f"no readable selection of cases: {error}", where=str(_file(run))) from error


def request_stop(run: RunDirectory) -> None:
    """Ask the workers to start no further case; the running ones finish.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    try:
        _stop_file(run).touch()
    except OSError as error:
        raise storage_error(error, _stop_file(run), "ask the workers to stop") from error


def stop_requested(run: RunDirectory) -> bool:
    """Whether somebody asked the workers to stop; cheap enough to ask before every case."""
    return is_there(f"{run.path}/.status/stop")


def request_pause(run: RunDirectory) -> None:
    """Ask the workers to wait before their next case.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    try:
        _pause_file(run).touch()
    except OSError as error:
        raise storage_error(error, _pause_file(run), "ask the workers to pause") from error


def withdraw_pause(run: RunDirectory) -> None:
    """Let the workers go on.

    Raises
    ------
    RunDirectoryError: read-only folder …
    """
    try:
        _pause_file(run).unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(error, _pause_file(run), "let the workers go on") from error


def pause_requested(run: RunDirectory) -> bool:
    """Whether somebody asked the workers to wait; cheap enough to ask before every case."""
    return is_there(f"{run.path}/.status/pause")


def _pause_file(run: RunDirectory) -> Path:
    return run.status_dir / "pause"


def _file(run: RunDirectory) -> Path:
    return run.status_dir / "selection.json"


def _stop_file(run: RunDirectory) -> Path:
    return run.status_dir / "stop"
