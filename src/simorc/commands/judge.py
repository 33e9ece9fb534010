"""`simorc judge`: measures from the kept raw files, specs and aggregates from today's project, no simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from simorc.commands._common import open_run_directory, todays_plan
from simorc.commands._summary import exit_code
from simorc.core.case import Case
from simorc.core.errors import CaseError, ErrorKind
from simorc.core.evaluation import evaluate
from simorc.core.plan import Plan
from simorc.core.record import CaseRecord, Status
from simorc.core.units import format_quantity
from simorc.registry import simulator_class
from simorc.workspace.conclude import conclude
from simorc.workspace.gather import gather
from simorc.workspace.layout import RunDirectory
from simorc.workspace.lock import run_lock
from simorc.workspace.revision import adopt_revision
from simorc.workspace.status_store import archive_record, write_record
from simorc.workspace.user_code import load_measure_functions


def judge(text: str, setup: Path | None) -> int:
    """Judge a run anew and print what changed; exit code as for `simorc run`.

    The measures, specs, aggregates and plot specs of today's project, with its Python files, become the run's own;
    the former ones stay in inputs/, both revisions stand in run.json. Cases whose simulation failed stay as they
    are; a case whose files were not kept keeps its measurements, judged against the new specs.
    """
    directory = open_run_directory(text, setup)
    with run_lock(directory):
        gathered = gather(directory)
        plan = todays_plan(gathered.plan, setup)
        adopt_revision(directory, plan, datetime.now(UTC))
        changes = _judge_all(
            directory, plan, gathered.cases, [gathered.records[case_id] for case_id in sorted(gathered.records)]
        )
        concluded = conclude(directory)
    print("\n".join(changes) if changes else "nothing changed")
    return exit_code(concluded)


def _judge_all(directory: RunDirectory, plan: Plan, cases: Sequence[Case], records: Sequence[CaseRecord]) -> list[str]:
    functions = load_measure_functions(directory, plan.python_measures)
    simulator = simulator_class(plan.simulator.name)(plan.simulator)
    changes: list[str] = []
    for record in records:
        if not _has_results(record):
            continue
        case = cases[record.case_id]
        try:
            result = simulator.read(directory.result_folder(record.case_id))
        except CaseError as unreadable:
            changes.append(f"case {record.case_id}: left as it was: {unreadable.what}")
            continue
        measurements, error = evaluate(plan.measures, plan.target, case, result, functions)
        judged = replace(
            record,
            status=Status.FAILED if error else Status.COMPLETED,
            error_kind=error.kind if error else None,
            error_message=str(error) if error else "",
            measurements=tuple(measurements),
        )
        if judged != record:
            archive_record(directory, record.case_id)
            write_record(directory, replace(judged, attempt=record.attempt + 1))
            changes += _differences(record, judged)
    return changes


def _has_results(record: CaseRecord) -> bool:
    """Whether the simulation went through, so that its files can be measured again."""
    if record.status is Status.COMPLETED:
        return True
    return record.status is Status.FAILED and record.error_kind is ErrorKind.MEASURE_ERROR


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
            shown = (format_quantity(old.value, old.unit), old.verdict, format_quantity(m.value, m.unit), m.verdict)
            lines.append("case {}: {}: {} {} -> {} {}".format(after.case_id, m.name, *shown))
    return lines + [
        f"case {after.case_id}: {name}: no longer measured"
        for name in former
        if name not in {m.name for m in after.measurements}
    ]
