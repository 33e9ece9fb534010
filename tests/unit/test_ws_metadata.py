"""metadata.csv: written from the plan, checked against it."""

from __future__ import annotations

import csv
import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from simorc.core.errors import RunDirectoryError, UsageError
from simorc.core.plan import Plan
from simorc.core.record import Status
from simorc.core.sweep import Axis, Sweep
from simorc.workspace.layout import RunDirectory
from simorc.workspace.metadata import MetadataRow, is_as_written, read_metadata, write_metadata

Table = list[list[str]]


def table_of(run: RunDirectory) -> Table:
    with run.metadata.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def store(run: RunDirectory, table: Sequence[Sequence[str]]) -> None:
    with run.metadata.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(table)


@pytest.mark.req("SIM-09", "SIM-10")
def test_a_new_run_has_one_pending_row_a_case(ws_run: RunDirectory) -> None:
    assert ws_run.metadata.read_text() == (
        "case_id,status,result_path,corner,vin,iload,error_message\n"
        "0,pending,results/0/,tt,4.5,10u,\n"
        "1,pending,results/1/,tt,5,10m,\n"
        "2,pending,results/2/,tt,5.5e-05,1meg,\n"
        '3,pending,results/3/,"ff, hot",4.5,10u,\n'
        '4,pending,results/4/,"ff, hot",5,10m,\n'
        '5,pending,results/5/,"ff, hot",5.5e-05,1meg,\n'
    )


def test_reading_gives_the_cases_of_the_plan(ws_run: RunDirectory, ws_plan: Plan) -> None:
    rows = read_metadata(ws_run, ws_plan)
    assert [row.case for row in rows] == list(ws_plan.sweep.cases())
    assert {(row.status, row.error_message) for row in rows} == {("pending", "")}


words = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=8)


@given(st.lists(words, min_size=1, max_size=4, unique=True), st.sampled_from(Status), st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_survives(ws_run: RunDirectory, ws_plan: Plan, texts: list[str], status: Status, message: str) -> None:
    sweep = Sweep("s", (Axis(("p",), tuple((text,) for text in texts)),), {"p": ""})
    plan = structs.replace(ws_plan, sweep=sweep)
    write_metadata(ws_run, plan, [MetadataRow(case, status, message) for case in sweep.cases()])
    rows = read_metadata(ws_run, plan)
    assert [row.case.parameters["p"] for row in rows] == texts
    assert {row.status for row in rows} == {status}
    assert is_as_written(ws_run) is not False


def test_a_message_of_many_lines_becomes_one_of_limited_length(ws_run: RunDirectory, ws_plan: Plan) -> None:
    message = "singular matrix\n  at node\tout\0" + "x" * 200_000
    write_metadata(ws_run, ws_plan, [MetadataRow(case, Status.FAILED, message) for case in ws_plan.sweep.cases()])
    found = read_metadata(ws_run, ws_plan)[0].error_message
    assert found.startswith("singular matrix at node out xxx")
    assert len(found) == 1000
    assert len(ws_run.metadata.read_text().splitlines()) == 7


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b"])
def test_a_parameter_with_a_line_break_is_refused(ws_run: RunDirectory, ws_plan: Plan, text: str) -> None:
    before = ws_run.metadata.read_bytes()
    plan = structs.replace(ws_plan, sweep=Sweep("s", (Axis(("p",), ((text,),)),), {"p": ""}))
    with pytest.raises(UsageError, match="line break"):
        write_metadata(ws_run, plan, [MetadataRow(case, Status.PENDING, "") for case in plan.sweep.cases()])
    assert ws_run.metadata.read_bytes() == before
    assert not list(ws_run.path.rglob("*.tmp"))


def drop_row(table: Table) -> None:
    del table[3]


def drop_last_rows(table: Table) -> None:
    del table[5:]


def double_row(table: Table) -> None:
    table.insert(4, table[3])


def replace_row_by_copy(table: Table) -> None:
    table[5] = table[2]


def add_row(table: Table) -> None:
    table.append(["6", *table[6][1:]])


def rename_case(table: Table) -> None:
    table[2][0] = "01"


def change_parameter(table: Table) -> None:
    table[2][4] = "5.0"


def change_path(table: Table) -> None:
    table[2][2] = "results/7/"


def swap_rows(table: Table) -> None:
    table[1], table[2] = table[2], table[1]


def cut_row(table: Table) -> None:
    del table[6][4:]


def rename_column(table: Table) -> None:
    table[0][4] = "vdd"


def drop_column(table: Table) -> None:
    for row in table:
        del row[4]


@pytest.mark.req("SIM-09")
@pytest.mark.parametrize(
    ("change", "line", "what"),
    [
        (drop_row, 4, "the row of case 2 is missing"),
        (drop_last_rows, 6, "the row of case 4 is missing (and 1 more)"),
        (double_row, 5, "case 2 stands in 2 rows"),
        (replace_row_by_copy, 6, "case 1 stands in 2 rows"),
        (add_row, 8, "column case_id: found '6', which is no case of this sweep"),
        (rename_case, 3, "column case_id: found '01', which is no case of this sweep"),
        (change_parameter, 3, "column vin: found '5.0', expected '5'"),
        (change_path, 3, "column result_path: found 'results/7/', expected 'results/1/'"),
        (swap_rows, 2, "column case_id: found '1', expected '0'"),
        (cut_row, 7, "the row has 4 cells, expected 7"),
        (rename_column, 1, "the columns are not those of the sweep"),
        (drop_column, 1, "the columns are not those of the sweep"),
    ],
)
def test_a_changed_table_is_refused_naming_row_and_column(
    ws_run: RunDirectory, ws_plan: Plan, change: Callable[[Table], None], line: int, what: str
) -> None:
    table = table_of(ws_run)
    change(table)
    store(ws_run, table)
    with pytest.raises(RunDirectoryError) as caught:
        read_metadata(ws_run, ws_plan)
    assert what in caught.value.what
    assert caught.value.where.endswith(f"metadata.csv:{line}")
    assert caught.value.hint
    assert caught.value.exit_code == 2


def test_a_table_truncated_anywhere_is_refused(ws_run: RunDirectory, ws_plan: Plan) -> None:
    whole = ws_run.metadata.read_bytes()
    for length in range(len(whole) - 2):  # the last cell is empty, so its comma and the line's end may go
        ws_run.metadata.write_bytes(whole[:length])
        with pytest.raises(RunDirectoryError, match=r"metadata.csv"):
            read_metadata(ws_run, ws_plan)


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b'case_id,"status', b"\0" * 50])
def test_what_is_no_table_is_refused(ws_run: RunDirectory, ws_plan: Plan, data: bytes) -> None:
    ws_run.metadata.write_bytes(data)
    with pytest.raises(RunDirectoryError, match=r"metadata.csv"):
        read_metadata(ws_run, ws_plan)


def test_a_missing_table_is_refused(ws_run: RunDirectory, ws_plan: Plan) -> None:
    ws_run.metadata.unlink()
    with pytest.raises(RunDirectoryError, match="cannot read the table of cases"):
        read_metadata(ws_run, ws_plan)


def test_what_spreadsheet_programs_add_is_tolerated(ws_run: RunDirectory, ws_plan: Plan) -> None:
    text = ws_run.metadata.read_text().replace("\n", "\r\n")
    ws_run.metadata.write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\r\n")
    assert len(read_metadata(ws_run, ws_plan)) == 6
    assert is_as_written(ws_run) is False


def test_an_edited_status_is_read_as_it_is(ws_run: RunDirectory, ws_plan: Plan) -> None:
    assert is_as_written(ws_run) is not False
    table = table_of(ws_run)
    table[1][1] = "finished"
    store(ws_run, table)
    assert read_metadata(ws_run, ws_plan)[0].status == "finished"
    assert is_as_written(ws_run) is False


@pytest.mark.req("SIM-14")
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_refused_write_leaves_the_former_table(
    ws_run: RunDirectory, ws_plan: Plan, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    before = sorted(ws_run.path.rglob("*")), ws_run.metadata.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(RunDirectoryError, match=os.strerror(number)):
        write_metadata(ws_run, ws_plan, [MetadataRow(case, Status.FAILED, "") for case in ws_plan.sweep.cases()])
    assert (sorted(ws_run.path.rglob("*")), ws_run.metadata.read_bytes()) == before


def test_without_a_hash_nothing_counts_as_edited(ws_run: RunDirectory) -> None:
    Path(ws_run.status_dir / "metadata.sha256").unlink()
    assert is_as_written(ws_run) is not False
