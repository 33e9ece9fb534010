"""Gather: from status files to tables, after anything."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from simorc.core.aggregates import AggregateResult, compute
from simorc.core.errors import ErrorKind, RunDirectoryError
from simorc.core.measurement import Measurement, Outcome
from simorc.core.plan import Plan
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Verdict
from simorc.core.units import Quantity
from simorc.workspace import gather as gather_module
from simorc.workspace.gather import gather, look, write_aggregates
from simorc.workspace.layout import RunDirectory
from simorc.workspace.status_store import write_record

MAKE = Callable[..., CaseRecord]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def fill(run: RunDirectory, make: MAKE) -> None:
    """One in spec, one out of it, one failed, one a crash left, two never started."""
    write_record(run, make(0, vout=0.1 + 0.2 + 3))
    write_record(run, make(1, vout=9.0))
    write_record(run, make(2, Status.FAILED, error_kind=ErrorKind.NO_CONVERGENCE, error_message="no\nconvergence"))
    write_record(run, make(4, Status.IN_PROGRESS))


@pytest.mark.req("SIM-14")
def test_every_status_goes_into_metadata_csv(ws_run: RunDirectory, ws_record: MAKE) -> None:
    fill(ws_run, ws_record)
    gathered = gather(ws_run)
    rows = rows_of(ws_run.metadata)
    assert [row["status"] for row in rows] == [
        "completed",
        "completed",
        "failed",
        "pending",
        "in_progress",
        "pending",
    ]
    assert [row["error_message"] for row in rows] == ["", "", "no convergence", "", "", ""]
    assert gathered.notes == ()
    assert gathered.tally.out_of_spec == 1
    assert {status: gathered.tally[status] for status in Status} == {
        Status.PENDING: 2,
        Status.IN_PROGRESS: 1,
        Status.COMPLETED: 2,
        Status.FAILED: 1,
    }
    assert sorted(gathered.records) == [0, 1, 2, 4]
    assert [case.case_id for case in gathered.cases] == list(range(6))


def test_results_csv_has_one_row_a_case_and_empty_cells_for_no_value(ws_run: RunDirectory, ws_record: MAKE) -> None:
    fill(ws_run, ws_record)
    write_record(ws_run, ws_record(5, vout=None))
    gather(ws_run)
    assert ws_run.results_csv.read_text() == (
        "case_id,status,verdict,corner,vin,iload,vout,psrr\n"
        "0,completed,pass,tt,4.5,10u,3.3,\n"
        "1,completed,fail,tt,5,10m,9.0,\n"
        "2,failed,none,tt,5.5e-05,1meg,,\n"
        '3,pending,none,"ff, hot",4.5,10u,,\n'
        '4,in_progress,none,"ff, hot",5,10m,,\n'
        '5,completed,fail,"ff, hot",5.5e-05,1meg,,\n'
    ).replace("3.3,", repr(0.1 + 0.2 + 3) + ",")


def test_a_measure_that_a_hook_added_is_the_last_column(ws_run: RunDirectory) -> None:
    extra = Measurement("settling", 1e-6, "s")
    write_record(ws_run, CaseRecord(0, Status.COMPLETED, measurements=(extra,)))
    gather(ws_run)
    rows = rows_of(ws_run.results_csv)
    assert list(rows[0])[-2:] == ["psrr", "settling"]
    assert [row["settling"] for row in rows] == ["1e-06", "", "", "", "", ""]


@pytest.mark.req("DVT-12")
def test_uncertainties_stand_behind_all_measures_where_there_are_any(ws_run: RunDirectory, ws_record: MAKE) -> None:
    write_record(ws_run, ws_record(0))
    gather(ws_run)
    assert ws_run.results_csv.read_text().splitlines()[0] == "case_id,status,verdict,corner,vin,iload,vout,psrr"
    (vout,) = ws_record(1).measurements
    write_record(ws_run, structs.replace(ws_record(1), measurements=(structs.replace(vout, uncertainty=2.5e-4),)))
    gather(ws_run)
    rows = rows_of(ws_run.results_csv)
    assert list(rows[0])[-3:] == ["vout", "psrr", "vout_uncertainty"]
    assert [row["vout_uncertainty"] for row in rows] == ["", "0.00025", "", "", "", ""]


@pytest.mark.req("SIM-14")
def test_gathering_again_changes_nothing(ws_run: RunDirectory, ws_record: MAKE) -> None:
    fill(ws_run, ws_record)
    first = gather(ws_run)
    files = {path: path.read_bytes() for path in ws_run.path.rglob("*") if path.is_file()}
    assert gather(ws_run) == first
    assert {path: path.read_bytes() for path in ws_run.path.rglob("*") if path.is_file()} == files


@pytest.mark.req("SIM-14")
@pytest.mark.parametrize("step", range(2))
def test_a_crash_between_two_files_is_repaired_by_the_next_gather(
    ws_run: RunDirectory, ws_record: MAKE, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    fill(ws_run, ws_record)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(gather_module, ("write_metadata", "replace_file")[step], die)
        with pytest.raises(KeyboardInterrupt):
            gather(ws_run)
    gathered = gather(ws_run)
    assert gathered.notes == ()
    assert rows_of(ws_run.metadata)[0]["status"] == rows_of(ws_run.results_csv)[0]["status"] == "completed"


def test_a_status_file_that_a_kill_left_empty_is_no_record(ws_run: RunDirectory, ws_record: MAKE) -> None:
    write_record(ws_run, ws_record(1))
    ws_run.status_file(0).write_bytes(b"")
    gathered = gather(ws_run)
    assert gathered.notes == ()
    assert list(gathered.records) == [1]
    write_record(ws_run, ws_record(0))
    assert sorted(gather(ws_run).records) == [0, 1]


def test_a_truncated_status_file_costs_its_case_alone(ws_run: RunDirectory, ws_record: MAKE) -> None:
    fill(ws_run, ws_record)
    ws_run.status_file(0).write_bytes(ws_run.status_file(0).read_bytes()[:50])
    gathered = gather(ws_run)
    assert rows_of(ws_run.metadata)[0]["status"] == "pending"
    assert rows_of(ws_run.metadata)[1]["status"] == "completed"
    assert len(gathered.notes) == 1
    assert "case_0.json cannot be read" in gathered.notes[0]


def test_a_stray_status_file_is_a_note(ws_run: RunDirectory, ws_record: MAKE) -> None:
    write_record(ws_run, ws_record(6))
    gathered = gather(ws_run)
    assert gathered.notes == (".status/case_6.json belongs to no case of this sweep; it is passed over",)
    assert gathered.records == {}
    assert gathered.tally.total == gathered.tally[Status.PENDING] == 6


def test_a_hand_edited_status_is_overwritten_and_said_so(ws_run: RunDirectory, ws_record: MAKE) -> None:
    fill(ws_run, ws_record)
    gather(ws_run)
    text = ws_run.metadata.read_text()
    ws_run.metadata.write_text(text.replace("1,completed", "1,pending").replace("3,pending", "3,"))
    gathered = gather(ws_run)
    assert len(gathered.notes) == 1
    assert (
        "status column is overwritten: case 1 (pending, is completed), case 3 (empty, is pending)"
        in (gathered.notes[0])
    )
    assert ws_run.metadata.read_text() == text
    assert gather(ws_run).notes == ()


def test_an_edited_message_is_put_right_without_a_word(ws_run: RunDirectory) -> None:
    text = ws_run.metadata.read_text()
    ws_run.metadata.write_text(text.replace("10u,\n", "10u,remark\n"))
    assert gather(ws_run).notes == ()
    assert ws_run.metadata.read_text() == text


def test_many_edits_are_one_short_note(ws_run: RunDirectory) -> None:
    ws_run.metadata.write_text(ws_run.metadata.read_text().replace("pending", "failed"))
    (note,) = gather(ws_run).notes
    assert note.endswith("and 1 more")


def test_a_table_behind_the_status_files_is_no_edit(ws_run: RunDirectory, ws_record: MAKE) -> None:
    gather(ws_run)
    fill(ws_run, ws_record)
    assert gather(ws_run).notes == ()


@pytest.mark.req("SIM-14")
def test_a_changed_parameter_is_refused_and_nothing_is_lost(ws_run: RunDirectory, ws_record: MAKE) -> None:
    fill(ws_run, ws_record)
    text = ws_run.metadata.read_text()
    ws_run.metadata.write_text(text.replace("4.5", "4.6"))
    with pytest.raises(RunDirectoryError, match=r"column vin: found '4\.6', expected '4\.5'"):
        gather(ws_run)
    assert ws_run.metadata.read_text() == text.replace("4.5", "4.6")
    ws_run.metadata.write_text(text)
    assert sorted(gather(ws_run).records) == [0, 1, 2, 4]


def test_looking_writes_nothing(ws_run: RunDirectory, ws_record: MAKE) -> None:
    fill(ws_run, ws_record)
    before = {path: path.read_bytes() for path in ws_run.path.rglob("*") if path.is_file()}
    seen = look(ws_run)
    assert {path: path.read_bytes() for path in ws_run.path.rglob("*") if path.is_file()} == before
    assert seen == gather(ws_run)


def test_a_run_that_nobody_has_begun_is_left_as_build_wrote_it(ws_run: RunDirectory) -> None:
    state = ws_run.metadata.stat()
    gather(ws_run)
    assert ws_run.metadata.stat() == state
    assert not ws_run.results_csv.exists()


def test_records_that_somebody_deleted_are_gone_from_the_tables(ws_run: RunDirectory, ws_record: MAKE) -> None:
    fill(ws_run, ws_record)
    gather(ws_run)
    (ws_run.status_dir / "pytest.log").write_text("")
    ws_run.results_csv.unlink()
    for file in ws_run.status_dir.glob("case_*.json"):
        file.unlink()
    gather(ws_run)
    assert "completed" not in ws_run.metadata.read_text()
    assert "completed" not in ws_run.results_csv.read_text()


def test_leftovers_of_killed_writers_go(ws_run: RunDirectory) -> None:
    leftover = ws_run.status_dir / ".case_0.json.999999999.tmp"
    leftover.write_text("")
    gather(ws_run)
    assert not leftover.exists()


def result(name: str, group: dict[str, object], value: float | None, outcome: Outcome) -> AggregateResult:
    return AggregateResult(
        name,
        "vout",
        "",
        group,
        value,
        "V",
        outcome,
        Verdict.PASS,
        None,
        0.5,
        0.1,
        3,
        0,  # type: ignore[arg-type]
    )


def test_group_columns_are_those_of_all_aggregates(ws_run: RunDirectory) -> None:
    write_aggregates(
        ws_run,
        [
            result("a", {"corner": "ff, hot"}, 0.1, Outcome.VALUE),
            result("b", {"corner": "tt", "vin": Quantity("5k")}, None, Outcome.MISSING),
        ],
    )
    assert ws_run.aggregates.read_text() == (
        "name,measure,over,corner,vin,value,unit,verdict,min,max,margin,n,n_missing\n"
        'a,vout,,"ff, hot",,0.1,V,pass,,0.5,0.1,3,0\n'
        "b,vout,,tt,5k,,V,missing,,0.5,0.1,3,0\n"
    )


def test_an_aggregate_with_a_missing_point_is_missing(ws_run: RunDirectory, ws_plan: Plan, ws_record: MAKE) -> None:
    fill(ws_run, ws_record)
    gathered = gather(ws_run)
    write_aggregates(ws_run, compute(ws_plan.aggregates, gathered.cases, gathered.records, {}))
    (row,) = rows_of(ws_run.aggregates)
    assert (row["value"], row["verdict"], row["n"], row["n_missing"]) == ("", "missing", "2", "4")


def test_no_aggregates_are_a_table_of_no_rows(ws_run: RunDirectory) -> None:
    write_aggregates(ws_run, [])
    assert ws_run.aggregates.read_text() == ("name,measure,over,value,unit,verdict,min,max,margin,n,n_missing\n")


def test_a_parameter_named_like_a_column_of_aggregates_csv_keeps_its_own(ws_run: RunDirectory) -> None:
    group = {"n": 4, "corner": "tt"}
    result = AggregateResult("a", "y", "temp", group, 1.5, "V", Outcome.VALUE, Verdict.NONE, None, None, None, 3, 0)
    write_aggregates(ws_run, [result])
    (row,) = rows_of(ws_run.aggregates)
    assert (row["parameter_n"], row["corner"], row["n"], row["value"]) == ("4", "tt", "3", "1.5")
