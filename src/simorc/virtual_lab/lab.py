"""The lab: one physics behind all virtual equipment of a bench.

Nothing happens between calls: whoever looks, at whatever bench time, gets what has become of everything by then.
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from simorc.core.bench import BenchSettings, SimulatedLab
from simorc.core.equipment import ChamberState, Clock, SupplyState
from simorc.core.errors import UsageError
from simorc.virtual_lab.chamber import ChamberPhysics, drifting, heading_for
from simorc.virtual_lab.circuit import LoadSetting, OperatingPoint, SupplySetting
from simorc.virtual_lab.faults import check_faults, fault_size
from simorc.virtual_lab.part import PartState, make_part
from simorc.virtual_lab.profile import Profile, Trajectory, inside_since, lagging
from simorc.virtual_lab.wiring import POINTS, make_wiring

_OPEN_METER_OHM = math.inf


class Lab:
    """The physics of a bench: parts in the air of a chamber, a supply, a load, and whatever looks at them.

    Raises
    ------
    UsageError: wiring, faults, parts or parameter sets that do not exist
    """

    def __init__(self, bench: BenchSettings, clock: Clock) -> None:
        settings = bench.simulated or SimulatedLab()
        names = [instrument.name for instrument in bench.instruments]
        check_faults(settings.faults, names)
        if not settings.parts:
            raise UsageError("a simulated bench needs at least one part", hint="name it under simulated: parts:")
        self.clock = clock
        self.settings = settings
        self.wiring = make_wiring(settings.wiring, names)
        self.physics = ChamberPhysics()
        self.parts = [make_part(name, part, settings.seed) for name, part in settings.parts.items()]
        self.states = [
            PartState(part.ladder.steady(settings.ambient, 0.0)) for part in self.parts
        ]  # everything has stood in the room for long
        self.supplies: dict[tuple[str, int], SupplySetting] = {}
        self.loads: dict[str, LoadSetting] = {}
        self.closed: int | None = None if self.wiring.instrument_at("parts") else 1
        self.target = settings.ambient
        self.air = Trajectory((0.0,), (Profile(settings.ambient),))
        self.sensor = self.air
        self._random = np.random.default_rng(settings.seed)
        self._time = clock.now()
        self._runaway = False
        self.terminals: dict[tuple[str, int], set[str]] = {}
        """What the instruments have, and the points where it belongs."""

    @property
    def selected(self) -> int | None:
        """Which part is connected, from 0; None where all relays are open, or one closed that leads nowhere."""
        return None if self.closed is None or self.closed > len(self.parts) else self.closed - 1

    def reseed(self, seed: int) -> None:
        """Draw the noise of readings from this seed from here on."""
        self._random = np.random.default_rng([self.settings.seed, seed])

    def noise(self) -> float:
        """One draw of a standard normal distribution; 0 without noise."""
        return float(self._random.standard_normal()) if self.settings.noise else 0.0

    def fault(self, instrument: str, kind: str) -> float | None:
        """The size of a fault that has befallen an instrument by now, else None."""
        return fault_size(self.settings.faults, instrument, kind, self.clock.now())

    def advance(self) -> float:
        """Bring everything to the clock's time, and return it, s."""
        now = self.clock.now()
        self._let_heater_stick()
        if now > self._time:
            for index, part in enumerate(self.parts):
                supply, load = self._settings_of(index)
                self.states[index] = part.advance(self.states[index], self.air, self._time, now, supply, load)
            self._time = now
        return now

    def operating_point(self) -> OperatingPoint:
        """The terminals of the connected part now; all 0 where none is connected."""
        self.advance()
        if self.selected is None:
            return OperatingPoint()
        supply, load = self._settings_of(self.selected)
        return self.parts[self.selected].solve(self.states[self.selected], supply, load)

    def junction(self) -> float:
        """The junction of the connected part now, degC; the air where none is connected."""
        now = self.advance()
        return self.air.at(now) if self.selected is None else self.states[self.selected].tj

    def head_for(self, target: float, ramp: float | None, flow: bool, shortfall: float | None) -> None:
        """Send the air towards a temperature.

        Parameters
        ----------
        target: degC
        ramp: K/s, None for as fast as the chamber can
        flow: whether air flows at all
        shortfall: K by which it hangs short of the target, None where it does not
        """
        now = self.advance()
        self.target = target
        if self._runaway:
            return
        start, sensor = self.air.at(now), self.sensor.at(now)
        reached = target
        if shortfall is not None:
            reached = target - math.copysign(shortfall, target - start)
        if flow:
            self.air = heading_for(self.physics, reached, start, now, ramp)
        else:
            self.air = drifting(self.physics, self.settings.ambient, start, now)
        self.sensor = lagging(self.air, sensor, self.physics.sensor_s)

    def inside_since(self, sensor: str, window: float) -> float | None:
        """Bench time since when a sensor has been within +-window K of the target; None while it is outside."""
        now = self.advance()
        return inside_since(self.air if sensor == "air" else self.sensor, self.target, window, now)

    def _settings_of(self, index: int) -> tuple[SupplySetting, LoadSetting]:
        if index != self.selected:
            return SupplySetting(), LoadSetting()
        supply = self.supplies.get(self.wiring.instrument_at("vin") or ("", 0), SupplySetting())
        load = next((s for name, s in self.loads.items() if self.wiring.at(name) == "vout"), LoadSetting())
        return supply, load

    def _let_heater_stick(self) -> None:
        """From the moment of the fault on the air runs away, whatever the chamber is told."""
        terminal = self.wiring.instrument_at("air")
        if self._runaway or terminal is None or self.fault(terminal[0], "over_temperature") is None:
            return
        self._runaway = True
        faults = self.settings.faults
        begin = min(f.after_s for f in faults if (f.instrument, f.fault) == (terminal[0], "over_temperature"))
        begin = max(begin, self._time)
        first = self.sensor.at(self.air.starts[0])
        self.air = self.air.followed_by(heading_for(self.physics, self.physics.highest, self.air.at(begin), begin))
        self.sensor = lagging(self.air, first, self.physics.sensor_s)

    def supply(self, instrument: str, channel: int) -> _Supply:
        """Terminals of a supply's output."""
        self._has(instrument, channel, "vin")
        return _Supply(self, (instrument, channel))

    def load(self, instrument: str) -> _Load:
        """Terminals of a load."""
        self._has(instrument, 1, "vout")
        return _Load(self, instrument)

    def meter(self, instrument: str) -> _Meter:
        """Terminals of a meter."""
        self._has(instrument, 1, "vout", "input", "ground")
        return _Meter(self, self.wiring.at(instrument))

    def chamber(self, instrument: str) -> _Chamber:
        """The air stream of a chamber."""
        self._has(instrument, 1, "air")
        return _Chamber(self, instrument)

    def switch(self, instrument: str) -> _Switch:
        """The relays of a switch."""
        self._has(instrument, 1, "parts")
        return _Switch(self, self.wiring.at(instrument) == "parts")

    def check_wiring(self, instruments: Collection[str]) -> None:
        """Whether what is wired of some instruments exists, once they have asked for their terminals.

        Raises
        ------
        UsageError: a channel that the instrument does not have, or a point where none of its terminals belongs
        """
        for (name, channel), point in self.wiring.points.items():
            belongs = self.terminals.get((name, channel))
            if name not in instruments:
                continue
            if belongs is None:
                has = ", ".join(str(number) for other, number in sorted(self.terminals) if other == name)
                raise UsageError(
                    f"wiring of {name}.{channel}: the instrument has no such channel", hint=f"it has {has}"
                )
            if point not in belongs:
                hint = f"it belongs at {' or '.join(sorted(belongs))}"
                raise UsageError(f"wiring of {name}.{channel} to {point!r}, which is {POINTS[point]}", hint=hint)

    def _has(self, instrument: str, channel: int, *points: str) -> None:
        self.terminals.setdefault((instrument, channel), set()).update(points)


class _Supply:
    def __init__(self, lab: Lab, terminal: tuple[str, int]) -> None:
        self._lab, self._terminal = lab, terminal

    def drive(self, voltage: float, current_limit: float, on: bool) -> None:
        self._lab.advance()
        self._lab.supplies[self._terminal] = SupplySetting(voltage, current_limit, on)

    def measure(self) -> SupplyState:
        setting = self._lab.supplies.get(self._terminal, SupplySetting())
        if not setting.on:
            return SupplyState(0.0, 0.0, False)
        if self._lab.wiring.at(*self._terminal) != "vin" or self._lab.selected is None:
            return SupplyState(setting.voltage, 0.0, False)
        point = self._lab.operating_point()
        return SupplyState(point.state.vin, point.state.iin, point.limiting)


class _Load:
    def __init__(self, lab: Lab, instrument: str) -> None:
        self._lab, self._instrument = lab, instrument

    def sink(self, mode: str, level: float, on: bool) -> None:
        self._lab.advance()
        self._lab.loads[self._instrument] = LoadSetting(mode, level, on)

    def measure(self) -> tuple[float, float]:
        if self._lab.wiring.at(self._instrument) != "vout":
            return 0.0, 0.0
        state = self._lab.operating_point().state
        return state.vout, state.iout


class _Meter:
    def __init__(self, lab: Lab, point: str | None) -> None:
        self._lab, self._point = lab, point

    def voltage(self) -> float:
        state = self._lab.operating_point().state
        return {"vout": state.vout, "input": state.vin}.get(self._point or "", 0.0)

    def current(self) -> float:
        return self._lab.operating_point().state.ignd if self._point == "ground" else 0.0

    def resistance(self) -> float:
        return _OPEN_METER_OHM

    def noise(self) -> float:
        return self._lab.noise()


class _Chamber:
    def __init__(self, lab: Lab, instrument: str) -> None:
        self._lab, self._instrument = lab, instrument
        self._wired = lab.wiring.at(instrument) == "air"

    def drive(self, setpoint: float, ramp: float | None, flow: bool) -> None:
        if self._wired:
            shortfall = self._lab.fault(self._instrument, "soak_never_reached")
            self._lab.head_for(setpoint, None if ramp is None else ramp / 60.0, flow, shortfall)

    def temperatures(self) -> ChamberState:
        now = self._lab.advance()
        if self._lab.fault(self._instrument, "sensor_open") is not None:
            return ChamberState(None, None)
        return ChamberState(self._lab.air.at(now), self._lab.sensor.at(now))

    def inside_since(self, sensor: str, window: float) -> float | None:
        return self._lab.inside_since(sensor, window)


class _Switch:
    def __init__(self, lab: Lab, wired: bool) -> None:
        self._lab, self._wired = lab, wired
        self._closed: int | None = None

    def close(self, channel: int | None) -> None:
        self._lab.advance()
        self._closed = channel
        if self._wired:
            self._lab.closed = channel

    def closed(self) -> int | None:
        return self._lab.closed if self._wired else self._closed
