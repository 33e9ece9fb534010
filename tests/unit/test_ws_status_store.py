"""Status files: whole or not at all, and readable whatever happened to them."""

from __future__ import annotations

import errno
import json
import math
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from simorc.core.errors import ErrorKind, RunDirectoryError
from simorc.core.measurement import Measurement, Outcome
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Verdict
from simorc.workspace.clock import utc_text
from simorc.workspace.layout import RunDirectory
from simorc.workspace.record_json import ForeignRecordError, record_from_json, record_to_json
from simorc.workspace.status_store import (
    ReadBefore,
    archive_record,
    read_progress,
    read_record,
    read_records,
    remove_leftovers,
    scan_records,
    write_progress,
    write_record,
)

MAKE = Callable[..., CaseRecord]
CONTRACT = [
    *("schema", "case_id", "status", "error_message", "error_kind", "started", "finished", "duration_s"),
    *("worker", "attempt", "cached_from", "measurements"),
]
MEASUREMENT = ["name", "value", "unit", "outcome", "verdict", "min", "max", "margin"]

numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
measurements = st.builds(
    lambda name, value, unit, verdict, low, high, margin, message: Measurement(
        name, value, unit, Outcome.FAILED if value is None else Outcome.VALUE, verdict, low, high, margin, message
    ),
    st.text(),
    numbers,
    st.text(),
    st.sampled_from(Verdict),
    numbers,
    numbers,
    numbers,
    st.text(),
)
records = st.builds(
    CaseRecord,
    st.integers(0, 10**7),
    st.sampled_from(Status),
    attempt=st.integers(1, 99),
    error_kind=st.none() | st.sampled_from(ErrorKind),
    error_message=st.text() | st.text(st.characters(categories=["Cs", "L"])),  # halves of characters, of a log
    started=st.text(),
    finished=st.text(),
    duration_s=numbers,
    worker=st.text(),
    seed=st.none() | st.integers(1, 2**31 - 1),
    cached_from=st.text(),
    measurements=st.lists(measurements, max_size=3).map(tuple),
    retries=st.lists(st.dictionaries(st.text(), st.text()), max_size=2).map(tuple),
    warnings=st.lists(st.text(), max_size=2).map(tuple),
)


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    (tmp_path / ".status").mkdir()
    return RunDirectory(tmp_path)


@given(records)
def test_a_record_survives_its_json(record: CaseRecord) -> None:
    assert record_from_json(record_to_json(record), record.case_id) == record


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers())
def test_a_number_is_the_same_to_the_last_bit_for_any_reader(value: float, limit: int) -> None:
    text = record_to_json(CaseRecord(0, Status.COMPLETED, measurements=(Measurement("a", value, max=limit),)))
    (told,) = json.loads(text)["measurements"]
    (read,) = record_from_json(text).measurements
    for found, low in ((told["value"], told["max"]), (read.value, read.max)):
        assert (struct.pack("d", found), type(found), low, type(low)) == (struct.pack("d", value), float, limit, int)


def test_numbers_of_numpy_are_numbers_and_nothing_else_is() -> None:
    measured = [Measurement("a", number) for number in (np.float64(0.1), np.float32(0.5), np.int64(2**53 + 1))]
    text = record_to_json(CaseRecord(0, Status.COMPLETED, seed=np.int64(5), measurements=tuple(measured)))
    read = record_from_json(text)
    assert [m.value for m in read.measurements] == [0.1, 0.5, 2**53 + 1]
    assert read.seed == 5
    for odd in (Decimal("1.5"), "1.5", datetime.now(UTC), [1.0]):
        with pytest.raises(TypeError):
            record_to_json(CaseRecord(0, Status.COMPLETED, measurements=(Measurement("a", odd),)))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="found"):
        record_to_json(CaseRecord(0, Status.COMPLETED, worker=Path("a")))  # type: ignore[arg-type]


@pytest.mark.parametrize(("given", "read"), [(None, ""), (5, "5"), (b"V", "b'V'")])
def test_a_hook_may_give_anything_for_a_text_and_the_record_can_be_read(given: str, read: str) -> None:
    record = CaseRecord(0, Status.COMPLETED, measurements=(Measurement(given, 1.0, given, message=given),))
    (m,) = record_from_json(record_to_json(record)).measurements
    assert (m.name, m.value, m.unit, m.message) == (read, 1.0, read, read)


@pytest.mark.req("SIM-13")
def test_a_status_file_of_a_former_version_is_read() -> None:
    measured = {"name": "a", "value": 1, "unit": None, "outcome": "value", "verdict": "pass", "min": 1e-05, "max": None}
    fields = {
        "schema": 1,
        "case_id": 3,
        "status": "completed",
        "error_message": "\udc80",
        "error_kind": None,
        "started": None,
        "finished": "2026-01-01T12:00:00.250Z",
        "duration_s": 0.25,
        "worker": "gw0:1",
        "attempt": 2,
        "cached_from": None,
        "measurements": [{**measured, "margin": 0.5, "note": [1]}],
        "seed": 7,
        "note": {},
    }
    measurement = Measurement("a", 1, "", Outcome.VALUE, Verdict.PASS, 1e-05, None, 0.5)
    assert record_from_json(json.dumps(fields, indent=1), 3) == CaseRecord(
        case_id=3,
        status=Status.COMPLETED,
        attempt=2,
        error_message="\udc80",  # type: ignore[arg-type]
        finished="2026-01-01T12:00:00.250Z",
        duration_s=0.25,
        worker="gw0:1",
        seed=7,  # type: ignore[arg-type]
        measurements=(measurement,),
    )


@pytest.mark.req("SIM-13")
def test_the_keys_are_those_of_the_contract(run: RunDirectory, ws_record: MAKE) -> None:
    write_record(run, ws_record(3))
    data = json.loads(run.status_file(3).read_text())
    assert list(data) == CONTRACT
    assert list(data["measurements"][0]) == MEASUREMENT
    assert data["measurements"][0] == {
        "name": "vout",
        "value": 3.3,
        "unit": "V",
        "outcome": "value",
        "verdict": "pass",
        "min": 3.25,
        "max": 3.35,
        "margin": pytest.approx(0.05),
    }


def test_further_keys_appear_only_when_there_is_something_to_say() -> None:
    failed = Measurement("vout", None, "V", Outcome.FAILED, Verdict.FAIL, message="out of interval")
    record = CaseRecord(
        0, Status.COMPLETED, seed=7, retries=({"gmin": "1e-9"},), warnings=("random",), measurements=(failed,)
    )
    data = json.loads(record_to_json(record))
    assert list(data) == [*CONTRACT, "seed", "retries", "warnings"]
    assert list(data["measurements"][0]) == [*MEASUREMENT, "message"]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_never_becomes_one(bad: float) -> None:
    measurement = Measurement("vout", bad, "V", Outcome.VALUE, Verdict.FAIL, bad, bad, bad)
    text = record_to_json(CaseRecord(0, Status.COMPLETED, duration_s=bad, measurements=(measurement,)))
    assert b"NaN" not in text
    assert b"Infinity" not in text
    read = record_from_json(text, 0).measurements[0]
    assert (read.value, read.outcome, read.min, read.max, read.margin) == (None, Outcome.FAILED, None, None, None)


@pytest.mark.req("SIM-13")
def test_a_file_truncated_at_any_byte_counts_as_pending(run: RunDirectory, ws_record: MAKE) -> None:
    write_record(run, ws_record(3, seed=5, error_message="Ω"))
    whole = run.status_file(3).read_bytes()
    for length in range(len(whole) - 1):  # the last byte is the line's end
        run.status_file(3).write_bytes(whole[:length])
        found = scan_records(run)
        assert found.records == {}, length
        assert len(found.notes) == (1 if length else 0)  # empty: a kill between making and filling it
        assert all("case_3.json cannot be read" in note and "counts as pending" in note for note in found.notes)
        assert read_record(run, 3) is None
    run.status_file(3).write_bytes(whole)
    assert read_record(run, 3) == ws_record(3, seed=5, error_message="Ω")


def _changed(**changes: object) -> str:
    measured = (Measurement("vout", 1.0, "V"),)
    return json.dumps(json.loads(record_to_json(CaseRecord(3, Status.COMPLETED, measurements=measured))) | changes)


GOOD = {"name": "a", "value": 1.0, "unit": "", "outcome": "value", "verdict": "none", "min": None, "max": None}


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "null",
        "[]",
        "3",
        '"text"',
        "{}",
        "\0" * 200,
        "[" * 100_000,
        _changed(schema=2),
        _changed(case_id=4),
        _changed(status="done"),
        _changed(error_kind="aliens"),
        _changed(attempt=None),
        _changed(attempt="1"),
        _changed(started=5),
        _changed(duration_s="long"),
        _changed(measurements=5),
        _changed(measurements=[5]),
        _changed(measurements=[GOOD]),
        _changed(measurements=[{**GOOD, "margin": None, "value": None}]),
        _changed(measurements=[{**GOOD, "margin": None, "value": True}]),
        _changed(measurements=[{**GOOD, "margin": None, "value": math.nan}]),
        _changed(measurements=[{**GOOD, "margin": None, "outcome": "missing"}]),
        _changed(measurements=[{**GOOD, "margin": "1"}]),
    ],
)
def test_foreign_json_counts_as_pending_and_is_named(run: RunDirectory, text: str) -> None:
    run.status_file(3).write_text(text)
    found = scan_records(run)
    assert found.records == {}
    assert len(found.notes) == 1
    assert "case_3.json" in found.notes[0]


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    with pytest.raises(ForeignRecordError):
        record_from_json(data, 3)


def test_other_files_are_passed_over(run: RunDirectory, ws_record: MAKE) -> None:
    write_record(run, ws_record(3))
    for name in ("case_03.json", "case_x.json", "progress.json", "lock", ".case_4.json.1.tmp", "case_5.json.bak"):
        (run.status_dir / name).write_text("{")
    run.history.mkdir()
    assert read_records(run) == {3: ws_record(3)}
    assert scan_records(run).notes == ()


def test_a_folder_in_place_of_a_status_file_is_a_note(run: RunDirectory) -> None:
    run.status_file(1).mkdir()
    assert scan_records(run).records == {}
    assert "case_1.json" in scan_records(run).notes[0]
    assert read_record(run, 1) is None


def test_a_record_longer_than_a_buffer_is_read_whole(run: RunDirectory, ws_record: MAKE) -> None:
    record = ws_record(0, error_message="x" * 200_000)
    write_record(run, record)
    assert read_record(run, 0) == record
    assert read_records(run) == {0: record}


def test_no_record_is_none_and_no_folder_is_nothing(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path / "gone")
    assert read_record(run, 0) is None
    assert read_records(run) == {}


@pytest.mark.req("SIM-13")
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_refused_write_leaves_the_former_record_and_no_litter(
    run: RunDirectory, ws_record: MAKE, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    write_record(run, ws_record(3))
    before = sorted(run.status_dir.iterdir())

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(RunDirectoryError, match=os.strerror(number)) as caught:
        write_record(run, ws_record(3, Status.FAILED))
    assert caught.value.hint
    assert sorted(run.status_dir.iterdir()) == before
    assert read_record(run, 3) == ws_record(3)


def test_a_full_disk_leaves_the_former_record_and_no_litter(run: RunDirectory, ws_record: MAKE) -> None:
    write_record(run, ws_record(3))
    code = f"""
import resource, sys
from simorc.core.record import CaseRecord, Status
from simorc.workspace.layout import RunDirectory
from simorc.workspace.status_store import write_record
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
write_record(RunDirectory(__import__("pathlib").Path({str(run.path)!r})),
             CaseRecord(3, Status.FAILED, error_message="x" * 5000))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "RunDirectoryError" in done.stderr
    assert [path.name for path in run.status_dir.iterdir()] == ["case_3.json"]
    assert read_record(run, 3) == ws_record(3)


def test_a_status_folder_that_is_a_file_is_a_clear_error(tmp_path: Path, ws_record: MAKE) -> None:
    (tmp_path / ".status").write_text("")
    with pytest.raises(RunDirectoryError, match="cannot record case 0") as caught:
        write_record(RunDirectory(tmp_path), ws_record(0))
    assert "a file stands where a folder is expected" in str(caught.value)


def test_the_former_status_goes_to_history(run: RunDirectory, ws_record: MAKE) -> None:
    for attempt in (1, 2):
        write_record(run, ws_record(3, attempt=attempt))
        archived = archive_record(run, 3)
        assert archived == run.history / f"case_3.{attempt}.json"
        assert record_from_json(archived.read_bytes(), 3).attempt == attempt
        assert read_record(run, 3) == ws_record(3, attempt=attempt)
    assert archive_record(run, 4) is None


@pytest.mark.req("SIM-13", "SIM-15")
def test_a_case_has_its_record_until_there_is_a_new_one(
    run: RunDirectory, ws_record: MAKE, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_record(run, ws_record(3))
    archive_record(run, 3)
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    with pytest.raises(RunDirectoryError):
        write_record(run, ws_record(3, Status.IN_PROGRESS, attempt=2))
    assert read_record(run, 3) == ws_record(3)
    monkeypatch.undo()
    archive_record(run, 3)
    write_record(run, ws_record(3, Status.IN_PROGRESS, attempt=2))
    assert read_record(run, 3) == ws_record(3, Status.IN_PROGRESS, attempt=2)
    (kept,) = run.history.iterdir()
    assert record_from_json(kept.read_bytes(), 3) == ws_record(3)


def test_history_is_a_copy_where_the_file_system_has_no_links(
    run: RunDirectory, ws_record: MAKE, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no links here")))
    write_record(run, ws_record(3))
    archived = archive_record(run, 3)
    assert archived is not None
    assert archived.read_bytes() == run.status_file(3).read_bytes()
    assert archived.stat().st_ino != run.status_file(3).stat().st_ino


def test_history_never_overwrites(run: RunDirectory, ws_record: MAKE) -> None:
    for message in ("first", "second"):
        write_record(run, ws_record(3, error_message=message))
        archive_record(run, 3)
    run.status_file(3).unlink()
    run.status_file(3).write_text("{")
    archive_record(run, 3)
    assert sorted(path.name for path in run.history.iterdir()) == [f"case_3.{n}.json" for n in (1, 2, 3)]
    assert "first" in (run.history / "case_3.1.json").read_text()


def test_history_that_cannot_be_written_is_a_clear_error(run: RunDirectory, ws_record: MAKE) -> None:
    write_record(run, ws_record(3))
    run.history.write_text("")
    with pytest.raises(RunDirectoryError, match="cannot write"):
        archive_record(run, 3)
    assert read_record(run, 3) == ws_record(3)


def test_only_leftovers_of_dead_processes_are_removed(run: RunDirectory) -> None:
    dead = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
    alive = run.status_dir / f".case_1.json.{os.getpid()}.tmp"
    for path in (run.status_dir / f".case_0.json.{dead}.tmp", run.path / f".metadata.csv.{dead}.tmp", alive):
        path.write_text("")
    remove_leftovers(run)
    assert list(run.path.rglob("*.tmp")) == [alive]


def test_only_temporary_folders_of_dead_processes_are_removed(run: RunDirectory) -> None:
    dead = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
    alive = [run.repeat_folder(3), run.own_folder(4, 0), run.staging.path]
    left = [path.with_name(path.name.replace(str(os.getpid()), dead)) for path in alive]
    kept = [*alive, run.result_folder(3), run.results / ".own-notes", run.results / f".again-x-{dead}"]
    for folder in [*left, *kept]:
        (folder / "inside").mkdir(parents=True)
    remove_leftovers(run)
    assert [folder for folder in left if folder.exists()] == []
    assert all((folder / "inside").exists() for folder in kept)


def test_a_leftover_that_cannot_be_removed_disturbs_nobody(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    (run.path / ".metadata.csv.999999999.tmp").write_text("")
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: (_ for _ in ()).throw(PermissionError("no")))
    remove_leftovers(run)


NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
PROGRESS = {"total": 10, "completed": 4, "failed": 1, "out_of_spec": 0, "running": 2, "pending": 3, "rate_per_s": 2.5}


@pytest.mark.req("SIM-17")
@pytest.mark.parametrize(("age_s", "fresh"), [(0, True), (5, True), (5.1, False), (-5.1, False)])
def test_progress_counts_for_five_seconds(run: RunDirectory, age_s: float, fresh: bool) -> None:
    updated = utc_text(NOW - timedelta(seconds=age_s))
    write_progress(run, {**PROGRESS, "updated": updated, "pid": os.getpid()})
    found = read_progress(run, NOW)
    assert (found is not None) is fresh
    if found is not None:
        assert found == {"schema": 1, **PROGRESS, "updated": updated, "pid": os.getpid()}


def test_progress_of_a_dead_process_does_not_count(run: RunDirectory) -> None:
    dead = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
    write_progress(run, {**PROGRESS, "updated": utc_text(datetime.now(UTC)), "pid": int(dead)})
    assert read_progress(run) is None
    write_progress(run, {**PROGRESS, "updated": utc_text(datetime.now(UTC)), "pid": os.getpid()})
    assert read_progress(run) is not None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": 2}', '{"schema": 1, "updated": 5, "pid": 1}'])
def test_damaged_progress_is_none(run: RunDirectory, text: str) -> None:
    assert read_progress(run) is None
    run.progress.write_text(text)
    assert read_progress(run) is None


def test_what_was_read_before_is_read_again_only_where_it_is_another_file(run: RunDirectory, ws_record: MAKE) -> None:
    for case_id in range(3):
        write_record(run, ws_record(case_id))
    before = ReadBefore()
    first = scan_records(run, before).records
    write_record(run, structs.replace(first[1], attempt=2))
    run.status_file(2).unlink()
    second = scan_records(run, before).records
    assert second == {0: first[0], 1: structs.replace(first[1], attempt=2)}
    assert second[0] is first[0]
    run.status_file(0).write_text("{}")
    assert set(scan_records(run, before).records) == {1}
    write_record(run, first[0])
    assert set(scan_records(run, before).records) == {0, 1}
