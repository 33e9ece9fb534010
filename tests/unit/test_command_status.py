"""`simorc status`: one line a run, live while it is active."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simorc.commands import status as command
from simorc.commands.status import line_of, status
from simorc.core.errors import RunDirectoryError, SimorcError, UsageError
from simorc.core.plan import Plan
from simorc.core.record import CaseRecord, Status
from simorc.workspace.clock import utc_text
from simorc.workspace.gather import gather
from simorc.workspace.layout import RunDirectory
from simorc.workspace.lock import run_lock
from simorc.workspace.manifest import update_manifest
from simorc.workspace.status_store import write_progress, write_record

MAKE = Callable[..., CaseRecord]
STATE = {
    "run_id": "pvt_dc_20260101120000",
    "target": "spice",
    "total": 1000,
    "completed": 527,
    "failed": 0,
    "out_of_spec": 0,
    "in_progress": 0,
    "pending": 473,
    "active": False,
    "paused": False,
    "rate_per_s": None,
    "remaining_s": None,
    "problem": None,
    "ended": None,
}


@pytest.fixture(autouse=True)
def in_project(ws_plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = Path(ws_plan.setup_file).parent
    monkeypatch.chdir(project)
    return project


def progress(**changes: object) -> dict[str, object]:
    counts = {"total": 6, "completed": 3, "failed": 1, "out_of_spec": 2, "running": 1, "pending": 1}
    now = utc_text(datetime.now(UTC))
    return {**counts, "updated": now, "pid": os.getpid(), "rate_per_s": 12.345, "remaining_s": 65.2} | changes


@pytest.mark.req("SIM-17")
@pytest.mark.parametrize(
    ("changes", "rest"),
    [
        ({}, "527/1000 completed (52.7%)"),
        ({"completed": 0}, "0/1000 completed (0.0%)"),
        ({"completed": 1000}, "1000/1000 completed (100.0%)"),
        ({"completed": 99_999, "total": 100_000}, "99999/100000 completed (99.9%)"),
        ({"completed": 1, "total": 3}, "1/3 completed (33.3%)"),
        ({"completed": 0, "total": 0}, "0/0 completed (0.0%)"),
        (
            {"failed": 3, "out_of_spec": 12, "in_progress": 2},
            "527/1000 completed (52.7%), 3 failed, 12 out of spec, 2 in progress",
        ),
        (
            {"active": True, "rate_per_s": 12.345, "remaining_s": 38.4},
            "527/1000 completed (52.7%), active, 12.3/s, 0:38 left",
        ),
        ({"active": True, "remaining_s": 3725.0}, "527/1000 completed (52.7%), active, 1:02:05 left"),
        ({"active": True}, "527/1000 completed (52.7%), active"),
        ({"active": True, "paused": True}, "527/1000 completed (52.7%), paused"),
        ({"target": "bench", "in_progress": 2}, "527/1000 completed (52.7%), 2 held"),
        ({"ended": "interrupted"}, "527/1000 completed (52.7%), interrupted"),
        ({"ended": "interrupted", "completed": 1000}, "1000/1000 completed (100.0%)"),
    ],
)
def test_the_line(changes: dict[str, object], rest: str) -> None:
    assert line_of(STATE | changes) == f"pvt_dc_20260101120000: {rest}"


@pytest.mark.req("SIM-17")
def test_all_runs_newest_last(
    ws_build: Callable[..., RunDirectory], ws_record: MAKE, capsys: pytest.CaptureFixture[str]
) -> None:
    for run_id, created in (("z_old", "2026-01-01"), ("a_new", "2026-02-01")):
        update_manifest(ws_build(run_id), created=created)
    run = RunDirectory(Path.cwd() / "simulations" / "z_old")
    for case_id, vout in enumerate((3.3, 3.3, 9.0)):
        write_record(run, ws_record(case_id, vout=vout))
    write_record(run, ws_record(3, Status.FAILED))
    write_record(run, ws_record(4, Status.IN_PROGRESS))
    for folder in ("compare", ".cache"):
        (run.path.parent / folder).mkdir()
    assert status(None, None, False, False) == 0
    assert capsys.readouterr().out.splitlines() == [
        "z_old: 3/6 completed (50.0%), 1 failed, 1 out of spec, 1 in progress",
        "a_new: 0/6 completed (0.0%)",
    ]


@pytest.mark.parametrize("text", ["pvt_20260101120000", "pvt", "pvt_2", "simulations/pvt_20260101120000"])
def test_one_run(ws_run: RunDirectory, capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert status(text, None, False, False) == 0
    assert capsys.readouterr().out == "pvt_20260101120000: 0/6 completed (0.0%)\n"


def test_a_path_needs_no_project(
    ws_run: RunDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    assert status(str(ws_run.path), None, False, False) == 0
    with pytest.raises(SimorcError):
        status(None, None, False, False)
    assert status(None, tmp_path / "project" / "sim_setup.yaml", False, False) == 0
    assert capsys.readouterr().out.count("0/6 completed") == 2


def test_an_unknown_run_is_refused(ws_run: RunDirectory) -> None:
    with pytest.raises(UsageError, match="no run"):
        status("ota", None, False, False)


def test_no_runs_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(None, None, False, False) == 0
    assert capsys.readouterr().out == ""
    assert status(None, None, True, False) == 0
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.req("SIM-17")
def test_an_active_run_shows_its_progress_file(ws_run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    with run_lock(ws_run):
        write_progress(ws_run, progress())
        status("pvt", None, False, False)
    assert capsys.readouterr().out == (
        "pvt_20260101120000: 3/6 completed (50.0%), 1 failed, 2 out of spec, 1 in progress, active, 12.3/s, 1:05 left\n"
    )


def test_what_the_progress_file_does_not_tell_is_unknown_and_not_none(
    ws_run: RunDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    told = progress(pending=2)
    del told["running"]
    with run_lock(ws_run):
        write_progress(ws_run, told)
        status("pvt", None, False, False)
        status("pvt", None, True, False)
    line, (state,) = (text := capsys.readouterr().out).splitlines()[0], json.loads(text.splitlines()[1])
    assert "in progress" not in line
    assert (state["in_progress"], state["pending"], state["active"]) == (None, 2, True)


@pytest.mark.req("SIM-17")
@pytest.mark.parametrize("old", [{"updated": "2026-01-01T00:00:00.000Z"}, {"pid": 999_999_999}])
def test_a_stale_progress_file_gives_way_to_the_case_files(
    ws_run: RunDirectory, ws_record: MAKE, capsys: pytest.CaptureFixture[str], old: dict[str, object]
) -> None:
    write_record(ws_run, ws_record(0))
    with run_lock(ws_run):
        write_progress(ws_run, progress(**old))
        status("pvt", None, False, False)
    assert capsys.readouterr().out == "pvt_20260101120000: 1/6 completed (16.7%), active\n".replace("16.7", "16.6")


def test_a_run_that_is_not_active_shows_its_case_files(
    ws_run: RunDirectory, ws_record: MAKE, capsys: pytest.CaptureFixture[str]
) -> None:
    write_record(ws_run, ws_record(0))
    write_progress(ws_run, progress())
    status("pvt", None, False, False)
    assert "1/6 completed" in capsys.readouterr().out


def test_json(ws_run: RunDirectory, ws_record: MAKE, capsys: pytest.CaptureFixture[str]) -> None:
    write_record(ws_run, ws_record(0))
    write_record(ws_run, ws_record(99))  # a stray one does not count
    ws_run.status_file(1).write_text("{")
    assert status(None, None, True, False) == 0
    (state,) = json.loads(capsys.readouterr().out)
    notes = state.pop("notes")
    assert len(notes) == 1
    assert "case_1.json" in notes[0]
    assert state == {
        "run_id": "pvt_20260101120000",
        "path": str(ws_run.path),
        "sweep": "pvt",
        "testbench": "ldo",
        "target": "spice",
        "created": "2026-01-01T12:00:00.000Z",
        "ended": None,
        "total": 6,
        "completed": 1,
        "failed": 0,
        "out_of_spec": 0,
        "in_progress": 0,
        "pending": 5,
        "active": False,
        "paused": False,
        "rate_per_s": None,
        "remaining_s": None,
        "problem": None,
    }


def test_an_unreadable_status_file_is_named_on_stderr(ws_run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    ws_run.status_file(1).write_text("{")
    status("pvt", None, False, False)
    assert "case_1.json cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", '{"schema": 1, "run_id": "a", "cases": "many"}', None])
def test_a_damaged_run_is_listed_with_what_is_wrong(
    ws_build: Callable[..., RunDirectory], capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    ws_build("good")
    bad = ws_build("bad").manifest
    bad.unlink() if text is None else bad.write_text(text)
    assert status(None, None, False, False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "good: 0/6 completed (0.0%)" in lines
    assert [line for line in lines if line.startswith("bad: damaged: ")]
    assert status(None, None, True, False) == 0
    states = json.loads(capsys.readouterr().out)
    assert [bool(state["problem"]) for state in sorted(states, key=lambda s: s["run_id"])] == [True, False]
    with pytest.raises(RunDirectoryError):
        status("bad", None, False, False)


def test_a_deleted_status_folder_means_pending(ws_run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    (ws_run.status_dir / "metadata.sha256").unlink()
    ws_run.status_dir.rmdir()
    status("pvt", None, False, False)
    assert capsys.readouterr().out == "pvt_20260101120000: 0/6 completed (0.0%)\n"


class Run:
    """A run that goes on while somebody watches: every look is a second later."""

    def __init__(self, run: RunDirectory, seconds: int) -> None:
        self.run = run
        self.left = seconds
        self.lock = run_lock(run)

    def start(self) -> None:
        self.lock.__enter__()
        write_progress(self.run, progress(completed=0))

    def sleep(self, seconds: float) -> None:
        self.left -= 1
        if self.left == 0:
            self.lock.__exit__(None, None, None)
        else:
            write_progress(self.run, progress(completed=self.left))


@pytest.mark.req("SIM-17")
def test_watching_ends_with_the_run(
    ws_run: RunDirectory, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    going = Run(ws_run, 3)
    going.start()
    monkeypatch.setattr(command.time, "sleep", going.sleep)
    assert status(None, None, False, True) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["0/6", "2/6", "1/6", "0/6"]
    assert "active" not in lines[-1]


def test_watching_prints_a_line_only_when_it_changed(
    ws_run: RunDirectory, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    going = Run(ws_run, 3)
    going.start()
    monkeypatch.setattr(going, "sleep", lambda seconds: Run.sleep(going, seconds) if going.left == 1 else drop(going))
    monkeypatch.setattr(command.time, "sleep", going.sleep)
    status(None, None, False, True)
    assert len(capsys.readouterr().out.splitlines()) == 2


def drop(going: Run) -> None:
    going.left -= 1


def test_watching_in_json_prints_a_document_a_look(
    ws_run: RunDirectory, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    going = Run(ws_run, 2)
    going.start()
    monkeypatch.setattr(command.time, "sleep", going.sleep)
    assert status("pvt", None, True, True) == 0
    states = [json.loads(line)[0] for line in capsys.readouterr().out.splitlines()]
    assert [state["active"] for state in states] == [True, True, False]


def test_on_a_terminal_the_lines_stay_in_place(ws_run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "20")
    going = Run(ws_run, 1)
    going.start()
    monkeypatch.setattr(command.time, "sleep", going.sleep)
    status(None, None, False, True)
    assert terminal.getvalue() == "pvt_20260101120000: \n\033[1A\033[Jpvt_20260101120000: \n"


def test_watching_ends_with_ctrl_c(ws_run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command.time, "sleep", interrupt)
    with run_lock(ws_run), pytest.raises(KeyboardInterrupt):
        status(None, None, False, True)


def test_nothing_heavy_is_imported(ws_run: RunDirectory) -> None:
    gather(ws_run)
    code = """
import sys
from simorc.commands.status import status
status(None, None, False, False)
heavy = {"numpy", "pydantic", "pandas", "matplotlib", "scipy", "pytest", "rich"}
print(*sorted(heavy.intersection(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "pvt_20260101120000: 0/6 completed (0.0%)\n"
    assert done.stderr.strip() == ""
