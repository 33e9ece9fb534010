"""Pure: the verdict over a whole run."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from simorc.core.aggregates import AggregateResult
from simorc.core.record import Status, Tally
from simorc.core.spec import Verdict


class RunVerdict(StrEnum):
    """What summary and report say first. `done`: everything ran and nothing has limits."""

    PASS = "pass"
    FAIL = "fail"
    INCOMPLETE = "incomplete"
    DONE = "done"


def run_verdict(tally: Tally, aggregates: Collection[AggregateResult]) -> RunVerdict:
    """Anything out of spec or failed fails a run; else what neither ran nor was spared leaves it incomplete."""
    verdicts = {result.verdict for result in aggregates}
    if tally.out_of_spec or tally[Status.FAILED] or Verdict.FAIL in verdicts:
        return RunVerdict.FAIL
    if not tally.total or tally[Status.COMPLETED] < tally.total - tally.spared:
        return RunVerdict.INCOMPLETE
    return RunVerdict.PASS if tally.in_spec or Verdict.PASS in verdicts else RunVerdict.DONE
