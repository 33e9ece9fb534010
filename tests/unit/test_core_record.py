"""The outcome of a case, and counts of them."""

from __future__ import annotations

import pytest

from simorc.core.measurement import Measure, Measurement
from simorc.core.plan import Plan
from simorc.core.record import CaseRecord, Status, Tally
from simorc.core.spec import Verdict
from simorc.core.sweep import Sweep

FAIL, PASS = Measurement("a", 1.0, verdict=Verdict.FAIL), Measurement("b", 2.0, verdict=Verdict.PASS)


def test_out_of_spec_is_not_failed_and_a_failed_case_has_no_verdict() -> None:
    assert CaseRecord(0, Status.COMPLETED, measurements=(PASS, FAIL)).verdict is Verdict.FAIL
    assert CaseRecord(0, Status.COMPLETED, measurements=(PASS,)).verdict is Verdict.PASS
    assert CaseRecord(0, Status.FAILED, measurements=(FAIL,)).verdict is Verdict.NONE


def test_values_are_found_by_name() -> None:
    record = CaseRecord(0, Status.COMPLETED, measurements=(PASS, FAIL))
    assert (record.value("a"), record.value("b"), record.value("c")) == (1.0, 2.0, None)


@pytest.mark.req("SIM-17")
def test_a_tally_counts_cases_without_a_record_as_pending() -> None:
    records = [
        CaseRecord(0, Status.COMPLETED, measurements=(FAIL,)),
        CaseRecord(1, Status.COMPLETED, measurements=(PASS,)),
        CaseRecord(2, Status.FAILED, measurements=(FAIL,)),
        CaseRecord(3, Status.PENDING),
    ]
    tally = Tally.of(10, records)
    assert {status: tally[status] for status in Status} == {
        Status.PENDING: 7,
        Status.IN_PROGRESS: 0,
        Status.COMPLETED: 2,
        Status.FAILED: 1,
    }
    assert (tally.total, tally.out_of_spec) == (10, 1)
    assert Tally(3)[Status.FAILED] == 0


def test_records_beyond_the_total_leave_nothing_negative() -> None:
    assert Tally.of(1, [CaseRecord(k, Status.COMPLETED) for k in range(3)])[Status.PENDING] == 0


def test_a_plan_knows_which_functions_its_target_needs_and_cannot_be_changed() -> None:
    on_bench = Measure("noise", source="python", targets=("bench",))
    measures = (Measure("vout"), Measure("psrr", source="python"), on_bench)
    plan = Plan(Sweep("s", (), {}), "t", "spice", "/t", "/s.yaml", "/sim_setup.yaml", measures=measures)
    assert plan.python_measures == ["psrr"]
    with pytest.raises(AttributeError):
        plan.target = "bench"  # type: ignore[misc]
