"""`simorc run`: execute what is pending, failed or was interrupted, then gather and say how it stands."""

from __future__ import annotations

import platform
import sys
from array import array
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from msgspec import structs

import simorc
from simorc.commands._common import open_run_directory
from simorc.commands._options import RunOptions, parse_verify
from simorc.commands._rounds import Rounds, execute_rounds, rounds_of, stop_entry, without_spared
from simorc.commands._sessions import Job, Sessions, record_loss
from simorc.commands._summary import exit_code, summary
from simorc.core.errors import ExitCode, RunDirectoryError, UsageError
from simorc.core.protocols import CachingSimulator, FastSimulator
from simorc.core.ranges import format_ranges, parse_ranges
from simorc.core.record import CaseRecord, Status, status_of
from simorc.core.sample import spread
from simorc.core.units import format_duration
from simorc.executors.local import Execution, counted_interrupts, worker_count
from simorc.registry import simulator_class
from simorc.simulators.process import kill_orphans
from simorc.workspace.clock import utc_text
from simorc.workspace.conclude import Concluded, conclude
from simorc.workspace.concluder import concluder
from simorc.workspace.events import log_event
from simorc.workspace.gather import Gathered, gather, look
from simorc.workspace.inputs import accept_changed_inputs, changed_inputs
from simorc.workspace.layout import RunDirectory
from simorc.workspace.lock import run_lock
from simorc.workspace.manifest import add_execution, read_manifest, update_manifest
from simorc.workspace.proof import fast_way_left
from simorc.workspace.status_store import read_record, read_records

_READ_TWICE = 10_000
"""Up to so many cases another process reads the run once more in less time than it takes to load what its end needs."""


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
    with run_lock(directory) as lock, counted_interrupts() as interrupts, ExitStack() as until_the_end:
        kill_orphans(directory.path)
        _refuse_changes(directory, accept=options.accept_changed, record=not options.dry_run)
        before = gather(directory)
        due, all_rounds = _due_in_rounds(directory, before, options)
        if options.dry_run:
            print(f"{directory.run_id}: {len(due)} of {len(before.cases)} cases to run: {format_ranges(due) or 'none'}")
            return ExitCode.DONE
        if options.lost == "fail":
            _give_up(directory, held_cases(before))
        ahead = until_the_end.enter_context(concluder(wanted=len(before.cases) <= _READ_TWICE))
        job = Job(directory, before, lock, options, interrupts, ahead)
        execution, due = _execute_all(job, due, all_rounds) if due else (None, due)
        changed = changed_inputs(directory) if execution is not None else []
        concluded = conclude(directory, job.read, forks=before.plan.target != "bench", ahead=ahead)
        if before.plan.target == "bench" and due:
            from simorc.commands._bench_run import fault_remarks

            job.remarks.extend(fault_remarks(before.plan, concluded.gathered.records.values()))
    if changed:
        job.notes.append(f"changed while the run went on: {', '.join(changed)}; which cases saw it cannot be told")
    print(summary(directory, concluded, executed=len(due), notes=[*before.notes, *job.notes], remarks=job.remarks))
    not_run = _not_run(concluded, due)
    if interrupts.count and not_run:
        again = " --continue" if options.goes_on else ""  # without it the rule would stop the run again
        print(f"interrupted; go on with: simorc run {directory.run_id}{again}", file=sys.stderr)
        return ExitCode.INTERRUPTED
    if execution is not None:
        _refuse_broken_session(execution)
    if execution is not None and not_run and not options.pytest_args:
        print(f"{not_run} cases did not run; why: {execution.log}", file=sys.stderr)
        return ExitCode.NOT_IN_SPEC
    return ExitCode.NOT_IN_SPEC if changed else exit_code(concluded)


def due_cases(gathered: Gathered, options: RunOptions) -> Sequence[int]:
    """The ids of the cases to execute: those named whatever their status, else those not yet completed.

    Raises
    ------
    UsageError: a case that does not exist
    """
    if options.case is not None:
        wanted = parse_ranges(options.case)
        unknown = [number for number in wanted if number >= len(gathered.cases)]
        if unknown:
            raise UsageError(f"no case {unknown[0]}: there are 0 to {len(gathered.cases) - 1}")
        return wanted
    everything = range(len(gathered.cases))
    cases = everything if options.sample is None else [c.case_id for c in spread(gathered.cases, options.sample)]
    if not gathered.records:
        return cases
    held = set() if options.lost == "rerun" else set(held_cases(gathered))
    open_ = (i for i in cases if i not in held and status_of(gathered.records.get(i)) is not Status.COMPLETED)
    return array("I", open_)


def _due_in_rounds(
    directory: RunDirectory, gathered: Gathered, options: RunOptions
) -> tuple[Sequence[int], Rounds | None]:
    """What is due, and in which rounds; what an early stop spared is not due unless somebody says so.

    Raises
    ------
    UsageError: a case that does not exist, or `--continue` of a run that cannot stop early
    """
    if options.goes_on and gathered.plan.stop_when is None:
        raise UsageError(f"--continue: {directory.run_id} has no `stop_when`", hint="without it nothing is ever spared")
    due, all_rounds = due_cases(gathered, options), rounds_of(gathered, options)
    stopped = read_manifest(directory).get("stopped_early")
    if all_rounds is not None and stopped:
        return without_spared(due, all_rounds, stopped), None
    if options.goes_on and not options.dry_run:
        update_manifest(directory, stopped_early=None)
    return due, all_rounds


def held_cases(gathered: Gathered) -> list[int]:
    """Bench cases that a crash left half-way: they wait for somebody's decision."""
    if gathered.plan.target != "bench":
        return []
    return sorted(i for i, record in gathered.records.items() if record.status is Status.IN_PROGRESS)


def _execute_all(job: Job, due: Sequence[int], all_rounds: Rounds | None) -> tuple[Execution | None, Sequence[int]]:
    """Everything that is due, or as many rounds of it as are needed; gives the cases that it was about in the end."""
    directory, settings = job.directory, job.before.plan.simulator
    if job.before.plan.target == "bench":
        return _execute_on_bench(job, due), due
    simulator = simulator_class(settings.name)(settings)
    if isinstance(simulator, CachingSimulator):
        simulator.keep_notes(directory.path.parent)
    _record_versions(directory, simulator.version())
    simulator.close()
    job = structs.replace(job, sampled=isinstance(simulator, FastSimulator))
    started = _now()
    check = None if read_manifest(directory).get("repeatable") is not None else due[0]
    sessions, stop = Sessions(job, len(due), started), None
    execution: Execution | None
    if all_rounds is None:
        execution = sessions.execute(due, check)
    else:
        execution, stop = execute_rounds(sessions, all_rounds, due, check, lambda: _corrected(job))
    execution = _again_slowly(job) or execution
    if stop is not None and all_rounds is not None:
        due = [case_id for case_id in due if all_rounds.sample[case_id] < stop.samples]
        update_manifest(directory, stopped_early=stop_entry(job, stop, _now()))
        job.remarks.append(f"stopped early, {stop.said}; what was spared: simorc run {directory.run_id} --continue")
    _record_end(job, due, started, read_record(directory, check) if check is not None else None)
    return execution, due


def _corrected(job: Job) -> Mapping[int, CaseRecord] | None:
    """The records, where results of a fast way that turned out to be wrong had to be simulated again."""
    return read_records(job.directory) if _again_slowly(job) is not None else None


def _again_slowly(job: Job) -> Execution | None:
    """One more session, the slow way, over what came in a fast way that turned out to be wrong."""
    if not fast_way_left(job.directory) or job.interrupts.count:
        return None
    records = read_records(job.directory)
    done = (Status.COMPLETED, Status.FAILED)
    touched = sorted(i for i, r in records.items() if r.fast and not r.verified and r.status in done)
    if not touched:
        return None
    ids = format_ranges(touched)
    log_event(job.directory, "retry", cases=ids, reason="the fast way gave other results than the slow one")
    execution = Sessions(structs.replace(job, before=look(job.directory)), len(touched), _now()).execute(touched)
    job.remarks.append(f"simulated again the slow way: {ids}")
    return execution


def _execute_on_bench(job: Job, due: Sequence[int]) -> Execution:
    """One session; whatever becomes of it, the bench is left safe, and its record says by whom."""
    from simorc.commands._bench_run import bench_seconds, leave_safe, prepare  # simulations start without

    directory, plan = job.directory, job.before.plan
    _record_versions(directory, None)
    started = _now()
    prepared = prepare(directory, plan, [job.before.cases[i] for i in due], job.workers(len(due)))
    job.notes.extend(prepared.warnings)
    if job.options.workers not in ("auto", "1") and plan.bench is not None and plan.bench.simulated is None:
        job.remarks.append("one worker: a bench that is not simulated in the worker itself belongs to one at a time")
    try:
        execution = Sessions(job, len(due), started).execute(due)
    finally:
        left = leave_safe(directory, plan)
        if left["left"] == "unsafe":
            job.notes.append(f"THE BENCH IS NOT SAFE: {left.get('reason', '')}")
        spent = bench_seconds(directory, started)
        times = {"predicted_s": round(prepared.predicted_s, 1), "bench_s": round(spent, 1)}
        _record_end(job, due, started, None, bench=dict(left) | times)
    job.remarks.append(f"bench time: {format_duration(spent)}, predicted {format_duration(prepared.predicted_s)}")
    return execution


def _not_run(concluded: Concluded, due: Sequence[int]) -> int:
    """How many due cases have no outcome."""
    finished = (Status.COMPLETED, Status.FAILED)
    return sum(status_of(concluded.gathered.records.get(case_id)) not in finished for case_id in due)


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


def _give_up(directory: RunDirectory, held: Sequence[int]) -> None:
    """`--lost fail`: somebody decided that what a crash left half-way is not worth another stimulus."""
    records = read_records(directory)
    for case_id in held:
        record_loss(directory, records[case_id], "left half-way by a crash, and given up by --lost fail")


def _record_versions(directory: RunDirectory, simulator: str | None) -> None:
    versions = dict(read_manifest(directory).get("versions", {}))
    versions |= {"simorc": simorc.__version__, "python": platform.python_version(), "simulator": simulator}
    update_manifest(directory, versions=versions)


def _record_end(
    job: Job,
    due: Sequence[int],
    started: str,
    checked: CaseRecord | None,
    bench: Mapping[str, object] | None = None,
) -> None:
    stopped = read_manifest(job.directory).get("stopped_early")
    ended = "interrupted" if job.interrupts.count else "stopped_early" if stopped else "completed"
    entry = {"started": started, "finished": _now(), "cases": format_ranges(due), "ended": ended}
    said = {"note": job.options.note, "dut": job.options.dut, "bench": bench}
    add_execution(job.directory, entry | {key: value for key, value in said.items() if value})
    changes: dict[str, object] = {"ended": ended}
    if checked is not None and checked.status is Status.COMPLETED:
        changes["repeatable"] = {"case": checked.case_id, "identical": not checked.warnings}
    update_manifest(job.directory, **changes)


def _now() -> str:
    return utc_text(datetime.now(UTC))
