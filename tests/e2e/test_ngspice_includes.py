"""Netlists that include others, wherever they lie, in a run directory that holds copies."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.ngspice

TEMPLATE = """* divider whose parts stand in files that include each other
.include "{{ dut.netlist }}"
.include load.inc
.lib ../models/corners.lib {{ parameters.corner }}
v1 in 0 1
x1 in out divider
.op
.dc v1 0 1 1
.meas dc vout find v(out) at=1
"""


def write_parts(project) -> None:  # type: ignore[no-untyped-def]  # a fixture of conftest.py
    project.write(
        "sim_setup.yaml",
        "dut: {netlist: ./nets/dut.spice}\ntestbenches: {divider: ./tb}\nsweeps: {divider: ./sweep.yaml}\n",
    )
    project.write("sweep.yaml", "testbench: divider\nparameters: {corner: [tt, ff]}\n")
    project.write(
        "tb/config.yaml", "template: ./divider.spice.j2\nparameters: {corner: tt}\nmeasures: {vout: {unit: V}}\n"
    )
    project.write("tb/divider.spice.j2", TEMPLATE)
    project.write("tb/load.inc", ".include sub/rload.inc\n.include ../models/leak.inc\n")
    project.write("tb/sub/rload.inc", "rload out 0 2k\n")
    project.write("nets/dut.spice", ".include parts.spice\n.subckt divider a b\nx1 a b part\n.ends\n")
    project.write("nets/parts.spice", ".subckt part a b\nr1 a b {rpart}\n.ends\n")
    project.write("models/leak.inc", "rleak out 0 2k\n")
    project.write("models/corners.lib", ".lib tt\n.param rpart=1k\n.endl\n.lib ff\n.include fast.inc\n.endl\n")
    project.write("models/fast.inc", ".param rpart=500\n")


def vouts(run: Path) -> list[float]:
    with (run / "results.csv").open() as file:
        return [float(row["vout"]) for row in csv.DictReader(file)]


@pytest.mark.req("SIM-02", "SIM-12")
def test_a_run_finds_every_file_and_records_the_ones_it_has_no_copy_of(project) -> None:  # type: ignore[no-untyped-def]
    write_parts(project)
    run = project.build()
    hashes = json.loads((run / "run.json").read_text())["sha256"]
    outside = {Path(name).name for name in hashes if Path(name).is_absolute()}
    assert outside == {"parts.spice", "leak.inc", "corners.lib", "fast.inc"}
    project.simorc("run", str(run))
    assert vouts(run) == pytest.approx([0.5, 1 / 1.5], rel=1e-9)


def test_a_changed_model_file_stops_the_resume(project) -> None:  # type: ignore[no-untyped-def]
    write_parts(project)
    run = project.build()
    project.write("nets/parts.spice", ".subckt part a b\nr1 a b 1\n.ends\n")
    assert "parts.spice" in project.simorc("run", str(run), code=2).stderr


def test_a_missing_include_is_told_at_build_and_costs_its_cases_alone(project) -> None:  # type: ignore[no-untyped-def]
    write_parts(project)
    project.write("tb/divider.spice.j2", TEMPLATE + ".include ../models/{{ parameters.corner }}.inc\n")
    project.write("models/tt.inc", "rtt out 0 1g\n")
    built = project.simorc("build", "divider")
    assert f"warning: there is no file {project.folder}/models/ff.inc (included by the template)" in built.stderr
    run = project.folder / "simulations" / built.stdout.strip()
    project.simorc("run", str(run), code=1)
    records = [json.loads((run / ".status" / f"case_{k}.json").read_text()) for k in (0, 1)]
    assert [(record["status"], record["error_kind"]) for record in records] == [
        ("completed", None),
        ("failed", "missing_include"),
    ]
