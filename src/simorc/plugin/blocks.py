"""What `simorc run` executes in place of one test a case: blocks of cases, each one light test.

Every case starts, is recorded and can be stopped as before; what pytest and pytest-xdist do for a test is done once a
block. Reports go to the controller twice a second, and at once where a case does not pass.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

from simorc.core.case import Case
from simorc.core.errors import SimorcError
from simorc.core.ranges import format_ranges
from simorc.core.record import CaseRecord
from simorc.plugin.failure_text import failure_text
from simorc.plugin.reporting import COUNTS, counted
from simorc.workspace.test_module import function_name

if TYPE_CHECKING:
    from simorc.plugin.run_context import RunContext

_REPORT_EVERY_S = 0.5


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """A block is executed without what pytest does around a test."""
    if not isinstance(item, CaseBlock):
        return None
    item.execute(is_last=nextitem is None)
    return True


class BlockFile(pytest.File):
    """The generated module of a run, collected without importing it."""

    context: RunContext

    @classmethod
    def of(cls, parent: pytest.Collector, context: RunContext) -> BlockFile:
        """The module of a run directory."""
        file: BlockFile = cls.from_parent(parent, path=context.run.test_module)
        file.context = context
        return file

    def collect(self) -> Iterator[pytest.Item]:
        """The cases of the selection, so many a block."""
        selection = self.context.selection
        assert selection is not None
        name, size = function_name(self.context.plan.sweep.name), selection.block
        cases = self.context.chosen
        for first in range(0, len(cases), size):
            block = cases[first : first + size]
            ids = format_ranges(case.case_id for case in block)
            item: CaseBlock = CaseBlock.from_parent(self, name=f"{name}[cases {ids}]")
            item.cases = block
            yield item


class CaseBlock(pytest.Item):
    """Some cases, executed one after the other."""

    parent: BlockFile
    cases: Sequence[Case] = ()

    def execute(self, *, is_last: bool) -> None:
        """Execute the cases that are still to start, and report how they went.

        Parameters
        ----------
        is_last: nothing follows in this worker, therefore everything is reported
        """
        context, tally = self.parent.context, _tally(self.config)
        for case in self.cases:
            if not context.goes_on():
                self.session.shouldstop = "asked to stop"
                break
            try:
                record = context.executed(case)
            except (SimorcError, OSError) as error:
                # What cannot be recorded (a full disk, a read-only folder) will not be for the next case either.
                self.session.shouldstop = str(error)
                tally.note(str(error))
                break
            tally.count(case, record, context.run.run_id)
        if tally.is_due or (tally.begun and (is_last or self.session.shouldstop)):
            self.ihook.pytest_runtest_logreport(report=tally.report(self))

    def runtest(self) -> None:
        """For pytest alone, which wants one; the plugin calls `execute`."""
        self.execute(is_last=True)


class _Tally:
    """What this worker has not reported yet."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._failures: list[str] = []
        self._since = time.time()
        self.begun = False

    @property
    def is_due(self) -> bool:
        return bool(self._failures) or (self.begun and time.time() - self._since >= _REPORT_EVERY_S)

    def count(self, case: Case, record: CaseRecord, run_id: str) -> None:
        self.begun = True
        self._counts.update(counted(record))
        if text := failure_text(case, record, run_id):
            self._failures.append(text)

    def note(self, failure: str) -> None:
        self.begun = True
        self._failures.append(failure)

    def report(self, item: CaseBlock) -> pytest.TestReport:
        """A report of everything since the last one."""
        now = time.time()
        report = pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords={},
            outcome="failed" if self._failures else "passed",
            longrepr="\n\n".join(self._failures) or None,
            when="call",
            duration=now - self._since,
            start=self._since,
            stop=now,
            user_properties=[(COUNTS, dict(self._counts))],
        )
        self.__init__()  # type: ignore[misc]
        return report


_TALLY = pytest.StashKey[_Tally]()


def _tally(config: pytest.Config) -> _Tally:
    return config.stash.setdefault(_TALLY, _Tally())
