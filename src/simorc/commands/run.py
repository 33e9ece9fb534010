"""`simorc run`: execute what is pending, failed or was interrupted, then gather and say how it stands."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import simorc
from simorc.commands._common import open_run_directory
from simorc.commands._progress import ProgressView
from simorc.commands._summary import exit_code, summary
from simorc.core.case import Case
from simorc.core.errors import ErrorKind, ExitCode, RunDirectoryError, UsageError
from simorc.core.ranges import format_ranges, parse_ranges
from simorc.core.record import CaseRecord, Status, Tally
from simorc.core.sample import spread
from simorc.executors.local import Execution, execute, worker_count
from simorc.registry import simulator_class
from simorc.simulators.process import kill_orphans
from simorc.workspace.clock import utc_text
from simorc.workspace.conclude import Concluded, conclude
from simorc.workspace.events import log_event
from simorc.workspace.gather import Gathered, gather
from simorc.workspace.inputs import accept_changed_inputs, changed_inputs
from simorc.workspace.layout import RunDirectory
from simorc.workspace.lock import run_lock
from simorc.workspace.manifest import add_execution, read_manifest, update_manifest
from simorc.workspace.selection import Selection, write_selection
from simorc.workspace.status_store import read_records, write_record


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line of `simorc run` says."""

    setup: Path | None = None
    workers: str = "auto"
    case: str = ""
    sample: int | None = None
    max_fail: int | None = None
    timeout_s: float | None = None
    html: bool = False
    dry_run: bool = False
    accept_changed: bool = False
    note: str = ""
    pytest_args: tuple[str, ...] = ()


def run(text: str, options: RunOptions) -> int:
    """Execute the due cases of a run; 0 when everything is done and in spec.

    Raises
    ------
    UsageError, RunDirectoryError: nothing was executed
    ToolMissingError: the simulator is not installed
    """
    worker_count(options.workers, 1)  # a wrong -n is told before anything is touched
    directory = open_run_directory(text, options.setup)
    with run_lock(directory) as lock:
        kill_orphans(directory.path)
        _refuse_changes(directory, accept=options.accept_changed, record=not options.dry_run)
        gathered = gather(directory)
        if gathered.plan.target != "spice":
            raise UsageError(f"target {gathered.plan.target!r} cannot be executed yet", where=directory.run_id)
        due = due_cases(gathered, options)
        if options.dry_run:
            print(f"{directory.run_id}: {len(due)} of {len(gathered.cases)} cases to run: {_ids(due) or 'none'}")
            return ExitCode.DONE
        execution = _execute_all(directory, gathered, due, lock, options) if due else None
        concluded = conclude(directory)
    print(summary(directory, concluded, executed=len(due)))
    return _outcome(execution, directory, concluded, _not_run(concluded, due, options))


def due_cases(gathered: Gathered, options: RunOptions) -> list[Case]:
    """The cases to execute: those named whatever their status, else those not yet completed.

    Raises
    ------
    UsageError: a case that does not exist
    """
    if options.case:
        wanted = parse_ranges(options.case)
        unknown = [number for number in wanted if number >= len(gathered.cases)]
        if unknown:
            raise UsageError(f"no case {unknown[0]}: there are 0 to {len(gathered.cases) - 1}")
        return [gathered.cases[number] for number in wanted]
    cases = gathered.cases if options.sample is None else spread(gathered.cases, options.sample)
    return [case for case in cases if _status(gathered, case) is not Status.COMPLETED]


def _execute_all(
    directory: RunDirectory, gathered: Gathered, due: Sequence[Case], lock: int, options: RunOptions
) -> Execution:
    """One session over the due cases, and a second over those that a dying worker lost."""
    plan = gathered.plan
    version = simulator_class(plan.simulator.name)(plan.simulator).version()
    started = _now()
    check = None if read_manifest(directory).get("repeatable") is not None else due[0].case_id
    _record_versions(directory, version)
    session = partial(_session, directory, len(gathered.cases), lock=lock, options=options, started=started)
    execution = session(due, check=check)
    records = read_records(directory)
    lost = _lost(records, due)
    if lost and not execution.interrupts and execution.exit_code in (0, 1) and not _stopped(records, due, options):
        log_event(directory, "retry", cases=_ids(lost), reason="worker died")
        execution = session(lost, check=None)
        records = read_records(directory)
        for case in _lost(records, lost):
            _record_loss(directory, records[case.case_id])
    ended = "interrupted" if execution.interrupts else "completed"
    _record_end(directory, due, options, started, ended, records.get(check) if check is not None else None)
    return execution


def _session(
    directory: RunDirectory,
    total: int,
    cases: Sequence[Case],
    *,
    lock: int,
    options: RunOptions,
    started: str,
    check: int | None,
) -> Execution:
    ids = tuple(case.case_id for case in cases)
    others = _others(directory, total, ids)
    write_selection(directory, Selection(ids, started, check, options.timeout_s, options.max_fail, others))
    workers = worker_count(options.workers, len(cases))
    with ProgressView(directory, len(cases), workers, sys.stderr) as view:
        return execute(directory, workers, lock, options.pytest_args, html=options.html, watch=view.refresh)


def _not_run(concluded: Concluded, due: Sequence[Case], options: RunOptions) -> int:
    """How many due cases have no outcome, though nobody asked for a part of them by pytest's own arguments."""
    if options.pytest_args:
        return 0
    finished = (Status.COMPLETED, Status.FAILED)
    return sum(_status(concluded.gathered, case) not in finished for case in due)


def _outcome(execution: Execution | None, directory: RunDirectory, concluded: Concluded, not_run: int) -> int:
    if execution is None:
        return exit_code(concluded)
    if execution.interrupts:
        print(f"interrupted; go on with: simorc run {directory.run_id}", file=sys.stderr)
        return ExitCode.INTERRUPTED
    if execution.exit_code not in (0, 1, 2, 5):  # 2: stopped early on purpose, 5: everything deselected
        tail = execution.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        raise RunDirectoryError(
            f"the pytest session ended with exit code {execution.exit_code}",
            where=str(execution.log),
            hint="\n".join(tail),
        )
    if not_run:
        print(f"{not_run} cases did not run; why: {execution.log}", file=sys.stderr)
        return ExitCode.NOT_IN_SPEC
    return exit_code(concluded)


def _refuse_changes(directory: RunDirectory, *, accept: bool, record: bool) -> None:
    changed = changed_inputs(directory)
    if not changed:
        return
    if accept:
        if record:
            accept_changed_inputs(directory)
        return
    raise RunDirectoryError(
        f"changed since the run was built: {', '.join(changed)}",
        where=directory.run_id,
        hint="build the sweep again, or go on with the changed files: --accept-changed (recorded in run.json)",
    )


def _status(gathered: Gathered, case: Case) -> Status:
    record = gathered.records.get(case.case_id)
    return record.status if record else Status.PENDING


def _others(directory: RunDirectory, total: int, chosen: Sequence[int]) -> dict[str, int]:
    """How the cases stand that are not executed now."""
    mine = frozenset(chosen)
    records = [record for case_id, record in read_records(directory).items() if case_id not in mine]
    tally = Tally.of(total - len(mine), records)
    return {status.value: tally[status] for status in Status} | {"out_of_spec": tally.out_of_spec}


def _lost(records: Mapping[int, CaseRecord], cases: Sequence[Case]) -> list[Case]:
    """The cases that a worker began and never finished."""
    begun = [case for case in cases if case.case_id in records]
    return [case for case in begun if records[case.case_id].status is Status.IN_PROGRESS]


def _stopped(records: Mapping[int, CaseRecord], cases: Sequence[Case], options: RunOptions) -> bool:
    """Whether so many cases failed that no more were to be started."""
    failed = sum(records[c.case_id].status is Status.FAILED for c in cases if c.case_id in records)
    return options.max_fail is not None and failed >= options.max_fail


def _record_loss(directory: RunDirectory, record: CaseRecord) -> None:
    what = "the worker process died twice while this case ran"
    write_record(
        directory, replace(record, status=Status.FAILED, error_kind=ErrorKind.LOST, error_message=what, finished=_now())
    )


def _record_versions(directory: RunDirectory, simulator: str) -> None:
    versions = dict(read_manifest(directory).get("versions", {}))
    versions |= {"simorc": simorc.__version__, "python": platform.python_version(), "simulator": simulator}
    update_manifest(directory, versions=versions)


def _record_end(
    directory: RunDirectory,
    due: Sequence[Case],
    options: RunOptions,
    started: str,
    ended: str,
    checked: CaseRecord | None,
) -> None:
    entry = {"started": started, "finished": _now(), "cases": _ids(due), "ended": ended}
    add_execution(directory, entry | ({"note": options.note} if options.note else {}))
    changes: dict[str, object] = {"ended": ended}
    if checked is not None and checked.status is Status.COMPLETED:
        changes["repeatable"] = {"case": checked.case_id, "identical": not checked.warnings}
    update_manifest(directory, **changes)


def _ids(cases: Sequence[Case]) -> str:
    return format_ranges(case.case_id for case in cases)


def _now() -> str:
    return utc_text(datetime.now(UTC))
