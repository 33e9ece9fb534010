"""`simorc judge`: measures from the kept raw files, specs and aggregates from today's project, no simulation."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import structs

from simorc.commands._common import open_run_directory, todays_plan
from simorc.commands._summary import exit_code
from simorc.core.case import Case
from simorc.core.errors import CaseError, ErrorKind
from simorc.core.evaluation import MeasureFunction, added_measurements, evaluate, rejudge
from simorc.core.measurement import Measurement
from simorc.core.plan import Plan
from simorc.core.protocols import SimulationResult, Simulator
from simorc.core.ranges import format_ranges
from simorc.core.record import CaseRecord, Status
from simorc.core.stopping import farthest
from simorc.core.units import format_quantity
from simorc.registry import simulator_class
from simorc.workspace.conclude import Concluded, conclude
from simorc.workspace.gather import Gathered, gather
from simorc.workspace.layout import RunDirectory
from simorc.workspace.lock import run_lock
from simorc.workspace.manifest import spared_cases
from simorc.workspace.revision import adopt_revision, staged_revision
from simorc.workspace.status_store import archive_record, write_record
from simorc.workspace.time_limit import TimeLimitReached, time_limit
from simorc.workspace.user_code import load_measure_functions

_MEASURING = (ErrorKind.MEASURE_ERROR, ErrorKind.TIMEOUT)
"""Kinds of failure after which the simulation may have gone through, so that its files can be measured again."""

_Judged = tuple[CaseRecord, CaseRecord]


def judge(text: str, setup: Path | None) -> int:
    """Judge a run anew and print what changed; exit code as for `simorc run`.

    The measures, specs, aggregates and plot specs of today's project, with its Python files, become the run's own;
    the former ones stay in inputs/, both revisions stand in run.json. All cases are judged before anything is
    replaced. Cases whose simulation failed stay as they are; a case whose files were not kept keeps its values, judged
    against the new specs.

    Raises
    ------
    ConfigError, CaseError: today's project or its measures.py has problems; the run is as it was
    """
    directory = open_run_directory(text, setup)
    with run_lock(directory):
        gathered = gather(directory)
        plan = todays_plan(gathered.plan, setup)
        # First from where the person wrote them, so that an error names that file.
        load_measure_functions(Path(plan.testbench_dir), plan.python_measures)
        with staged_revision(directory, plan) as staged:
            functions = load_measure_functions(staged, plan.python_measures)
            judged, unread = _judge_all(directory, gathered, plan, functions)
            _record(directory, judged)
            adopt_revision(directory, staged, datetime.now(UTC))
        concluded = conclude(directory)
    changes = [line for before, after in judged for line in _differences(before, after)]
    print("\n".join(changes) if changes else "nothing changed")
    notes = [f"warning: {note}" for note in dict.fromkeys([*gathered.notes, *concluded.gathered.notes])]
    for line in [*_not_read(unread, plan), *_no_longer_enough(directory, concluded), *notes]:
        print(line, file=sys.stderr)
    return exit_code(concluded)


def _judge_all(
    directory: RunDirectory, gathered: Gathered, plan: Plan, functions: Mapping[str, MeasureFunction]
) -> tuple[list[_Judged], list[tuple[CaseRecord, CaseError]]]:
    """Every record that changes, before and after; and the judged ones whose values could not be measured again."""
    judged: list[_Judged] = []
    unread: list[tuple[CaseRecord, CaseError]] = []
    if plan.target == "bench":  # what was read on the bench stands: it cannot be read again
        return _judge_readings(gathered, plan), unread
    simulator = simulator_class(plan.simulator.name)(plan.simulator)
    for case_id in sorted(gathered.records):
        before, case = gathered.records[case_id], gathered.cases[case_id]
        if before.status is not Status.COMPLETED and before.error_kind not in _MEASURING:
            continue
        result = _read(simulator, directory.result_folder(case_id))
        if isinstance(result, SimulationResult):
            after = _measured(before, case, result, functions, gathered.plan, plan)
        elif before.error_kind is ErrorKind.TIMEOUT:  # that of the simulation
            continue
        else:
            after = rejudge(before, case, gathered.plan, plan)
            unread.append((after, result))
        if after != before:
            judged.append((before, after))
    return judged, unread


def _judge_readings(gathered: Gathered, plan: Plan) -> list[_Judged]:
    """The recorded readings against today's specs; every record that changes, before and after."""
    judged = []
    for case_id, before in sorted(gathered.records.items()):
        after = rejudge(before, gathered.cases[case_id], gathered.plan, plan)
        if before.status is Status.COMPLETED and after != before:
            judged.append((before, after))
    return judged


def _read(simulator: Simulator, folder: Path) -> SimulationResult | CaseError:
    try:
        result = simulator.read(folder)
    except CaseError as error:
        return error
    return result.error or result


def _measured(
    record: CaseRecord,
    case: Case,
    result: SimulationResult,
    functions: Mapping[str, MeasureFunction],
    former: Plan,
    plan: Plan,
) -> CaseRecord:
    measurements: list[Measurement] = []
    error: CaseError | None
    try:
        with time_limit(plan.simulator.timeout_s):
            measurements, error = evaluate(plan.measures, plan.target, case, result, functions)
    except TimeLimitReached:
        what = f"no result after {plan.simulator.timeout_s:g} s; a measure function was still running"
        error = CaseError(ErrorKind.TIMEOUT, what)
    return structs.replace(
        record,
        status=Status.FAILED if error else Status.COMPLETED,
        error_kind=error.kind if error else None,
        error_message=str(error) if error else "",
        measurements=(*measurements, *added_measurements(record, former, plan)),
    )


def _record(directory: RunDirectory, judged: Sequence[_Judged]) -> None:
    for before, after in judged:
        archive_record(directory, before.case_id)
        write_record(directory, structs.replace(after, attempt=before.attempt + 1))


def _not_read(unread: Sequence[tuple[CaseRecord, CaseError]], plan: Plan) -> list[str]:
    """What to say of cases of which only the recorded values were judged: one line for each reason."""
    reasons: dict[str, list[int]] = {}
    for record, error in unread:
        measured = {m.name for m in record.measurements}
        lacking = [m.name for m in plan.measures if plan.target in m.targets and m.name not in measured]
        more = f"; not measured: {', '.join(lacking)}" if lacking else ""
        reasons.setdefault(f"the recorded values were judged, because {error.what}{more}", []).append(record.case_id)
    return [f"case{'s' if len(ids) > 1 else ''} {format_ranges(ids)}: {reason}" for reason, ids in reasons.items()]


def _no_longer_enough(directory: RunDirectory, concluded: Concluded) -> list[str]:
    """What the rule lacks by which a run stopped early, judged as it is now."""
    plan = concluded.gathered.plan
    if plan.stop_when is None or not spared_cases(directory):
        return []
    left = farthest(plan.stop_when, concluded.statistics, plan.confidence)
    if left is None or left.is_met:
        return []
    return [f"the run stopped early, and is no longer precise enough: {left}; simorc run {directory.run_id} --continue"]


def _differences(before: CaseRecord, after: CaseRecord) -> list[str]:
    former = {m.name: m for m in before.measurements}
    lines = []
    if before.status is not after.status:
        lines.append(f"case {after.case_id}: {before.status} -> {after.status}")
    for m in after.measurements:
        old = former.get(m.name)
        if old is None:
            lines.append(f"case {after.case_id}: {m.name}: new: {format_quantity(m.value, m.unit)} {m.verdict}")
        elif (old.value, old.verdict) != (m.value, m.verdict):
            was, now = _told_apart(old, m)
            lines.append(f"case {after.case_id}: {m.name}: {was} {old.verdict} -> {now} {m.verdict}")
    return lines + [
        f"case {after.case_id}: {name}: no longer measured"
        for name in former
        if name not in {m.name for m in after.measurements}
    ]


def _told_apart(old: Measurement, new: Measurement) -> tuple[str, str]:
    """Both values with as few digits as let a change show; four where there is none."""
    texts = [tuple(format_quantity(m.value, m.unit, digits) for m in (old, new)) for digits in (4, 7, 17)]
    before, now = next((pair for pair in texts if pair[0] != pair[1]), texts[0])
    return before, now
