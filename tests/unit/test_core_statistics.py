"""Statistics against scipy and statsmodels, published worked examples, and numbers worked by hand."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from simorc.core.distributions import (
    beta_quantile,
    chi_square_quantile,
    incomplete_beta,
    incomplete_gamma,
    student_t_quantile,
)
from simorc.core.spec import Spec
from simorc.core.statistics import describe, mean_interval, normality, sigma_interval, yield_of

PROBABILITIES = (1e-6, 0.0025, 0.025, 0.5, 0.9, 0.975, 0.999999)
SIZES = (0.5, 1, 2, 7, 60, 1_000, 250_000)


@pytest.mark.parametrize("a", SIZES)
@pytest.mark.parametrize("b", SIZES)
def test_the_beta_distribution_is_that_of_scipy(a: float, b: float) -> None:
    for p in PROBABILITIES:
        x = beta_quantile(p, a, b)
        assert incomplete_beta(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), rel=1e-7, abs=1e-12)
        assert x == pytest.approx(stats.beta.ppf(p, a, b), rel=1e-7)


@pytest.mark.parametrize("freedom", [1, 2, 3, 10, 99, 10_000, 1_000_000])
def test_students_t_and_chi_square_are_those_of_scipy(freedom: int) -> None:
    for p in PROBABILITIES:
        assert student_t_quantile(p, freedom) == pytest.approx(stats.t.ppf(p, freedom), rel=1e-5, abs=1e-12)
        assert chi_square_quantile(p, freedom) == pytest.approx(stats.chi2.ppf(p, freedom), rel=1e-6)


def test_the_ends_of_the_distributions() -> None:
    assert incomplete_beta(-0.1, 2, 3) == 0.0
    assert incomplete_beta(1.0, 2, 3) == 1.0
    assert incomplete_gamma(2.0, 0.0) == 0.0
    assert incomplete_gamma(3.0, 40.0) == pytest.approx(stats.gamma.cdf(40.0, 3.0), rel=1e-12)


@given(n=st.integers(1, 5_000), share=st.floats(0, 1), confidence=st.sampled_from([0.8, 0.95, 0.99167, 0.999]))
@settings(max_examples=80, deadline=None)
def test_the_yield_interval_is_that_of_statsmodels(n: int, share: float, confidence: float) -> None:
    passed = round(n * share)
    found = yield_of(passed, n, confidence)
    assert found is not None
    expected = proportion_confint(passed, n, alpha=1 - confidence, method="beta")
    assert (found.interval.low, found.interval.high) == pytest.approx(expected, rel=1e-7, abs=1e-12)
    assert found.interval.low <= found.share <= found.interval.high


@pytest.mark.parametrize("true_yield", [0.5, 0.9, 0.99, 0.999])
def test_the_yield_interval_holds_the_true_yield_as_often_as_it_says(true_yield: float) -> None:
    for n in (25, 120):
        chance = stats.binom.pmf(range(n + 1), n, true_yield)
        held = [
            found.interval.low <= true_yield <= found.interval.high for k in range(n + 1) if (found := yield_of(k, n))
        ]
        assert float(np.dot(chance, held)) >= 0.95


def test_a_yield_of_nothing_is_none() -> None:
    assert yield_of(0, 0) is None


@pytest.mark.parametrize("n", [2, 5, 30, 2_000])
def test_intervals_of_mean_and_sigma_are_those_of_statsmodels_and_scipy(n: int) -> None:
    x = np.random.default_rng(n).normal(1.2, 3e-3, n)
    mean, sigma = float(x.mean()), float(x.std(ddof=1))
    expected = DescrStatsW(x).tconfint_mean(alpha=0.01)
    interval = mean_interval(n, mean, sigma, 0.99)
    assert (interval.low, interval.high) == pytest.approx(expected, rel=1e-9)
    low, high = (sigma * math.sqrt((n - 1) / stats.chi2.ppf(p, n - 1)) for p in (0.975, 0.025))
    found = sigma_interval(n, sigma)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-7)


def test_capability_as_in_the_nist_handbook() -> None:
    # NIST/SEMATECH e-Handbook 7.1.6: USL 20, LSL 8, mean 16, sigma 2: Cp 1.0, Cpk 0.6667.
    x = 16.0 + 2.0 * np.array([-1.0, 0.0, 1.0])  # sample sigma is 2
    found = describe(x, Spec(min=8.0, max=20.0))
    assert (found.sigma, found.cp, found.cpk) == pytest.approx((2.0, 1.0, 2 / 3))
    assert found.sigma_to_limit == pytest.approx(2.0)


def test_one_limit_gives_no_cp_and_a_mean_outside_a_negative_cpk() -> None:
    found = describe([4.0, 5.0, 6.0], Spec(max=3.5))
    assert found.cp is None
    assert found.cpk == pytest.approx(-0.5)


def test_what_cannot_be_said_is_none() -> None:
    assert describe([]) == describe([math.nan, math.inf])
    assert describe([]).n == 0
    assert describe([]).mean is None
    single = describe([1.0], Spec(min=0.0, max=2.0))
    assert (single.n, single.sigma, single.cp, single.cpk) == (1, None, None, None)
    same = describe([0.1] * 30, Spec(min=0.0, max=2.0))
    assert (same.mean, same.sigma, same.cpk, same.sigma_to_limit, same.normality) == (0.1, 0.0, None, None, None)
    assert same.is_normal is None
    assert describe([1.0, 2.0]).cpk is None


@given(st.lists(st.floats(-1e100, 1e100), min_size=1, max_size=60), st.sampled_from([math.nan, math.inf, -math.inf]))
@settings(max_examples=100, deadline=None)
def test_the_statistics_of_any_values_are_in_order_and_know_no_nan(values: list[float], bad: float) -> None:
    found = describe([*values, bad])
    assert found.n == len(values)
    assert found.minimum == min(values)
    assert found.maximum == max(values)
    assert found.minimum <= found.mean <= found.maximum  # type: ignore[operator]
    assert found.minimum <= found.median <= found.maximum  # type: ignore[operator]
    assert found.sigma is None or math.isfinite(found.sigma)


@pytest.mark.parametrize("n", [20, 50, 1_000])
def test_normality_is_the_test_of_scipy(n: int) -> None:
    random = np.random.default_rng(7)
    for x in (random.normal(size=n), random.exponential(size=n), random.uniform(1e-12, 2e-12, n)):
        assert normality(x) == pytest.approx(stats.normaltest(x).pvalue, rel=1e-6, abs=1e-300)


def test_a_skewed_sample_is_not_normal_and_a_normal_one_is() -> None:
    quantiles = [NormalDist().inv_cdf((k + 0.5) / 200) for k in range(200)]
    assert describe(quantiles).is_normal is True
    assert describe([math.exp(2 * q) for q in quantiles]).is_normal is False
    assert normality(quantiles[:19]) is None


@pytest.mark.parametrize(
    ("passed", "judged", "text"),
    [
        (10, 10, "100 % (69.1 to 100 %)"),  # the end is 69.15
        (0, 10, "0 % (0 to 30.9 %)"),  # 30.85
        (99_999, 100_000, "99.999 % (99.994 to 99.99998 %)"),
        (1, 2, "50 % (1.2 to 98.8 %)"),
    ],
)
def test_a_yield_is_never_rounded_to_what_it_is_not(passed: int, judged: int, text: str) -> None:
    assert str(yield_of(passed, judged)) == text
