"""events.jsonl: one line an event, whoever writes at the same time."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simorc.core.errors import RunDirectoryError
from simorc.workspace.events import log_event
from simorc.workspace.layout import RunDirectory


def test_an_event_is_one_line(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    log_event(run, "retry", 3, now=now, options={"gmin": "1e-9"}, path=tmp_path)
    log_event(run, "safe state")
    first, second = map(json.loads, run.events.read_text().splitlines())
    assert first == {
        "time": "2026-01-01T00:00:00.000Z",
        "case": 3,
        "kind": "retry",
        "data": {"options": {"gmin": "1e-9"}, "path": str(tmp_path)},
    }
    assert second["case"] is None
    assert second["data"] == {}


def test_lines_of_several_processes_never_mix(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from simorc.workspace.events import log_event
from simorc.workspace.layout import RunDirectory
for number in range(300):
    log_event(RunDirectory(Path(sys.argv[1])), "soak", number, text="x" * 2000)
"""
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    lines = RunDirectory(tmp_path).events.read_text().splitlines()
    assert len(lines) == 900
    assert {len(json.loads(line)["data"]["text"]) for line in lines} == {2000}


def test_a_folder_that_is_gone_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="cannot write"):
        log_event(RunDirectory(tmp_path / "gone"), "retry")
