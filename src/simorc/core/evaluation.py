"""Pure: from what a simulation left behind to judged measurements."""

from __future__ import annotations

import math
import numbers
import reprlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from simorc.core.case import Case
from simorc.core.errors import CaseError, ErrorKind, SimorcError
from simorc.core.measurement import Measure, Measurement, Outcome, judge
from simorc.core.protocols import SimulationResult
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
            measurements.append(judge(measure, case, None, Outcome.NOT_MEASURED, f"not measured on {target}"))
            continue
        measurement, error = _one(measure, case, result, functions)
        measurements.append(measurement)
        first_error = first_error or error
    return measurements, first_error


def _one(
    measure: Measure, case: Case, result: SimulationResult, functions: Mapping[str, MeasureFunction]
) -> tuple[Measurement, CaseError | None]:
    if measure.source == "python":
        if result.error is not None:
            return judge(measure, case, None, Outcome.MISSING, "the simulation failed"), None
        return _call(measure, case, result.waves, functions)
    key = measure.name.lower()
    if key not in result.values:
        if measure.optional:
            return judge(measure, case, None, Outcome.NOT_MEASURED, "optional, not measured"), None
        what = f"measure {measure.name!r} is not mentioned in the simulator's output"
        return judge(measure, case, None, Outcome.MISSING, what), CaseError(ErrorKind.MEASURE_ERROR, what)
    value = result.values[key]
    if value is None or not math.isfinite(value):
        message = result.messages.get(key) or f"the simulator could not evaluate {measure.name!r}"
        return judge(measure, case, None, Outcome.FAILED, message), None
    return judge(measure, case, value, Outcome.VALUE), None


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
    number = _as_float(value)
    if number is None:
        kind = type(value).__name__
        return _broken(
            measure, case, f"measures.py: {measure.name}() returned {kind} {reprlib.repr(value)}, not a number"
        )
    if not math.isfinite(number):
        return judge(measure, case, None, Outcome.FAILED, f"{measure.name}() returned {number}"), None
    return judge(measure, case, number, Outcome.VALUE), None


def _as_float(value: object) -> float | None:
    """A real number, a numpy scalar, or an array of one element as a float; None for anything else."""
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
