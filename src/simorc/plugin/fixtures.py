"""Fixtures for the generated module and for people who write their own tests beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simorc.core.case import Case
    from simorc.core.protocols import SimulationResult
    from simorc.core.record import CaseRecord
    from simorc.core.waveforms import Waveforms
    from simorc.plugin.run_context import RunContext


class Measured(Mapping[str, "float | None"]):
    """The judged measurements of one case: `measure["vout"]` is a float in the measure's unit, or None."""

    def __init__(self, case: Case, record: CaseRecord, run_id: str) -> None:
        self.case = case
        self.record = record
        self._run_id = run_id
        self._values = {m.name: m.value for m in record.measurements}

    def __getitem__(self, name: str) -> float | None:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def check(self) -> None:
        """Fail the test, with a table, when the case failed or a measure is out of spec."""
        __tracebackhide__ = True
        from simorc.plugin.failure_text import failure_text

        text = failure_text(self.case, self.record, self._run_id)
        if text:
            pytest.fail(text, pytrace=False)


class CaseSimulator:
    """Simulates decks under the conditions of one case, apart from the case's own recorded result."""

    def __init__(self, context: RunContext, case: Case) -> None:
        self._context = context
        self._case = case
        self._folders: list[Path] = []

    def run(self, deck: str | None = None, **parameters: object) -> SimulationResult:
        """Simulate the testbench's template, or another deck, with some parameters changed.

        Parameters
        ----------
        deck: netlist text; by default the template rendered for this case
        parameters: values that win over the case's own, e.g. `vin=5.5`

        Raises
        ------
        CaseError: the simulation failed
        KeyError: a parameter that the testbench does not have
        """
        from simorc.plugin.own_simulation import simulate

        self._folders.append(self._context.run.own_folder(self._case.case_id, len(self._folders)))
        return simulate(self._context.runner, self._case, deck, parameters, self._folders[-1])

    def tidy(self) -> None:
        """Delete what was simulated; called at the end of the test."""
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def simorc_context(request: pytest.FixtureRequest) -> RunContext:
    """What this process knows of the run directory that holds the test module."""
    from simorc.plugin.plugin import context_of

    context = context_of(request.config, request.path)
    if context is None:
        pytest.fail("the fixtures of simorc work beside the generated module of a run directory", pytrace=False)
    return context


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    """One row of metadata.csv; the plugin parametrises it over all rows of the run directory."""
    if not hasattr(request, "param"):
        pytest.fail("`case` works beside the generated module of a run directory", pytrace=False)
    found: Case = request.param
    return found


@pytest.fixture
def measure(request: pytest.FixtureRequest, case: Case, simorc_context: RunContext) -> Measured:
    """The judged measurements of this case; runs it first where that is due."""
    from simorc.core.errors import RunDirectoryError
    from simorc.plugin.reporting import attach

    try:
        record = simorc_context.outcome(case)
    except RunDirectoryError as error:
        # What cannot be recorded (a full disk, a read-only folder) will not be for the next case either.
        request.session.shouldstop = str(error)
        raise
    attach(request.node, case, record, simorc_context)
    return Measured(case, record, simorc_context.run.run_id)


@pytest.fixture
def waves(measure: Measured, case: Case, simorc_context: RunContext) -> Waveforms:
    """The waveforms of this case."""
    return simorc_context.runner.waves(case)


@pytest.fixture
def simulator(case: Case, simorc_context: RunContext) -> Iterator[CaseSimulator]:
    """Simulates further decks under the conditions of this case; their files last as long as the test."""
    made = CaseSimulator(simorc_context, case)
    yield made
    made.tidy()
