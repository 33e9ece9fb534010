"""The end of a run, by a process that was started before the run: the same files, whatever becomes of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyarrow import parquet

from simorc.core.record import CaseRecord, Status
from simorc.workspace import concluder as concluder_module
from simorc.workspace.conclude import Concluded, conclude
from simorc.workspace.concluder import Concluder, concluder, start
from simorc.workspace.layout import RunDirectory
from simorc.workspace.status_store import write_record

MAKE = Callable[..., CaseRecord]


@pytest.fixture
def ahead() -> Iterator[Concluder]:
    start()
    with concluder(wanted=True) as process:
        assert process is not None
        yield process


def tables(run: RunDirectory) -> dict[str, object]:
    found: dict[str, object] = {path.name: path.read_bytes() for path in run.path.glob("*.csv")}
    return found | {path.name: parquet.read_table(path) for path in run.measurements.iterdir()}


def by_hand(run: RunDirectory) -> tuple[Concluded, dict[str, object]]:
    """What the same run comes to without such a process."""
    concluded = conclude(run)
    found = tables(run)
    for path in (*run.path.glob("*.csv"), *run.measurements.iterdir()):
        if path != run.metadata:
            path.unlink()
    (run.path.parent / "catalogue.sqlite").unlink()
    return concluded, found


def test_it_makes_what_the_command_would(ws_run: RunDirectory, ws_record: MAKE, ahead: Concluder) -> None:
    write_record(ws_run, ws_record(0))
    write_record(ws_run, ws_record(1, vout=9.0))
    expected, files = by_hand(ws_run)
    assert conclude(ws_run, ahead=ahead) == expected
    assert tables(ws_run) == files
    assert (ws_run.path.parent / "catalogue.sqlite").exists()


def test_what_it_has_read_ahead_of_the_end_is_read_again_where_it_has_changed(
    ws_run: RunDirectory, ws_record: MAKE, ahead: Concluder
) -> None:
    write_record(ws_run, ws_record(0, vout=9.0))
    write_record(ws_run, ws_record(1, vout=9.0))
    ahead.told((str(ws_run.path), False))
    time.sleep(0.5)
    assert not ws_run.measurements.exists()
    write_record(ws_run, ws_record(0))
    write_record(ws_run, ws_record(2))
    expected, files = by_hand(ws_run)
    ahead.told((str(ws_run.path), False))
    assert conclude(ws_run, ahead=ahead) == expected
    assert tables(ws_run) == files


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_killed_it_costs_nothing_but_time(
    ws_run: RunDirectory, ws_record: MAKE, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    def killed(*_: object) -> object:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    here = os.getpid()
    if when == "before":
        monkeypatch.setattr(concluder_module, "_load", killed)
    else:
        monkeypatch.setattr(concluder_module, "_load", lambda: killed)
    write_record(ws_run, ws_record(0))
    expected, files = by_hand(ws_run)
    start()
    with concluder(wanted=True) as process:
        assert conclude(ws_run, ahead=process) == expected
    assert tables(ws_run) == files
    assert (ws_run.path.parent / "catalogue.sqlite").exists()


def test_what_it_cannot_write_is_told(ws_run: RunDirectory, ws_record: MAKE, ahead: Concluder) -> None:
    write_record(ws_run, ws_record(0))
    ws_run.measurements.write_text("a file where the folder should be")
    concluded = conclude(ws_run, ahead=ahead)
    assert concluded.gathered.tally[Status.COMPLETED] == 1
    (note,) = concluded.gathered.notes
    assert note.startswith("measurements/ could not be brought up to date: ")


def test_it_ends_at_once_where_it_is_not_wanted() -> None:
    start()
    (process,) = concluder_module._started
    with concluder(wanted=False) as given:
        assert given is None
        with pytest.raises(ProcessLookupError):
            os.kill(process._process.pid, 0)
    with concluder(wanted=True) as given:
        assert given is None


def test_without_room_for_it_a_run_ends_without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full() -> int:
        raise OSError("no more processes")

    monkeypatch.setattr(os, "fork", full)
    start()
    with concluder(wanted=True) as given:
        assert given is None
