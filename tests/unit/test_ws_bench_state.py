"""What a run says of how it left its bench."""

from __future__ import annotations

from pathlib import Path

import pytest

from simorc.core.errors import RunDirectoryError
from simorc.workspace.bench_state import read_bench_state, write_bench_state
from simorc.workspace.clock import parse_utc
from simorc.workspace.layout import RunDirectory


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    found = RunDirectory(tmp_path)
    found.status_dir.mkdir()
    return found


@pytest.mark.req("DVT-11")
def test_the_last_word_counts(run: RunDirectory) -> None:
    write_bench_state(run, "active", "worker")
    write_bench_state(run, "unsafe", "watchdog", "psu: outputs not off")
    state = read_bench_state(run)
    assert state is not None
    assert (state.state, state.by, state.reason) == ("unsafe", "watchdog", "psu: outputs not off")
    assert parse_utc(state.time) is not None


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "3", '{"state": "safe"}', '{"state": "safe", "by": "x", "y": 1}']
)
def test_what_cannot_be_read_says_nothing(run: RunDirectory, text: str | None) -> None:
    if text is not None:
        (run.status_dir / "bench.json").write_text(text)
    assert read_bench_state(run) is None


def test_a_state_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError):
        write_bench_state(RunDirectory(tmp_path / "gone"), "safe", "worker")
