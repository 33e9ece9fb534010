"""Pure: all that a report is made of, and the verdict over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from simorc.core.aggregates import AggregateResult
from simorc.core.case import Case
from simorc.core.measurement import Measure, Measurement
from simorc.core.plan import Plan
from simorc.core.record import CaseRecord, Status, Tally, measures_found, status_of
from simorc.core.run_statistics import GroupStatistics, run_statistics
from simorc.core.sensitivity import Sensitivity, factors, sensitivity
from simorc.core.spec import Verdict
from simorc.core.sweep import SAMPLE_COLUMNS
from simorc.core.verdict import RunVerdict, run_verdict
from simorc.core.waveforms import Waveforms
from simorc.report.display import Scale, scale_for
from simorc.report.timeline import Lane, lanes
from simorc.workspace.manifest import spared_of


def no_waveforms(case_id: int) -> Waveforms:
    """The reader of a run that kept no waveforms."""
    return Waveforms()


STATES = ("in spec", "marginal", "out of spec", "completed", "failed", "pending", "in progress")
"""What a case may be; `completed` where nothing was judged."""


@dataclass(frozen=True)
class ReportData:
    """All that a report is made of.

    Parameters
    ----------
    cases: every case of the run, in the order of metadata.csv, also those that have not run
    records: what is there, by case id
    aggregates: computed from exactly these records
    manifest: run.json
    notes: sentences about the run as a whole
    logs: path of the log relative to the run directory, by case id, where there is one
    events: lines of events.jsonl, of a bench run
    bench_times: begin and end of a case, s of bench time, by case id, as far as known
    waveforms: reads the waveforms of one case; raises a CaseError where they are unreadable
    """

    plan: Plan
    cases: Sequence[Case]
    records: Mapping[int, CaseRecord]
    aggregates: Sequence[AggregateResult] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    logs: Mapping[int, str] = field(default_factory=dict)
    events: Sequence[Mapping[str, Any]] = ()
    bench_times: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    waveforms: Callable[[int], Waveforms] = no_waveforms

    @property
    def run_id(self) -> str:
        """Name of the run."""
        return str(self.manifest.get("run_id") or self.plan.sweep.name)

    @cached_property
    def tally(self) -> Tally:
        """Counts of cases."""
        known = [self.records[c.case_id] for c in self.cases if c.case_id in self.records]
        return Tally.of(len(self.cases), known, spared_of(self.manifest))

    @cached_property
    def _measured(self) -> dict[int, dict[str, Measurement]]:
        return {i: {m.name: m for m in record.measurements} for i, record in self.records.items()}

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """The measures of the plan, and after them those that only a hook added to the records."""
        return measures_found(self.plan.measures, self.records.values())

    @property
    def measures_here(self) -> list[Measure]:
        """The measures of the run's target."""
        return [measure for measure in self.measures if self.plan.target in measure.targets]

    @property
    def confidence(self) -> float:
        """Of the intervals of yields."""
        return self.plan.confidence

    @cached_property
    def statistics(self) -> list[GroupStatistics]:
        """The statistics of every measure and group; of a random sweep the yields over all limits stand first."""
        return run_statistics(self.plan.sweep, self.measures_here, self.cases, self.records, self.confidence)

    @cached_property
    def sensitivities(self) -> list[Sensitivity]:
        """What drives each measure; nothing of one that does not vary, nor where random samples are all that varies."""
        cases = [case for case in self.cases if self.status(case.case_id) is Status.COMPLETED]
        axes = factors(self.plan.sweep, cases)
        if not [axis for axis in axes if axis.names != SAMPLE_COLUMNS[:1]]:
            return []
        found = []
        for measure in self.measures_here:
            measured = [self.measurement(case.case_id, measure.name) for case in cases]
            found.append(sensitivity(measure.name, measure.unit, axes, [m.value if m else None for m in measured]))
        return [one for one in found if one is not None]

    @cached_property
    def courses(self) -> list[Lane]:
        """What each bench of a bench run did when."""
        workers = {case_id: record.worker for case_id, record in self.records.items()}
        return lanes(self.events, workers, self.bench_times)

    def status(self, case_id: int) -> Status:
        """Status of a case, `pending` where nothing is recorded."""
        return status_of(self.records.get(case_id))

    @cached_property
    def states(self) -> dict[int, str]:
        """In one word, by case id: see `STATES`."""
        return {case.case_id: self._state(case.case_id) for case in self.cases}

    def _state(self, case_id: int) -> str:
        record = self.records.get(case_id)
        if record is None or record.status is not Status.COMPLETED:
            return self.status(case_id).replace("_", " ")
        verdict = record.verdict
        if verdict is Verdict.PASS and any(m.is_marginal for m in record.measurements):
            return "marginal"
        return {Verdict.PASS: "in spec", Verdict.FAIL: "out of spec", Verdict.NONE: "completed"}[verdict]

    @cached_property
    def scaled_measures(self) -> list[tuple[Measure, Scale]]:
        """The measures of the run's target, each with the one scale of its column."""
        return [(measure, scale_for(self._values(measure.name), measure.unit)) for measure in self.measures_here]

    def _values(self, name: str) -> list[float]:
        found = [self.measurement(case.case_id, name) for case in self.cases]
        return [m.value for m in found if m is not None and m.value is not None]

    def measurement(self, case_id: int, name: str) -> Measurement | None:
        """One measure of one case, whatever the status of the case; None where it is not recorded."""
        return self._measured.get(case_id, {}).get(name)

    def finished(self, case_id: int, name: str) -> Measurement | None:
        """One measure of one case that completed; None otherwise. What a failed case left judges nothing."""
        return self.measurement(case_id, name) if self.status(case_id) is Status.COMPLETED else None


def rerun_command(data: ReportData, case: Case) -> str:
    """The command that runs one case alone."""
    return f"simorc run {data.run_id} --case {case.case_id}"


def verdict(data: ReportData) -> RunVerdict:
    """The verdict over a run."""
    return run_verdict(data.tally, data.aggregates)


def failing_aggregates(data: ReportData) -> list[AggregateResult]:
    """The aggregates that are out of spec, or have limits and no value."""
    return [result for result in data.aggregates if result.verdict is Verdict.FAIL]
