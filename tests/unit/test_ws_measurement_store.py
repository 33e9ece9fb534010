"""Measurements in long form: Parquet parts made from the records."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from msgspec import structs
from pyarrow import parquet

from simorc.core.errors import RunDirectoryError
from simorc.core.measurement import Measurement, Outcome
from simorc.core.record import CaseRecord, Status
from simorc.workspace import measurement_store
from simorc.workspace.conclude import conclude
from simorc.workspace.gather import look
from simorc.workspace.layout import RunDirectory
from simorc.workspace.measurement_store import write_measurements
from simorc.workspace.status_store import write_record

MAKE = Callable[..., CaseRecord]
COLUMNS = [
    *("run_id", "case_id", "name", "value", "unit", "outcome", "verdict"),
    *("min", "max", "margin", "uncertainty", "attempt", "finished"),
]


def parts(run: RunDirectory) -> list[str]:
    return sorted(path.name for path in run.measurements.iterdir())


@pytest.mark.req("DVT-10")
def test_every_measurement_is_a_row(ws_run: RunDirectory, ws_record: MAKE) -> None:
    write_record(ws_run, structs.replace(ws_record(4, vout=9.0), attempt=3, finished="2026-01-01T12:00:00.250Z"))
    write_record(ws_run, ws_record(0, vout=None))
    write_record(ws_run, ws_record(1, Status.FAILED))
    conclude(ws_run)
    table = pd.read_parquet(ws_run.measurements)
    assert list(table.columns) == COLUMNS
    assert table["case_id"].tolist() == [0, 4]
    absent, high = table.to_dict("records")
    assert pd.isna(absent["value"])
    assert pd.isna(absent["margin"])
    assert (absent["outcome"], absent["verdict"]) == ("failed", "fail")
    assert pd.isna(absent["finished"])
    assert (high["run_id"], high["name"], high["value"], high["unit"]) == (ws_run.run_id, "vout", 9.0, "V")
    assert (high["min"], high["max"], high["margin"]) == (3.25, 3.35, 3.35 - 9.0)
    assert (high["verdict"], high["attempt"]) == ("fail", 3)
    assert high["finished"] == datetime(2026, 1, 1, 12, 0, 0, 250_000, UTC)
    assert pd.isna(high["uncertainty"])


@pytest.mark.req("DVT-10")
def test_a_part_holds_so_many_cases_and_no_more(
    ws_run: RunDirectory, ws_record: MAKE, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measurement_store, "CASES_A_PART", 2)
    for case_id in (0, 1, 5):
        write_record(ws_run, ws_record(case_id))
    conclude(ws_run)
    assert parts(ws_run) == ["part-00000.parquet", "part-00002.parquet"]
    assert parquet.read_table(ws_run.measurements / "part-00000.parquet")["case_id"].to_pylist() == [0, 1]
    write_record(ws_run, ws_record(3))
    ws_run.status_file(5).unlink()
    (ws_run.measurements / "mine.parquet").write_bytes(b"not a part")
    conclude(ws_run)
    assert parts(ws_run) == ["mine.parquet", "part-00000.parquet", "part-00001.parquet"], "a stale part goes"


def test_a_run_without_measurements_has_no_folder_of_them(ws_run: RunDirectory, ws_record: MAKE) -> None:
    conclude(ws_run)
    assert not ws_run.measurements.exists()
    write_record(ws_run, ws_record(0))
    conclude(ws_run)
    ws_run.status_file(0).unlink()
    conclude(ws_run)
    assert parts(ws_run) == []


def test_parts_come_back_as_they_were(ws_run: RunDirectory, ws_record: MAKE) -> None:
    write_record(ws_run, ws_record(0))
    conclude(ws_run)
    file = ws_run.measurements / "part-00000.parquet"
    written = file.read_bytes()
    file.write_bytes(written[: len(written) // 2])
    conclude(ws_run)
    assert file.read_bytes() == written


def test_what_a_hook_added_stands_there_with_any_name(ws_run: RunDirectory) -> None:
    added = (Measurement("η in %", 1.5, "µV"), Measurement("\udc80", None, "", Outcome.FAILED))
    write_record(ws_run, CaseRecord(0, Status.COMPLETED, measurements=added))
    conclude(ws_run)
    table = pd.read_parquet(ws_run.measurements)
    assert table["name"].tolist() == ["η in %", "\\udc80"]
    assert table["unit"].tolist() == ["µV", ""]


def test_texts_that_repeat_are_stored_once(ws_run: RunDirectory, ws_record: MAKE) -> None:
    write_record(ws_run, ws_record(0))
    conclude(ws_run)
    schema = parquet.read_schema(ws_run.measurements / "part-00000.parquet")
    encoded = {name for name in COLUMNS if str(schema.field(name).type).startswith("dictionary")}
    assert encoded == {"run_id", "name", "unit", "outcome", "verdict"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written_is_a_clear_error(ws_run: RunDirectory, ws_record: MAKE) -> None:
    write_record(ws_run, ws_record(0))
    ws_run.measurements.mkdir()
    ws_run.measurements.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(RunDirectoryError, match="measurements"):
        write_measurements(ws_run, look(ws_run))


def test_a_run_is_none_the_worse_when_they_cannot_be_written(ws_run: RunDirectory, ws_record: MAKE) -> None:
    write_record(ws_run, ws_record(0))
    ws_run.measurements.write_text("a file stands here")
    notes = conclude(ws_run).gathered.notes
    assert len(notes) == 1
    assert notes[0].startswith("measurements/ could not be brought up to date: ")
    assert "\n" not in notes[0]
    assert "0,completed,pass" in ws_run.results_csv.read_text()


def test_a_temporary_file_of_a_killed_process_goes(ws_run: RunDirectory, ws_record: MAKE) -> None:
    write_record(ws_run, ws_record(0))
    ws_run.measurements.mkdir()
    (ws_run.measurements / f".part-00000.parquet.{2**22 + 1}.tmp").write_bytes(b"half")
    conclude(ws_run)
    assert parts(ws_run) == ["part-00000.parquet"]
    assert [path.name for path in Path(ws_run.measurements).glob(".*")] == []
