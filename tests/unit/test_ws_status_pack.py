"""Packed records and marks: what is read is the same as from files of their own."""

from __future__ import annotations

import os

import pytest

from simorc.core.errors import RunDirectoryError
from simorc.core.record import CaseRecord, Status
from simorc.workspace.layout import RunDirectory
from simorc.workspace.status_marks import MarkFile, read_marks, remove_settled_marks
from simorc.workspace.status_store import archive_record, pack_records, read_record, read_records, write_record

pytestmark = pytest.mark.req("SIM-13", "SIM-15")


def record(case_id, status=Status.COMPLETED, attempt=1):
    return CaseRecord(case_id, status, attempt, started="2026-01-01T00:00:00.000Z", worker="gw0:1")


@pytest.fixture
def run(tmp_path):
    (tmp_path / ".status").mkdir()
    return RunDirectory(tmp_path)


def test_packed_records_are_read_back_in_order_and_their_files_are_gone(run):
    records = {case_id: record(case_id) for case_id in (3, 0, 25_000, 9_999, 10_000)}
    for one in records.values():
        write_record(run, one)
    pack_records(run)
    assert not list(run.status_dir.glob("case_*"))
    found = read_records(run)
    assert found == records
    assert list(found) == sorted(records)
    assert len(found) == 5
    assert (1 in found, 3 in found, 40_000 in found) == (False, True, False)
    assert found.get(1) is None
    assert read_record(run, 9_999) == records[9_999]


def test_what_has_not_ended_keeps_its_file(run):
    write_record(run, record(1))
    write_record(run, record(2, Status.IN_PROGRESS))
    pack_records(run)
    assert [path.name for path in run.status_dir.glob("case_*")] == ["case_2.json"]
    assert {i: r.status for i, r in read_records(run).items()} == {1: "completed", 2: "in_progress"}


def test_a_file_of_its_own_wins_and_is_packed_into_the_same_part(run):
    for case_id in range(4):
        write_record(run, record(case_id))
    pack_records(run)
    write_record(run, record(2, Status.FAILED, attempt=2))
    assert read_records(run)[2].attempt == 2
    assert len(read_records(run)) == 4
    pack_records(run)
    assert [r.attempt for r in read_records(run).values()] == [1, 1, 2, 1]


def test_a_packed_record_is_archived(run):
    write_record(run, record(2))
    whole = run.status_file(2).read_bytes()
    pack_records(run)
    kept = archive_record(run, 2)
    assert kept is not None
    assert kept.name == "case_2.1.json"
    assert kept.read_bytes() == whole
    assert archive_record(run, 5) is None


@pytest.mark.parametrize("cut", [0, 1, 60, -1])
def test_a_damaged_part_is_named_and_never_taken_for_records(run, cut):
    for case_id in range(3):
        write_record(run, record(case_id))
    pack_records(run)
    (part,) = run.packed.iterdir()
    part.write_bytes(part.read_bytes()[:cut] if cut >= 0 else part.read_bytes().replace(b'"case_id":1', b'"case_id":7'))
    with pytest.raises(RunDirectoryError, match="damaged"):
        dict(read_records(run))


def test_a_mark_says_in_progress_until_the_case_is_recorded(run):
    marks = MarkFile(run)
    marks.begin(record(8, Status.IN_PROGRESS))
    assert read_record(run, 8) == record(8, Status.IN_PROGRESS)
    write_record(run, record(8))
    assert read_record(run, 8) == record(8)
    marks.begin(record(9, Status.IN_PROGRESS))
    assert {i: r.status for i, r in read_records(run).items()} == {8: "completed", 9: "in_progress"}
    marks.begin(record(8, Status.IN_PROGRESS, attempt=2))
    assert read_records(run)[8].status is Status.IN_PROGRESS
    marks.close()


def test_marks_of_ended_workers_go_once_their_cases_are_recorded(run):
    run.begun.mkdir()
    for case_id, pid in ((1, 999_999_999), (2, 999_999_998)):
        marks = MarkFile(run)
        marks.begin(record(case_id, Status.IN_PROGRESS))
        marks.close()
        (run.begun / f"{os.getpid()}-0.json").rename(run.begun / f"{pid}-0.json")
    write_record(run, record(1))
    remove_settled_marks(run, read_records(run))
    assert list(read_marks(run)) == [2]


def test_a_longer_mark_and_a_shorter_one_after_it_read_well(run):
    marks = MarkFile(run)
    marks.begin(record(123_456, Status.IN_PROGRESS))
    marks.begin(record(7, Status.IN_PROGRESS))
    assert list(read_marks(run)) == [7]
    marks.close()
