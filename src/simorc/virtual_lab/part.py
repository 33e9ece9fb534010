"""One DUT on the board: its circuit, its heat, and how both go on in time together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from simorc.core.bench import PartSettings
from simorc.core.equipment import DutModel
from simorc.registry import load
from simorc.virtual_lab.circuit import LoadSetting, OperatingPoint, SupplySetting, operating_point
from simorc.virtual_lab.parameter_sets import parameter_set
from simorc.virtual_lab.profile import Profile, Trajectory
from simorc.virtual_lab.thermal import CauerLadder, Vector, foster_to_cauer

_TOLERANCE_K = 2e-4
_FIRST_STEP_S = 1e-4
_MOST_TRIPS = 50


@dataclass(frozen=True, slots=True, eq=False)
class PartState:
    """Heat of a part at one instant.

    Parameters
    ----------
    temperatures: of the ladder's nodes, degC, junction first
    shut_down: whether thermal shutdown holds the output off
    """

    temperatures: Vector
    shut_down: bool = False

    @property
    def tj(self) -> float:
        """The junction, degC."""
        return float(self.temperatures[0])


@dataclass(frozen=True)
class Part:
    """One DUT.

    Parameters
    ----------
    model: its electrical physics
    ladder: its thermal one
    """

    model: DutModel
    ladder: CauerLadder

    def solve(self, state: PartState, supply: SupplySetting, load: LoadSetting) -> OperatingPoint:
        """Its terminals at this instant."""
        return operating_point(self.model, state.tj, state.shut_down, supply, load)

    def advance(
        self, state: PartState, air: Trajectory, begin_s: float, end_s: float, supply: SupplySetting, load: LoadSetting
    ) -> PartState:
        """Its heat at a later time, while supply and load stay as they are.

        Each step is exact for a power that changes linearly; its length follows how far the power at its end was off,
        in kelvin. A thermal shutdown that cycles is followed for `_MOST_TRIPS` switchings; then whole cycles are
        skipped, over which the mean power holds the junction where it is, and the last one or two are followed again.
        """
        for duration, profile in air.pieces(begin_s, end_s):
            state = self._piece(state, profile, duration, supply, load)
        return state

    def _piece(
        self, state: PartState, air: Profile, duration: float, supply: SupplySetting, load: LoadSetting
    ) -> PartState:
        done, step, trips, first = 0.0, duration if not supply.on else _FIRST_STEP_S, 0, 0.0
        while duration - done > 1e-9:
            step = min(step, duration - done)
            power = self.solve(state, supply, load).state.power
            following, miss = self._tried(state, air.shifted(done), step, power, supply, load)
            trips_now = self.model.shuts_down(following.tj, state.shut_down) != state.shut_down
            if (miss > _TOLERANCE_K or trips_now) and step > _FIRST_STEP_S:
                step = max(step / 4, _FIRST_STEP_S)
                continue
            done += step
            state = following
            if trips_now:
                trips += 1
                state = PartState(state.temperatures, not state.shut_down)
                first = done if trips == 2 else first
                if trips == _MOST_TRIPS:
                    cycle = (done - first) / (trips / 2 - 1)
                    skipped = max((duration - done) // cycle - 1, 0) * cycle
                    state = self._cycling(state, air.shifted(done), skipped)
                    done, trips = done + skipped, 0
            step *= 1.5 if miss > _TOLERANCE_K / 8 else 3.0
        return state

    def _tried(
        self,
        state: PartState,
        air: Profile,
        step: float,
        power: float,
        supply: SupplySetting,
        load: LoadSetting,
    ) -> tuple[PartState, float]:
        """Where a step leads, and how far its power was off midway and at its end, K at the junction."""
        resistance, slope = self.ladder.resistance, 0.0
        for _ in range(3):
            following = PartState(self.ladder.step(state.temperatures, step, air, power, slope), state.shut_down)
            reached = self.solve(following, supply, load).state.power
            miss = abs(reached - power - slope * step) * resistance
            slope = (reached - power) / step
            if miss < _TOLERANCE_K / 100:
                break
        if miss < _TOLERANCE_K:
            half = PartState(self.ladder.step(state.temperatures, step / 2, air, power, slope), state.shut_down)
            midway = self.solve(half, supply, load).state.power - power - slope * step / 2
            miss = max(miss, abs(midway) * resistance)
        return following, miss

    def _cycling(self, state: PartState, air: Profile, duration: float) -> PartState:
        """After many cycles: the power that holds the junction where it is, on average."""
        if duration <= 0:
            return state
        end = air.at(duration)
        power = max((state.tj - end) / self.ladder.resistance, 0.0)
        return PartState(self.ladder.steady(end, power), state.shut_down)


def make_part(name: str, settings: PartSettings, seed: int) -> Part:
    """The part of a bench: its parameter set, and its own draw of what varies from part to part.

    The draw depends on the lab's seed and the part's name alone, so every worker has the same parts.

    Raises
    ------
    UsageError: no such model or set
    """
    numbers = parameter_set(settings.set)
    random = np.random.default_rng([seed, crc32(name.encode())])
    draws: Mapping[str, float] = {
        quantity: float(random.standard_normal()) * sigma for quantity, sigma in sorted(numbers.spread.items())
    }
    model: DutModel = load("dut_models", settings.model)(numbers.values, draws if settings.spread else {})
    ladder = foster_to_cauer([(pair[0], pair[1]) for pair in settings.foster])
    return Part(model, ladder if settings.foster else CauerLadder(model.ladder))
