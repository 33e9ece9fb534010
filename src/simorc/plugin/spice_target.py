"""The target `spice`: a case is a deck that a simulator runs."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from msgspec import structs

from simorc.core.case import Case
from simorc.core.errors import ErrorKind, SimorcError
from simorc.core.plan import Plan
from simorc.core.protocols import CachingSimulator, Deck, FastSimulator, SimulationResult, Simulator, Verify
from simorc.core.record import CaseRecord
from simorc.core.waveforms import Waveforms
from simorc.plugin.reuse import Reuse
from simorc.plugin.target import Known, Proof
from simorc.plugin.verification import Verification, same
from simorc.registry import simulator_class
from simorc.simulators.netlist import Renderer
from simorc.workspace.events import log_event
from simorc.workspace.files import is_there
from simorc.workspace.layout import RunDirectory
from simorc.workspace.result_cache import ResultCache

_RETRIED = (ErrorKind.NO_CONVERGENCE, ErrorKind.TIMESTEP)


class SpiceTarget:
    """Renders and simulates the decks of one run (see Target)."""

    def __init__(self, run: RunDirectory, plan: Plan, verify: Verify, cache: ResultCache | None = None) -> None:
        self.run = run
        self.plan = plan
        self.time_limit_s = plan.simulator.timeout_s
        self.simulator: Simulator = simulator_class(plan.simulator.name)(plan.simulator)
        self.renderer = Renderer.of_run(plan, run.inputs / "testbench")
        self.attempts = 1
        self._verification: Verification | None = None
        self._last: tuple[Deck | None, SimulationResult] | None = None
        self._ready: tuple[Case, str, Path] | None = None
        if isinstance(self.simulator, FastSimulator):
            self.attempts = 2  # what stands still in a long-lived process is tried once more in one of its own
            self._verification = Verification(run, self.simulator, verify, self.time_limit_s)
        self._reuse: Reuse | None = None
        if cache is not None and isinstance(self.simulator, CachingSimulator):
            self._reuse = Reuse(run, self.simulator, cache, self._verification)

    def order_key(self, case: Case) -> tuple[object, ...]:
        """As the simulator says."""
        return self.simulator.order_key(case)

    def group(self, case: Case) -> str:
        """Any worker may take any case."""
        return ""

    def measure(self, case: Case, deadline: float, known: Known) -> None:
        """Simulate until it converges or no further set of options is left."""
        if self._verification is not None:
            self._verification.look()
        text, folder = self._text_and_folder(case)
        self._try(known, text, case, {}, folder, deadline)
        for options in self.plan.simulator.retries:
            error = known.result.error
            if error is None or error.kind not in _RETRIED:
                break
            log_event(self.run, "retry", case.case_id, options=dict(options), error=error.what)
            known.retries = (*known.retries, options)
            self._try(known, text, case, options, folder, deadline)

    def is_known(self, case: Case) -> bool:
        """Whether the cache has what `measure` would bring, unless it fails; asked just before it.

        Raises
        ------
        SimorcError: the case cannot be rendered
        """
        if self._reuse is None:
            return False
        text, folder = self._text_and_folder(case)
        self._ready = (case, text, folder)
        return self._reuse.knows(text, case, {}, folder)

    def failed(self, case: Case) -> str:
        """The next deck knows nothing of this one."""
        return ""

    def rest(self) -> None:
        """Nothing is on between two decks."""

    def waves(self, case: Case) -> Waveforms:
        """The kept waveforms of a case that has run."""
        return self.simulator.read(self.run.result_folder(case.case_id)).waves

    def prove(self, case: Case, result: SimulationResult) -> Proof | None:
        """As `simorc.plugin.verification` says; then the result is of use for further runs."""
        deck = self._last[0] if self._last is not None else None
        if self._verification is None or deck is None:  # or it was found in the cache
            return None
        proof = self._verification.prove(case, deck, result)
        if proof is not None:
            self._last = (deck, proof.result)
        if self._reuse is not None and (proof is None or (proof.how and proof.is_identical)):
            self._reuse.keep(deck, result)
        return proof

    def repeat(self, case: Case, record: CaseRecord) -> tuple[str, ...]:
        """Simulate again and compare: whether results repeat, and depend on the seed where they should alone."""
        drawn_on_purpose = self.plan.sweep.has_seed_axis
        try:
            first = self._last[1] if self._last else self.simulator.read(self.run.result_folder(case.case_id))
            if drawn_on_purpose and not self._repeats(first, case, record, anew=True):
                return (f"case {case.case_id} gave two different results with the same seed {case.seed}",)
            same = self._repeats(first, structs.replace(case, seed=case.seed + 1), record)
        except (SimorcError, OSError) as error:
            return (f"case {case.case_id} could not be simulated a second time: {error}",)
        if drawn_on_purpose and same:
            return (
                f"case {case.case_id} gave the same result with two seeds, though the sweep has a seed axis: the "
                "samples do not differ (models without mismatch, or a seed of the deck's own?)",
            )
        if not drawn_on_purpose and not same:
            return (
                f"case {case.case_id} gave different results with two seeds, though the sweep has no seed axis: "
                "the models draw random numbers (mismatch on?); every case of this run uses the same seed",
            )
        return ()

    def close(self) -> None:
        """End whatever the simulator keeps running."""
        self.simulator.close()

    def _text_and_folder(self, case: Case) -> tuple[str, Path]:
        """The deck of a case, rendered once, and where its result is to lie."""
        ready, self._ready = self._ready, None
        if ready is not None and ready[0] is case:
            return ready[1], ready[2]
        return self.renderer.render(case), self.run.result_folder(case.case_id)

    def _try(
        self, known: Known, text: str, case: Case, options: Mapping[str, str], folder: Path, deadline: float
    ) -> None:
        """One attempt at a case's result."""
        known.result, known.cached_from = self._simulate(text, case, options, folder, deadline)

    def _simulate(
        self,
        text: str,
        case: Case,
        options: Mapping[str, str],
        folder: Path,
        deadline: float,
        *,
        anew: bool = False,
    ) -> tuple[SimulationResult, str]:
        """The result of a deck, and from which run and case it was taken, or empty.

        Parameters
        ----------
        anew: whatever the cache holds
        """
        # A folder of its own for every attempt: a simulator that outlived a killed worker writes into the old one.
        if is_there(os.fspath(folder)):
            shutil.rmtree(folder)
        found = None if anew or self._reuse is None else self._reuse.find(text, case, options, folder)
        if found is not None:
            self._last = (None, found[0])
            return found
        deck = self.simulator.prepare(text, case, options)
        result = self.simulator.run(deck, folder, max(deadline - time.monotonic(), 0.01))
        self._last = (deck, result)
        # What came the fast way is stored once it is known whether it had to be compared.
        if self._reuse is not None and not (anew or result.fast):
            self._reuse.keep(deck, result)
        return result, ""

    def _repeats(self, first: SimulationResult, case: Case, record: CaseRecord, *, anew: bool = False) -> bool:
        """Whether a further simulation gives the same values and waveforms, bit for bit."""
        options = record.retries[-1] if record.retries else {}
        # Beside the case's own folder, because the deck's relative paths hold at this depth alone.
        folder = self.run.repeat_folder(case.case_id)
        try:
            deadline = time.monotonic() + self.time_limit_s
            second, _ = self._simulate(self.renderer.render(case), case, options, folder, deadline, anew=anew)
            if second.error is not None:
                raise second.error
            deck = self._last[0] if self._last is not None else None
            if self._reuse is not None and deck is not None and second.fast and not anew:
                self._reuse.keep(deck, second)
            return same(first, second)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
