"""`simorc run`: execute what is pending, failed or was interrupted, then gather and say how it stands."""

from __future__ import annotations

import math
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import simorc
from simorc.commands._bench_run import bench_seconds, fault_remarks, leave_safe, prepare
from simorc.commands._common import open_run_directory
from simorc.commands._progress import ProgressView
from simorc.commands._summary import exit_code, summary
from simorc.core.case import Case
from simorc.core.errors import ErrorKind, ExitCode, RunDirectoryError, UsageError
from simorc.core.ranges import format_ranges, parse_ranges
from simorc.core.record import CaseRecord, Status, Tally, status_of
from simorc.core.sample import spread
from simorc.core.units import format_duration
from simorc.executors.local import Execution, Interrupts, counted_interrupts, execute, worker_count
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
from simorc.workspace.proof import fast_way_left
from simorc.workspace.selection import Selection, write_selection
from simorc.workspace.status_store import read_records, write_record


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line of `simorc run` says."""

    setup: Path | None = None
    workers: str = "auto"
    case: str | None = None
    sample: int | None = None
    max_fail: int | None = None
    timeout_s: float | None = None
    html: bool = False
    dry_run: bool = False
    accept_changed: bool = False
    note: str = ""
    dut: str = ""
    lost: str | None = None
    verify: str = "1%"
    cache: bool = True
    pytest_args: tuple[str, ...] = ()


def run(text: str, options: RunOptions) -> int:
    """Execute the due cases of a run; 0 when everything is done and in spec.

    Raises
    ------
    UsageError, RunDirectoryError: nothing was executed
    ToolMissingError: the simulator is not installed
    """
    worker_count(options.workers, 1)  # what is wrong is told before anything is touched
    parse_verify(options.verify)
    directory = open_run_directory(text, options.setup)
    with run_lock(directory) as lock, counted_interrupts() as interrupts:
        kill_orphans(directory.path)
        _refuse_changes(directory, accept=options.accept_changed, record=not options.dry_run)
        before = gather(directory)
        due = due_cases(before, options)
        if options.dry_run:
            print(f"{directory.run_id}: {len(due)} of {len(before.cases)} cases to run: {_ids(due) or 'none'}")
            return ExitCode.DONE
        if options.lost == "fail":
            _give_up(directory, held_cases(before))
        job = _Job(directory, before, lock, options, interrupts)
        execution = _execute_all(job, due) if due else None
        concluded = conclude(directory)
        if before.plan.target == "bench" and due:
            job.remarks.extend(fault_remarks(before.plan, concluded.gathered.records.values()))
    print(summary(directory, concluded, executed=len(due), notes=[*before.notes, *job.notes], remarks=job.remarks))
    not_run = _not_run(concluded, due)
    if interrupts.count and not_run:
        print(f"interrupted; go on with: simorc run {directory.run_id}", file=sys.stderr)
        return ExitCode.INTERRUPTED
    if execution is not None:
        _refuse_broken_session(execution)
    if execution is not None and not_run and not options.pytest_args:
        print(f"{not_run} cases did not run; why: {execution.log}", file=sys.stderr)
        return ExitCode.NOT_IN_SPEC
    return exit_code(concluded)


def parse_verify(text: str) -> tuple[str, float]:
    """What `--verify` asks for: with which slow way results are compared (see `Verify`), and what share of them.

    Raises
    ------
    UsageError: neither a word that is known nor a percentage
    """
    known = {"none": ("none", 0.0), "all": ("models", 1.0), "original": ("original", 0.01)}
    if text in known:
        return known[text]
    number = text.removesuffix("%")
    if text.endswith("%") and number.replace(".", "", 1).isdecimal() and float(number) <= 100:
        return "models", float(number) / 100
    raise UsageError(f"--verify: found {text!r}, expected a percentage such as 1%, all, none or original")


def due_cases(gathered: Gathered, options: RunOptions) -> list[Case]:
    """The cases to execute: those named whatever their status, else those not yet completed.

    Raises
    ------
    UsageError: a case that does not exist
    """
    if options.case is not None:
        wanted = parse_ranges(options.case)
        unknown = [number for number in wanted if number >= len(gathered.cases)]
        if unknown:
            raise UsageError(f"no case {unknown[0]}: there are 0 to {len(gathered.cases) - 1}")
        return [gathered.cases[number] for number in wanted]
    cases = gathered.cases if options.sample is None else spread(gathered.cases, options.sample)
    held = set() if options.lost == "rerun" else {case.case_id for case in held_cases(gathered)}
    return [
        case
        for case in cases
        if case.case_id not in held and status_of(gathered.records.get(case.case_id)) is not Status.COMPLETED
    ]


def held_cases(gathered: Gathered) -> list[Case]:
    """Bench cases that a crash left half-way: they wait for somebody's decision."""
    if gathered.plan.target != "bench":
        return []
    return _lost(gathered.records, gathered.cases)


@dataclass(frozen=True, slots=True)
class _Job:
    """One execution of a run directory, under its lock."""

    directory: RunDirectory
    before: Gathered
    lock: int
    options: RunOptions
    interrupts: Interrupts
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def _execute_all(job: _Job, due: Sequence[Case]) -> Execution:
    """One session over the due cases; on a simulator a second one over those that a dying worker lost."""
    if job.before.plan.target == "bench":
        return _execute_on_bench(job, due)
    directory, settings = job.directory, job.before.plan.simulator
    _record_versions(directory, simulator_class(settings.name)(settings).version())
    started = _now()
    check = None if read_manifest(directory).get("repeatable") is not None else due[0].case_id
    execution = _session(job, due, started, check)
    records = read_records(directory)
    lost = _lost(records, due)
    if lost and execution.exit_code in (0, 1) and not job.interrupts.count and not _stopped(records, due, job.options):
        log_event(directory, "retry", cases=_ids(lost), reason="worker died")
        execution = _session(job, lost, started, None)
        records = read_records(directory)
        for case in _lost(records, lost):
            _record_loss(directory, records[case.case_id], "the worker process died twice while this case ran")
    execution = _again_slowly(job, records, started) or execution
    _record_end(job, due, started, records.get(check) if check is not None else None)
    return execution


def _again_slowly(job: _Job, records: Mapping[int, CaseRecord], started: str) -> Execution | None:
    """One more session, the slow way, over what came in a fast way that turned out to be wrong."""
    if not fast_way_left(job.directory) or job.interrupts.count:
        return None
    fast = {r.case_id for r in records.values() if r.fast and not r.verified and r.status is Status.COMPLETED}
    touched = [case for case in job.before.cases if case.case_id in fast]
    if not touched:
        return None
    log_event(job.directory, "retry", cases=_ids(touched), reason="the fast way gave other results than the slow one")
    execution = _session(job, touched, _now(), None)
    job.remarks.append(f"simulated again the slow way: {_ids(touched)}")
    return execution


def _execute_on_bench(job: _Job, due: Sequence[Case]) -> Execution:
    """One session; whatever becomes of it, the bench is left safe, and its record says by whom."""
    directory, plan = job.directory, job.before.plan
    _record_versions(directory, None)
    started = _now()
    prepared = prepare(directory, plan, due, _workers(job, len(due)))
    job.notes.extend(prepared.warnings)
    if job.options.workers not in ("auto", "1") and plan.bench is not None and plan.bench.simulated is None:
        job.remarks.append("one worker: a bench that is not simulated in the worker itself belongs to one at a time")
    try:
        execution = _session(job, due, started, None)
    finally:
        left = leave_safe(directory, plan)
        if left["left"] == "unsafe":
            job.notes.append(f"THE BENCH IS NOT SAFE: {left.get('reason', '')}")
        spent = bench_seconds(directory, started)
        times = {"predicted_s": round(prepared.predicted_s, 1), "bench_s": round(spent, 1)}
        _record_end(job, due, started, None, bench=dict(left) | times)
    job.remarks.append(f"bench time: {format_duration(spent)}, predicted {format_duration(prepared.predicted_s)}")
    return execution


def _session(job: _Job, cases: Sequence[Case], started: str, check: int | None) -> Execution:
    directory, options = job.directory, job.options
    ids = tuple(case.case_id for case in cases)
    others = _others(directory, len(job.before.cases), ids)
    how, share = parse_verify(options.verify)
    sample = tuple(case.case_id for case in spread(cases, math.ceil(share * len(cases))))
    always = options.verify == "all"
    # Whoever names a case wants it simulated.
    cache = "none" if not options.cache else "use" if options.case is None else "renew"
    selection = Selection(ids, started, check, options.timeout_s, options.max_fail, how, sample, always, cache, others)
    write_selection(directory, selection)
    workers = _workers(job, len(cases))
    with ProgressView(directory, len(cases), workers, sys.stderr) as view:
        return execute(
            directory,
            workers,
            job.lock,
            options.pytest_args,
            html=options.html,
            interrupts=job.interrupts,
            watch=view.refresh,
        )


def _workers(job: _Job, cases: int) -> int:
    """How many workers: a bench that is not simulated in the worker itself belongs to one."""
    count = worker_count(job.options.workers, cases)
    bench = job.before.plan.bench
    if bench is None or bench.simulated is not None:
        return count
    return 1


def _not_run(concluded: Concluded, due: Sequence[Case]) -> int:
    """How many due cases have no outcome."""
    finished = (Status.COMPLETED, Status.FAILED)
    return sum(status_of(concluded.gathered.records.get(case.case_id)) not in finished for case in due)


def _refuse_broken_session(execution: Execution) -> None:
    if execution.exit_code in (0, 1, 2, 5) or execution.exit_code < 0:
        return  # 2: stopped early on purpose; 5: everything deselected; negative: killed, and the cases tell
    tail = execution.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
    raise RunDirectoryError(
        f"the pytest session ended with exit code {execution.exit_code}",
        where=str(execution.log),
        hint="\n".join(tail),
    )


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


def _give_up(directory: RunDirectory, held: Sequence[Case]) -> None:
    """`--lost fail`: somebody decided that what a crash left half-way is not worth another stimulus."""
    records = read_records(directory)
    for case in held:
        _record_loss(directory, records[case.case_id], "left half-way by a crash, and given up by --lost fail")


def _record_loss(directory: RunDirectory, record: CaseRecord, what: str) -> None:
    write_record(
        directory, replace(record, status=Status.FAILED, error_kind=ErrorKind.LOST, error_message=what, finished=_now())
    )


def _record_versions(directory: RunDirectory, simulator: str | None) -> None:
    versions = dict(read_manifest(directory).get("versions", {}))
    versions |= {"simorc": simorc.__version__, "python": platform.python_version(), "simulator": simulator}
    update_manifest(directory, versions=versions)


def _record_end(
    job: _Job,
    due: Sequence[Case],
    started: str,
    checked: CaseRecord | None,
    bench: Mapping[str, object] | None = None,
) -> None:
    ended = "interrupted" if job.interrupts.count else "completed"
    entry = {"started": started, "finished": _now(), "cases": _ids(due), "ended": ended}
    said = {"note": job.options.note, "dut": job.options.dut, "bench": bench}
    add_execution(job.directory, entry | {key: value for key, value in said.items() if value})
    changes: dict[str, object] = {"ended": ended}
    if checked is not None and checked.status is Status.COMPLETED:
        changes["repeatable"] = {"case": checked.case_id, "identical": not checked.warnings}
    update_manifest(job.directory, **changes)


def _ids(cases: Sequence[Case]) -> str:
    return format_ranges(case.case_id for case in cases)


def _now() -> str:
    return utc_text(datetime.now(UTC))
