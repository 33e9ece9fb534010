"""Pure: what many values of one measure say: location, spread, capability, yield and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from simorc.core.distributions import beta_quantile, chi_square_quantile, student_t_quantile
from simorc.core.spec import Spec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

CONFIDENCE = 0.95
"""How sure an interval is, unless somebody says otherwise."""
LEAST_FOR_NORMALITY = 20
"""Values below which `normality` says nothing."""
NOT_NORMAL = 0.01
"""`normality` below which a table warns: one normal sample in a hundred is called so by chance."""


class Interval(Struct, frozen=True):
    """A confidence interval: it holds the true value with at least (`Yield`) or about its confidence."""

    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the distance of its ends."""
        return (self.high - self.low) / 2.0


class Yield(Struct, frozen=True):
    """How many of the judged samples are in spec; `interval` is that of Clopper and Pearson.

    >>> str(yield_of(198, 200)), str(yield_of(99_999, 100_000))
    ('99 % (96.4 to 99.9 %)', '99.999 % (99.994 to 99.99998 %)')
    """

    passed: int
    judged: int
    interval: Interval

    @property
    def share(self) -> float:
        """Of the judged samples, from 0 to 1."""
        return self.passed / self.judged

    @property
    def percent(self) -> tuple[str, str, str]:
        """Share and ends of the interval in per cent; none is 100 or 0 that is not, the ends are rounded outward."""
        low, high = self.interval.low, self.interval.high
        return _percent(self.share, round), _percent(low, math.floor), _percent(high, math.ceil)

    def __str__(self) -> str:
        share, low, high = self.percent
        return f"{share} % ({low} to {high} %)"


def _percent(share: float, whole: Callable[[float], int]) -> str:
    """A share in per cent, rounded by `whole`, with one decimal or as many as keep it off 0 and 100."""
    rest = 100.0 * min(share, 1.0 - share)
    if rest <= 0.0:
        return f"{100.0 * share:g}"
    places = max(1, -math.floor(math.log10(rest)))
    return f"{whole(round(100.0 * share * 10**places, 6)) / 10**places:.{places}f}".rstrip("0").rstrip(".")


class Statistics(Struct, frozen=True):
    """What the values of one measure say; all in its unit unless said otherwise. None: cannot be said.

    Parameters
    ----------
    n: values
    sigma: sample standard deviation (n - 1), from two values on
    cp: width between two limits in units of 6 sigma; cpk: distance of the mean to the nearer limit in units of 3 sigma
    sigma_to_limit: distance of the mean to the nearer limit in units of sigma, negative outside
    normality: how probable a skewness and a kurtosis so far from the normal ones are for a normal distribution
    """

    n: int
    minimum: float | None = None
    mean: float | None = None
    median: float | None = None
    maximum: float | None = None
    sigma: float | None = None
    cp: float | None = None
    cpk: float | None = None
    sigma_to_limit: float | None = None
    normality: float | None = None

    @property
    def is_normal(self) -> bool | None:
        """Whether nothing speaks against a normal distribution, which Cp, Cpk and sigmas are read by."""
        return None if self.normality is None else self.normality >= NOT_NORMAL


def describe(values: Sequence[float] | Array, spec: Spec = Spec()) -> Statistics:
    """The statistics of values against limits; what is not a finite number is left out.

    Cp = (max - min) / (6 sigma), Cpk = min(max - mean, mean - min) / (3 sigma) (ISO 22514-2, NIST/SEMATECH
    e-Handbook 7.1.6), with the sample's own sigma.

    >>> found = describe([1.0, 2.0, 3.0], Spec(min=0.0, max=5.0))
    >>> found.mean, found.sigma, found.sigma_to_limit
    (2.0, 1.0, 2.0)
    """
    x = _array(values)
    x = x[abs(x) < math.inf]
    if not len(x):
        return Statistics(0)
    low, high, mean = float(x.min()), float(x.max()), _mean(x)
    sigma = _sigma(x, mean)
    to_limit = spec.judge(mean)[1]
    spread = sigma or None  # of values that are all the same nothing is so many sigmas away
    sigmas = None if to_limit is None or spread is None else to_limit / spread
    window = None if spec.min is None or spec.max is None else spec.max - spec.min
    return Statistics(
        len(x),
        low,
        mean,
        median(x),
        high,
        sigma,
        None if window is None or spread is None else window / (6.0 * spread),
        None if sigmas is None else sigmas / 3.0,
        sigmas,
        normality(x),
    )


@lru_cache(maxsize=4096)  # of many groups of few samples most are alike
def yield_of(passed: int, judged: int, confidence: float = CONFIDENCE) -> Yield | None:
    """The yield with its Clopper-Pearson interval; None where nothing was judged.

    The interval of Clopper and Pearson (Biometrika 26, 1934) holds the true yield with at least its confidence for
    every yield and every number of samples. Those of Wilson and others are narrower, but hold it less often than they
    say near 0 and 1, where a yield usually is, and a bound that must not be missed has to be safe.

    >>> found = yield_of(10, 10)
    >>> found.share, round(found.interval.low, 4), found.interval.high
    (1.0, 0.6915, 1.0)
    """
    if not judged:
        return None
    tail = (1.0 - confidence) / 2.0
    low = beta_quantile(tail, passed, judged - passed + 1) if passed else 0.0
    high = beta_quantile(1.0 - tail, passed + 1, judged - passed) if passed < judged else 1.0
    return Yield(passed, judged, Interval(low, high))


def mean_interval(n: int, mean: float, sigma: float, confidence: float = CONFIDENCE) -> Interval:
    """The interval of the mean of `n` values, at least two, by Student's t.

    >>> interval = mean_interval(16, 10.0, 1.0)
    >>> round(interval.half_width, 3)
    0.533
    """
    half = student_t_quantile((1.0 + confidence) / 2.0, n - 1) * sigma / math.sqrt(n)
    return Interval(mean - half, mean + half)


def sigma_interval(n: int, sigma: float, confidence: float = CONFIDENCE) -> Interval:
    """The interval of the standard deviation of `n` values, at least two, by chi-square: of a normal distribution.

    >>> interval = sigma_interval(101, 1.0)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.879, 1.161)
    """
    tail = (1.0 - confidence) / 2.0
    low = sigma * math.sqrt((n - 1) / chi_square_quantile(1.0 - tail, n - 1))
    return Interval(low, sigma * math.sqrt((n - 1) / chi_square_quantile(tail, n - 1)))


def median(x: Array) -> float:
    """The middle one of finite values, at least one, or the mean of the middle two; shape (n,)."""
    low, high = (len(x) - 1) // 2, len(x) // 2
    ordered = x.copy()
    ordered.partition((low, high))
    return float(ordered[low] + ordered[high]) / 2.0


def normality(values: Sequence[float] | Array) -> float | None:
    """The p value of the K² test of D'Agostino and Pearson: from 0 to 1, small where the values are not normal.

    It looks at skewness and kurtosis together (D'Agostino, Belanger and D'Agostino, The American Statistician 44,
    1990). None below 20 values, where it does not hold, and where all values are the same.
    """
    x = _array(values)
    if len(x) < LEAST_FOR_NORMALITY or x.min() == x.max():
        return None
    deviation = (x - x.mean()) / (x.max() - x.min())  # scaled, so that no power of it vanishes
    second, third, fourth = (float((deviation**k).mean()) for k in (2, 3, 4))
    z_skewness = _z_of_skewness(third / second**1.5, len(x))
    z_kurtosis = _z_of_kurtosis(fourth / second**2, len(x))
    return math.exp(-(z_skewness**2 + z_kurtosis**2) / 2.0)


def _array(values: Sequence[float] | Array) -> Array:
    import numpy as np  # takes 0.1 s to load: whoever only plans does without

    return np.asarray(values, dtype=np.float64)


def _mean(x: Array) -> float:
    """The mean; exact where all values are the same, and never beyond the smallest and the largest."""
    return float(min(max(x.mean(), x.min()), x.max()))


def _sigma(x: Array, mean: float) -> float | None:
    if len(x) < 2:
        return None
    return 0.0 if x.min() == x.max() else float(math.sqrt(float(((x - mean) ** 2).sum()) / (len(x) - 1)))


def _z_of_skewness(skewness: float, n: int) -> float:
    """How many standard deviations a normal sample's skewness is away from 0 (D'Agostino 1970)."""
    y = skewness * math.sqrt((n + 1) * (n + 3) / (6.0 * (n - 2)))
    b2 = 3.0 * (n * n + 27 * n - 70) * (n + 1) * (n + 3) / ((n - 2.0) * (n + 5) * (n + 7) * (n + 9))
    w2 = math.sqrt(2.0 * (b2 - 1.0)) - 1.0
    return math.asinh(y / math.sqrt(2.0 / (w2 - 1.0))) / math.sqrt(math.log(w2) / 2.0)


def _z_of_kurtosis(kurtosis: float, n: int) -> float:
    """How many standard deviations a normal sample's kurtosis is away from 3 (Anscombe and Glynn 1983)."""
    mean = 3.0 * (n - 1) / (n + 1)
    variance = 24.0 * n * (n - 2) * (n - 3) / ((n + 1) ** 2 * (n + 3.0) * (n + 5))
    x = (kurtosis - mean) / math.sqrt(variance)
    root = math.sqrt(6.0 * (n + 3) * (n + 5) / (n * (n - 2.0) * (n - 3)))
    skew = 6.0 * (n * n - 5 * n + 2) / ((n + 7.0) * (n + 9)) * root
    a = 6.0 + 8.0 / skew * (2.0 / skew + math.sqrt(1.0 + 4.0 / skew**2))
    inner = (1.0 - 2.0 / a) / (1.0 + x * math.sqrt(2.0 / (a - 4.0)))
    return (1.0 - 2.0 / (9.0 * a) - math.copysign(abs(inner) ** (1.0 / 3.0), inner)) / math.sqrt(2.0 / (9.0 * a))
