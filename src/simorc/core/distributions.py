"""Pure: quantiles of the distributions that confidence intervals need.

`simorc run` decides between rounds whether an interval is narrow enough, and has no time to import scipy for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

_TINY = 1e-300
_CLOSE = 1e-15
_MOST_TERMS = 100_000


def beta_quantile(p: float, a: float, b: float) -> float:
    """The value below which a share `p` of a beta distribution lies; `a` and `b` above 0, 0 <= p <= 1.

    >>> round(beta_quantile(0.5, 2.0, 2.0), 6)
    0.5
    """
    return _solve(lambda x: incomplete_beta(x, a, b), p, 0.0, 1.0)


def student_t_quantile(p: float, freedom: float) -> float:
    """The value below which a share `p` of Student's t distribution lies; degrees of freedom above 0, 0 < p < 1.

    Through the beta distribution: `I_x(freedom/2, 1/2)` with `x = freedom / (freedom + t**2)` is the share of both
    tails together (Abramowitz and Stegun 26.7.1).

    >>> round(student_t_quantile(0.975, 10), 3)
    2.228
    """
    if p == 0.5:
        return 0.0
    # Solved for 1 - x, which a t near 0 leaves exact.
    rest = beta_quantile(1.0 - 2.0 * min(p, 1.0 - p), 0.5, freedom / 2.0)
    return math.copysign(math.sqrt(freedom * rest / (1.0 - rest)), p - 0.5)


def chi_square_quantile(p: float, freedom: float) -> float:
    """The value below which a share `p` of a chi-square distribution lies; degrees of freedom above 0, 0 < p < 1.

    >>> round(chi_square_quantile(0.95, 3), 3)
    7.815
    """
    high = freedom + 10.0
    while incomplete_gamma(freedom / 2.0, high / 2.0) < p:
        high *= 2.0
    return _solve(lambda x: incomplete_gamma(freedom / 2.0, x / 2.0), p, 0.0, high)


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), 0 <= x <= 1.

    Continued fraction DLMF 8.17.22, which converges fast below the mean; above it by I_x(a, b) = 1 - I_1-x(b, a).
    """
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - incomplete_beta(1.0 - x, b, a)

    def term(n: int) -> float:
        m = n // 2
        if n % 2:
            return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))

    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / a / _continued_fraction(term, lambda n: 1.0)


def incomplete_gamma(a: float, x: float) -> float:
    """The regularised lower incomplete gamma function P(a, x), a above 0.

    Power series DLMF 8.7.1 below the mean, continued fraction DLMF 8.9.2 above it.
    """
    if x <= 0.0:
        return 0.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x > a + 1.0:
        return 1.0 - front / _continued_fraction(lambda n: n * (a - n), lambda n: x - a + 1.0 + 2.0 * n)
    term = total = 1.0 / a
    denominator = a
    while term > total * _CLOSE:
        denominator += 1.0
        term *= x / denominator
        total += term
    return total * front


def _continued_fraction(numerator: Callable[[int], float], denominator: Callable[[int], float]) -> float:
    """b(0) + a(1) / (b(1) + a(2) / (b(2) + …)) by the modified Lentz method (DLMF 3.10(iii))."""
    value = denominator(0) or _TINY
    above, below, factor, n = value, 0.0, 0.0, 0
    while abs(factor - 1.0) >= _CLOSE and n < _MOST_TERMS:
        n += 1
        below = 1.0 / ((denominator(n) + numerator(n) * below) or _TINY)
        above = (denominator(n) + numerator(n) / above) or _TINY
        factor = above * below
        value *= factor
    return value


def _solve(rising: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    """Where a rising function reaches a value, by halving the interval."""
    while high - low > _CLOSE * high:
        middle = (low + high) / 2.0
        if rising(middle) < wanted:
            low = middle
        else:
            high = middle
    return high
