"""Pure: what drives a measure: main effects of the axes, two-way interactions, shares of the variance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from simorc.core.case import Case
from simorc.core.sweep import SAMPLE_COLUMNS, Sweep
from simorc.core.units import Value, value_to_text

Names = tuple[str, ...]
_Array = npt.NDArray[np.float64]
_Codes = npt.NDArray[np.int64]


class Effect(Struct, frozen=True):
    """The main effect of one axis, or the interaction of two.

    Parameters
    ----------
    axes: the names that vary together, of each axis
    share: of the measure's variance over the cases, from 0 to 1
    span: of a main effect the difference of the highest and the lowest mean over a level, in the measure's unit
    lowest, highest: the levels of these two means; empty where they are the same
    """

    axes: tuple[Names, ...]
    share: float
    span: float | None = None
    lowest: tuple[Value, ...] = ()
    highest: tuple[Value, ...] = ()


class Sensitivity(Struct, frozen=True):
    """What drives one measure; `effects` and `interactions` stand with the largest share first.

    Parameters
    ----------
    n: values that it is computed from
    rest: the share of what three axes or more do only together
    is_complete: whether every combination of levels has a value; where not, shares overlap and are approximate
    """

    measure: str
    unit: str
    n: int
    effects: tuple[Effect, ...]
    interactions: tuple[Effect, ...]
    rest: float
    is_complete: bool


class Factor(Struct, frozen=True):
    """An axis of the cases: for each case the number of its level, and what the levels are."""

    names: Names
    codes: _Codes
    levels: tuple[tuple[Value, ...], ...]


def factors(sweep: Sweep, cases: Sequence[Case]) -> list[Factor]:
    """The axes that have two levels or more among the cases; of Monte Carlo samples the number alone is named."""
    found = []
    for axis in sweep.axes:
        names = SAMPLE_COLUMNS[:1] if axis.names == SAMPLE_COLUMNS else axis.names
        levels: dict[tuple[str, ...], int] = {}
        values: list[tuple[Value, ...]] = []
        codes = np.empty(len(cases), dtype=np.int64)
        for position, case in enumerate(cases):
            row = tuple(case.parameters[name] for name in names)
            code = levels.setdefault(tuple(map(value_to_text, row)), len(levels))
            if code == len(values):
                values.append(row)
            codes[position] = code
        if len(values) > 1:
            found.append(Factor(names, codes, tuple(values)))
    return found


def sensitivity(measure: str, unit: str, axes: Sequence[Factor], values: Sequence[float | None]) -> Sensitivity | None:
    """The decomposition of one measure's variance over the cases of `factors`.

    On a complete grid this is the functional analysis of variance: the share of an axis is the variance of the means
    over its levels, that of two axes the variance of the means over their cells less both main effects (Sobol 1993;
    NIST/SEMATECH e-Handbook 7.4.3.7). The shares add up to 1. None where fewer than two values are there, nothing is
    varied, or the values are all the same.

    Parameters
    ----------
    values: a value for each case in the measure's unit, None where there is none
    """
    x = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    there = np.isfinite(x)
    y = x[there]
    if not axes or len(y) < 2 or y.min() == y.max():
        return None
    y = (y - y.mean()) / (y.max() - y.min())  # scaled, so that no square of it vanishes
    total = float((y**2).sum())
    codes = {axis.names: axis.codes[there] for axis in axes}
    mains = [_main(axis, codes[axis.names], x[there], y, total) for axis in axes]
    shares = {effect.axes[0]: effect.share for effect in mains}
    pairs = [
        Effect((a.names, b.names), max(joint - shares[a.names] - shares[b.names], 0.0))
        for a, b in combinations(axes, 2)
        for joint in [_share(codes[a.names] * len(b.levels) + codes[b.names], y, total)]
    ]
    explained = sum(effect.share for effect in [*mains, *pairs])
    cells = np.prod([len(np.unique(codes[axis.names])) for axis in axes])
    return Sensitivity(
        measure, unit, len(y), _sorted(mains), _sorted(pairs), max(1.0 - explained, 0.0), len(y) == cells
    )


def _main(axis: Factor, codes: _Codes, x: _Array, y: _Array, total: float) -> Effect:
    present, inverse = np.unique(codes, return_inverse=True)
    means = np.bincount(inverse, x) / np.bincount(inverse)
    low, high = int(means.argmin()), int(means.argmax())
    span = float(means[high] - means[low])
    lowest, highest = (axis.levels[present[low]], axis.levels[present[high]]) if span else ((), ())
    return Effect((axis.names,), _share(codes, y, total), span, lowest, highest)


def _share(codes: _Codes, y: _Array, total: float) -> float:
    """How much of the variance the means over the levels have; `y` is centred."""
    _, inverse = np.unique(codes, return_inverse=True)
    sums, counts = np.bincount(inverse, y), np.bincount(inverse)
    return min(float((sums**2 / counts).sum()) / total, 1.0)


def _sorted(effects: Sequence[Effect]) -> tuple[Effect, ...]:
    return tuple(sorted(effects, key=lambda effect: -effect.share))
