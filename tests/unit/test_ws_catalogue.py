"""The catalogue of runs: made from their directories, whole or not at all, and never in anybody's way."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
from msgspec import structs

from simorc.core.errors import ErrorKind
from simorc.core.measurement import Measurement
from simorc.core.plan import Plan
from simorc.core.record import CaseRecord, Status
from simorc.workspace import catalogue as catalogue_module
from simorc.workspace import conclude as conclude_module
from simorc.workspace.catalogue import forget_deleted_runs, rebuild_catalogue
from simorc.workspace.conclude import conclude
from simorc.workspace.layout import RunDirectory
from simorc.workspace.lock import run_lock
from simorc.workspace.manifest import add_execution, update_manifest
from simorc.workspace.status_store import write_record

Build = Callable[..., RunDirectory]
MAKE = Callable[..., CaseRecord]


@pytest.fixture
def output(ws_plan: Plan) -> Path:
    return Path(ws_plan.setup_file).parent / "simulations"


def asked(output: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{output / 'catalogue.sqlite'}?mode=ro", uri=True)) as db:
        return db.execute(query).fetchall()


def run_ids(output: Path) -> list[str]:
    return [run_id for (run_id,) in asked(output, "SELECT run_id FROM runs ORDER BY run_id")]


def content(output: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row with the run's id in place of its key."""
    tables = ("runs", "cases", "measurements", "instruments")
    join = "SELECT r.run_id, t.* FROM {} t JOIN runs r USING (run) ORDER BY 1, 3, 4"
    return {table: [(row[0], *row[2:]) for row in asked(output, join.format(table))] for table in tables}


def finished(run: RunDirectory, make: MAKE, *values: float) -> RunDirectory:
    for case_id, vout in enumerate(values):
        write_record(run, make(case_id, vout=vout))
    conclude(run)
    return run


@pytest.mark.req("DVT-10")
def test_a_run_with_its_cases_and_measurements(ws_run: RunDirectory, ws_record: MAKE, output: Path) -> None:
    failed = ws_record(2, Status.FAILED, error_kind=ErrorKind.TIMEOUT, error_message="no result", attempt=2)
    write_record(ws_run, failed)
    finished(ws_run, ws_record, 3.3, 9.0)
    counts = "run_id, sweep, testbench, target, verdict, cases, completed, failed, in_progress, pending, out_of_spec"
    assert asked(output, f"SELECT {counts} FROM runs") == [
        ("pvt_20260101120000", "pvt", "ldo", "spice", "fail", 6, 2, 1, 0, 3, 1)
    ]
    cases = asked(output, "SELECT case_id, status, verdict, error_kind, error_message, attempt FROM cases")
    assert cases[:4] == [
        (0, "completed", "pass", None, None, 1),
        (1, "completed", "fail", None, None, 1),
        (2, "failed", "none", "timeout", "no result", 2),
        (3, "pending", "none", None, None, None),
    ]
    ((conditions,),) = asked(output, "SELECT conditions FROM cases WHERE case_id = 3")
    assert json.loads(conditions) == {"corner": "ff, hot", "vin": 4.5, "iload": 1e-05}
    history = "SELECT case_id, value, unit, outcome, verdict, min, max, margin, uncertainty FROM measurements"
    assert asked(output, history) == [
        (0, 3.3, "V", "value", "pass", 3.25, 3.35, 3.3 - 3.25, None),
        (1, 9.0, "V", "value", "fail", 3.25, 3.35, 3.35 - 9.0, None),
    ]


@pytest.mark.req("DVT-10")
def test_the_instruments_of_a_bench(ws_run: RunDirectory, output: Path) -> None:
    dmm = {
        "name": "dmm",
        "driver": "keysight_34461a",
        "resource": "TCPIP::host::INSTR",
        "idn": "Keysight Technologies,34461A,MY1,A.1",
        "serial": "MY1",
        "firmware": "A.1",
        "calibrated": "2025-06-01",
        "calibration_due": "2026-06-01",
    }
    update_manifest(ws_run, instruments=[dmm, {"name": "load"}, "nonsense"])
    for dut in ("SN7", None, "SN7", "SN8"):
        add_execution(ws_run, {"dut": dut})
    conclude(ws_run)
    columns = "name, driver, resource, idn, serial, firmware, calibrated, calibration_due"
    assert asked(output, f"SELECT {columns} FROM instruments") == [
        tuple(dmm.values()),
        ("load", None, None, None, None, None, None, None),
    ]
    assert asked(output, "SELECT dut FROM runs") == [("SN7, SN8",)]


def test_a_former_state_of_a_run_is_replaced(ws_run: RunDirectory, ws_record: MAKE, output: Path) -> None:
    finished(ws_run, ws_record, 3.3, 9.0)
    ws_run.status_file(1).unlink()
    finished(ws_run, ws_record, 3.31)
    assert asked(output, "SELECT value FROM measurements") == [(3.31,)]
    assert asked(output, "SELECT count(*) FROM cases") == [(6,)]


@pytest.mark.req("DVT-10")
def test_a_catalogue_kept_up_equals_one_made_anew(ws_build: Build, ws_record: MAKE, output: Path) -> None:
    first, second, third = (ws_build(f"pvt_{n}") for n in (1, 2, 3))
    finished(first, ws_record, 3.3, 9.0)
    finished(second, ws_record, 3.2)
    finished(first, ws_record, 3.3, 3.3, 3.3)
    shutil.rmtree(third.path)
    ws_build("pvt_4")
    finished(second, ws_record, 3.31)
    kept = content(output)
    rebuild_catalogue(output)
    assert content(output) == kept
    assert run_ids(output) == ["pvt_1", "pvt_2", "pvt_4"]


@pytest.mark.req("DVT-10")
@pytest.mark.parametrize("damage", ["missing", "empty", "no database", "truncated", "older", "a broken page"])
def test_what_cannot_be_used_is_made_anew_from_the_runs(
    ws_build: Build, ws_record: MAKE, output: Path, damage: str
) -> None:
    first, second = ws_build("pvt_1"), ws_build("pvt_2")
    finished(first, ws_record, *[3.3] * 6)
    finished(second, ws_record, 9.0)
    good, file = content(output), output / "catalogue.sqlite"
    data = bytearray(file.read_bytes())
    if damage == "missing":
        file.unlink()
    elif damage == "older":
        with closing(sqlite3.connect(file)) as db:
            db.executescript("DROP TABLE measurements; PRAGMA user_version = 0")
    elif damage == "a broken page":
        data[4096 * 3 : 4096 * 5] = b"\xff" * 4096 * 2
        file.write_bytes(data)
    else:
        file.write_bytes({"empty": b"", "no database": b"hello\n" * 500}.get(damage, bytes(data[: len(data) // 2])))
    assert conclude(second).gathered.notes == ()
    assert content(output) == good


def test_only_a_catalogue_that_somebody_touched_is_gone_through(
    ws_run: RunDirectory, ws_record: MAKE, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone_through: list[bool] = []
    monkeypatch.setattr(catalogue_module, "_is_whole", lambda db: not gone_through.append(True))
    finished(ws_run, ws_record, 3.3)
    finished(ws_run, ws_record, 3.3)
    assert gone_through == []
    with closing(sqlite3.connect(output / "catalogue.sqlite")) as db:
        db.execute("CREATE VIEW failing AS SELECT * FROM runs WHERE verdict = 'fail'")
    finished(ws_run, ws_record, 9.0)
    assert gone_through == [True]
    assert asked(output, "SELECT run_id FROM failing") == [(ws_run.run_id,)]
    (output / ".catalogue.sqlite.lock").unlink()
    finished(ws_run, ws_record, 9.0)
    assert gone_through == [True] * 2


def test_a_catalogue_of_a_newer_simorc_is_left_alone(ws_run: RunDirectory, ws_record: MAKE, output: Path) -> None:
    finished(ws_run, ws_record, 3.3)
    with closing(sqlite3.connect(output / "catalogue.sqlite")) as db:
        db.execute("PRAGMA user_version = 99")
    before = (output / "catalogue.sqlite").read_bytes()
    (note,) = conclude(ws_run).gathered.notes
    assert note.startswith("the catalogue of runs could not be brought up to date: ")
    assert "newer simorc" in note
    assert (output / "catalogue.sqlite").read_bytes() == before


def test_a_run_is_none_the_worse_when_the_catalogue_cannot_be_written(
    ws_run: RunDirectory, ws_record: MAKE, output: Path
) -> None:
    (output / "catalogue.sqlite").mkdir(parents=True)
    write_record(ws_run, ws_record(0))
    concluded = conclude(ws_run)
    assert concluded.gathered.tally[Status.COMPLETED] == 1
    (note,) = concluded.gathered.notes
    assert note.startswith("the catalogue of runs could not be brought up to date: ")
    assert sorted(path.name for path in output.iterdir()) == [
        ".catalogue.sqlite.lock",
        "catalogue.sqlite",
        ws_run.run_id,
    ]


def test_the_former_catalogue_stays_when_a_change_breaks_off(
    ws_run: RunDirectory, ws_record: MAKE, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(ws_run, ws_record, 3.3)
    before = (output / "catalogue.sqlite").read_bytes()

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(catalogue_module, "_insert", full)
    (note,) = conclude(ws_run).gathered.notes
    assert "database or disk is full" in note
    assert (output / "catalogue.sqlite").read_bytes() == before
    assert list(output.glob(".catalogue.sqlite.*.tmp")) == []


def test_a_lock_that_is_never_let_go_costs_a_note(
    ws_run: RunDirectory, ws_record: MAKE, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_module, "LOCK_WAIT_S", 0.1)
    with (output / ".catalogue.sqlite.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        (note,) = conclude(ws_run).gathered.notes
    assert "in use by another process" in note


CONCLUDE = """
import sys
from pathlib import Path
from simorc.workspace.conclude import conclude
from simorc.workspace.layout import RunDirectory
assert conclude(RunDirectory(Path(sys.argv[1]))).gathered.notes == ()
"""


@pytest.mark.req("DVT-10")
def test_runs_that_end_at_the_same_time_are_all_in_it(ws_build: Build, ws_record: MAKE, output: Path) -> None:
    runs = [ws_build(f"pvt_{n}") for n in range(4)]
    for run in runs:
        write_record(run, ws_record(0, vout=3.3))
    processes = [subprocess.Popen([sys.executable, "-c", CONCLUDE, run.path]) for run in runs]
    assert [process.wait() for process in processes] == [0] * 4
    assert asked(output, "SELECT run_id, completed FROM runs ORDER BY 1") == [(f"pvt_{n}", 1) for n in range(4)]
    assert asked(output, "SELECT count(*) FROM measurements") == [(4,)]


def test_active_and_damaged_runs_are_passed_over(ws_build: Build, ws_record: MAKE, output: Path) -> None:
    whole, active, damaged = ws_build("whole"), ws_build("active"), ws_build("damaged")
    (damaged.inputs / "plan.json").write_text("{")
    (output / "compare" / "a_vs_b").mkdir(parents=True)
    (output / "notes").mkdir()
    with run_lock(active):
        assert finished(whole, ws_record, 3.3).path.exists()
        assert run_ids(output) == ["whole"]
    rebuild_catalogue(output)
    assert run_ids(output) == ["active", "whole"]


def test_deleted_runs_leave_it_and_none_is_made_for_that(ws_build: Build, ws_record: MAKE, output: Path) -> None:
    first, second = ws_build("pvt_1"), ws_build("pvt_2")
    forget_deleted_runs(output)
    assert not (output / "catalogue.sqlite").exists()
    finished(first, ws_record, 3.3)
    finished(second, ws_record, 3.3)
    shutil.rmtree(first.path)
    forget_deleted_runs(output)
    assert {table: {row[0] for row in rows} for table, rows in content(output).items() if rows} == {
        "runs": {"pvt_2"},
        "cases": {"pvt_2"},
        "measurements": {"pvt_2"},
    }


def test_what_is_in_it_holds_together(ws_run: RunDirectory, ws_record: MAKE, output: Path) -> None:
    finished(ws_run, ws_record, 3.3, 9.0)
    assert asked(output, "PRAGMA foreign_key_check") == []
    assert asked(output, "PRAGMA integrity_check") == [("ok",)]
    assert asked(output, "PRAGMA user_version") == [(catalogue_module.SCHEMA,)]
    assert {name for (name,) in asked(output, "SELECT name FROM sqlite_master WHERE type = 'table'")} == {
        *("runs", "cases", "measurements", "instruments")
    }


def test_odd_texts_and_names_that_stand_twice(ws_run: RunDirectory, output: Path) -> None:
    twice = (Measurement("x", 1.0), Measurement("x", 2.0), Measurement("\udc80", 3.0))
    record = CaseRecord(0, Status.FAILED, error_message="a\udcffb", measurements=twice)
    write_record(ws_run, record)
    update_manifest(ws_run, git_commit={"odd": 1}, ended=None)
    conclude(ws_run)
    assert asked(output, "SELECT name, value FROM measurements") == [("\\udc80", 3.0), ("x", 2.0)]
    assert asked(output, "SELECT error_message FROM cases WHERE case_id = 0") == [("a\\udcffb",)]
    assert asked(output, "SELECT git_commit, ended FROM runs") == [('{"odd": 1}', None)]


def test_temporary_files_of_killed_processes_go(ws_run: RunDirectory, ws_record: MAKE, output: Path) -> None:
    left = output / f".catalogue.sqlite.{os.getpid() + 1}.tmp"
    left.write_bytes(b"half")
    finished(ws_run, ws_record, 3.3)
    assert not left.exists()


def test_a_reader_keeps_what_it_opened(ws_run: RunDirectory, ws_record: MAKE, output: Path) -> None:
    finished(ws_run, ws_record, 3.3)
    with closing(sqlite3.connect(output / "catalogue.sqlite")) as db:
        db.execute("BEGIN")
        assert db.execute("SELECT completed FROM runs").fetchall() == [(1,)]
        finished(ws_run, ws_record, 3.3, 3.3)
        assert db.execute("SELECT completed FROM runs").fetchall() == [(1,)]
    assert asked(output, "SELECT completed FROM runs") == [(2,)]


def test_a_record_of_another_attempt_replaces_the_measurements(
    ws_run: RunDirectory, ws_record: MAKE, output: Path
) -> None:
    finished(ws_run, ws_record, 3.3)
    write_record(ws_run, structs.replace(ws_record(0, vout=3.31), attempt=2))
    conclude(ws_run)
    assert asked(output, "SELECT c.attempt, m.value FROM cases c JOIN measurements m USING (run, case_id)") == [
        (2, 3.31)
    ]


def test_a_limit_beyond_any_integer_column(ws_run: RunDirectory, output: Path) -> None:
    huge = Measurement("x", 1.0, min=-(10**30), max=10**30, margin=10**30)
    write_record(ws_run, CaseRecord(0, Status.COMPLETED, measurements=(huge,)))
    assert conclude(ws_run).gathered.notes == ()
    assert asked(output, "SELECT min, max, margin FROM measurements") == [(-1e30, 1e30, 1e30)]


@pytest.mark.parametrize("forks", [False, True], ids=["here", "beside"])
def test_nothing_that_is_only_derived_costs_a_run_its_summary(
    ws_run: RunDirectory, ws_record: MAKE, monkeypatch: pytest.MonkeyPatch, forks: bool
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(catalogue_module, "update_catalogue", broken)
    monkeypatch.setattr(conclude_module, "_WORTH_A_PROCESS", 0)
    monkeypatch.setitem(sys.modules, "simorc.workspace.measurement_store", None)
    write_record(ws_run, ws_record(0))
    concluded = conclude(ws_run, forks=forks)
    assert concluded.gathered.tally[Status.COMPLETED] == 1
    first, second = concluded.gathered.notes
    assert first.startswith("measurements/ could not be brought up to date: ")
    assert second == "the catalogue of runs could not be brought up to date: ZeroDivisionError"


def test_a_process_for_the_catalogue_makes_the_same_and_may_be_killed(
    ws_run: RunDirectory, ws_record: MAKE, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = os.getpid()
    finished(ws_run, ws_record, 3.3, 9.0)
    made_here = content(output)
    (output / "catalogue.sqlite").unlink()
    monkeypatch.setattr(conclude_module, "_WORTH_A_PROCESS", 0)
    concluded = conclude(ws_run, forks=True)
    assert concluded == conclude(ws_run)
    assert content(output) == made_here

    monkeypatch.setattr(catalogue_module, "_finish", lambda *_: os.getpid() != here and os.kill(os.getpid(), SIGKILL))
    write_record(ws_run, ws_record(2))
    (note,) = conclude(ws_run, forks=True).gathered.notes
    assert note == "the catalogue of runs could not be brought up to date: the process that was to do it was killed"
    assert content(output) == made_here
