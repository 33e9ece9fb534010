"""Pure: when a Monte Carlo run has samples enough, decided so that the intervals stay what they say (ADR 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from simorc.core.run_statistics import ALL_LIMITS, GroupStatistics
from simorc.core.statistics import CONFIDENCE, mean_interval, sigma_interval
from simorc.core.units import value_to_text

LEAST_SAMPLES = 25
"""Samples of the first round, at least."""


class StopRule(Struct, frozen=True):
    """How precise a run wants its samples; whatever is given has to be met in every group.

    Parameters
    ----------
    yield_ci: half the width of the yield's interval, as a share: 0.02 is 2 percentage points to either side
    mean: half the width of the interval of each measure's mean, in parts of that mean
    sigma: the longer side of the interval of each measure's standard deviation, in parts of it; never met by values
        that are not normal, for which there is no such interval
    of: the measures whose mean and sigma count; empty for all
    """

    yield_ci: float | None = None
    mean: float | None = None
    sigma: float | None = None
    of: tuple[str, ...] = ()


class Precision(Struct, frozen=True):
    """How far one interval is from what is wanted of it; both as shares. `reached` is None where there is none yet."""

    what: str
    wanted: float
    reached: float | None

    @property
    def is_met(self) -> bool:
        """Whether the interval is narrow enough."""
        return self.reached is not None and self.reached <= self.wanted

    def __str__(self) -> str:
        reached = "not known yet" if self.reached is None else f"±{100 * self.reached:.3g} %"
        return f"{self.what} {reached}, wanted ±{100 * self.wanted:.3g} %"


def rounds(samples: int) -> tuple[int, ...]:
    """Samples that each point has after each round: every round doubles them, the last one has all.

    >>> rounds(1000), rounds(200), rounds(49)
    ((32, 63, 125, 250, 500, 1000), (25, 50, 100, 200), (49,))
    """
    sizes = [samples]
    while sizes[0] >= 2 * LEAST_SAMPLES:
        sizes.insert(0, (sizes[0] + 1) // 2)
    return tuple(sizes)


def confidence(rule: StopRule | None, samples: int) -> float:
    """The confidence that one look at the intervals needs so that all looks together have 95 %.

    With a rule there are as many looks as rounds, whether they take place or not: each may be wrong with an equal part
    of the 5 % (Bonferroni), so that the interval holds whichever look ends the run.

    >>> confidence(None, 1000), round(confidence(StopRule(yield_ci=0.02), 1000), 5)
    (0.95, 0.99167)
    """
    looks = 1 if rule is None else len(rounds(samples))
    return 1.0 - (1.0 - CONFIDENCE) / looks


def farthest(rule: StopRule, rows: Sequence[GroupStatistics], confidence: float) -> Precision | None:
    """Of all that the rule asks for what is farthest from being met, relative to what is wanted; None without any.

    Parameters
    ----------
    rows: the statistics of the samples so far, whose yields have the same confidence
    """
    found = list(_precisions(rule, rows, confidence))
    return max(found, key=lambda p: float("inf") if p.reached is None else p.reached / p.wanted, default=None)


def _precisions(rule: StopRule, rows: Sequence[GroupStatistics], confidence: float) -> Iterator[Precision]:
    for row in rows:
        place = ", ".join(f"{name}={value_to_text(value)}" for name, value in row.group.items())
        where = f" at {place}" if place else ""
        if row.measure == ALL_LIMITS:
            if rule.yield_ci is not None:
                half = None if row.in_spec is None else row.in_spec.interval.half_width
                yield Precision(f"yield{where}", rule.yield_ci, half)
        elif not rule.of or row.measure in rule.of:
            for name, wanted, reached in (("mean", rule.mean, _of_mean), ("sigma", rule.sigma, _of_sigma)):
                if wanted is not None:
                    odd = " (not normal)" if name == "sigma" and row.found.is_normal is False else ""
                    yield Precision(f"{name} of {row.measure}{odd}{where}", wanted, reached(row, confidence))


def _of_mean(row: GroupStatistics, confidence: float) -> float | None:
    n, mean, sigma = row.found.n, row.found.mean, row.found.sigma
    if mean is None or sigma is None:
        return None
    if sigma == 0.0:
        return 0.0
    half = mean_interval(n, mean, sigma, confidence).half_width
    return half / abs(mean) if mean else None


def _of_sigma(row: GroupStatistics, confidence: float) -> float | None:
    n, sigma = row.found.n, row.found.sigma
    if sigma is None:
        return None
    if sigma == 0.0:
        return 0.0
    if row.found.is_normal is False:  # chi-square's interval misses the sigma of skewed values far too often
        return None
    interval = sigma_interval(n, 1.0, confidence)
    return max(interval.high - 1.0, 1.0 - interval.low)
