"""Statistics by measure and group, from records, with numbers worked by hand."""

from __future__ import annotations

import math

import pytest
from statsmodels.stats.proportion import proportion_confint

from simorc.core.case import Case
from simorc.core.measurement import Measure, Outcome, judge
from simorc.core.record import CaseRecord, Status, measures_found
from simorc.core.run_statistics import (
    ALL_LIMITS,
    GroupStatistics,
    group_names,
    run_statistics,
    yields_lowest_first,
)
from simorc.core.spec import Spec
from simorc.core.sweep import Axis, Sweep, monte_carlo_axis

VOUT = Measure("vout", "V", Spec(3.2, 3.3, 3.4), {"ff": Spec(3.2, 3.3, 3.35)})
IQ = Measure("iq", "A", Spec(max=1e-4))
CORNERS = Axis(("corner",), (("tt",), ("ff",)))
SWEEP = Sweep("mc", (CORNERS, monte_carlo_axis(4, 1)), {"corner": "tt"})
VALUES = (3.28, 3.30, 3.32, 3.42, 3.30, 3.34, None, 3.36)
"""Of vout: corner tt, samples 0 to 3, one above 3.4; corner ff, one not evaluated, one above 3.35."""


def record(case: Case, vout: float | None, iq: float = 5e-5) -> CaseRecord:
    outcome = Outcome.FAILED if vout is None else Outcome.VALUE
    found = (judge(VOUT, case, vout, outcome), judge(IQ, case, iq, Outcome.VALUE))
    return CaseRecord(case.case_id, Status.COMPLETED, measurements=found)


def statistics(sweep: Sweep = SWEEP, **changed: CaseRecord | None) -> dict[tuple[object, ...], GroupStatistics]:
    cases = list(sweep.cases())
    records = {c.case_id: record(c, v) for c, v in zip(cases, VALUES, strict=False)}
    for name, new in changed.items():
        records.pop(int(name[1:]))
        records |= {new.case_id: new} if new is not None else {}
    rows = run_statistics(sweep, (VOUT, IQ), cases, records)
    return {(row.measure, *row.group.values()): row for row in rows}


@pytest.mark.req("SIM-16")
def test_each_group_of_samples_has_its_own_statistics() -> None:
    found = statistics()
    assert list(found) == [
        (ALL_LIMITS, "tt"), (ALL_LIMITS, "ff"), ("vout", "tt"), ("vout", "ff"), ("iq", "tt"), ("iq", "ff"),
    ]  # fmt: skip
    tt = found["vout", "tt"]
    assert tt.found.n == 4
    assert (tt.found.minimum, tt.found.maximum) == (3.28, 3.42)
    assert tt.found.mean == pytest.approx(3.33)
    assert tt.found.median == pytest.approx(3.31)
    sigma = math.sqrt((0.05**2 + 0.03**2 + 0.01**2 + 0.09**2) / 3)
    assert tt.found.sigma == pytest.approx(sigma)
    assert tt.found.cp == pytest.approx(0.2 / 6 / sigma)
    assert tt.found.cpk == pytest.approx(0.07 / 3 / sigma)
    assert tt.margin == pytest.approx(-0.02)
    assert tt.relative_margin == pytest.approx(-0.2)
    assert found["vout", "ff"].spec == Spec(3.2, None, 3.35)  # the corner's own limits


def test_the_yield_counts_samples_that_meet_every_limit() -> None:
    found = statistics(_0=record(next(SWEEP.cases()), 3.28, iq=2e-4))
    tt, ff = found[ALL_LIMITS, "tt"].in_spec, found[ALL_LIMITS, "ff"].in_spec
    assert tt is not None
    assert ff is not None
    assert (tt.passed, tt.judged) == (2, 4)  # sample 0 by iq, sample 3 by vout
    assert (ff.passed, ff.judged) == (2, 4)  # one not evaluated, one too high
    assert (tt.interval.low, tt.interval.high) == pytest.approx(proportion_confint(2, 4, method="beta"))
    assert found["iq", "tt"].in_spec.passed == 3  # type: ignore[union-attr]


def test_a_case_that_failed_or_has_not_run_is_counted_apart() -> None:
    found = statistics(_0=CaseRecord(0, Status.FAILED), _1=None, _2=CaseRecord(2, Status.IN_PROGRESS))
    tt = found["vout", "tt"]
    assert (tt.found.n, tt.n_missing, tt.n_pending) == (1, 1, 2)
    assert (found["vout", "ff"].found.n, found["vout", "ff"].n_missing) == (3, 1)
    everything = found[ALL_LIMITS, "tt"]
    assert (everything.n_missing, everything.n_pending) == (1, 2)
    assert everything.in_spec is not None
    assert everything.in_spec.judged == 1


TEMPS = Axis(("temp",), ((-40,), (27,), (85,), (125,)))


@pytest.mark.req("SIM-16")
def test_a_grid_has_statistics_over_all_and_by_corner_and_no_capability() -> None:
    found = statistics(Sweep("grid", (CORNERS, TEMPS), {"corner": "tt"}))
    assert list(found) == [
        ("vout",), ("vout", "tt"), ("vout", "ff"), ("iq",), ("iq", "tt"), ("iq", "ff"),
    ]  # fmt: skip
    iq = found["iq",]
    assert (iq.found.n, iq.found.mean, iq.found.cpk, iq.in_spec) == (8, pytest.approx(5e-5), None, None)
    assert iq.margin == pytest.approx(5e-5)
    tt, ff = found["vout", "tt"], found["vout", "ff"]
    assert (tt.found.n, tt.found.median, tt.found.maximum) == (4, pytest.approx(3.31), 3.42)
    assert (ff.found.n, ff.n_missing, ff.spec.max) == (3, 1, 3.35)
    sigma = math.sqrt((0.05**2 + 0.03**2 + 0.01**2 + 0.09**2) / 3)
    assert tt.found.sigma_to_limit == pytest.approx(0.07 / sigma)  # the mean of 3.33 V to 3.4 V
    assert (tt.found.cp, tt.found.cpk, tt.in_spec) == (None, None, None)


NAMED = Axis(("corner_name", "corner", "temp"), (("hot", "ff", 125), ("cold", "ss", -40)))
FLAVOURS = Axis(("flavour", "vin"), (("lvt", 1.2), ("hvt", 1.8)))


@pytest.mark.parametrize(
    ("axes", "by", "names"),
    [
        ((NAMED, Axis(("vin",), ((4,), (5,)))), None, ("corner_name",)),
        ((FLAVOURS, TEMPS), None, ("flavour",)),
        ((CORNERS, FLAVOURS, TEMPS), None, ("corner", "flavour")),
        ((CORNERS, FLAVOURS), None, ()),  # each group would be one case
        ((CORNERS, Axis(("temp",), ((27,),))), None, ()),
        ((Axis(("vin",), ((4,), (5,))), TEMPS), None, ()),
        ((CORNERS, TEMPS), ("temp",), ("temp",)),
        ((CORNERS, TEMPS), (), ()),
        ((CORNERS, monte_carlo_axis(4, 1)), None, ("corner",)),
    ],
)
def test_texts_or_what_is_asked_for_make_the_groups(
    axes: tuple[Axis, ...], by: tuple[str, ...] | None, names: tuple[str, ...]
) -> None:
    assert group_names(Sweep("s", axes, {}, statistics_by=by)) == names


def test_nothing_ran() -> None:
    rows = run_statistics(SWEEP, (VOUT,), list(SWEEP.cases()), {})
    assert [(row.found.n, row.n_pending, row.in_spec, row.margin) for row in rows] == [(0, 4, None, None)] * 4


def test_measures_that_a_hook_added_come_after_those_asked_for() -> None:
    (case, *_) = SWEEP.cases()
    found = measures_found((IQ,), [record(case, 3.3), record(case, 3.31)])
    assert [(m.name, m.spec) for m in found] == [("iq", IQ.spec), ("vout", Spec(3.2, None, 3.4))]


def test_the_lowest_yield_comes_first() -> None:
    bare = Measure("gain", "dB")
    rows = list(statistics(_4=record(list(SWEEP.cases())[4], 3.5)).values())
    assert [(row.group["corner"], str(row.in_spec)) for row in yields_lowest_first(rows)] == [
        ("ff", "25 % (0.6 to 80.6 %)"),
        ("tt", "75 % (19.4 to 99.4 %)"),
    ]
    unjudged = run_statistics(SWEEP, (bare,), list(SWEEP.cases()), {0: CaseRecord(0, Status.COMPLETED)})
    assert yields_lowest_first(unjudged) == []
