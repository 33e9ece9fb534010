"""How a run has left its bench: written by whoever uses the bench, read by whoever has to look after it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from simorc.core.errors import RunDirectoryError
from simorc.workspace.clock import utc_text
from simorc.workspace.files import read_json, replace_file
from simorc.workspace.layout import RunDirectory


@dataclass(frozen=True, slots=True)
class BenchState:
    """The last that is known.

    Parameters
    ----------
    state: `active` while somebody uses it, `safe` once every step of the safe state was read back, else `unsafe`
    by: `worker`, `watchdog` or `command`
    reason: why it was made safe, or what could not be done
    """

    state: str
    by: str
    reason: str = ""
    time: str = ""


def write_bench_state(run: RunDirectory, state: str, by: str, reason: str = "") -> None:
    """Replace what is known.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    known = BenchState(state, by, reason, utc_text(datetime.now(UTC)))
    replace_file(run.status_dir / "bench.json", [json.dumps(asdict(known)), "\n"], durable=False)


def read_bench_state(run: RunDirectory) -> BenchState | None:
    """What is known, None where no bench was ever used or the file is damaged."""
    try:
        data = read_json(run.status_dir / "bench.json", "the state of the bench")
        return BenchState(**data)
    except (RunDirectoryError, TypeError):
        return None
