"""For those who write a simulator, a DUT model, or test a harness: contracts, and a simulator that computes nothing."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from simorc.core.case import Case
from simorc.core.equipment import DutModel
from simorc.core.errors import CaseError, ErrorKind
from simorc.core.plan import SimulatorSettings
from simorc.core.protocols import Deck, SimulationResult, Simulator
from simorc.core.waveforms import Plot, Waveforms

_DECK, _LOG = "netlist.spice", "stub.log"
_LINE = re.compile(r"^\*[ \t]*(meas|wave|sleep|fail|hang|die)\b[ \t]*(.*)$", re.MULTILINE)


class SimulatorContract:
    """What the rest of simorc relies on in a simulator. Inherit in a test class, name the class and four decks.

    `good` is a template's text that measures `y` = 2.5 and keeps a vector `out`; `unmeasured` names a measure `y` that
    the simulator cannot evaluate; `broken` cannot be simulated; `endless` takes longer than a second.
    """

    simulator_class: type[Simulator]
    good: str
    unmeasured: str
    broken: str
    endless: str

    def simulate(self, text: str, folder: Path, timeout_s: float = 60.0) -> SimulationResult:
        """One simulation in a folder that does not exist yet."""
        simulator = self.simulator_class(SimulatorSettings())
        try:
            return simulator.run(simulator.prepare(text, Case(0, {}, ()), {}), folder, timeout_s)
        finally:
            simulator.close()

    def test_a_value_comes_back_by_name(self, tmp_path: Path) -> None:
        result = self.simulate(self.good, tmp_path / "0")
        assert result.error is None
        assert result.values["y"] == 2.5
        assert len(result.waves["out"]) > 0

    def test_the_files_alone_give_the_same_result(self, tmp_path: Path) -> None:
        first = self.simulate(self.good, tmp_path / "0")
        again = self.simulator_class(SimulatorSettings()).read(tmp_path / "0")
        assert dict(again.values) == dict(first.values)
        assert np.array_equal(again.waves["out"], first.waves["out"])

    def test_preparing_is_pure(self) -> None:
        simulator = self.simulator_class(SimulatorSettings())
        decks = [simulator.prepare(self.good, Case(0, {}, ()), {"reltol": "1e-4"}) for _ in range(2)]
        assert decks[0] == decks[1]
        assert "reltol=1e-4" in decks[0].text

    def test_what_cannot_be_evaluated_is_no_number(self, tmp_path: Path) -> None:
        result = self.simulate(self.unmeasured, tmp_path / "0")
        assert result.values["y"] is None
        assert result.messages["y"]

    def test_a_broken_deck_is_an_error_of_its_case(self, tmp_path: Path) -> None:
        result = self.simulate(self.broken, tmp_path / "0")
        assert result.error is not None
        assert result.error.what
        assert not result.values.get("y")

    def test_the_time_limit_ends_a_simulation(self, tmp_path: Path) -> None:
        result = self.simulate(self.endless, tmp_path / "0", timeout_s=0.2)
        assert result.error is not None
        assert result.error.kind is ErrorKind.TIMEOUT

    def test_a_folder_without_results_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(CaseError):
            self.simulator_class(SimulatorSettings()).read(tmp_path)


class DutModelContract:
    """What the virtual lab relies on in a DUT model. Inherit in a test class, name the class, a set and an input.

    `vin` is an input at which the part regulates, `iload` a load that it can carry.
    """

    model_class: type[DutModel]
    parameters: Mapping[str, float]
    vin: float
    iload: float

    def make(self) -> DutModel:
        """The typical part."""
        return self.model_class(self.parameters, {})

    def test_power_balances_and_is_never_negative(self) -> None:
        for vin in (0.0, self.vin / 2, self.vin):
            for iout in (0.0, self.iload, 1000.0):
                state = self.make().solve(vin, iout, 25.0, False)
                assert state.power >= -1e-12
                assert state.iin == pytest.approx(state.iout + state.ignd)
                assert 0 <= state.vout <= max(vin, 0.0)

    def test_more_load_never_raises_the_output(self) -> None:
        outputs = [self.make().solve(self.vin, self.iload * k / 10, 25.0, False).vout for k in range(11)]
        assert all(later <= earlier for earlier, later in pairwise(outputs))

    def test_no_load_current_is_beyond_a_limit(self) -> None:
        assert self.make().solve(self.vin, 1000.0, 25.0, False).iout < 1000.0

    def test_solving_is_pure(self) -> None:
        model = self.make()
        first = model.solve(self.vin, self.iload, 85.0, False)
        model.solve(0.0, 0.0, -40.0, True)
        assert model.solve(self.vin, self.iload, 85.0, False) == first

    def test_the_ladder_leads_to_the_air(self) -> None:
        assert all(resistance > 0 and capacitance > 0 for resistance, capacitance in self.make().ladder)


class StubSimulator:
    """A simulator whose results stand in the deck, in comment lines; the template may compute them.

        * meas vout = 3.3          value of a measure; anything that is no number, such as `failed`, makes it fail
        * wave v(out) = 0 1 2      a vector of a `tran` plot; its time runs in steps of 1 s
        * sleep 0.1                seconds that the simulation takes
        * fail no_convergence unless gmin=1e-9
                                   the simulation fails with that error kind, unless the deck holds that `.option`
        * hang                     never ends; the time limit ends it
        * die                      kills its own process, as a crash of a worker

    Registered as `stub`. Writes `netlist.spice` and `stub.log` where the settings want them kept.
    """

    tested_versions: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: SimulatorSettings) -> None:
        self._settings = settings

    def version(self) -> str:
        """`stub-1`."""
        return "stub-1"

    def order_key(self, case: Case) -> tuple[object, ...]:
        """Row order."""
        return (case.case_id,)

    def prepare(self, text: str, case: Case, options: Mapping[str, str]) -> Deck:
        """The text with the options as `.option` lines."""
        lines = [f".option {name}={value}\n" for name, value in options.items()]
        return Deck("".join([text, *lines]))

    def run(self, deck: Deck, folder: Path, timeout_s: float) -> SimulationResult:
        """Do what the deck says, and write it where the settings want results to be kept."""
        said = "done\n"
        for kind, argument in _LINE.findall(deck.text):
            if kind == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            wanted = timeout_s if kind == "hang" else float(argument or 0) if kind == "sleep" else 0.0
            if wanted:
                time.sleep(min(wanted, timeout_s))
            if wanted >= timeout_s:
                said = f"* fail timeout: no result after {timeout_s:g} s\n"
                break
        result = _result(deck.text, said, folder / _LOG)
        keep = self._settings.keep
        if keep == "all" or (keep == "failed" and result.error is not None):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / _DECK).write_text(deck.text, encoding="utf-8")
            (folder / _LOG).write_text(said, encoding="utf-8")
        return result

    def read(self, folder: Path) -> SimulationResult:
        """The results that stand in the folder's netlist, and what the log says of the time limit."""
        log = folder / _LOG
        try:
            deck = (folder / _DECK).read_text(encoding="utf-8")
            said = log.read_text(encoding="utf-8")
        except OSError as error:
            raise CaseError(ErrorKind.LOST, f"no result: {error.strerror}", where=str(folder)) from error
        return _result(deck, said, log)

    def close(self) -> None:
        """Nothing is kept running."""


def _result(deck: str, said: str, log: Path) -> SimulationResult:
    found = _LINE.findall(deck) + _LINE.findall(said)
    values = dict(_measure(text) for kind, text in found if kind == "meas")
    messages = {name: "the stub was told so" for name, value in values.items() if value is None}
    waves = dict(_wave(text) for kind, text in found if kind == "wave")
    failures = [_error(text, deck, log) for kind, text in found if kind == "fail"]
    return SimulationResult(values, _plots(waves), log, messages, next(filter(None, failures), None))


def _measure(text: str) -> tuple[str, float | None]:
    name, _, value = text.partition("=")
    try:
        return name.strip().lower(), float(value)
    except ValueError:
        return name.strip().lower(), None


def _wave(text: str) -> tuple[str, list[float]]:
    name, _, values = text.rpartition("=")
    return name.strip().lower(), [float(value) for value in values.split()]


def _plots(waves: Mapping[str, list[float]]) -> Waveforms:
    if not waves:
        return Waveforms()
    vectors = {name: np.array(values) for name, values in waves.items()}
    time_s = np.arange(max(len(values) for values in waves.values()), dtype=float)
    return Waveforms([Plot("Transient Analysis", "tran", {"time": time_s, **vectors}, {"time": "s"}, "time")])


def _error(text: str, deck: str, log: Path) -> CaseError | None:
    said, _, remedy = text.partition(" unless ")
    kind, _, what = said.partition(":")
    if remedy and f".option {remedy.strip()}" in deck:
        return None
    return CaseError(ErrorKind(kind.strip()), what.strip() or "the stub was told to fail", where=str(log))
