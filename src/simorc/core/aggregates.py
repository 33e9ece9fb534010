"""Pure: values over several cases, such as the tempco over temperature."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from simorc.core.case import Case
from simorc.core.measurement import Measurement, Outcome
from simorc.core.record import CaseRecord, Status, status_of
from simorc.core.spec import Spec, Verdict
from simorc.core.statistics import Statistics, describe, median
from simorc.core.units import Value, as_number

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]


class Aggregate(Struct, frozen=True):
    """A value over several cases.

    Parameters
    ----------
    name: unique in a testbench
    function: key of `FUNCTIONS` or of `CAPABILITY`
    of: the measure it is computed from
    over: the swept parameter it runs over (numeric for tempco); empty: over all cases
    unit, spec: as for a measure
    nominal: reference value of relative functions, in the measure's unit; by default the measure's typical
        value, else the value interpolated at 25 degC, which has to lie within the range of `over`
    """

    name: str
    function: str
    of: str
    over: str = ""
    unit: str = ""
    spec: Spec = Spec()
    nominal: float | None = None
    description: str = ""


class AggregateResult(Struct, frozen=True):
    """One aggregate of one group. `value` is None and `outcome` is `missing` where it cannot be computed.

    `group` holds the swept parameters that the aggregate does not run over; `n` points were there, `n_missing` not;
    `message` says why there is no value.
    """

    name: str
    measure: str
    over: str
    group: Mapping[str, Value]
    value: float | None
    unit: str
    outcome: Outcome
    verdict: Verdict
    min: float | None
    max: float | None
    margin: float | None
    n: int
    n_missing: int
    message: str = ""


class NoValueError(ValueError):
    """Points from which an aggregate cannot be computed; the message says why."""


def tempco_box(temp: Array, value: Array, nominal: float | None) -> float:
    """Box method: `(Vmax - Vmin) / (Vnom * (Tmax - Tmin)) * 1e6`, in ppm/degC (ADI AD5412/AD5422 datasheet).

    Vnom is `nominal`, else the value at 25 degC, interpolated linearly between the neighbouring points.

    Raises
    ------
    NoValueError: there is no `nominal`, and 25 degC is outside the temperatures
    """
    reference = nominal if nominal is not None else _at_25(temp, value)
    return float((value.max() - value.min()) / abs(reference) / (temp.max() - temp.min()) * 1e6)


def tempco_endpoint(temp: Array, value: Array, nominal: float | None) -> float:
    """End-point method: `(V(T2) - V(T1)) / (V25 * (T2 - T1)) * 1e6`, in ppm/degC, signed (ADI ADR5040, ADR420).

    V25 is the value at 25 degC, interpolated linearly between the neighbouring points; `nominal` stands for it only
    where 25 degC is outside the temperatures.

    Raises
    ------
    NoValueError: 25 degC is outside the temperatures, and there is no `nominal`
    """
    order = temp.argsort()
    first, last = order[0], order[-1]
    reference = nominal if nominal is not None and not _spans_25(temp) else _at_25(temp, value)
    return float((value[last] - value[first]) / abs(reference) / (temp[last] - temp[first]) * 1e6)


def _at_25(temp: Array, value: Array) -> float:
    import numpy as np

    if not _spans_25(temp):
        span = f"{temp.min():g} to {temp.max():g} degC"
        raise NoValueError(f"25 degC, where the reference is taken, is outside {span}; give `nominal`")
    order = temp.argsort()
    return float(np.interp(25.0, temp[order], value[order]))


def _spans_25(temp: Array) -> bool:
    return bool(temp.min() <= 25.0 <= temp.max())


def _sigma(x: Array, value: Array, nominal: float | None) -> float:
    """Sample standard deviation (n - 1)."""
    return float(value.std(ddof=1))


FUNCTIONS: Mapping[str, Callable[[Array, Array, float | None], float]] = {
    "tempco_box": tempco_box,
    "tempco_endpoint": tempco_endpoint,
    "min": lambda x, value, nominal: float(value.min()),
    "max": lambda x, value, nominal: float(value.max()),
    "mean": lambda x, value, nominal: float(value.mean()),
    "median": lambda x, value, nominal: median(value),
    "spread": lambda x, value, nominal: float(value.max() - value.min()),
    "sigma": _sigma,
}
"""Name -> function of (points of `over`, values, nominal); arrays of shape (n,), n at least 1.

Each may raise NoValueError.
"""


def _yield(found: Sequence[Measurement]) -> float:
    """The share in spec; a sample that could not be evaluated is not in it."""
    return sum(m.verdict is Verdict.PASS for m in found) / len(found)


def _capability(found: Sequence[Measurement]) -> Statistics:
    return describe([m.value for m in found if m.value is not None], Spec(found[0].min, None, found[0].max))


CAPABILITY: Mapping[str, Callable[[Sequence[Measurement]], float | None]] = {
    "yield": _yield,
    "cp": lambda found: _capability(found).cp,
    "cpk": lambda found: _capability(found).cpk,
}
"""Name -> function of random samples of one point, judged by their measure's limits; None where it says nothing."""

NEEDS_AXIS = frozenset({"tempco_box", "tempco_endpoint"})
"""Functions whose `over` must be numeric, with at least two different values."""
_LEAST_POINTS = {"sigma": 2}


def compute(
    aggregates: Sequence[Aggregate],
    cases: Iterable[Case],
    records: Mapping[int, CaseRecord],
    typical: Mapping[str, float | None],
    together: Iterable[Sequence[str]] = (("mc_sample", "seed"),),
    spared: bool = False,
) -> list[AggregateResult]:
    """All aggregates over all groups, in the order of the aggregates and of the groups' first cases.

    Parameters
    ----------
    cases: every case of the run, also those that have not run
    records: what is there, by case id
    typical: measure name -> typical value of its spec
    together: names that vary as one axis (zipped parameters, a corner's); to run over one is to run over all
    spared: whether a run stopped early, as its samples were enough: yield, Cp and Cpk are then over those that ran
    """
    listed = list(cases) if aggregates else []
    axes = [tuple(names) for names in together]
    results: list[AggregateResult] = []
    for aggregate in aggregates:
        names = _group_names(aggregate, listed, axes)
        for group, every in _groups(names, listed).items():
            members = every
            if spared and aggregate.function in CAPABILITY:
                ran = [case for case in every if status_of(records.get(case.case_id)) is not Status.PENDING]
                members = ran or every
            shared = dict(zip(names, group, strict=True))
            results.append(_one(aggregate, shared, members, records, typical.get(aggregate.of)))
    return results


def _group_names(aggregate: Aggregate, cases: Sequence[Case], axes: Sequence[tuple[str, ...]]) -> list[str]:
    """The swept parameters that the aggregate does not run over; of one over all cases there are none."""
    if not aggregate.over or not cases:
        return []
    run_over = {aggregate.over, *(name for names in axes if aggregate.over in names for name in names)}
    return [name for name in cases[0].swept if name not in run_over]


def _groups(names: Sequence[str], cases: Iterable[Case]) -> dict[tuple[Value, ...], list[Case]]:
    """The cases that share the values of some parameters, by these values."""
    groups: dict[tuple[Value, ...], list[Case]] = {}
    for case in cases:
        groups.setdefault(tuple(map(case.parameters.__getitem__, names)), []).append(case)
    return groups


def _one(
    aggregate: Aggregate,
    group: Mapping[str, Value],
    members: list[Case],
    records: Mapping[int, CaseRecord],
    typical: float | None,
) -> AggregateResult:
    points = [(_position(aggregate, case), _measured(aggregate, records.get(case.case_id))) for case in members]
    present = [(x, m) for x, m in points if m is not None]
    missing = len(points) - len(present)
    value, message = None, f"{missing} of {len(points)} points missing"
    if not missing:
        value, message = _computed(aggregate, present, aggregate.nominal if aggregate.nominal is not None else typical)
    verdict, margin = aggregate.spec.judge(value)
    if value is None and any(_unfinished(records.get(case.case_id)) for case in members):
        verdict = Verdict.NONE  # what has not run yet is neither in spec nor out of it
    return AggregateResult(
        aggregate.name,
        aggregate.of,
        aggregate.over,
        group,
        value,
        aggregate.unit,
        Outcome.MISSING if value is None else Outcome.VALUE,
        verdict,
        aggregate.spec.min,
        aggregate.spec.max,
        margin,
        len(present),
        missing,
        message,
    )


def _computed(
    aggregate: Aggregate, points: Sequence[tuple[float, Measurement]], nominal: float | None
) -> tuple[float | None, str]:
    """The value, or None and why there is none."""
    if aggregate.function in CAPABILITY:
        return _capable(aggregate.function, [m for _, m in points])
    import numpy as np  # whoever only plans does without

    x, y = np.array([(at, m.value) for at, m in points], dtype=float).T
    try:
        _check_points(aggregate, x)
        with np.errstate(all="ignore"):  # a division by zero gives no finite number, and that is told
            value = FUNCTIONS[aggregate.function](x, y, nominal)
    except NoValueError as error:
        return None, str(error)
    return (value, "") if math.isfinite(value) else (None, "the result is not a finite number")


def _capable(function: str, found: Sequence[Measurement]) -> tuple[float | None, str]:
    if all(m.verdict is Verdict.NONE for m in found):
        return None, f"{function} needs a measure with limits"
    value = CAPABILITY[function](found)
    return (
        value,
        "" if value is not None else f"{function} needs values that differ{', and both limits' * (function == 'cp')}",
    )


def _position(aggregate: Aggregate, case: Case) -> float:
    number = as_number(case.parameters[aggregate.over]) if aggregate.over else None
    return math.nan if number is None else number


def _measured(aggregate: Aggregate, record: CaseRecord | None) -> Measurement | None:
    """What a completed case measured: a value, and for a yield also that there is none."""
    if record is None or record.status is not Status.COMPLETED:
        return None
    for m in record.measurements:
        if m.name == aggregate.of:
            counts = m.value is not None or (aggregate.function == "yield" and m.outcome is Outcome.FAILED)
            return m if counts else None
    return None


def _unfinished(record: CaseRecord | None) -> bool:
    return status_of(record) in (Status.PENDING, Status.IN_PROGRESS)


def _check_points(aggregate: Aggregate, positions: Array) -> None:
    least = _LEAST_POINTS.get(aggregate.function, 1)
    if len(positions) < least:
        raise NoValueError(f"{aggregate.function} needs at least {least} points")
    if aggregate.function in NEEDS_AXIS and not positions.min() < positions.max():  # false with a NaN, too
        raise NoValueError(f"{aggregate.function} needs two different numbers of {aggregate.over}")
