"""A run against a baseline in a file: what became worse, what such a file says of it, and what it leaves open."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from simorc.commands.compare import CompareOptions, compare
from simorc.core.record import CaseRecord, Status
from simorc.workspace.conclude import conclude
from simorc.workspace.layout import RunDirectory
from simorc.workspace.status_store import write_record

Record = Callable[..., CaseRecord]


@pytest.fixture
def run(ws_build: Callable[..., RunDirectory], ws_record: Record) -> RunDirectory:
    """Six cases with 3.3 V, within limits of 3.25 V to 3.35 V."""
    made = ws_build("new")
    for case_id in range(6):
        write_record(made, ws_record(case_id))
    return made


@pytest.fixture
def frame(run: RunDirectory) -> pd.DataFrame:
    """The conditions of the run, with 3.3 V in each."""
    conditions = pd.read_csv(run.path / "metadata.csv")[["corner", "vin", "iload"]]
    return conditions.assign(**{"vout [V]": 3.3})


def told(capsys: pytest.CaptureFixture[str]) -> tuple[str, list[tuple[str, str, str]]]:
    """The line of the diff, and change, corner and vin of each row of regression.csv."""
    printed = capsys.readouterr().out.splitlines()
    with (Path(printed[-1]).parent / "regression.csv").open() as file:
        rows = [(row["change"], row["corner"], row["vin"]) for row in csv.DictReader(file)]
    return next(line for line in printed if "regression, " in line), rows


@pytest.mark.req("SIM-16")
@pytest.mark.parametrize(("unit", "factor"), [("V", 1.0), ("mV", 1e3)])
def test_a_file_is_judged_by_the_limits_of_the_run(
    run: RunDirectory,
    frame: pd.DataFrame,
    ws_record: Record,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    unit: str,
    factor: float,
) -> None:
    path = tmp_path / "golden.csv"
    frame.loc[2, "vout [V]"] = 9.0  # out of limits before, inside now
    frame["vout [V]"] *= factor
    frame.rename(columns={"vout [V]": f"vout [{unit}]"}).to_csv(path, index=False)
    assert compare([str(path), str(run.path)], CompareOptions()) == 0
    assert told(capsys) == ("no regression, spice since golden: 1 newly passing", [("newly passing", "tt", "5.5e-05")])
    write_record(run, ws_record(0, vout=9.0))
    write_record(run, ws_record(1, Status.FAILED))
    write_record(run, ws_record(2, vout=9.0))
    write_record(run, ws_record(3, Status.PENDING))
    assert compare([str(path), str(run.path)], CompareOptions()) == 1
    line, rows = told(capsys)
    assert line == "regression, spice since golden: 2 newly failing, 1 missing"
    assert rows == [
        ("newly failing", "tt", "4.5"),
        ("newly failing", "tt", "5"),
        ("missing", "ff, hot", "4.5"),
    ]


def test_a_part_that_is_missing_is_no_agreement(
    run: RunDirectory, frame: pd.DataFrame, ws_record: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, setup = tmp_path / "golden.parquet", tmp_path / "sim_setup.yaml"
    frame.to_parquet(path)
    setup.write_text("compare: {baseline: ./golden.parquet, agree: {vout: 5m}}\n")
    options = CompareOptions(setup=setup, out=tmp_path / "out")
    assert compare([str(run.path)], options) == 0
    write_record(run, ws_record(4, Status.PENDING))
    capsys.readouterr()
    assert compare([str(run.path)], options) == 1
    printed = capsys.readouterr().out
    assert "  agrees, 1 missing  " in printed
    assert "corner=ff, hot, vin=5, iload=0.01: pending in new/spice" in printed
    with (tmp_path / "out" / "summary.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["agreement"], row["n"], row["n_missing"]) == ("agrees", "5", "1")
    assert "1 missing</span>" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_an_empty_cell_of_a_foreign_file_says_nothing(
    run: RunDirectory, frame: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame.loc[1, "vout [V]"] = None
    frame.assign(humidity=40.0).to_csv(tmp_path / "lot.csv", index=False)
    assert compare([str(tmp_path / "lot.csv"), str(run.path)], CompareOptions()) == 0
    assert told(capsys) == ("no regression, spice since lot: 1 added", [("added", "tt", "5")])


@pytest.mark.req("SIM-16")
def test_what_a_run_wrote_says_itself_what_was_in_spec_and_what_had_no_value(
    run: RunDirectory,
    ws_build: Callable[..., RunDirectory],
    ws_record: Record,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = ws_build("old")
    for case_id in range(5):
        write_record(old, ws_record(case_id))
    write_record(old, ws_record(1, Status.FAILED))
    conclude(old)
    options = CompareOptions(units=["vout=V"])
    assert compare([str(old.results_csv), str(run.path)], options) == 0
    line, rows = told(capsys)
    assert line == "no regression, spice since results: 1 newly passing, 1 added"
    assert rows == [("newly passing", "tt", "5"), ("added", "ff, hot", "5.5e-05")]
    golden = pd.read_csv(old.results_csv)
    golden.loc[0, "vout"] = 9.0  # out of today's limits, but in spec when it was written
    golden.loc[1, "vout"] = 3.3  # what a failed case left counts for nothing
    golden.assign(gain=1.0).to_csv(tmp_path / "golden.csv", index=False)
    write_record(run, ws_record(0, vout=9.0))
    assert compare([str(tmp_path / "golden.csv"), str(run.path)], options) == 1
    line, rows = told(capsys)
    assert line == "regression, spice since golden: 5 newly failing, 1 newly passing, 1 added"
    assert rows[0] == ("newly failing", "tt", "4.5")
