"""`events.jsonl`: what happened besides results, one line an event, appended by several processes at once."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any

from simorc.workspace.clock import utc_text
from simorc.workspace.files import storage_error
from simorc.workspace.layout import RunDirectory


def log_event(
    run: RunDirectory, kind: str, case_id: int | None = None, *, now: datetime | None = None, **data: Any
) -> None:
    """Append one event: `time` (UTC), `case`, `kind`, `data`. One write a line, so that lines never mix.

    Parameters
    ----------
    kind: `setpoint`, `soak`, `settled`, `output`, `fault`, `retry`, `safe state`, …
    data: whatever belongs to it; what JSON does not know is written as text

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    event = {"time": utc_text(now or datetime.now(UTC)), "case": case_id, "kind": kind, "data": data}
    line = json.dumps(event, default=str) + "\n"
    try:
        fd = os.open(run.events, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.write(fd, line.encode())
        finally:
            os.close(fd)
    except OSError as error:
        raise storage_error(error, run.events) from error
