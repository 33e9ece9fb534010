from __future__ import annotations

from pathlib import Path

import pytest

from simorc.core.plan import SimulatorSettings
from simorc.simulators.ngspice import Ngspice
from simorc.simulators.versions import BEHAVIOURS, TESTED


def test_every_behaviour_says_what_it_was_measured_on() -> None:
    assert all(set(behaviour.measured) <= set(TESTED) and behaviour.what for behaviour in BEHAVIOURS)


@pytest.mark.req("SIM-12")
def test_another_init_file_of_the_installation_is_another_simulator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts, model = tmp_path / "scripts", tmp_path / "more.cm"
    scripts.mkdir()
    (tmp_path / "ngspice").write_text("#!/bin/sh\n")
    (tmp_path / "ngspice").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SPICE_LIB_DIR", str(tmp_path))
    seen = [Ngspice(SimulatorSettings()).identity]
    model.write_text("a model")
    for text in ("set ngbehavior=hsa\n", f"codemodel {model}\n"):
        (scripts / "spinit").write_text(text)
        seen.append(Ngspice(SimulatorSettings()).identity)
    model.write_text("another model")
    seen.append(Ngspice(SimulatorSettings()).identity)
    assert len(set(seen)) == 4
    assert Ngspice(SimulatorSettings()).identity == seen[-1]
