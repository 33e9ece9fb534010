"""Pure: limits and the verdict they give."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What limits say of a value; `none` where there are no limits."""

    PASS = "pass"
    FAIL = "fail"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Spec:
    """Limits in the measure's unit; any of the three may be absent. `typ` judges nothing.

    >>> Spec(min=1.0, max=4.0).judge(3.5)
    (<Verdict.PASS: 'pass'>, 0.5)
    """

    min: float | None = None
    typ: float | None = None
    max: float | None = None

    @property
    def has_limits(self) -> bool:
        """Whether a value can be out of this spec at all."""
        return self.min is not None or self.max is not None

    def judge(self, value: float | None) -> tuple[Verdict, float | None]:
        """Verdict and margin of a value, both limits inclusive.

        The margin is the distance to the nearer limit in the measure's unit, negative outside. A value that is
        absent (None, or not a number) is out of any limits and has no margin.
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
        margin = min(distances) + 0.0  # never -0.0
        return (Verdict.PASS if margin >= 0 else Verdict.FAIL), margin


def worst(verdicts: list[Verdict]) -> Verdict:
    """The verdict of several together: fail before pass before none."""
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    return Verdict.PASS if Verdict.PASS in verdicts else Verdict.NONE
