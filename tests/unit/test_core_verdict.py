"""The verdict over a whole run."""

from __future__ import annotations

import pytest

from simorc.core.aggregates import AggregateResult
from simorc.core.errors import ErrorKind
from simorc.core.measurement import Measurement, Outcome
from simorc.core.record import CaseRecord, Status, Tally
from simorc.core.spec import Verdict
from simorc.core.verdict import run_verdict


def record(case_id, verdict):
    return CaseRecord(case_id, Status.COMPLETED, measurements=(Measurement("y", 1.0, verdict=verdict),))


def aggregate(verdict):
    return AggregateResult("a", "y", "", {}, 1.0, "", Outcome.VALUE, verdict, None, None, None, 1, 0)


GOOD, BAD, UNJUDGED = record(0, Verdict.PASS), record(1, Verdict.FAIL), record(2, Verdict.NONE)
BROKEN = CaseRecord(3, Status.FAILED, error_kind=ErrorKind.TIMEOUT)
RUNNING = CaseRecord(4, Status.IN_PROGRESS)


@pytest.mark.parametrize(
    ("total", "records", "aggregates", "expected"),
    [
        (1, [GOOD], [], "pass"),
        (2, [GOOD, UNJUDGED], [], "pass"),
        (1, [UNJUDGED], [], "done"),
        (1, [UNJUDGED], [aggregate(Verdict.PASS)], "pass"),
        (2, [GOOD], [], "incomplete"),
        (2, [GOOD, RUNNING], [], "incomplete"),
        (0, [], [], "incomplete"),
        (5, [GOOD, BAD], [], "fail"),
        (5, [GOOD, BROKEN], [], "fail"),
        (1, [GOOD], [aggregate(Verdict.FAIL)], "fail"),
    ],
)
def test_worst_word_wins(total, records, aggregates, expected):
    assert run_verdict(Tally.of(total, records), aggregates) == expected


def test_what_was_spared_leaves_nothing_open():
    stopped = Tally.of(3, [GOOD], spared=2)
    assert (stopped.spared, stopped[Status.PENDING], run_verdict(stopped, [])) == (2, 2, "pass")
    assert run_verdict(Tally.of(3, [GOOD], spared=1), []) == "incomplete"
    assert Tally.of(2, [GOOD, BAD], spared=2).spared == 0  # it ran after all
