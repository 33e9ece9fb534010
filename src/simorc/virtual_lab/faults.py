"""Pure: what can go wrong on a simulated bench, and what each must lead to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simorc.core.bench import FaultSettings
from simorc.core.errors import UsageError
from simorc.core.wording import suggestion


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault.

    Parameters
    ----------
    meaning: for people
    unit: of its size, empty where it has none
    default: its size unless the bench's YAML states one
    outcome: what it must lead to: an error kind of cases, or `missing` where the bench does not even open
    """

    meaning: str
    outcome: str
    unit: str = ""
    default: float = 0.0


FAULTS = {
    "sensor_open": FaultKind("a chamber's sensor is open", "instrument"),
    "soak_never_reached": FaultKind("a chamber hangs short of its setpoint", "never_settled", "K", 5.0),
    "link_lost": FaultKind("an instrument answers nothing any more", "instrument"),
    "wrong_idn": FaultKind("another instrument sits at the resource", "missing"),
    "drift": FaultKind("a meter's readings run away", "never_settled", "1/h", 0.05),
    "over_temperature": FaultKind("a chamber's heater is stuck", "instrument"),
    "stuck_output": FaultKind("a supply's output does not follow", "instrument"),
    "error_queue_full": FaultKind("an instrument's error queue is full of old errors", "instrument"),
}


def check_faults(faults: Sequence[FaultSettings], instruments: Sequence[str]) -> None:
    """Refuse faults of an unknown kind, or of an instrument that the bench does not have.

    Raises
    ------
    UsageError: says which, and what there is
    """
    for fault in faults:
        if fault.fault not in FAULTS:
            raise UsageError(f"no fault named {fault.fault!r}", hint=suggestion(fault.fault, sorted(FAULTS)))
        if fault.instrument not in instruments:
            hint = suggestion(fault.instrument, sorted(instruments))
            raise UsageError(f"fault {fault.fault!r} of an unknown instrument {fault.instrument!r}", hint=hint)


def fault_size(faults: Sequence[FaultSettings], instrument: str, kind: str, now_s: float) -> float | None:
    """The size of a fault that has befallen an instrument by a bench time, else None."""
    for fault in faults:
        if (fault.instrument, fault.fault) == (instrument, kind) and now_s >= fault.after_s:
            return FAULTS[kind].default if fault.value is None else fault.value
    return None


def expected_outcome(fault: FaultSettings) -> str:
    """What a fault must lead to: the bench's own word for it, else that of its kind."""
    return fault.outcome or FAULTS[fault.fault].outcome
