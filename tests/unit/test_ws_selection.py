"""What an execution is to do, and the request to stop it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simorc.core.errors import RunDirectoryError
from simorc.workspace.layout import RunDirectory
from simorc.workspace.selection import Selection, read_selection, request_stop, stop_requested, write_selection


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    (tmp_path / ".status").mkdir()
    return RunDirectory(tmp_path)


def test_the_workers_read_what_the_command_wrote(run: RunDirectory) -> None:
    selection = Selection((0, 1, 2, 7), "2026-01-01T12:00:00.000Z", 0, 2.5, 3, {"completed": 4})
    write_selection(run, selection)
    assert read_selection(run) == selection


@pytest.mark.req("SIM-14")
def test_a_new_execution_takes_an_old_request_to_stop_back(run: RunDirectory) -> None:
    request_stop(run)
    assert stop_requested(run)
    write_selection(run, Selection((), ""))
    assert not stop_requested(run)


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"cases": 5}', '{"cases": "0", "since": "", "more": 1}'])
def test_a_damaged_selection_is_a_clear_error(run: RunDirectory, text: str | None) -> None:
    if text is not None:
        (run.status_dir / "selection.json").write_text(text)
    with pytest.raises(RunDirectoryError, match="no readable selection"):
        read_selection(run)


def test_a_request_that_cannot_be_written_or_taken_back_is_a_clear_error(run: RunDirectory) -> None:
    (run.status_dir / "stop").mkdir()
    with pytest.raises(RunDirectoryError, match="cannot take back the request to stop"):
        write_selection(run, Selection((), ""))
    os.rmdir(run.status_dir / "stop")  # noqa: PTH106
    os.rmdir(run.status_dir)  # noqa: PTH106
    with pytest.raises(RunDirectoryError, match="cannot ask the workers to stop") as caught:
        request_stop(run)
    assert "a folder is missing" in caught.value.hint
