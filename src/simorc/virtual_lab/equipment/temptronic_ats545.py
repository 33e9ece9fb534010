"""A Temptronic ATS-545 air-stream temperature system.

Command set: ATS-545 & -645 ThermoStream interface and applications manual, as third-party drivers use and describe it.
Defaults that they do not tell are assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simorc.core.bench import InstrumentSettings
from simorc.core.equipment import LabPorts
from simorc.core.scpi import Range
from simorc.core.scpi_errors import ScpiError
from simorc.virtual_lab.equipment.instrument import Command, VirtualScpi, constant, ignored

AT_TEMPERATURE, NOT_AT_TEMPERATURE = 1, 2
OVERHEAT, AIR_SENSOR_OPEN, NO_DUT_SENSOR = 1 << 0, 1 << 5, 1 << 14
_OVERHEAT_DEGC = 230.0
_START_UP, _MANUAL, _CYCLING = 63, 10, 0
_NO_TEMPERATURE = 400.0
"""What an open sensor reads; assumed."""
_SETPOINTS = {0: Range(30.0, 225.0, 125.0), 1: Range(20.0, 30.0, 25.0), 2: Range(-99.9, 20.0, -40.0)}
"""Hot, ambient and cold; those of a cycle, 3 to 17, may be anything."""
_ANY = Range(-99.9, 225.0, 25.0)
_LIMITS = {
    "LLIM": Range(-99.0, 25.0, -80.0),
    "ULIM": Range(25.0, 225.0, 225.0),
    "ADMD": Range(10.0, 300.0, 50.0),
    "DUTC": Range(20.0, 500.0, 100.0),
    "TTIM": Range(0.0, 9999.0, 1000.0),
    "CYCC": Range(0.0, 9999.0, 1.0),
    "LRNM": Range(0.0, 1.0, 0.0),
    "WNDW": Range(0.1, 9.9, 1.0),
    "SOAK": Range(0.0, 9999.0, 30.0),
    "RAMP": Range(0.0, 9999.0, 9999.0),
}
_PER_SETPOINT = ("WNDW", "SOAK", "RAMP")


@dataclass
class _Setpoint:
    temperature: float
    numbers: dict[str, float]


class TemptronicAts545(VirtualScpi):
    """The chamber: an air stream with window, soak and limits in its firmware."""

    identity: ClassVar[str] = "Temptronic, inTEST Thermal Solutions,ATS-545,TS{serial:05d},5.39"

    def __init__(self, settings: InstrumentSettings, lab: LabPorts) -> None:
        super().__init__(settings, lab)
        self.port = lab.chamber(settings.name)
        self.mode = _START_UP
        self.flow = False
        self.head_down = True
        self.cooling = True
        self.dut_control = False
        self.sensor = 0
        self.overheated = False
        self.numbers = {key: limits.default for key, limits in _LIMITS.items() if key not in _PER_SETPOINT}
        self.setpoints = {n: _Setpoint(_limits_of(n).default, _defaults()) for n in range(18)}
        self.selected = 1
        self.since = 0.0

    def reset(self) -> None:
        """Back to the operator's screen: no flow, errors forgotten."""
        self.mode = _MANUAL
        self.flow = False
        self._drive()

    @property
    def current(self) -> _Setpoint:
        """The setpoint that is selected."""
        return self.setpoints[self.selected]

    def remote(self) -> None:
        """`%RM`"""
        self.mode = _MANUAL

    def set_temperature(self, text: str) -> None:
        """`SETP 85`"""
        wanted = _limits_of(self.selected).read(text)
        if not self.numbers["LLIM"] <= wanted <= self.numbers["ULIM"]:
            raise ScpiError(-222)
        self.current.temperature = wanted
        self._drive()

    def select(self, text: str) -> None:
        """`SETN 0`"""
        self.selected = round(Range(0, 17, 1).read(text))
        self._drive()

    def set_number(self, key: str, text: str) -> None:
        """`WNDW 0.5`, `LLIM -60`, …"""
        value = _LIMITS[key].read(text)
        if key in _PER_SETPOINT:
            self.current.numbers[key] = value
        else:
            self.numbers[key] = value
        if key == "RAMP":
            self._drive()

    def ask_number(self, key: str) -> str:
        """The same as queries."""
        return f"{(self.current.numbers if key in _PER_SETPOINT else self.numbers)[key]:g}"

    def set_flow(self, text: str) -> None:
        """`FLOW 1`"""
        self.flow = bool(round(Range(0, 1, 0).read(text)))
        self._drive()

    def set_head(self, text: str) -> None:
        """`HEAD 1`: down"""
        self.head_down = bool(round(Range(0, 1, 0).read(text)))
        self._drive()

    def set_cooling(self, text: str) -> None:
        """`COOL 1`"""
        self.cooling = bool(round(Range(0, 1, 0).read(text)))

    def set_dut_mode(self, text: str) -> None:
        """`DUTM 1`: control by the sensor at the DUT"""
        self.dut_control = bool(round(Range(0, 1, 0).read(text)))
        self.since = self.lab.clock.now()

    def set_sensor(self, text: str) -> None:
        """`DSNS 2`: none, T, K …"""
        self.sensor = round(Range(0, 4, 0).read(text))

    def ask_temperature(self, which: str = "") -> str:
        """`TEMP?`, `TMPA?`, `TMPD?`"""
        state = self.port.temperatures()
        which = which or self._control
        value = state.air if which == "air" else state.dut if self.sensor else None
        self._watch(state.air)
        return f"{_NO_TEMPERATURE if value is None else value:.1f}"

    def ask_condition(self) -> str:
        """`TECR?`"""
        self._watch(self.port.temperatures().air)
        if not self._flowing or self._errors & (AIR_SENSOR_OPEN | OVERHEAT):
            return str(NOT_AT_TEMPERATURE)
        since = self.port.inside_since(self._control, self.current.numbers["WNDW"])
        if since is None:
            return str(NOT_AT_TEMPERATURE)
        inside = self.lab.clock.now() - max(since, self.since)
        return str(AT_TEMPERATURE if inside >= self.current.numbers["SOAK"] else NOT_AT_TEMPERATURE)

    def ask_errors(self) -> str:
        """`EROR?`"""
        self._watch(self.port.temperatures().air)
        return str(self._errors)

    def clear_errors(self) -> None:
        """`CLER`"""
        self.overheated = False
        self.errors.clear()

    def ask_auxiliary(self) -> str:
        """`AUXC?`"""
        bits = {2: not self.head_down, 3: not self.cooling, 4: self.dut_control, 5: self._flowing}
        bits |= {6: self.mode != _START_UP, 8: self.mode == _MANUAL, 9: self.mode == _CYCLING}
        return str(sum(1 << bit for bit, on in bits.items() if on))

    @property
    def _control(self) -> str:
        return "dut" if self.dut_control and self.sensor else "air"

    @property
    def _flowing(self) -> bool:
        return self.flow and self.head_down

    @property
    def _errors(self) -> int:
        open_ = self.port.temperatures().air is None
        no_sensor = self.dut_control and not self.sensor
        return OVERHEAT * self.overheated | AIR_SENSOR_OPEN * open_ | NO_DUT_SENSOR * no_sensor

    def _watch(self, air: float | None) -> None:
        """Overheat is kept until it is cleared; so is the lack of a limit: the stream is hotter than it may be."""
        limit = min(self.numbers["ULIM"] + 5.0, _OVERHEAT_DEGC)
        self.overheated |= air is not None and air > limit

    def _drive(self) -> None:
        ramp = self.current.numbers["RAMP"]
        self.port.drive(self.current.temperature, ramp if 0 < ramp < 9999 else None, self._flowing)
        self.since = self.lab.clock.now()


def _limits_of(number: int) -> Range:
    return _SETPOINTS.get(number, _ANY)


def _defaults() -> dict[str, float]:
    return {key: _LIMITS[key].default for key in _PER_SETPOINT}


def _file(chamber: TemptronicAts545, text: str) -> None:
    Range(1, 12, 1).read(text)


def _cycle(chamber: TemptronicAts545, text: str) -> None:
    chamber.mode = _CYCLING if round(Range(0, 1, 0).read(text)) else _MANUAL


_C = TemptronicAts545
TemptronicAts545.commands = (
    Command("%RM", _C.remote),
    Command("%GL", ignored),
    Command("%LL", ignored),
    Command("SETP", _C.set_temperature, 1, 1),
    Command("SETP?", lambda i: f"{i.current.temperature:g}"),
    Command("SETN", _C.select, 1, 1),
    Command("SETN?", lambda i: str(i.selected)),
    Command("SETD?", lambda i: f"{i.current.temperature:.1f}"),
    Command("TEMP?", _C.ask_temperature),
    Command("TMPA?", _C.ask_temperature, 0, 0, ("air",)),
    Command("TMPD?", _C.ask_temperature, 0, 0, ("dut",)),
    Command("TECR?", _C.ask_condition),
    Command("TESR?", _C.ask_condition),
    Command("EROR?", _C.ask_errors),
    Command("AUXC?", _C.ask_auxiliary),
    Command("WHAT?", lambda i: str(i.mode)),
    Command("CLER", _C.clear_errors),
    Command("RSTO", _C.reset),
    Command("FLOW", _C.set_flow, 1, 1),
    Command("FLOW?", lambda i: str(int(i.flow))),
    Command("FLWR?", lambda i: "10" if i._flowing else "0"),
    Command("FLRL?", lambda i: "4.7" if i._flowing else "0"),
    Command("HEAD", _C.set_head, 1, 1),
    Command("HEAD?", lambda i: str(int(i.head_down))),
    Command("COOL", _C.set_cooling, 1, 1),
    Command("COOL?", lambda i: str(int(i.cooling))),
    Command("DUTM", _C.set_dut_mode, 1, 1),
    Command("DUTM?", lambda i: str(int(i.dut_control))),
    Command("DSNS", _C.set_sensor, 1, 1),
    Command("DSNS?", lambda i: str(i.sensor)),
    Command("RMPC", _cycle, 1, 1),
    Command("RMPS", _cycle, 1, 1),
    Command("CYCL", _cycle, 1, 1),
    Command("CYCL?", constant("0")),
    Command("NEXT", lambda i: i.select(str(min(i.selected + 1, 17)))),
    Command("CFIL", _file, 1, 1),
    Command("SFIL", _file, 1, 1),
    *[Command(key, _C.set_number, 1, 1, (key,)) for key in _LIMITS],
    *[Command(f"{key}?", _C.ask_number, 0, 0, (key,)) for key in _LIMITS],
)
