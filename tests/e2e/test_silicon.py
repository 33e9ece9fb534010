"""Measured SKY130 curves: the table in the repository, and laid over a simulation of the real models."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simorc.importers.arrow_table import read_csv
from simorc.importers.mdm import read_mdm

ROOT = Path(__file__).parents[2]
SILICON = ROOT / "data" / "silicon"
MDM = SILICON / "nfet_01v8_w1u_l0p15u_8436_3_4_IDVG.mdm"
SWEEP = """testbench: sky130_nfet_iv
parameters: {corner: [tt, ff, ss], w: [1], l: [0.15], curve: [idvg], vb: [0]}
"""


def test_the_table_has_what_the_files_of_the_raw_data_set_have() -> None:
    table, curve = read_csv(SILICON / "sky130_nfet_01v8.csv"), read_mdm(MDM)
    held = {name: c.values for name, c in table.columns.items()}
    rows = (held["w"] == 1) & (held["l"] == 0.15) & (held["curve"] == "idvg")
    assert len(curve) == rows.sum() == 222
    for name in ("vg", "vd", "vb", "id", "ig", "ib"):
        assert np.array_equal(held[name][rows], curve.columns[name].values)
        assert table.columns[name].unit == curve.columns[name].unit
    assert (table.columns["w"].unit, table.columns["l"].unit) == ("um", "um")
    assert len(table) == 5 * 666


@pytest.mark.ngspice
@pytest.mark.pdk
@pytest.mark.req("SIM-16")
@pytest.mark.parametrize("source", ["table", pytest.param("mdm", marks=pytest.mark.slow)])
def test_silicon_lies_between_the_corners(silicon_run: Path, source: str) -> None:
    stated = ["--set", "w=1", "--set", "l=0.15", "--set", "curve=idvg", "--unit", "w=um", "--unit", "l=um"]
    data = [str(MDM), *stated] if source == "mdm" else [str(SILICON / "sky130_nfet_01v8.csv")]
    where = ["--where", "w == 1 and l == 0.15 and vb == 0 and curve == 'idvg'"]
    out = silicon_run / source
    arguments = [
        "compare",
        "iv",
        *data,
        "--curves",
        "--by",
        "corner",
        *where,
        "--agree",
        "id=20%+20n",
        "--out",
        str(out),
    ]
    done = simorc(silicon_run, *arguments)
    assert done.returncode in (0, 1), done.stderr
    with (out / "summary.csv").open() as file:
        rows = {row["run"]: row for row in csv.DictReader(file)}
    silicon = rows["sky130_nfet_01v8.csv" if source == "table" else MDM.name]
    assert (silicon["n"], silicon["unit"], silicon["agreement"]) == ("74", "A", "differs")
    assert -60e-6 < float(silicon["max_difference"]) < -30e-6  # 0.45 mA measured, 0.50 mA typical
    assert rows["iv/spice corner=ff"]["agreement"] == "not judged"
    with (out / "comparison.csv").open() as file:
        points = [{key: value for key, value in row.items() if "difference" not in key} for row in csv.DictReader(file)]
    on = [row for row in points if float(row["vg"]) >= 1]
    names = ("iv/spice corner=ss", silicon["run"], "iv/spice corner=ff")
    triples = [[float(row[f"id [{name}]"]) for name in names] for row in on]
    inside = [low < value < high for low, value, high in triples]
    assert sum(inside) > 0.9 * len(on) > 20


def simorc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simorc", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
        check=False,
        env=dict(os.environ),
    )


@pytest.fixture(scope="module")
def silicon_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a run of three corners of one device."""
    folder = tmp_path_factory.mktemp("silicon")
    for name in ("testbenches", "sweeps", "benches", "netlists", "models", "schematics"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "sim_setup.yaml", folder)
    (folder / "sweeps" / "sky130_nfet_iv.yaml").write_text(SWEEP)
    for arguments in (("build", "sky130_nfet_iv", "--run-id", "iv"), ("run", "iv", "-n", "1")):
        done = simorc(folder, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder
