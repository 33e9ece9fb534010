"""What a pytest process knows of one run directory: rows, selection, and the runner of its cases."""

from __future__ import annotations

import fcntl
import os
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from simorc.core.case import Case
from simorc.core.plan import Plan
from simorc.core.protocols import Verify
from simorc.core.record import CaseRecord, Status
from simorc.plugin.case_runner import CaseRunner
from simorc.workspace.events import log_event
from simorc.workspace.layout import RunDirectory, is_run_directory
from simorc.workspace.metadata import read_metadata
from simorc.workspace.plan_file import read_plan
from simorc.workspace.result_cache import ResultCache
from simorc.workspace.selection import Selection, pause_requested, read_selection, stop_requested
from simorc.workspace.status_marks import MarkFile
from simorc.workspace.status_store import read_record

if TYPE_CHECKING:
    from pluggy import HookRelay

_LOOK_EVERY_S = 0.2


class RunContext:
    """One run directory in one pytest process.

    Parameters
    ----------
    worker: name of this process in the records
    since: UTC time at which the session began; what was executed after it is not executed again
    selected: whether `simorc run` chose the cases; otherwise every row becomes a test
    rerun: execute completed cases too, instead of replaying their recorded outcome
    """

    def __init__(
        self, run: RunDirectory, worker: str, hook: HookRelay, *, since: str, selected: bool, rerun: bool
    ) -> None:
        self.run = run
        self.worker = worker
        self.hook = hook
        self.rerun = rerun
        self.selection: Selection | None = read_selection(run) if selected else None
        self.since = self.selection.since if self.selection else since

    @cached_property
    def plan(self) -> Plan:
        """The resolved sweep of the run."""
        return read_plan(self.run)

    @cached_property
    def cases(self) -> list[Case]:
        """The cases that become tests, in the order in which they execute."""
        cases = [row.case for row in read_metadata(self.run, self.plan)]
        if self.selection is not None:
            chosen = set(self.selection.cases)
            cases = [case for case in cases if case.case_id in chosen]
        return sorted(cases, key=lambda case: self.runner.target.order_key(case))

    @cached_property
    def chosen(self) -> list[Case]:
        """The cases of the selection, which `simorc run` has checked against metadata.csv."""
        assert self.selection is not None
        everything = self.plan.sweep.by_id
        cases = [everything[case_id] for case_id in self.selection.cases]
        return sorted(cases, key=self.runner.target.order_key)

    @cached_property
    def runner(self) -> CaseRunner:
        """Executes the cases of this run."""
        chosen = self.selection
        timeout_s = chosen.timeout_s if chosen else None
        verify = Verify(since=self.since)
        if chosen:
            verify = Verify(chosen.verify, frozenset(chosen.sample), chosen.since, chosen.always)
        cache = chosen.cache if chosen else "renew" if self.rerun else "use"
        results = None if cache == "none" else ResultCache.beside(self.run, reads=cache == "use")
        runner = CaseRunner(self.run, self.plan, self.worker, self.hook, timeout_s, verify, results)
        if chosen and chosen.block:
            runner.marks = MarkFile(self.run)
        return runner

    @property
    def stopping(self) -> bool:
        """Whether no further case is to start."""
        if "runner" in self.__dict__ and self.runner.broken:
            return True
        return self.selection is not None and stop_requested(self.run)

    def goes_on(self) -> bool:
        """Whether a further case is to start; outputs off, that is waited for while somebody wants the run to pause."""
        if self.stopping:
            return False
        if self.selection is None or not pause_requested(self.run):
            return True
        log_event(self.run, "pause", worker=self.worker)
        self.runner.target.rest()
        while pause_requested(self.run) and not stop_requested(self.run):
            time.sleep(_LOOK_EVERY_S)
        log_event(self.run, "continue", worker=self.worker)
        return not self.stopping

    def outcome(self, case: Case) -> CaseRecord:
        """The recorded outcome of a case; executes it first where that is due.

        Several tests may ask for the same case, also in different workers: a kernel lock on the case's own byte lets
        one of them execute it and the others wait. It is gone with the process that held it.
        """
        fd = self._claims
        fcntl.lockf(fd, fcntl.LOCK_EX, 1, case.case_id)
        try:
            record = read_record(self.run, case.case_id)
            if record is not None and (self._is_settled(record) or self._is_held(record)):
                return record
            check = self.selection is not None and self.selection.check == case.case_id
            return self.runner.execute(case, record, check=check)
        finally:
            fcntl.lockf(fd, fcntl.LOCK_UN, 1, case.case_id)

    def executed(self, case: Case) -> CaseRecord:
        """The outcome of a case that no other worker has, and that was not executed in this session yet."""
        assert self.selection is not None
        former = read_record(self.run, case.case_id) if case.case_id in self._anew else None
        return self.runner.execute(case, former, check=self.selection.check == case.case_id)

    def close(self) -> None:
        """End what the target keeps running, and let go of the lock file; twice is once."""
        if "runner" in self.__dict__:
            self.runner.close()
        if "_claims" in self.__dict__:
            os.close(self.__dict__.pop("_claims"))

    def _is_settled(self, record: CaseRecord) -> bool:
        """Whether a record answers for this session: nothing that is completed runs twice unasked."""
        if record.status in (Status.COMPLETED, Status.FAILED) and record.started >= self.since:
            return True
        return self.selection is None and record.status is Status.COMPLETED and not self.rerun

    def _is_held(self, record: CaseRecord) -> bool:
        """A bench case that a crash left half-way is never begun again unless somebody chose it: that is not free."""
        lost = record.status is Status.IN_PROGRESS and self.plan.target == "bench"
        return lost and (self.selection is None or record.started >= self.since)

    @cached_property
    def _anew(self) -> frozenset[int]:
        return frozenset(self.selection.anew if self.selection else ())

    @cached_property
    def _claims(self) -> int:
        return os.open(self.run.status_dir / "claims.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def enclosing_run(path: Path) -> RunDirectory | None:
    """The run directory that holds a test module, or None."""
    return RunDirectory(path.parent) if is_run_directory(path.parent) else None
