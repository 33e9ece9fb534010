"""The pytest sessions of one execution: one after the other over shards of its cases, so that memory stays flat."""

from __future__ import annotations

import math
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from msgspec import Struct, field, structs

from simorc.commands._options import RunOptions, parse_verify
from simorc.commands._progress import ProgressView
from simorc.core.errors import ErrorKind, RunDirectoryError
from simorc.core.ranges import format_ranges
from simorc.core.record import CaseRecord, Status, status_of
from simorc.core.sample import spread
from simorc.core.spec import Verdict
from simorc.executors.local import Execution, Interrupts, execute, worker_count
from simorc.workspace.clock import utc_text
from simorc.workspace.concluder import Concluder
from simorc.workspace.events import log_event
from simorc.workspace.gather import Gathered
from simorc.workspace.layout import RunDirectory
from simorc.workspace.result_cache import has_results
from simorc.workspace.selection import Selection, request_stop, write_selection
from simorc.workspace.status_store import ReadBefore, pack_records, read_records, write_record
from simorc.workspace.test_module import is_as_generated

_SHARD = int(os.environ.get("SIMORC_SHARD", "50000"))
"""Cases of one session; the environment variable is for tests."""
_MOST_A_BLOCK = 50
_BLOCKS_A_WORKER = 50
"""At least so many blocks a worker, so that none waits long for another's last one."""


class Job(Struct, frozen=True):
    """One execution of a run directory, under its lock.

    Parameters
    ----------
    before: how the run stood
    lock: descriptor of its lock
    ahead: a process that has loaded what the end needs
    sampled: whether a sample of the results is to be compared with a slower way
    read: the status files that were read so far
    """

    directory: RunDirectory
    before: Gathered
    lock: int
    options: RunOptions
    interrupts: Interrupts
    ahead: Concluder | None = None
    sampled: bool = False
    read: ReadBefore = field(default_factory=ReadBefore)
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def workers(self, cases: int) -> int:
        """How many workers: a bench that is not simulated in the worker itself belongs to one."""
        count = worker_count(self.options.workers, cases)
        bench = self.before.plan.bench
        return count if bench is None or bench.simulated is not None else 1


class Sessions:
    """Executes cases of a job, and knows how the whole run stands meanwhile.

    Parameters
    ----------
    due: how many cases the execution is about
    started: UTC time of its start
    """

    def __init__(self, job: Job, due: int, started: str) -> None:
        self.job = job
        self.due = due
        self.started = started
        self._in_blocks = _may_be_blocks(job)
        self._known: Mapping[int, CaseRecord] = job.before.records
        tally = job.before.tally
        self._counts = Counter({status.value: tally[status] for status in Status} | {"out_of_spec": tally.out_of_spec})
        self._failed = 0
        self._finished = 0
        self._sessions = 0

    @property
    def known(self) -> Mapping[int, CaseRecord]:
        """The records of the run so far."""
        return self._known

    def execute(self, cases: Sequence[int], check: int | None = None) -> Execution:
        """Execute cases; what a dying worker lost is tried once more.

        Parameters
        ----------
        check: the case that is simulated twice
        """
        many = self._in_blocks and len(cases) > _SHARD
        if self._may_be_known(cases):
            execution, cases = self._known_first(cases, check)
            if not cases or self.is_over(execution):
                return execution
            check = check if check in cases else None
        shards = [cases[k : k + _SHARD] for k in range(0, len(cases), _SHARD)] if many else [cases]
        with ProgressView(
            self.job.directory, self._finished + len(cases), self.job.workers(len(cases)), sys.stderr
        ) as view:
            for shard in shards:
                execution = self._shard(shard, check, view)
                if many:
                    pack_records(self.job.directory)
                if self.is_over(execution):
                    break
        return execution

    def _may_be_known(self, cases: Sequence[int]) -> bool:
        """Whether the cache may have results of cases never begun, and no code of a person measures them."""
        options, plan = self.job.options, self.job.before.plan
        if not self._in_blocks or len(cases) > _SHARD or not any(case_id not in self._known for case_id in cases):
            return False
        if not options.cache or options.case is not None or options.max_fail or plan.python_measures:
            return False
        return has_results(self.job.directory)

    def _known_first(self, cases: Sequence[int], check: int | None) -> tuple[Execution, Sequence[int]]:
        """Record what the cache has results for; gives the cases that are left."""
        new = [case_id for case_id in cases if case_id not in self._known]
        execution = self._session(new, check, None, 1)
        done = {*new}.difference(self._with_status(new, Status.PENDING), self._with_status(new, Status.IN_PROGRESS))
        return execution, [case_id for case_id in cases if case_id not in done]

    def _shard(self, cases: Sequence[int], check: int | None, view: ProgressView) -> Execution:
        execution = self._session(cases, check, view, self._block(len(cases)))
        lost = self._with_status(cases, Status.IN_PROGRESS)
        # The rest of a block goes with the case that its worker died of.
        left = sorted([*lost, *self._with_status(cases, Status.PENDING)]) if self._in_blocks else lost
        if not left or self.job.before.plan.target == "bench" or self.is_over(execution):
            return execution
        log_event(self.job.directory, "retry", cases=format_ranges(left), reason="worker died")
        execution = self._session(left, None, view, 1 if self._in_blocks else 0)
        for case_id in self._with_status(left, Status.IN_PROGRESS):
            what = "the worker process died twice while this case ran"
            record_loss(self.job.directory, self._known[case_id], what)
        return execution

    def _session(self, cases: Sequence[int], check: int | None, view: ProgressView | None, block: int) -> Execution:
        """One session; without a view only what the cache has results for, and no pytest."""
        job, options = self.job, self.job.options
        before = _tally(self._known, cases)
        how, share = parse_verify(options.verify)
        most = options.max_fail and max(options.max_fail - self._failed, 1)
        others = {key: self._counts[key] - before[key] for key in self._counts}
        # Whoever names a case wants it simulated.
        cache = "none" if not options.cache else "use" if options.case is None else "renew"
        selection = Selection(
            tuple(cases),
            self.started,
            check=check,
            timeout_s=options.timeout_s,
            max_fail=most,
            verify=how,
            sample=() if view is None else self._sample(cases, share),
            always=options.verify == "all",
            cache=cache,
            others=others,
            block=block,
            anew=tuple(case_id for case_id in cases if case_id in self._known),
            earlier=self._finished,
            due=self.due,
        )
        write_selection(job.directory, selection)
        execution = (
            self._from_cache(len(cases))
            if view is None
            else execute(
                job.directory,
                job.workers(len(cases)),
                job.lock,
                options.pytest_args,
                html=options.html,
                in_blocks=block > 0,
                goes_on=self._sessions > 0,
                interrupts=job.interrupts,
                watch=view.refresh,
                meanwhile=self._load_ahead,
            )
        )
        self._sessions += 1
        if job.ahead is not None:
            job.ahead.told((str(job.directory.path), False))
        self._known = read_records(job.directory, job.read)
        after = _tally(self._known, cases)
        self._counts = Counter({key: others[key] + after[key] for key in others})
        self._failed += after[Status.FAILED]
        self._finished += after[Status.COMPLETED] + after[Status.FAILED]
        return execution

    def _from_cache(self, cases: int) -> Execution:
        from simorc.plugin.known_cases import record_known_cases  # brings along what else workers alone need

        job = self.job
        log = job.directory.status_dir / "pytest.log"
        with log.open("ab" if self._sessions else "wb") as output:
            record_known_cases(
                job.directory, job.workers(cases), output.fileno(), self._is_interrupted, self._load_ahead
            )
        return Execution(0, log)

    def _is_interrupted(self) -> bool:
        """After one interrupt no further case is to start; whether there was a second one."""
        if self.job.interrupts.count == 1:
            with suppress(RunDirectoryError):  # on a full disk only the second one helps
                request_stop(self.job.directory)
        return self.job.interrupts.count >= 2

    def _load_ahead(self) -> None:
        """Load what the end of the run needs, unless another process has; if it cannot be, that end says so."""
        if self.job.ahead is None:
            with suppress(Exception):
                import simorc.workspace.measurement_store  # noqa: F401

    def _sample(self, cases: Sequence[int], share: float) -> tuple[int, ...]:
        if not self.job.sampled or not share:
            return ()
        everything = self.job.before.cases
        chosen = spread([everything[case_id] for case_id in cases], math.ceil(share * len(cases)))
        return tuple(case.case_id for case in chosen)

    def _block(self, cases: int) -> int:
        if not self._in_blocks:
            return 0
        return max(1, min(_MOST_A_BLOCK, cases // (self.job.workers(cases) * _BLOCKS_A_WORKER)))

    def is_over(self, execution: Execution) -> bool:
        """Whether nothing further is to start."""
        most = self.job.options.max_fail
        stopped = most is not None and self._failed >= most
        return stopped or self.job.interrupts.count > 0 or execution.exit_code not in (0, 1)

    def _with_status(self, cases: Iterable[int], status: Status) -> list[int]:
        return [case_id for case_id in cases if status_of(self._known.get(case_id)) is status]


def record_loss(directory: RunDirectory, record: CaseRecord, what: str) -> None:
    """Record a case that was begun and never finished as `failed`, `lost`."""
    lost = structs.replace(record, status=Status.FAILED, error_kind=ErrorKind.LOST, error_message=what, finished=_now())
    write_record(directory, lost)


def _may_be_blocks(job: Job) -> bool:
    """Whether nobody could tell: no pytest arguments, no conftest.py, the module as it was generated."""
    if job.before.plan.target == "bench" or job.options.pytest_args or job.options.html:
        return False
    module = job.directory.test_module
    if (job.directory.path / "conftest.py").exists() or not module.is_file():
        return False
    return is_as_generated(module.read_text(encoding="utf-8", errors="replace"), job.before.plan.sweep.name)


def _tally(records: Mapping[int, CaseRecord], cases: Iterable[int]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for case_id in cases:
        record = records.get(case_id)
        counts[status_of(record).value] += 1
        counts["out_of_spec"] += record is not None and record.verdict is Verdict.FAIL
    return counts


def _now() -> str:
    return utc_text(datetime.now(UTC))
