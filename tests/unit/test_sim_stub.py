from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from simorc.core.case import Case
from simorc.core.errors import CaseError, ErrorKind
from simorc.core.plan import SimulatorSettings
from simorc.core.protocols import SimulationResult
from simorc.registry import simulator_class
from simorc.testing import StubSimulator

CASE = Case(4, {}, ())


def run(text: str, folder: Path, options: dict[str, str] | None = None, timeout_s: float = 10) -> SimulationResult:
    stub = StubSimulator(SimulatorSettings(name="stub"))
    result = stub.run(stub.prepare(text, CASE, options or {}), folder, timeout_s)
    again = stub.read(folder)
    assert (again.values, again.messages, str(again.error)) == (result.values, result.messages, str(result.error))
    return result


def test_it_is_chosen_by_name() -> None:
    stub = simulator_class("stub")(SimulatorSettings())
    assert (stub.version(), stub.order_key(CASE)) == ("stub-1", (4,))
    stub.close()


def test_results_stand_in_the_deck(tmp_path: Path) -> None:
    result = run("* t\n* meas Vout = 3.3\n* meas bad = failed\n* wave v(out) = 0 1 2\nr1 a b 1k\n", tmp_path)
    assert (result.values, result.error) == ({"vout": 3.3, "bad": None}, None)
    assert set(result.messages) == {"bad"}
    assert result.waves["out"].tolist() == [0.0, 1.0, 2.0]
    assert result.waves.plot("tran").x.tolist() == [0.0, 1.0, 2.0]
    assert not run("* t\n", tmp_path).waves


def test_it_fails_on_request_unless_an_option_helps(tmp_path: Path) -> None:
    text = "* t\n* fail no_convergence unless gmin=1e-9\n* meas a = 1\n"
    failed = run(text, tmp_path).error
    assert failed is not None
    assert failed.kind is ErrorKind.NO_CONVERGENCE
    assert run(text, tmp_path, {"gmin": "1e-9"}).error is None


def test_it_says_what_it_was_told_to(tmp_path: Path) -> None:
    failed = run("* fail timestep: too small\n", tmp_path).error
    assert failed is not None
    assert (failed.kind, failed.what) == (ErrorKind.TIMESTEP, "too small")


def test_it_hangs_until_the_time_limit(tmp_path: Path) -> None:
    for text in ("* hang\n", "* sleep 100\n"):
        failed = run(text, tmp_path, timeout_s=0.05).error
        assert failed is not None
        assert failed.kind is ErrorKind.TIMEOUT
    assert run("* sleep 0.01\n", tmp_path).error is None


def test_it_dies_as_a_worker_does(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from simorc.core.protocols import Deck; from simorc.testing import StubSimulator;"
        "StubSimulator(None).run(Deck('* die\\n'), Path('.'), 1)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path).returncode == -9


def test_an_empty_folder_has_no_result(tmp_path: Path) -> None:
    with pytest.raises(CaseError) as caught:
        StubSimulator(SimulatorSettings()).read(tmp_path)
    assert caught.value.kind is ErrorKind.LOST
