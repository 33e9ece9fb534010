"""`simorc init --from` on a cicsim testbench with commands of its own: what is made of it runs, and in spec."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from simorc.commands._options import RunOptions
from simorc.commands.build import BuildOptions, build
from simorc.commands.init import init
from simorc.commands.run import run

DECK = """*Demo of a divider
.param AVDD = {vdda}
VDD VDD_1V8 0 dc {AVDD}
R1 VDD_1V8 VX 1k
R2 VX 0 1k
#ifdef Debug
.save nonsense(all)
#else
.save v(VX)
#endif
.control
tran 10p 10n 1p
write
quit
.endc
.end
"""


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.req("SIM-19")
def test_a_testbench_of_cicsim_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "cicsim.yaml").write_text("corner:\n  Vt: .param vdda = 1.8\n  Vh: .param vdda = 1.98\n")
    (old / "tran.spi").write_text(DECK)
    (old / "tran.meas").write_text(".control\nload {cicname}.raw\nmeas tran vx avg v(vx)\n.endc\n")
    (old / "tran.yaml").write_text("vx: {src: vx, min: 850, max: 1000, scale: 1e3, unit: mV}\n")
    assert init(tmp_path / "new", old) == 0
    monkeypatch.chdir(tmp_path / "new")
    assert build("tran", BuildOptions(run_id="first")) == 0
    assert run("first", RunOptions(workers="1")) == 0
    with (tmp_path / "new/simulations/first/results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["vdda"], round(float(row["vx"]), 6)) for row in rows] == [("1.8", 0.9), ("1.98", 0.99)]
