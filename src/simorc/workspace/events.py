"""`events.jsonl`: what happened besides results, one line an event, appended by several processes at once."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from simorc.workspace.clock import utc_text
from simorc.workspace.files import storage_error
from simorc.workspace.layout import RunDirectory


def read_events(run: RunDirectory) -> list[dict[str, Any]]:
    """All events, in the order in which they were written; a torn last line is left out."""
    try:
        lines = run.events.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise storage_error(error, run.events, "read the events") from error
    events = []
    for line in lines:
        with suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict):
                events.append(event)
    return events


def log_event(
    run: RunDirectory,
    kind: str,
    case_id: int | None = None,
    *,
    now: datetime | None = None,
    sim_time_s: float | None = None,
    **data: Any,
) -> None:
    """Append one event: `time` (UTC), `case`, `kind`, `data`, and on a bench `sim_time_s`.

    One write a line, so that lines never mix.

    Parameters
    ----------
    kind: `setpoint`, `soak`, `settled`, `output`, `fault`, `retry`, `safe state`, …
    sim_time_s: bench time, s, which on a simulated bench is not the wall's
    data: whatever belongs to it; what JSON does not know is written as text

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    event: dict[str, Any] = {"time": utc_text(now or datetime.now(UTC)), "case": case_id, "kind": kind, "data": data}
    if sim_time_s is not None:
        event["sim_time_s"] = sim_time_s
    line = json.dumps(event, default=str) + "\n"
    try:
        fd = os.open(run.events, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.write(fd, line.encode())
        finally:
            os.close(fd)
    except OSError as error:
        raise storage_error(error, run.events) from error
