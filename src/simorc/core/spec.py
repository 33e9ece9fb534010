"""Pure: limits and the verdict they give."""

from __future__ import annotations

import math
import sys
from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """What limits say of a value; `none` where there are no limits."""

    PASS = "pass"
    FAIL = "fail"
    NONE = "none"


class Spec(Struct, frozen=True):
    """Limits in the measure's unit; any of the three may be absent. `typ` judges nothing.

    `guard_band` tightens both limits by that many times the uncertainty of what is judged, so that a value that
    passes is inside for certain.

    >>> Spec(min=1.0, max=4.0).judge(3.5)
    (<Verdict.PASS: 'pass'>, 0.5)
    """

    min: float | None = None
    typ: float | None = None
    max: float | None = None
    guard_band: float = 0.0

    @property
    def has_limits(self) -> bool:
        """Whether a value can be out of this spec at all."""
        return self.min is not None or self.max is not None

    def judge(self, value: float | None, uncertainty: float = 0.0) -> tuple[Verdict, float | None]:
        """Verdict and margin of a value, both limits inclusive.

        The margin is the distance to the nearer limit in the measure's unit, less the guard band; negative outside. A
        value that is absent (None, or not a number) is out of any limits and has no margin.
        """
        if not self.has_limits:
            return Verdict.NONE, None
        if value is None or math.isnan(value):
            return Verdict.FAIL, None
        distances = []
        if self.min is not None:
            distances.append(value - self.min)
        if self.max is not None:
            distances.append(self.max - value)
        margin = min(distances) - (self.guard_band * uncertainty if self.guard_band else 0.0) + 0.0  # never -0.0
        return (Verdict.PASS if margin >= 0 else Verdict.FAIL), margin


def relative_margin(margin: float, low: float | None, high: float | None) -> float | None:
    """The margin in parts of half the window between two limits (1 is its centre), or of the one limit.

    None where the window or the one limit is 0.

    >>> relative_margin(0.5, 1.0, 3.0), relative_margin(10.0, None, 100.0), relative_margin(1.0, 0.0, None)
    (0.5, 0.1, None)
    """
    if low is not None and high is not None:
        scale = (high - low) / 2
    else:
        scale = abs(low if low is not None else high if high is not None else 0.0)
    return margin / scale if scale > 0 else None


def tightness(margin: float | None, low: float | None, high: float | None) -> float:
    """By what "worst first" sorts: the relative margin; no value comes first, a miss of a limit of 0 right after it.

    >>> sorted([0.5, -1.0, None], key=lambda margin: tightness(margin, 0.0, 2.0))
    [None, -1.0, 0.5]
    """
    if margin is None:
        return -math.inf
    relative = relative_margin(margin, low, high)
    return math.copysign(sys.float_info.max, margin) if relative is None else relative


def worst(verdicts: list[Verdict]) -> Verdict:
    """The verdict of several together: fail before pass before none."""
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    return Verdict.PASS if Verdict.PASS in verdicts else Verdict.NONE
