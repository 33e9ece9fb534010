"""The decks of tests/golden/ngspice/failures and logs, run again: today's ngspice must say what the golden logs say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from simorc.core.case import Case
from simorc.core.plan import SimulatorSettings
from simorc.simulators.ngspice import Ngspice
from simorc.simulators.ngspice_log import parse_log

pytestmark = pytest.mark.ngspice

GOLDEN = Path(__file__).parents[1] / "golden" / "ngspice"
DECKS = sorted(path.relative_to(GOLDEN).as_posix() for path in GOLDEN.glob("[fl]*/*.spice"))


@pytest.mark.req("SIM-12")
@pytest.mark.parametrize("name", DECKS)
def test_ngspice_says_what_the_golden_log_says(tmp_path: Path, name: str) -> None:
    deck = GOLDEN / name
    shutil.copy(GOLDEN / "failures" / "corners.lib", tmp_path)
    simulator = Ngspice(SimulatorSettings())
    result = simulator.run(simulator.prepare(deck.read_text(), Case(0, {}, ()), {}), tmp_path, 60)
    golden = parse_log(deck.with_suffix(".log").read_text())
    error = None if result.error is None else (result.error.kind, result.error.what)
    assert error == golden.error
    assert result.values.keys() == golden.values.keys()
    for measure, value in golden.values.items():
        assert result.values[measure] == (None if value is None else pytest.approx(value, rel=1e-6))
    assert result.messages == golden.messages
    assert all(len(plot) for plot in result.waves)
