"""Pure: what is asked of a case, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec
from msgspec import Struct, field

from simorc.core.case import Case
from simorc.core.spec import Spec, Verdict

MEASURES_FILE = "measures.py"
"""The file in a testbench's folder that holds its measure functions."""


class Outcome(StrEnum):
    """What became of a measure. Only `value` carries a number."""

    VALUE = "value"
    FAILED = "failed"  # the simulator, or the measure function, says it could not be evaluated
    MISSING = "missing"  # never mentioned: the case is failed
    NOT_MEASURED = "not_measured"  # belongs to another target, or is optional and absent


class Measure(Struct, frozen=True):
    """What is asked for: a name, a unit, limits, and where the number comes from.

    Parameters
    ----------
    name: unique in a testbench; the simulator's `.meas` of that name, or a function in measures.py
    unit: unit of the value, its limits and its margin
    spec: limits that hold for every case
    corner_specs: limits that win in one corner; the key is the value of `corner_name`, else of `corner`
    source: `meas` (the simulator evaluates it) or `python` (a function in measures.py)
    targets: targets that measure it
    optional: whether it may be missing without failing the case
    description: one line for the report
    """

    name: str
    unit: str = ""
    spec: Spec = Spec()
    corner_specs: Mapping[str, Spec] = field(default_factory=dict)
    source: str = "meas"
    targets: tuple[str, ...] = ("spice", "bench")
    optional: bool = False
    description: str = ""

    def spec_for(self, case: Case) -> Spec:
        """The limits that hold for one case."""
        if not self.corner_specs:
            return self.spec
        return next((self.corner_specs[name] for name in case.corners if name in self.corner_specs), self.spec)


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """What came back: one measure of one case, judged.

    `value` is a finite number in `unit` when `outcome` is `value`, else None. `min`, `max` are the limits that
    were in force; `margin` is the distance to the nearer one, negative outside. `message` says why there is no
    value. `uncertainty` is the bound of the value's error, None where none is known.
    """

    name: str
    value: float | None
    unit: str = ""
    outcome: Outcome = Outcome.VALUE
    verdict: Verdict = Verdict.NONE
    min: float | None = None
    max: float | None = None
    margin: float | None = None
    message: str = ""
    uncertainty: float | None = None

    @property
    def is_marginal(self) -> bool:
        """Whether the value is inside its limits, but not by its uncertainty."""
        if self.verdict is not Verdict.PASS or self.value is None or not self.uncertainty:
            return False
        low = self.min is not None and self.value - self.min < self.uncertainty
        return low or (self.max is not None and self.max - self.value < self.uncertainty)


def judge(
    measure: Measure,
    case: Case,
    value: float | None,
    outcome: Outcome,
    message: str = "",
    uncertainty: float | None = None,
) -> Measurement:
    """Judge what came back against the limits that hold for the case."""
    spec = measure.spec_for(case)
    if outcome is Outcome.NOT_MEASURED:
        verdict, margin = Verdict.NONE, None
    else:
        verdict, margin = spec.judge(value, uncertainty or 0.0)
    return Measurement(
        measure.name, value, measure.unit, outcome, verdict, spec.min, spec.max, margin, message, uncertainty
    )
