"""What happens once a session: lock, progress, crashed workers, gather."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import structs

from simorc.core.errors import ErrorKind, RunDirectoryError, SimorcError
from simorc.core.record import CaseRecord, Status
from simorc.plugin.case_name import cases_of
from simorc.plugin.reporting import COUNTS, OUTCOME
from simorc.plugin.session_input import PARENT, SINCE
from simorc.simulators.process import kill_orphans
from simorc.workspace.clock import utc_text
from simorc.workspace.events import read_events
from simorc.workspace.layout import RunDirectory
from simorc.workspace.lock import adopt_lock, run_lock
from simorc.workspace.manifest import read_manifest, update_manifest
from simorc.workspace.selection import Selection, read_selection, request_stop
from simorc.workspace.status_store import read_record, write_progress, write_record

LOCK_VARIABLE = "SIMORC_LOCK_FD"


class Controller:
    """The controller of a pytest session over run directories; with xdist it runs no item itself.

    Under `simorc run` there is one run, whose lock the command holds already and which it gathers itself.
    """

    def __init__(self, config: pytest.Config, runs: list[RunDirectory]) -> None:
        self.runs = runs
        self.selected: bool = config.getoption("simorc_selected")
        self.locks = ExitStack()
        self.summary: list[str] = []
        self.counts: Counter[str] = Counter()
        self.rootpath = config.rootpath
        self.started = time.time()
        self.since = utc_text(datetime.fromtimestamp(self.started, UTC))
        self.written = 0.0
        self.first_done = 0.0
        self.first_count = 0
        self.selection: Selection | None = None

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        try:
            if self.selected:
                adopt_lock(int(os.environ.pop(LOCK_VARIABLE)))
                self.selection = read_selection(self.runs[0])
                self._write_progress()
                return
            for run in self.runs:
                self.locks.enter_context(run_lock(run))
                kill_orphans(run.path)
        except SimorcError as error:
            self.locks.close()
            raise pytest.UsageError(str(error)) from error

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, config: pytest.Config, specs: Sequence[Any]) -> None:
        """Workers that execute blocks of cases load nothing of a person's, so that they may be forked."""
        if self.selection is not None and self.selection.block:
            from simorc.plugin.forked_workers import fork_workers

            fork_workers(config, self.runs[0], len(specs))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker is about to start: it is to end with this process."""
        node.workerinput[PARENT] = os.getpid()
        node.workerinput[SINCE] = self.since

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" or self.selection is None:
            return
        for name, value in report.user_properties:
            if name == OUTCOME:
                _, status, verdict = str(value).split()
                self.counts[status] += 1
                self.counts["out_of_spec"] += verdict == "fail"
            elif name == COUNTS and isinstance(value, dict):
                self.counts.update(value)
        if self.selection.max_fail and self.counts[Status.FAILED] >= self.selection.max_fail:
            with suppress(RunDirectoryError):  # on a full disk every further case says so itself
                request_stop(self.runs[0])
        if not self.first_done:
            self.first_done = time.time()
            self.first_count = self.counts[Status.COMPLETED] + self.counts[Status.FAILED]
        if time.time() - self.written >= 1.0:
            self._write_progress()

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Cases of a bench are distributed by temperature, those of a simulator as xdist does."""
        if len(self.runs) == 1 and read_manifest(self.runs[0]).get("target") == "bench":
            from simorc.plugin.group_scheduling import group_scheduling

            return group_scheduling(config, log, self.runs[0])
        if self.selected:
            from simorc.plugin.stealing import Stealing

            return Stealing(config, log)
        return None

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: Any) -> None:
        """A worker died. Its case stays `in_progress`, to be run again, unless its time was over."""
        module, _, test = crashitem.partition("::")
        for run in self.runs:
            with suppress(RunDirectoryError, ValueError):  # a directory that cannot be read or written tells itself
                if self.rootpath / module == run.test_module:
                    _note_crash(run, cases_of(test), self.selection)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.selected:
            self._write_progress()
            return
        from simorc.workspace.conclude import conclude  # brings numpy along, for which `simorc run` does not wait

        for run in self.runs:
            try:
                _record_instruments(run, self.since)
                concluded = conclude(run)
            except SimorcError as error:
                self.summary.append(f"{run.run_id}: {error}")
                continue
            tally = concluded.gathered.tally
            counts = ", ".join(f"{tally[status]} {status}" for status in Status if tally[status])
            self.summary.append(f"{run.run_id}: {counts}, {tally.out_of_spec} out of spec")
            self.summary += [f"warning: {note}" for note in concluded.gathered.notes]
        self.locks.close()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for line in self.summary:
            terminalreporter.write_line(line)

    def _write_progress(self) -> None:
        assert self.selection is not None
        now = time.time()
        self.written = now
        mine, others = self.counts, self.selection.others
        done = mine[Status.COMPLETED] + mine[Status.FAILED]
        left = len(self.selection.cases) - done
        due = self.selection.due or len(self.selection.cases)
        remaining = due - self.selection.earlier - done
        # Start-up is no part of the rate; with too few cases there is none.
        rate = (done - self.first_count) / (now - self.first_done) if done > 2 and now > self.first_done else 0.0
        progress = {
            "total": len(self.selection.cases) + sum(others.get(status, 0) for status in Status),
            "completed": mine[Status.COMPLETED] + others.get(Status.COMPLETED, 0),
            "failed": mine[Status.FAILED] + others.get(Status.FAILED, 0),
            "out_of_spec": mine["out_of_spec"] + others.get("out_of_spec", 0),
            "pending": left + others.get(Status.PENDING, 0),
            "done": self.selection.earlier + done,
            "started": self.since,
            "updated": utc_text(datetime.fromtimestamp(now, UTC)),
            "rate_per_s": round(rate, 3),
            "remaining_s": round(remaining / rate, 1) if rate else None,
            "pid": os.getpid(),
        }
        with suppress(RunDirectoryError):  # a full disk shows in the cases' own records
            write_progress(self.runs[0], progress)


def _record_instruments(run: RunDirectory, since: str) -> None:
    """What a bench was made of, where no `simorc run` has opened it before the session."""
    opened = [event for event in read_events(run) if event["kind"] == "opened" and event["time"] >= since]
    if opened:
        update_manifest(run, instruments=opened[-1]["data"]["instruments"])


def _note_crash(run: RunDirectory, case_ids: Sequence[int], selection: Selection | None) -> None:
    """End what the case that a worker died of has left running, and note it where its time was over."""
    records = [record for case_id in case_ids if (record := read_record(run, case_id))]
    begun = [record for record in records if record.status is Status.IN_PROGRESS]
    for case_id in [record.case_id for record in begun] or case_ids[:1]:
        kill_orphans(run.path, run.result_folder(case_id))
    for record in begun:
        _note_timeout(run, record, selection)


def _note_timeout(run: RunDirectory, record: CaseRecord, selection: Selection | None) -> None:
    from simorc.workspace.plan_file import read_plan

    plan = read_plan(run)
    limit = (selection.timeout_s if selection else None) or (
        plan.bench.case_timeout_s if plan.bench else plan.simulator.timeout_s
    )
    elapsed = (datetime.now(UTC) - datetime.fromisoformat(record.started)).total_seconds()
    if elapsed < limit:
        return
    what = f"no result after {limit:g} s; the worker was ended because a measure function never came back"
    write_record(run, structs.replace(record, status=Status.FAILED, error_kind=ErrorKind.TIMEOUT, error_message=what))
