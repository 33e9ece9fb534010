"""Pure: from what a bench procedure returns to the values that are judged."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping
from pathlib import Path

from simorc.core.errors import CaseError, ErrorKind
from simorc.core.evaluation import as_float
from simorc.core.protocols import SimulationResult
from simorc.core.reading import Reading
from simorc.core.waveforms import Waveforms


def readings_result(returned: object, log: Path) -> SimulationResult:
    """The values of a procedure: a mapping of measure names to readings, numbers, or None for "could not be measured".

    Parameters
    ----------
    log: path of the transcript

    Raises
    ------
    CaseError: something else was returned
    """
    if not isinstance(returned, Mapping):
        what = f"procedure.py: measure() returned {reprlib.repr(returned)}, not a mapping of names to readings"
        raise CaseError(ErrorKind.MEASURE_ERROR, what)
    values: dict[str, float | None] = {}
    bounds: dict[str, float] = {}
    messages: dict[str, str] = {}
    for name, reading in returned.items():
        key = str(name).lower()
        values[key] = _value(key, reading)
        if isinstance(reading, Reading) and math.isfinite(reading.uncertainty):
            bounds[key] = reading.uncertainty
        messages[key] = f"the procedure returned {values[key]} for it"
    return SimulationResult(values, Waveforms(), log, messages, uncertainties=bounds)


def _value(name: str, reading: object) -> float | None:
    if reading is None:
        return None
    number = as_float(reading.value if isinstance(reading, Reading) else reading)
    if number is None:
        what = f"procedure.py: measure() returned {reprlib.repr(reading)} for {name!r}, not a reading"
        raise CaseError(ErrorKind.MEASURE_ERROR, what)
    return number
