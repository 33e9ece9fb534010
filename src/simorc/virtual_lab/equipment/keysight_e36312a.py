"""A Keysight E36312A triple-output supply, which understands the E3631A's commands too.

Command set: Keysight E36300 series programming guide and E3631A user's guide, as third-party drivers use them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from simorc.core.bench import InstrumentSettings
from simorc.core.equipment import LabPorts, SupplyState
from simorc.core.scpi import Range, choice, keyword, parse_boolean, parse_channels
from simorc.core.scpi_errors import ScpiError
from simorc.virtual_lab.equipment.arguments import format_reading, limits_or
from simorc.virtual_lab.equipment.instrument import Command, VirtualScpi, constant, ignored

_NAMES = ("P6V", "P25V", "N25V")
_READBACK_NOISE = 2e-5
"""Standard deviation of a readback in parts of full scale; assumed."""
_TRIP_HEADROOM = 1.1


@dataclass
class _Output:
    """One output: what it can, and what it is set to; V, A."""

    voltages: Range
    currents: Range
    voltage: float = 0.0
    current: float = 0.0
    on: bool = False
    over_voltage: float = 0.0
    over_current: bool = False
    voltage_tripped: bool = False
    current_tripped: bool = False
    sign: float = 1.0
    delivers: bool = False
    """What its terminals were last told: with the fault `stuck_output` not what it is set to."""


class KeysightE36312a(VirtualScpi):
    """The supply: outputs 1 (6 V, 5 A), 2 and 3 (25 V, 1 A)."""

    identity: ClassVar[str] = "Keysight Technologies,E36312A,MY601{serial:05d},2.1.0-1.0.4-1.12"
    names: ClassVar[tuple[str, ...]] = ("CH1", "CH2", "CH3")
    together: ClassVar[bool] = False
    """Whether outputs go on and off together alone: `OUTP` then takes no list."""

    def __init__(self, settings: InstrumentSettings, lab: LabPorts) -> None:
        super().__init__(settings, lab)
        self.ports = {number: lab.supply(settings.name, number) for number in (1, 2, 3)}
        self.meter = lab.meter(settings.name)
        self.outputs: dict[int, _Output] = {}
        self.reset()

    def reset(self) -> None:
        """All outputs off and at 0 V, the current limits at their default, output 1 selected."""
        small = (Range(0, 6.18, 0, "V"), Range(0.002, 5.15, 5.0, "A"))
        large = (Range(0, 25.75, 0, "V"), Range(0.001, 1.03, 1.0, "A"))
        ranges = {1: small, 2: large, 3: large}
        former = self.outputs
        self.outputs = {
            number: _Output(v, a, 0.0, a.default, over_voltage=v.high * _TRIP_HEADROOM)
            for number, (v, a) in ranges.items()
        }
        for number, output in former.items():
            self.outputs[number].delivers = output.delivers
        self.selected = 1
        self.tracking = False
        for number in self.outputs:
            self._drive(number)

    def select(self, text: str) -> None:
        """`INST P25V`, `INST CH2`"""
        self.selected = self._number_of(text)

    def select_number(self, text: str) -> None:
        """`INST:NSEL 2`"""
        self.selected = round(Range(1, 3, 1).read(text))

    def set_voltage(self, text: str, channels: str | None = None) -> None:
        """`VOLT 5,(@1,2)`"""
        numbers = self._channels(channels)
        volts = {number: self.outputs[number].voltages.read(text) for number in numbers}
        if self.tracking:
            volts |= {
                5 - number: math.copysign(v, self.outputs[5 - number].sign) for number, v in volts.items() if number > 1
            }
        for number, value in volts.items():
            self.outputs[number].voltage = value
            self._drive(number)

    def set_current(self, text: str, channels: str | None = None) -> None:
        """`CURR 0.1,(@1,2)`"""
        amperes = {number: self.outputs[number].currents.read(text) for number in self._channels(channels)}
        for number, value in amperes.items():
            self.outputs[number].current = value
            self._drive(number)

    def ask_level(self, quantity: str, *arguments: str) -> str:
        """`VOLT? (@1)`, `CURR? MAX`"""
        word, channels = _split(arguments)
        outputs = [self.outputs[number] for number in self._channels(channels)]
        return ",".join(limits_or(getattr(o, f"{quantity}s"), getattr(o, quantity), word) for o in outputs)

    def set_output(self, text: str, channels: str | None = None) -> None:
        """`OUTP ON,(@1)`"""
        on = parse_boolean(text)
        if channels and self.together:
            raise ScpiError(-108)
        numbers = list(self.outputs) if self.together else self._channels(channels)
        if on and any(self.outputs[n].voltage_tripped or self.outputs[n].current_tripped for n in numbers):
            raise ScpiError(-221)
        for number in numbers:
            self.outputs[number].on = on
            self._drive(number)

    def ask_output(self, channels: str | None = None) -> str:
        """`OUTP? (@1)`"""
        self._protect()
        return ",".join(str(int(self.outputs[number].on)) for number in self._channels(channels))

    def measure(self, quantity: str, channels: str | None = None) -> str:
        """`MEAS:VOLT? (@1)`"""
        if channels is not None and not channels.startswith("("):
            channels = f"(@{self.names.index(choice(channels, self.names)) + 1})"
        self._protect()
        self.take_time(0.02)
        values = []
        for number in self._channels(channels):
            output = self.outputs[number]
            full = output.voltages.high if quantity == "voltage" else output.currents.high
            exact: float = getattr(self.ports[number].measure(), quantity)
            noise = self.meter.noise() * _READBACK_NOISE * full if output.on else 0.0
            values.append(format_reading(output.sign * self.drifted(exact + noise)))
        return ",".join(values)

    def ask_mode(self, channels: str | None = None) -> str:
        """`OUTP:MODE? (@1)`"""
        modes = []
        for number in self._channels(channels):
            state = self.ports[number].measure()
            modes.append(("CC" if state.limiting else "CV") if self.outputs[number].on else "OFF")
        return ",".join(modes)

    def apply(self, name: str, voltage: str | None = None, current: str | None = None) -> None:
        """`APPL P25V,5,0.1`"""
        former = self.selected
        self.select(name)
        output = self.outputs[self.selected]
        try:
            for text, limits in ((voltage, output.voltages), (current, output.currents)):
                if text is not None:
                    limits.read(text)
        except ScpiError:
            self.selected = former
            raise
        if current is not None:
            self.set_current(current)
        if voltage is not None:
            self.set_voltage(voltage)

    def ask_applied(self, name: str | None = None) -> str:
        """`APPL?`"""
        output = self.outputs[self.selected if name is None else self._number_of(name)]
        return f'"{output.voltage:.6f},{output.current:.6f}"'

    def set_protection(self, text: str, channels: str | None = None) -> None:
        """`VOLT:PROT 5.5,(@1)`"""
        for number in self._channels(channels):
            output = self.outputs[number]
            high = output.voltages.high * _TRIP_HEADROOM
            output.over_voltage = Range(output.voltages.high * 0.01, high, high, "V").read(text)
        self._protect()

    def ask_protection(self, *arguments: str) -> str:
        """`VOLT:PROT? (@1)`"""
        word, channels = _split(arguments)
        found = []
        for number in self._channels(channels):
            output = self.outputs[number]
            high = output.voltages.high * _TRIP_HEADROOM
            found.append(limits_or(Range(output.voltages.high * 0.01, high, high), output.over_voltage, word))
        return ",".join(found)

    def set_over_current(self, text: str, channels: str | None = None) -> None:
        """`CURR:PROT:STAT ON,(@1)`"""
        on = parse_boolean(text)
        for number in self._channels(channels):
            self.outputs[number].over_current = on
        self._protect()

    def ask_flag(self, key: str, channels: str | None = None) -> str:
        """`CURR:PROT:STAT?`, `CURR:PROT:TRIP?`, `VOLT:PROT:TRIP?`"""
        self._protect()
        return ",".join(str(int(getattr(self.outputs[n], key))) for n in self._channels(channels))

    def clear_trip(self, key: str, channels: str | None = None) -> None:
        """`CURR:PROT:CLE`, `VOLT:PROT:CLE`, `OUTP:PROT:CLE`"""
        for number in self._channels(channels):
            for name in (key,) if key else ("voltage_tripped", "current_tripped"):
                setattr(self.outputs[number], name, False)

    def set_tracking(self, text: str) -> None:
        """`OUTP:TRAC ON`"""
        self.tracking = parse_boolean(text)

    def _number_of(self, name: str) -> int:
        known = (*self.names, *(name for name in _NAMES if name not in self.names))
        return known.index(choice(name, known)) % 3 + 1

    def _channels(self, text: str | None) -> list[int]:
        if text is None:
            return [self.selected]
        if keyword(text, ("ALL",)):
            return list(self.outputs)
        return parse_channels(text, self.outputs)

    def _drive(self, number: int) -> None:
        """Pass the setting on to the terminals; a stuck output keeps what it delivered last."""
        self._tell(number)
        self._protect()

    def _tell(self, number: int) -> None:
        output = self.outputs[number]
        if output.delivers and self.lab.fault(self.name, "stuck_output") is not None:
            output.on = True
            return
        output.delivers = output.on
        self.ports[number].drive(abs(output.voltage), output.current, output.on)

    def _protect(self) -> None:
        """Trip what exceeds its protection."""
        for number, output in self.outputs.items():
            if not output.on:
                continue
            state: SupplyState = self.ports[number].measure()
            output.voltage_tripped |= state.voltage > output.over_voltage
            output.current_tripped |= output.over_current and state.limiting
            if output.voltage_tripped or output.current_tripped:
                output.on = False
                self._tell(number)


class KeysightE3631a(KeysightE36312a):
    """The same supply under the name of its predecessor: output 3 is negative, and outputs go on and off together."""

    identity: ClassVar[str] = "HEWLETT-PACKARD,E3631A,0,2.1-5.0-1.0"
    names: ClassVar[tuple[str, ...]] = _NAMES
    together: ClassVar[bool] = True

    def reset(self) -> None:
        """As for the successor, with output 3 below ground."""
        super().reset()
        output = self.outputs[3]
        output.voltages, output.sign = Range(-25.75, 0, 0, "V"), -1.0
        output.over_voltage = 30.0


def _split(arguments: tuple[str, ...]) -> tuple[str | None, str | None]:
    """A query's word and channel list, either of which may be absent."""
    word = next((a for a in arguments if not a.startswith("(")), None)
    return word, next((a for a in arguments if a.startswith("(")), None)


_S = KeysightE36312a
_LEVEL = "[:LEVel][:IMMediate][:AMPLitude]"
KeysightE36312a.commands = (
    Command("INSTrument[:SELect]", _S.select, 1, 1),
    Command("INSTrument[:SELect]?", lambda i: i.names[i.selected - 1]),
    Command("INSTrument:NSELect", _S.select_number, 1, 1),
    Command("INSTrument:NSELect?", lambda i: f"{i.selected:+d}"),
    Command("INSTrument:CATalog?", lambda i: ",".join(f'"{name}"' for name in i.names)),
    Command(f"[SOURce:]VOLTage{_LEVEL}", _S.set_voltage, 1, 2),
    Command(f"[SOURce:]VOLTage{_LEVEL}?", _S.ask_level, 0, 2, ("voltage",)),
    Command(f"[SOURce:]CURRent{_LEVEL}", _S.set_current, 1, 2),
    Command(f"[SOURce:]CURRent{_LEVEL}?", _S.ask_level, 0, 2, ("current",)),
    Command("[SOURce:]VOLTage:PROTection[:LEVel]", _S.set_protection, 1, 2),
    Command("[SOURce:]VOLTage:PROTection[:LEVel]?", _S.ask_protection, 0, 2),
    Command("[SOURce:]VOLTage:PROTection:TRIPped?", _S.ask_flag, 0, 1, ("voltage_tripped",)),
    Command("[SOURce:]VOLTage:PROTection:CLEar", _S.clear_trip, 0, 1, ("voltage_tripped",)),
    Command("[SOURce:]CURRent:PROTection:STATe", _S.set_over_current, 1, 2),
    Command("[SOURce:]CURRent:PROTection:STATe?", _S.ask_flag, 0, 1, ("over_current",)),
    Command("[SOURce:]CURRent:PROTection:TRIPped?", _S.ask_flag, 0, 1, ("current_tripped",)),
    Command("[SOURce:]CURRent:PROTection:CLEar", _S.clear_trip, 0, 1, ("current_tripped",)),
    Command("OUTPut[:STATe]", _S.set_output, 1, 2),
    Command("OUTPut[:STATe]?", _S.ask_output, 0, 1),
    Command("OUTPut:MODE?", _S.ask_mode, 0, 1),
    Command("OUTPut:PROTection:CLEar", _S.clear_trip, 0, 1, ("",)),
    Command("OUTPut:TRACk[:STATe]", _S.set_tracking, 1, 1),
    Command("OUTPut:TRACk[:STATe]?", lambda i: str(int(i.tracking))),
    Command("MEASure[:SCALar]:VOLTage[:DC]?", _S.measure, 0, 1, ("voltage",)),
    Command("MEASure[:SCALar]:CURRent[:DC]?", _S.measure, 0, 1, ("current",)),
    Command("APPLy", _S.apply, 1, 3),
    Command("APPLy?", _S.ask_applied, 0, 1),
    Command("SYSTem:LOCal", ignored),
    Command("SYSTem:REMote", ignored),
    Command("SYSTem:RWLock", ignored),
    Command("SYSTem:BEEPer[:IMMediate]", ignored),
    Command("DISPlay[:WINDow][:STATe]", ignored, 1, 1),
    Command("DISPlay[:WINDow][:STATe]?", constant("1")),
)
