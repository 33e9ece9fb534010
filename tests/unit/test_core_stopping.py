"""The rule that ends a Monte Carlo run early, and that looking several times does not make its intervals untrue."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from simorc.core.run_statistics import ALL_LIMITS, GroupStatistics
from simorc.core.spec import Spec
from simorc.core.statistics import CONFIDENCE, Statistics, describe, sigma_interval, yield_of
from simorc.core.stopping import StopRule, confidence, farthest, rounds

TRUE_YIELD = 0.9


def row(
    measure: str = "vos",
    n: int = 100,
    mean: float | None = 2.0,
    sigma: float | None = 0.1,
    normality: float | None = None,
    **more: object,
) -> GroupStatistics:
    found = Statistics(n, mean=mean, sigma=sigma, normality=normality)
    fields = {"group": {"temp": 27}, "in_spec": None} | more
    return GroupStatistics(
        measure, "V", spec=Spec(), found=found, n_missing=0, n_pending=0, margin=None, relative_margin=None, **fields
    )  # type: ignore[arg-type]


def test_rounds_double_and_end_with_all_samples() -> None:
    for samples in (1, 49, 50, 51, 1_000, 99_999):
        sizes = rounds(samples)
        assert sizes[-1] == samples
        assert all(small == math.ceil(large / 2) for small, large in pairwise(sizes))
        assert len(sizes) == 1 or 25 <= sizes[0] < 50


def test_the_precision_of_a_mean_is_relative_to_it() -> None:
    # 95 % of 100 values: t = 1.9842; 1.9842 * 0.1 / 10 / 2.0 = 0.992 %.
    (precision,) = [farthest(StopRule(mean=0.01), [row()], 0.95)]
    assert precision is not None
    assert precision.reached == pytest.approx(0.00992, rel=1e-3)
    assert precision.is_met
    assert str(precision) == "mean of vos at temp=27 ±0.992 %, wanted ±1 %"
    assert farthest(StopRule(mean=0.01), [row()], 0.99).is_met is False  # type: ignore[union-attr]


def test_a_negative_mean_is_known_no_better_than_a_positive_one() -> None:
    found = [farthest(StopRule(mean=0.005), [row(mean=mean)], 0.95) for mean in (2.0, -2.0)]
    assert found[0] == found[1]
    assert found[1] is not None
    assert not found[1].is_met


def test_the_longer_side_of_the_interval_of_sigma_counts() -> None:
    # chi-square of 9: 2.7004 is exceeded by 97.5 %; sqrt(9 / 2.7004) - 1 = 82.6 %, the lower side is 31.2 %.
    found = farthest(StopRule(sigma=0.8), [row(n=10)], 0.95)
    assert found is not None
    assert found.reached == pytest.approx(0.8256, abs=1e-4)
    assert not found.is_met


def test_what_is_farthest_from_being_met_decides() -> None:
    low, high = yield_of(98, 100), yield_of(60, 100)
    rows = [
        row(ALL_LIMITS, in_spec=low),
        row(ALL_LIMITS, in_spec=high, group={"temp": 85}),
        row(),
        row("gain", sigma=1.0),
    ]
    rule = StopRule(yield_ci=0.05, mean=0.05, sigma=0.3)
    found = farthest(rule, rows, 0.95)
    assert found is not None
    assert found.what == "yield at temp=85"
    assert found.reached == pytest.approx(high.interval.half_width)  # type: ignore[union-attr]
    only = farthest(StopRule(mean=0.05, of=("vos",)), rows, 0.95)
    assert only is not None
    assert only.what == "mean of vos at temp=27"


@pytest.mark.parametrize(
    ("rule", "given"),
    [
        (StopRule(mean=0.5), row(mean=None, sigma=None, n=0)),
        (StopRule(mean=0.5), row(sigma=None, n=1)),
        (StopRule(mean=0.5), row(mean=0.0)),
        (StopRule(sigma=0.5), row(sigma=None, n=1)),
        (StopRule(sigma=0.5), row(normality=0.001)),
        (StopRule(yield_ci=0.5), row(ALL_LIMITS)),
    ],
)
def test_what_is_not_known_is_not_met(rule: StopRule, given: GroupStatistics) -> None:
    found = farthest(rule, [row("gain"), given], 0.95)
    assert found is not None
    assert not found.is_met
    assert "not known yet" in str(found)


def test_what_keeps_a_sigma_from_being_known_is_told() -> None:
    told = str(farthest(StopRule(sigma=0.1), [row(normality=0.001)], 0.95))
    assert told == "sigma of vos (not normal) at temp=27 not known yet, wanted ±10 %"


def test_values_that_are_all_the_same_are_known() -> None:
    found = farthest(StopRule(mean=0.01, sigma=0.01), [row(sigma=0.0)], 0.95)
    assert found is not None
    assert found.reached == 0.0


def test_nothing_asked_for_is_none() -> None:
    assert farthest(StopRule(mean=0.1, of=("gain",)), [row()], 0.95) is None
    assert farthest(StopRule(yield_ci=0.1), [row()], 0.95) is None


def test_the_interval_of_a_sigma_is_one_of_normal_values_alone() -> None:
    """Why values that are not normal never meet the rule: theirs would miss far more often than it says."""
    random = np.random.default_rng(3)

    def held(values: np.ndarray) -> float:
        intervals = [sigma_interval(values.shape[1], float(one.std(ddof=1))) for one in values]
        return sum(interval.low <= 1.0 <= interval.high for interval in intervals) / len(intervals)

    assert held(random.standard_normal((400, 100))) == pytest.approx(CONFIDENCE, abs=0.03)
    skewed = random.standard_exponential((400, 100))
    assert held(skewed) < 0.8
    assert sum(describe(one).is_normal is False for one in skewed) > 390


def test_the_interval_holds_the_true_yield_whatever_look_ends_the_run() -> None:
    """The worst rule that there can be stops as soon as the interval misses the truth; 4,000 runs of 1,600 samples."""
    sizes = rounds(1_600)
    steps = np.diff([0, *sizes])
    passed = np.random.default_rng(5).binomial(steps, TRUE_YIELD, size=(4_000, len(steps))).cumsum(axis=1)

    def ever_missed(level: float) -> float:
        missed = [any(_misses(int(k), n, level) for k, n in zip(run, sizes, strict=True)) for run in passed]
        return sum(missed) / len(missed)

    assert ever_missed(confidence(StopRule(yield_ci=0.01), 1_600)) <= 1 - CONFIDENCE
    assert ever_missed(CONFIDENCE) > 2 * (1 - CONFIDENCE)  # without the correction it is wrong far too often


def _misses(passed: int, judged: int, level: float) -> bool:
    found = yield_of(passed, judged, level)
    return found is None or not found.interval.low <= TRUE_YIELD <= found.interval.high
