"""Pure: the operating point of a supply, a DUT and a load.

Every curve involved is monotone, so each unknown is found by bisection; nothing can fail to converge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from simorc.core.equipment import DutModel, ElectricalState

_STEPS = 60
_MOST_A = 1000.0


@dataclass(frozen=True, slots=True)
class SupplySetting:
    """What a supply's output tries: V, A, and whether it is on."""

    voltage: float = 0.0
    current_limit: float = 0.0
    on: bool = False


@dataclass(frozen=True, slots=True)
class LoadSetting:
    """What a load tries: mode C (A), P (W), R (ohm), G (S), V (V); level; and whether it is on."""

    mode: str = "C"
    level: float = 0.0
    on: bool = False


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The DUT's terminals, and whether the supply is at its current limit."""

    state: ElectricalState = field(default_factory=ElectricalState)
    limiting: bool = False


def operating_point(
    dut: DutModel, tj: float, shut_down: bool, supply: SupplySetting, load: LoadSetting
) -> OperatingPoint:
    """Where supply, DUT and load agree at a junction temperature, degC."""
    if not supply.on or supply.voltage <= 0:
        return OperatingPoint()

    def at(vin: float) -> ElectricalState:
        return _loaded(dut, vin, tj, shut_down, load)

    state = at(supply.voltage)
    if state.iin <= supply.current_limit:
        return OperatingPoint(state)
    vin = _bisected(lambda v: at(v).iin - supply.current_limit, supply.voltage)
    return OperatingPoint(_between(at(vin), at(vin * (1 + 1e-12)), supply.current_limit), limiting=True)


def _between(below: ElectricalState, above: ElectricalState, limit: float) -> ElectricalState:
    """The mean of a DUT that starts and collapses over and over, so that the supply delivers its limit on average.

    Where the input current does not jump, both states are one and the same.
    """
    share = (limit - below.iin) / (above.iin - below.iin) if above.iin > below.iin else 0.0
    share = min(max(share, 0.0), 1.0)

    def mean(low: float, high: float) -> float:
        return low + (high - low) * share

    iin = min(mean(below.iin, above.iin), limit)
    ignd = min(mean(below.ignd, above.ignd), iin)
    return ElectricalState(above.vin, iin, mean(below.vout, above.vout), iin - ignd, ignd)


def _loaded(dut: DutModel, vin: float, tj: float, shut_down: bool, load: LoadSetting) -> ElectricalState:
    def at(iout: float) -> ElectricalState:
        return dut.solve(vin, iout, tj, shut_down)

    if not load.on or load.level <= 0:
        if load.on and load.mode in "RV" and load.level <= 0:
            return at(_MOST_A)  # a short circuit
        return at(0.0)
    if load.mode == "C":
        return at(load.level)
    if load.mode == "P":
        return _constant_power(at, load.level)
    asked: dict[str, Callable[[float, float], float]] = {
        "R": lambda v, i: i - v / load.level,
        "G": lambda v, i: i - v * load.level,
        "V": lambda v, i: load.level - v,
    }
    excess = asked[load.mode]

    def miss(iout: float) -> float:
        return excess(at(iout).vout, iout)

    if load.mode == "V" and at(0.0).vout <= load.level:
        return at(0.0)
    return at(_bisected(miss, _MOST_A))


def _constant_power(at: Callable[[float], ElectricalState], power: float) -> ElectricalState:
    """The stable one of two solutions: the one of higher voltage; without any the load pulls the output down."""
    iout = 0.0
    for _ in range(_STEPS):
        vout = at(iout).vout
        if vout <= 0 or power / vout > _MOST_A:
            return at(_MOST_A)
        following = power / vout
        if abs(following - iout) < 1e-12:
            break
        iout = following
    return at(iout)


def _bisected(miss: Callable[[float], float], high: float) -> float:
    """The largest argument in 0 to high at which a rising function is not yet above 0."""
    low = 0.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if miss(middle) > 0:
            high = middle
        else:
            low = middle
    return low
