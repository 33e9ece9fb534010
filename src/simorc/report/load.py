"""From a run directory to the data of its report. Reads only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache

from msgspec import structs

from simorc.core.errors import UsageError
from simorc.core.evaluation import rejudge
from simorc.core.measurement import Outcome
from simorc.core.plan import Plan
from simorc.core.protocols import Simulator
from simorc.core.record import CaseRecord, Status
from simorc.core.waveforms import Waveforms
from simorc.registry import simulator_class
from simorc.report.data import ReportData
from simorc.workspace.events import read_events
from simorc.workspace.gather import Gathered, aggregates_of
from simorc.workspace.layout import RunDirectory
from simorc.workspace.manifest import read_manifest


def report_data(run: RunDirectory, gathered: Gathered) -> ReportData:
    """The data of a run's report from its gathered records; aggregates are computed from them anew.

    Raises
    ------
    RunDirectoryError: run.json is damaged
    """
    on_bench = gathered.plan.target == "bench"
    return ReportData(
        plan=gathered.plan,
        cases=list(gathered.cases),
        records=gathered.records,
        aggregates=aggregates_of(gathered),
        manifest={**read_manifest(run), "run_id": run.run_id},
        notes=gathered.notes,
        logs=_logs(run, gathered.records),
        events=read_events(run) if on_bench else (),
        bench_times=_bench_times(run, gathered.records) if on_bench else {},
        waveforms=waveform_reader(run, gathered.plan),
    )


def judged_by(gathered: Gathered, plan: Plan) -> Gathered:
    """The records judged by another plan's measures, in memory: see `rejudge`."""
    cases = {case.case_id: case for case in gathered.cases}
    records = {i: rejudge(record, cases[i], gathered.plan, plan) for i, record in gathered.records.items()}
    note = "Judged by the specs, aggregates and plot specs of today's project, not by the run's own."
    return structs.replace(gathered, plan=plan, records=records, notes=(*gathered.notes, note))


def waveform_reader(run: RunDirectory, plan: Plan) -> Callable[[int], Waveforms]:
    """A function from case ids to the waveforms that the case's folder holds.

    It raises a UsageError where the folder is not there, and a CaseError where its files are unreadable.
    """

    @cache
    def simulator() -> Simulator:
        return simulator_class(plan.simulator.name)(plan.simulator)

    def read(case_id: int) -> Waveforms:
        folder = run.result_folder(case_id)
        if not folder.is_dir():
            hint = "it has not run yet, or `simulator.keep` did not keep them"
            raise UsageError(f"case {case_id} has no result files", where=str(folder), hint=hint)
        return simulator().read(folder).waves

    return read


def _bench_times(run: RunDirectory, records: Iterable[int]) -> dict[int, tuple[float, float]]:
    """Begin and end of the cases, s of bench time; one whose readings are gone or damaged is left out."""
    found = {}
    for case_id in records:
        with suppress(OSError, ValueError, KeyError, TypeError):
            readings = json.loads((run.result_folder(case_id) / "readings.json").read_text(encoding="utf-8"))
            found[case_id] = float(readings["begin_s"]), float(readings["end_s"])
    return found


def _logs(run: RunDirectory, records: Mapping[int, CaseRecord]) -> dict[int, str]:
    """Path of the log, relative to the run directory, of each case that has something to explain."""
    found = {}
    for case_id, record in records.items():
        unclear = any(m.outcome is Outcome.FAILED for m in record.measurements)
        if record.status is Status.FAILED or unclear:
            folder = run.result_folder(case_id)
            logs = sorted([*folder.glob("*.log"), *folder.glob("transcript.txt")])
            if logs:
                found[case_id] = logs[0].relative_to(run.path).as_posix()
    return found
