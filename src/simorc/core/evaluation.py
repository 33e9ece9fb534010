"""Pure: from what a simulation left behind to judged measurements."""

from __future__ import annotations

import math
import numbers
import reprlib
from collections.abc import Callable, Mapping, Sequence

from msgspec import structs

from simorc.core.case import Case
from simorc.core.errors import CaseError, ErrorKind, SimorcError
from simorc.core.measurement import Measure, Measurement, Outcome, judge
from simorc.core.plan import Plan
from simorc.core.protocols import SimulationResult
from simorc.core.record import CaseRecord
from simorc.core.waveforms import Waveforms

MeasureFunction = Callable[[Waveforms, Case], float | None]


def evaluate(
    measures: Sequence[Measure],
    target: str,
    case: Case,
    result: SimulationResult,
    functions: Mapping[str, MeasureFunction],
) -> tuple[list[Measurement], CaseError | None]:
    """Every measure of the testbench, judged, and the first error that makes the case `failed`.

    One broken measure costs the case its status, never the other measures their values. After a failed simulation
    what the simulator did report stands, and no Python function is called.
    """
    measurements: list[Measurement] = []
    first_error = result.error
    for measure in measures:
        if target not in measure.targets:
            measurements.append(_not_on(target, measure, case))
            continue
        called = measure.source == "python" and target != "bench"  # a procedure returns every value itself
        measurement, error = _called(measure, case, result, functions) if called else _reported(measure, case, result)
        measurements.append(measurement)
        first_error = first_error or error
    return measurements, first_error


def rejudge(record: CaseRecord, case: Case, former: Plan, plan: Plan) -> CaseRecord:
    """The values that a record holds, judged by another plan's measures; nothing is measured.

    A measure that only the former plan knows is dropped; one that the record does not hold is not made up.

    Parameters
    ----------
    former: the plan by which the record was made
    plan: the one that judges it now
    """
    stored = {m.name: m for m in record.measurements}
    judged = [
        _judged_again(measure, case, plan.target, stored[measure.name])
        for measure in plan.measures
        if measure.name in stored
    ]
    return structs.replace(record, measurements=(*judged, *added_measurements(record, former, plan)))


def added_measurements(record: CaseRecord, *plans: Plan) -> list[Measurement]:
    """The measurements that a hook added to a record: those of names that none of its plans knows."""
    known = {measure.name for plan in plans for measure in plan.measures}
    return [m for m in record.measurements if m.name not in known]


def _judged_again(measure: Measure, case: Case, target: str, stored: Measurement) -> Measurement:
    if target not in measure.targets:
        return _not_on(target, measure, case)
    return judge(measure, case, stored.value, stored.outcome, stored.message, stored.uncertainty)


def _not_on(target: str, measure: Measure, case: Case) -> Measurement:
    return judge(measure, case, None, Outcome.NOT_MEASURED, f"not measured on {target}")


def _called(
    measure: Measure, case: Case, result: SimulationResult, functions: Mapping[str, MeasureFunction]
) -> tuple[Measurement, CaseError | None]:
    """A measure that a function of measures.py computes."""
    if result.error is not None:
        return judge(measure, case, None, Outcome.MISSING, "the case failed before it was measured"), None
    return _call(measure, case, result.waves, functions)


def _reported(measure: Measure, case: Case, result: SimulationResult) -> tuple[Measurement, CaseError | None]:
    """A measure that the simulator or the bench's procedure reports."""
    key = measure.name.lower()
    if key not in result.values:
        if measure.optional:
            return judge(measure, case, None, Outcome.NOT_MEASURED, "optional, not measured"), None
        what = result.messages.get(key) or f"measure {measure.name!r} is not mentioned in the simulator's output"
        return judge(measure, case, None, Outcome.MISSING, what), CaseError(ErrorKind.MEASURE_ERROR, what)
    value = result.values[key]
    if value is None or not math.isfinite(value):
        message = result.messages.get(key) or f"the simulator could not evaluate {measure.name!r}"
        return judge(measure, case, None, Outcome.FAILED, message), None
    return judge(measure, case, value, Outcome.VALUE, uncertainty=result.uncertainties.get(key)), None


def _call(
    measure: Measure, case: Case, waves: Waveforms, functions: Mapping[str, MeasureFunction]
) -> tuple[Measurement, CaseError | None]:
    try:
        value = functions[measure.name](waves, case)
    except (Exception, SystemExit) as error:  # a user's function may raise anything; it costs this case alone
        text = error.what if isinstance(error, SimorcError) else f"{type(error).__name__}: {error}"
        return _broken(measure, case, f"measures.py: {measure.name}() raised {text}")
    if value is None:
        return judge(measure, case, None, Outcome.FAILED, f"{measure.name}() returned no value"), None
    number = as_float(value)
    if number is None:
        kind = type(value).__name__
        return _broken(
            measure, case, f"measures.py: {measure.name}() returned {kind} {reprlib.repr(value)}, not a number"
        )
    if not math.isfinite(number):
        return judge(measure, case, None, Outcome.FAILED, f"{measure.name}() returned {number}"), None
    return judge(measure, case, number, Outcome.VALUE), None


def as_float(value: object) -> float | None:
    """A real number, a numpy scalar, or an array of one element as a float; None for anything else."""
    import numpy as np  # only a person's functions may give anything of it

    if isinstance(value, (np.ndarray, np.generic)) and value.size == 1:
        value = value.item()
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:  # a whole number beyond what a float holds
        return math.inf


def _broken(measure: Measure, case: Case, what: str) -> tuple[Measurement, CaseError]:
    return judge(measure, case, None, Outcome.FAILED, what), CaseError(ErrorKind.MEASURE_ERROR, what)
