"""A project may lie anywhere, also where a folder's name holds a space."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.ngspice, pytest.mark.req("SIM-12")]

TEMPLATE = """* divider
.lib ../models/parts.lib typical
.include ../models/more.inc
v1 in 0 {{ parameters.vin }}
r1 in out {{ parameters.r1 }}
r2 out 0 {rlow}
.dc v1 0 {{ parameters.vin }} {{ parameters.vin }}
.meas dc vout find v(out) at={{ parameters.vin }}
.end
"""


@pytest.fixture
def run(project, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    """A run of a project that reads a library and an include beside its testbench."""
    project.folder = project.folder.rename(tmp_path / "my project")
    project.write("tb/divider.spice.j2", TEMPLATE)
    project.write("models/parts.lib", ".lib typical\n.param rlow=runit\n.endl\n")
    project.write("models/more.inc", ".param runit=1k\n")
    built: Path = project.build()
    project.simorc("run", built.name, "-n", "1")
    return built


@pytest.mark.req("SIM-02")
def test_libraries_and_includes_are_found(run: Path) -> None:
    with (run / "results.csv").open(newline="") as file:
        first = next(iter(csv.DictReader(file)))
    assert (first["status"], float(first["vout"])) == ("completed", pytest.approx(0.5))


def test_a_deck_runs_by_hand_from_its_folder(run: Path) -> None:
    by_hand = ["ngspice", "-b", "netlist.spice"]
    done = subprocess.run(by_hand, cwd=run / "results" / "0", capture_output=True, text=True, check=False, timeout=60)
    assert "vout                =  5.000000e-01" in done.stdout
