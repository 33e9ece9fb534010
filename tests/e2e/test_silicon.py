"""Measured SKY130 curves: the table in the repository, and laid over a simulation of the real models."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Device:
    """A line of the table in docs/compare.md, and of what is computed for it."""

    geometry: str
    module: str
    ratio: float
    between: float


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.pdk
@pytest.mark.req("SIM-16")
def test_the_table_of_the_documentation_is_what_the_sweep_and_the_data_give(silicon_project: Path) -> None:
    """All five transistors, five corners: ratios within 2 %, shares within one per cent of the points."""
    completed(silicon_project, "build", "sky130_nfet_iv", "--run-id", "all")
    completed(silicon_project, "run", "all", "-n", "1")
    simorc(silicon_project, "compare", "all", str(SILICON / "sky130_nfet_01v8.csv"), "--curves", "--by", "corner")
    points = rows_of(silicon_project / "simulations" / "compare" / "all_vs_sky130_nfet_01v8" / "comparison.csv")
    documented = table_of_the_documentation()
    modules = {
        f"{row['w [um]']}/{row['l [um]']}": row["device"][:4] for row in rows_of(SILICON / "sky130_nfet_01v8.csv")
    }
    assert {device.geometry: device.module for device in documented} == modules
    for device in documented:
        found = computed(points, device)
        assert found.ratio == pytest.approx(device.ratio, rel=0.02), device.geometry
        assert found.between == pytest.approx(device.between, abs=0.01), device.geometry


def computed(points: Sequence[Mapping[str, str]], device: Device) -> Device:
    """Median of measured by typical, and share between the corners, where the typical current is above 1 uA."""
    width, length = (float(text) for text in device.geometry.split("/"))
    rows = [row for row in points if (float(row["w"]), float(row["l"])) == (width, length)]
    corners = [f"id [all/spice corner={corner}]" for corner in ("tt", "ff", "ss", "sf", "fs")]
    pairs = [(float(row["id [sky130_nfet_01v8.csv]"]), [float(row[name]) for name in corners]) for row in rows]
    on = [(measured, simulated) for measured, simulated in pairs if simulated[0] > 1e-6]
    assert len(on) > 300
    inside = [min(simulated) <= measured <= max(simulated) for measured, simulated in on]
    ratio = float(np.median([measured / simulated[0] for measured, simulated in on]))
    return Device(device.geometry, device.module, ratio, sum(inside) / len(on))


def table_of_the_documentation() -> list[Device]:
    """The lines `| W/L | module | ratio | share % |` of docs/compare.md."""
    line = re.compile(r"\| (?P<wl>[\d.]+/[\d.]+) \| (?P<module>\d+) \| (?P<ratio>[\d.]+) \| (?P<share>[\d.]+) % \|")
    found = line.finditer((ROOT / "docs" / "compare.md").read_text(encoding="utf-8"))
    devices = [Device(m["wl"], m["module"], float(m["ratio"]), float(m["share"]) / 100) for m in found]
    assert len(devices) == 5
    return devices


PARALLEL = """* several transistors in parallel, a resistance in each lead
.lib "{{ pdk.sky130.lib }}" {{ parameters.corner }}
.option scale=1e-6
.temp 25
vg  g 0 0
vd  d 0 0
vid d d1 0
rd d1 d2 {{ parameters.r }}
rs s2 0 {{ parameters.r }}
vb b 0 {{ parameters.vb }}
{% for number in range(parameters.m) %}
xm{{ number }} d2 g s2 b sky130_fd_pr__nfet_01v8 w={{ parameters.w }} l={{ parameters.l }}
{% endfor %}
.dc vg 0 1.8 0.05 vd 0.1 1.8 1.7
.end
"""
PARALLEL_SWEEP = """testbench: sky130_nfet_iv
parameters: {w: [3, 1], l: [0.15, 0.5], m: [3, 4], vb: [0, -0.9, -1.8]}
zip: [[w, l, m]]
"""


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.pdk
def test_module_2602_is_as_several_transistors_in_parallel_would_be(silicon_project: Path) -> None:
    """What docs/compare.md says: within 15 % from 1.2 V at the gate on, which one transistor is by no means."""
    testbench = silicon_project / "testbenches" / "sky130_nfet_iv"
    config = (testbench / "config.yaml").read_text(encoding="utf-8")
    changed = config.replace("  vb: 0 ", "  m: 1\n  r: 60\n  vb: 0 ")
    assert changed != config
    (testbench / "config.yaml").write_text(changed, encoding="utf-8")
    (testbench / "tb_nfet_iv.spice.j2").write_text(PARALLEL)
    (silicon_project / "sweeps" / "sky130_nfet_iv.yaml").write_text(PARALLEL_SWEEP)
    completed(silicon_project, "build", "sky130_nfet_iv", "--run-id", "par")
    completed(silicon_project, "run", "par", "-n", "1")
    data = str(SILICON / "sky130_nfet_01v8.csv")
    where = "curve == 'idvg' and (w == 3 or w == 1 and l == 0.5)"
    simorc(silicon_project, "compare", "par", data, "--curves", "--where", where, "--out", "par")
    points = [row for row in rows_of(silicon_project / "par" / "comparison.csv") if float(row["vg"]) >= 1.2]
    assert len(points) == 2 * 6 * 13
    ratios = [float(row["id [sky130_nfet_01v8.csv]"]) / float(row["id [par/spice]"]) for row in points]
    assert 0.85 < min(ratios) < max(ratios) < 1.15


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def completed(folder: Path, *arguments: str) -> None:
    done = simorc(folder, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def silicon_project(tmp_path: Path) -> Path:
    """The project of this repository."""
    return project_in(tmp_path)


def project_in(folder: Path) -> Path:
    for name in ("testbenches", "sweeps", "benches", "netlists", "models", "schematics"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "sim_setup.yaml", folder)
    return folder


@pytest.fixture(scope="module")
def silicon_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a run of three corners of one device."""
    folder = project_in(tmp_path_factory.mktemp("silicon"))
    (folder / "sweeps" / "sky130_nfet_iv.yaml").write_text(SWEEP)
    completed(folder, "build", "sky130_nfet_iv", "--run-id", "iv")
    completed(folder, "run", "iv", "-n", "1")
    return folder
