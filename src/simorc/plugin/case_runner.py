"""One case from its row to its recorded outcome."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from simorc.core.case import Case
from simorc.core.errors import CaseError, ErrorKind, SimorcError
from simorc.core.evaluation import MeasureFunction, evaluate
from simorc.core.plan import Plan
from simorc.core.protocols import SimulationResult, Simulator
from simorc.core.record import CaseRecord, Status
from simorc.core.waveforms import Waveforms
from simorc.registry import simulator_class
from simorc.simulators.netlist import Renderer
from simorc.workspace.clock import utc_text
from simorc.workspace.events import log_event
from simorc.workspace.layout import RunDirectory
from simorc.workspace.status_store import archive_record, write_record
from simorc.workspace.time_limit import TimeLimitReached, time_limit
from simorc.workspace.user_code import load_measure_functions

if TYPE_CHECKING:
    from pluggy import HookRelay

_RETRIED = (ErrorKind.NO_CONVERGENCE, ErrorKind.TIMESTEP)


class CaseRunner:
    """Executes cases of one run directory, one after the other, and records each outcome.

    Parameters
    ----------
    worker: name of the pytest worker, as it stands in the records
    hook: pytest's hook relay, for the hooks of `simorc.plugin.hookspecs`
    timeout_s: seconds that one case may take; by default the plan's
    """

    def __init__(
        self, run: RunDirectory, plan: Plan, worker: str, hook: HookRelay, timeout_s: float | None = None
    ) -> None:
        self.run = run
        self.plan = plan
        self.worker = worker
        self.hook = hook
        self.timeout_s = timeout_s or plan.simulator.timeout_s
        self.simulator: Simulator = simulator_class(plan.simulator.name)(plan.simulator)
        self.renderer = Renderer.of_run(plan, run.inputs / "testbench")
        self._functions: Mapping[str, MeasureFunction] | None = None

    def execute(self, case: Case, former: CaseRecord | None = None, *, check: bool = False) -> CaseRecord:
        """Simulate, measure, judge and record one case, whatever its former record says.

        With `check` it is simulated a second time, and a difference becomes a warning in the record.

        Raises
        ------
        OSError, RunDirectoryError: the outcome could not be recorded; the case stays as it was or `in_progress`
        """
        if former is not None and former.status in (Status.COMPLETED, Status.FAILED):
            archive_record(self.run, case.case_id)
        record = CaseRecord(
            case.case_id,
            Status.IN_PROGRESS,
            attempt=former.attempt + 1 if former else 1,
            started=_now(),
            worker=self.worker,
            seed=case.seed,
        )
        write_record(self.run, record)
        begin = time.monotonic()
        record = self._outcome(case, record)
        record = replace(record, finished=_now(), duration_s=round(time.monotonic() - begin, 6))
        write_record(self.run, record)
        if check and record.status is Status.COMPLETED:
            record = replace(record, warnings=self._repeat(case, record))
            write_record(self.run, record)
        self._tidy(record)
        self.hook.pytest_simorc_case_done(case=case, record=record)
        return record

    def waves(self, case: Case) -> Waveforms:
        """The kept waveforms of a case that has run."""
        return self.simulator.read(self.run.result_folder(case.case_id)).waves

    def _outcome(self, case: Case, record: CaseRecord) -> CaseRecord:
        """The record of a case with its measurements; no failure of deck, tool, measure function or hook escapes."""
        known = _Known()
        try:
            with time_limit(self.timeout_s + 0.5):
                return self._simulated(case, record, known)
        except TimeLimitReached:
            what = f"no result after {self.timeout_s:g} s; a measure function was still running"
            error = CaseError(ErrorKind.TIMEOUT, what)
        except CaseError as case_error:
            error = case_error
        except SimorcError as deck_error:  # the template, or the simulator's settings
            error = CaseError(ErrorKind.TEMPLATE, deck_error.what, where=deck_error.where, hint=deck_error.hint)
        except OSError as os_error:
            if os_error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            error = CaseError(ErrorKind.DISK_FULL, str(os_error))
        return self._recorded(case, record, replace(known, result=replace(known.result, error=error)), {})

    def _simulated(self, case: Case, record: CaseRecord, known: _Known) -> CaseRecord:
        deadline = time.monotonic() + self.timeout_s
        self._tell("pytest_simorc_case_start", case=case)
        self._converge(self.renderer.render(case), case, deadline, known)
        record = self._recorded(case, record, known, self._load_functions())
        if record.status is Status.COMPLETED:
            measurements = list(record.measurements)
            self._tell("pytest_simorc_measured", case=case, waves=known.result.waves, measurements=measurements)
            record = replace(record, measurements=tuple(measurements))
        return record

    def _recorded(
        self, case: Case, record: CaseRecord, known: _Known, functions: Mapping[str, MeasureFunction]
    ) -> CaseRecord:
        measurements, error = evaluate(self.plan.measures, self.plan.target, case, known.result, functions)
        return replace(
            record,
            status=Status.FAILED if error else Status.COMPLETED,
            error_kind=error.kind if error else None,
            error_message=str(error) if error else "",
            measurements=tuple(measurements),
            retries=known.retries,
        )

    def _converge(self, text: str, case: Case, deadline: float, known: _Known) -> None:
        """Simulate until it converges or no further set of options is left; `known` says how far it came."""
        folder = self.run.result_folder(case.case_id)
        known.result = self._simulate(text, case, {}, folder, deadline)
        for options in self.plan.simulator.retries:
            error = known.result.error
            if error is None or error.kind not in _RETRIED:
                break
            log_event(self.run, "retry", case.case_id, options=dict(options), error=error.what)
            known.retries = (*known.retries, options)
            known.result = self._simulate(text, case, options, folder, deadline)

    def _simulate(
        self, text: str, case: Case, options: Mapping[str, str], folder: Path, deadline: float
    ) -> SimulationResult:
        deck = self.simulator.prepare(text, case, options)
        # A folder of its own for every attempt: a simulator that outlived a killed worker writes into the old one.
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        return self.simulator.run(deck, folder, max(deadline - time.monotonic(), 0.01))

    def _repeat(self, case: Case, record: CaseRecord) -> tuple[str, ...]:
        """Simulate again and compare: whether results repeat, and depend on the seed where they should alone."""
        drawn_on_purpose = self.plan.sweep.has_seed_axis
        try:
            first = self.simulator.read(self.run.result_folder(case.case_id))
            if drawn_on_purpose and not self._repeats(first, case, record):
                return (f"case {case.case_id} gave two different results with the same seed {case.seed}",)
            same = self._repeats(first, replace(case, seed=case.seed + 1), record)
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

    def _repeats(self, first: SimulationResult, case: Case, record: CaseRecord) -> bool:
        """Whether a further simulation gives the same values and waveforms, bit for bit."""
        options = record.retries[-1] if record.retries else {}
        # Beside the case's own folder, because the deck's relative paths hold at this depth alone.
        folder = self.run.repeat_folder(case.case_id)
        try:
            second = self._simulate(
                self.renderer.render(case), case, options, folder, time.monotonic() + self.timeout_s
            )
            if second.error is not None:
                raise second.error
            return _same(first, second)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _tell(self, hook: str, **arguments: object) -> None:
        """Call a hook; what it raises costs this case alone."""
        try:
            getattr(self.hook, hook)(**arguments)
        except (Exception, SystemExit) as error:
            what = f"a {hook} hook raised {type(error).__name__}: {error}"
            raise CaseError(ErrorKind.MEASURE_ERROR, what) from error

    def _load_functions(self) -> Mapping[str, MeasureFunction]:
        if self._functions is None:
            self._functions = load_measure_functions(self.run, self.plan.python_measures)
        return self._functions

    def _tidy(self, record: CaseRecord) -> None:
        keep = self.plan.simulator.keep
        if keep == "none" or (keep == "failed" and record.status is Status.COMPLETED):
            shutil.rmtree(self.run.result_folder(record.case_id), ignore_errors=True)


@dataclass
class _Known:
    """What is known of a case so far, also when its time is over: its last simulation, and the options tried."""

    result: SimulationResult = field(default_factory=lambda: SimulationResult({}, Waveforms(), Path()))
    retries: tuple[Mapping[str, str], ...] = ()


def _same(first: SimulationResult, second: SimulationResult) -> bool:
    """Whether two simulations gave the same values and waveforms, bit for bit."""
    if dict(first.values) != dict(second.values) or len(first.waves) != len(second.waves):
        return False
    return all(
        a.vectors.keys() == b.vectors.keys() and all(np.array_equal(a.vectors[k], b.vectors[k]) for k in a.vectors)
        for a, b in zip(first.waves, second.waves, strict=True)
    )


def _now() -> str:
    return utc_text(datetime.now(UTC))
