"""One sweep in simulation and on the simulated bench: the record of each, and one table of both."""

from __future__ import annotations

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
SWEEP = "testbench: tempco\nparameters: {corner: [tt, ss], vin: [4.0, 6.0], temp: [-40, 27, 125]}\n"
CASES = 12


@dataclass(frozen=True)
class Both:
    """A project with the runs `spice` and `bench`, and what `simorc compare` printed."""

    folder: Path
    printed: str

    @property
    def bench(self) -> Path:
        return self.folder / "simulations" / "bench"

    @property
    def rows(self) -> list[dict[str, str]]:
        return rows_of(self.folder / "simulations" / "compare" / "spice_vs_bench" / "comparison.csv")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def simorc(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "simorc", *arguments],
        cwd=folder,
        env=os.environ | dict(environment or {}),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("both")
    for name in ("testbenches", "sweeps", "benches", "netlists", "models"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "sim_setup.yaml", folder)
    (folder / "sweeps" / "pvt_tempco.yaml").write_text(SWEEP)
    empty = folder / "no programs"
    empty.mkdir()
    # The bench is built and run where no ngspice can be found.
    for arguments in (
        ("build", "pvt_tempco", "--target", "bench", "--run-id", "bench"),
        ("run", "bench", "--dut", "SN3", "-n", "1"),
    ):
        simorc(folder, *arguments, environment={"PATH": str(empty)})
    simorc(folder, "build", "pvt_tempco", "--target", "spice", "--run-id", "spice")
    simorc(folder, "run", "spice")
    return Both(folder, simorc(folder, "compare", "spice", "bench"))


pytestmark = pytest.mark.ngspice


@pytest.mark.req("DVT-12")
def test_one_table_joined_on_the_conditions(both: Both) -> None:
    assert [(row["corner"], row["vin"], row["temp"]) for row in both.rows] == [
        (corner, vin, temp) for corner in ("tt", "ss") for vin in ("4.0", "6.0") for temp in ("-40", "27", "125")
    ]
    for row in both.rows:
        for measure in ("vout", "iq", "line_reg", "load_reg"):
            spice, bench = (float(row[f"{measure} [{run}]"]) for run in ("spice/spice", "bench/bench"))
            assert float(row[f"{measure}_difference [bench/bench]"]) == bench - spice
            assert float(row[f"{measure}_uncertainty [bench/bench]"]) > 0
        assert float(row["vout [bench/bench]"]) == pytest.approx(float(row["vout [spice/spice]"]), rel=2e-3)
        assert float(row["iq [bench/bench]"]) == pytest.approx(float(row["iq [spice/spice]"]), rel=0.02)


@pytest.mark.req("DVT-12")
def test_the_terminal_shows_the_table_and_last_the_page(both: Both) -> None:
    lines = both.printed.splitlines()
    assert lines[:2] == ["spice: spice/spice", "bench: bench/bench"]
    assert sum(line.split()[:1] in (["tt"], ["ss"]) for line in lines) == CASES
    assert "psrr: measured in spice/spice alone" in lines
    page = Path(lines[-1])
    assert page == both.folder / "simulations" / "compare" / "spice_vs_bench" / "index.html"
    assert "spice and bench" in page.read_text(encoding="utf-8")


@pytest.mark.req("DVT-12")
def test_both_have_box_and_end_point_tempco_with_a_verdict(both: Both) -> None:
    for run in ("spice", "bench"):
        found = rows_of(both.folder / "simulations" / run / "aggregates.csv")
        assert {row["name"] for row in found} == {"tempco_box", "tempco_endpoint"}
        assert {row["verdict"] for row in found if row["name"] == "tempco_box"} == {"pass"}
        assert all(float(row["value"]) != 0 for row in found)


@pytest.mark.req("DVT-10")
def test_the_measurements_are_in_parquet_with_their_uncertainty(both: Both) -> None:
    table = pd.read_parquet(both.bench / "measurements")
    measured = table[table["outcome"] == "value"]
    assert measured.groupby("name", observed=True).size().to_dict() == dict.fromkeys(
        ("iq", "line_reg", "load_reg", "vout"), CASES
    )
    assert (measured["uncertainty"] > 0).all()
    spice = pd.read_parquet(both.folder / "simulations" / "spice" / "measurements")
    assert spice["uncertainty"].isna().all()


@pytest.mark.req("DVT-10")
def test_the_catalogue_has_both_runs_and_the_instruments(both: Both) -> None:
    with closing(sqlite3.connect(both.folder / "simulations" / "catalogue.sqlite")) as db:
        runs = db.execute("SELECT run_id, target, bench, dut, verdict, completed FROM runs ORDER BY 1").fetchall()
        instruments = db.execute("SELECT name, serial, calibration_due FROM instruments ORDER BY 1").fetchall()
        joined = db.execute(
            "SELECT r.target, count(*) FROM measurements m JOIN runs r USING (run) WHERE name = 'vout' GROUP BY 1"
        ).fetchall()
    assert runs == [
        ("bench", "bench", "virtual", "SN3", "pass", CASES),
        ("spice", "spice", None, None, "pass", CASES),
    ]
    assert [name for name, _, _ in instruments] == ["ammeter", "chamber", "dmm", "load", "psu", "switch"]
    assert all(serial for _, serial, _ in instruments)
    assert joined == [("bench", CASES), ("spice", CASES)]


@pytest.mark.req("DVT-10", "DVT-12")
def test_the_report_of_the_bench(both: Both) -> None:
    page = Path(simorc(both.folder, "plot", "bench").strip()).read_text(encoding="utf-8")
    manifest = json.loads((both.bench / "run.json").read_text())
    for told in [*(i["serial"] for i in manifest["instruments"]), *(p["set"] for p in manifest["parts"]), "SN3"]:
        assert told in page
    for name in {name for part in manifest["parts"] for name in part["assumed"]}:
        assert name in page
    assert "<h3>Time line of the bench</h3>" in page
    assert "of bench time: 3 temperatures, " in page
