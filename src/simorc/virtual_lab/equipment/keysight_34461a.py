"""A Keysight 34461A multimeter, which answers the 34401A's commands too.

Command set: Keysight Truevolt series operating and service guide, and 34401A user's guide, as third-party drivers use
them. Noise figures are assumed.
"""

from __future__ import annotations

import math
from typing import ClassVar

from simorc.core.bench import InstrumentSettings
from simorc.core.equipment import LabPorts
from simorc.core.scpi import (
    Range,
    choice,
    format_number,
    keyword,
    parse_boolean,
    parse_number,
    parse_string,
)
from simorc.core.scpi_errors import ScpiError
from simorc.virtual_lab.equipment.arguments import format_reading, limits_or, smallest_at_least
from simorc.virtual_lab.equipment.instrument import Command, VirtualScpi, constant, ignored
from simorc.virtual_lab.equipment.meter_functions import (
    BY_NAME,
    FUNCTIONS,
    GATE_S,
    NPLC,
    RESOLUTION,
    Function,
    Setting,
    TriggerSystem,
    function_named,
    resolutions,
)

OVERLOAD = 9.9e37
_LINE_HZ = 50.0
_OVERRANGE = 1.2
_NOISE_AT_10 = 1e-7
"""Standard deviation of a reading in parts of the range at 10 power line cycles; assumed."""
_MEMORY = 10_000


class Keysight34461a(VirtualScpi):
    """The multimeter at a meter's terminals."""

    identity: ClassVar[str] = "Keysight Technologies,34461A,MY532{serial:05d},A.02.17-02.40-02.17-00.52-02-01"

    def __init__(self, settings: InstrumentSettings, lab: LabPorts) -> None:
        super().__init__(settings, lab)
        self.port = lab.meter(settings.name)
        self.reset()

    def reset(self) -> None:
        """Voltage, autorange, 10 power line cycles, one immediate reading."""
        self.function = BY_NAME["VOLT"]
        self.settings = {f.name: Setting(range=f.ranges[-1] if f.ranges else 0.0) for f in FUNCTIONS}
        self.trig = TriggerSystem()
        self.switches = {"ZERO": True, "INP": False, "DISP": True, "BEEP": True}
        self.bandwidth = 20.0
        self.text = ""

    def clear(self) -> None:
        """Also leaves the wait for a trigger."""
        super().clear()
        self.trig.waiting = False

    def trigger(self) -> None:
        """Take the readings that wait for `*TRG`."""
        if not (self.trig.waiting and self.trig.source == "BUS"):
            raise ScpiError(-211)
        self._take_all()

    def select(self, text: str) -> None:
        """`FUNC "VOLT:DC"`"""
        self.function = function_named(parse_string(text))

    def ask_function(self) -> str:
        """`FUNC?`"""
        return f'"{self.function.name}"'

    def set_range(self, function: Function, text: str) -> None:
        """`<f>:RANG`"""
        setting = self.settings[function.name]
        named = function.limits.named(text)
        wanted = abs(parse_number(text, function.unit)) if named is None else named
        setting.range = smallest_at_least(function.ranges, wanted)
        setting.auto = False

    def ask_range(self, function: Function, word: str | None = None) -> str:
        """`<f>:RANG?`"""
        return limits_or(function.limits, self._range(function), word)

    def set_auto(self, function: Function, text: str) -> None:
        """`<f>:RANG:AUTO`"""
        setting = self.settings[function.name]
        once = keyword(text, ("ONCE",))
        setting.range = self._range(function)
        setting.auto = False if once else parse_boolean(text)

    def set_nplc(self, function: Function, text: str) -> None:
        """`<f>:NPLC`"""
        wanted = Range(NPLC[0], NPLC[-1], 10.0).read(text)
        self.settings[function.name].nplc = smallest_at_least(NPLC, wanted)

    def set_resolution(self, function: Function, text: str) -> None:
        """`<f>:RES`: chooses the integration time that gives it."""
        setting = self.settings[function.name]
        full = self._range(function)
        named = resolutions(full).named(text)
        wanted = parse_number(text, function.unit) if named is None else named
        fitting = [nplc for nplc in NPLC if RESOLUTION[nplc] * full <= wanted * (1 + 1e-9)]
        if not fitting:
            raise ScpiError(-222)
        setting.nplc = fitting[0]

    def ask_resolution(self, function: Function, word: str | None = None) -> str:
        """`<f>:RES?`"""
        full = self._range(function)
        found = float(f"{RESOLUTION[self.settings[function.name].nplc] * full:.6g}")
        return limits_or(resolutions(full), found, word)

    def set_aperture(self, function: Function, text: str) -> None:
        """`FREQ:APER`"""
        self.settings[function.name].aperture = smallest_at_least((0.01, 0.1, 1.0), Range(0.01, 1.0, 0.1).read(text))

    def configure(self, function: Function, range_: str = "DEF", resolution: str = "DEF") -> None:
        """`CONF:<f>`: the function with one immediate reading."""
        former = self.settings[function.name]
        self.settings[function.name] = Setting(range=function.ranges[-1] if function.ranges else 0.0)
        try:
            if function.ranges and not keyword(range_, ("DEFault", "AUTO")):
                self.set_range(function, range_)
            if function.integrates and not keyword(resolution, ("DEFault",)):
                self.set_resolution(function, resolution)
        except ScpiError:
            self.settings[function.name] = former
            raise
        self.function = function
        self.trig = TriggerSystem()

    def ask_configuration(self) -> str:
        """`CONF?`"""
        f = self.function
        if not f.ranges:
            return f'"{f.name}"'
        full = self._range(f)
        resolution = RESOLUTION[self.settings[f.name].nplc] * full
        return f'"{f.name} {format_reading(full)},{format_reading(resolution)}"'

    def measure(self, function: Function, range_: str = "DEF", resolution: str = "DEF") -> str:
        """`MEAS:<f>?`"""
        self.configure(function, range_, resolution)
        return self.read()

    def initiate(self) -> None:
        """`INIT`"""
        if self.trig.waiting or self.busy_until > self.lab.clock.now():
            raise ScpiError(-213)
        self.trig.readings = []
        self.trig.waiting = self.trig.source != "IMM"
        if not self.trig.waiting:
            ready = self._ready
            self._take_all()
            self._ready = ready  # INIT does not wait; what asks for the readings does

    def fetch(self) -> str:
        """`FETC?`"""
        if not self.trig.readings:
            raise ScpiError(-230)
        self.await_idle()
        return ",".join(format_reading(value) for value in self.trig.readings)

    def read(self) -> str:
        """`READ?`"""
        if self.trig.source == "BUS":
            raise ScpiError(-214)  # READ? and a bus trigger would wait for each other
        if self.trig.source == "EXT":
            raise ScpiError(-221)  # nothing is connected to the trigger input
        self.trig.readings = []
        self._take_all()
        return self.fetch()

    def abort(self) -> None:
        """`ABOR`"""
        self.trig.waiting = False
        self.busy_until = self.lab.clock.now()

    def set_trigger(self, key: str, limits: Range, text: str) -> None:
        """`TRIG:COUN`, `TRIG:DEL`, `SAMP:COUN`, `SAMP:TIM`"""
        if key in ("count", "samples"):
            infinite = keyword(text, ("INFinity",))
            setattr(self.trig, key, OVERLOAD if infinite else float(round(limits.read(text))))
        else:
            setattr(self.trig, key, limits.read(text))
        if key == "delay":
            self.trig.auto_delay = False

    def ask_trigger(self, key: str, limits: Range, word: str | None = None) -> str:
        """The same as queries."""
        text = limits_or(limits, getattr(self.trig, key), word)
        is_count = key in ("count", "samples") and float(text) < OVERLOAD
        return f"{float(text):+.0f}" if is_count else text  # counts are whole numbers, infinity is not

    def set_choice(self, key: str, words: tuple[str, ...], text: str) -> None:
        """`TRIG:SOUR`, `TRIG:SLOP`, `SAMP:SOUR`"""
        setattr(self.trig, key, choice(text, words))

    def ask_choice(self, key: str) -> str:
        """The same as queries."""
        return str(getattr(self.trig, key))

    def set_switch(self, key: str, text: str) -> None:
        """`ZERO:AUTO`, `INP:IMP:AUTO`, `DISP`, `SYST:BEEP:STAT`"""
        once = key == "ZERO" and keyword(text, ("ONCE",))
        self.switches[key] = False if once else parse_boolean(text)

    def ask_switch(self, key: str) -> str:
        """The same as queries."""
        return str(int(self.switches[key]))

    def set_bandwidth(self, text: str) -> None:
        """`DET:BAND`"""
        wanted = Range(3.0, 3e5, 20.0, "HZ").read(text)
        self.bandwidth = max(band for band in (3.0, 20.0, 200.0) if band <= wanted)

    def set_text(self, text: str) -> None:
        """`DISP:TEXT`"""
        self.text = parse_string(text)

    def _take_all(self) -> None:
        """All samples of all triggers; beyond the memory the oldest are lost, as is the sense in waiting for them."""
        self.trig.waiting = False
        count = int(min(self.trig.count * self.trig.samples, _MEMORY))
        self.trig.readings += self._readings(count)
        own = self._duration() + self.trig.delay
        each = max(own, self.trig.timer) if self.trig.sample_source == "TIM" else own
        self.take_time(each * count)

    def _duration(self) -> float:
        setting = self.settings[self.function.name]
        if not self.function.integrates:
            return setting.aperture
        return setting.nplc / _LINE_HZ * (2 if self.switches["ZERO"] else 1)

    def _range(self, function: Function) -> float:
        """The range in use; with autorange the one that fits what is at the terminals."""
        setting = self.settings[function.name]
        if not setting.auto or not function.ranges:
            return setting.range
        value = abs(self._value(function))
        return next((r for r in function.ranges if value <= r * _OVERRANGE), function.ranges[-1])

    def _value(self, function: Function) -> float:
        if function.name == "VOLT":
            return self.port.voltage()
        if function.name == "CURR":
            return self.port.current()
        if function.name in ("RES", "FRES", "CONT", "DIOD"):
            return self.port.resistance()
        return 0.0  # only direct voltages and currents are in this lab

    def _readings(self, count: int) -> list[float]:
        """What is at the terminals now, as often as asked: only noise differs."""
        function, value = self.function, self._value(self.function)
        full = self._range(function)
        if not function.ranges or abs(value) > full * _OVERRANGE:
            return [math.copysign(OVERLOAD, value)] * count
        if not function.integrates:
            return [self.drifted(value)] * count
        sigma = _NOISE_AT_10 * full * math.sqrt(10.0 / self.settings[function.name].nplc)
        return [self.drifted(value + sigma * self.port.noise()) for _ in range(count)]


class Hp34401a(Keysight34461a):
    """The same meter under the name of its predecessor."""

    identity: ClassVar[str] = "HEWLETT-PACKARD,34401A,0,10-5-2"


def _of_function(f: Function) -> list[Command]:
    meter, head = Keysight34461a, f"[SENSe:]{f.pattern}"
    found = [
        Command(f"CONFigure:{f.pattern}", meter.configure, 0, 2, (f,)),
        Command(f"MEASure[:SCALar]:{f.pattern}?", meter.measure, 0, 2, (f,)),
    ]
    if f.ranges:
        middle = ":VOLTage" if f.name in ("FREQ", "PER") else ""
        found += [
            Command(f"{head}{middle}:RANGe[:UPPer]", meter.set_range, 1, 1, (f,)),
            Command(f"{head}{middle}:RANGe[:UPPer]?", meter.ask_range, 0, 1, (f,)),
            Command(f"{head}{middle}:RANGe:AUTO", meter.set_auto, 1, 1, (f,)),
            Command(f"{head}{middle}:RANGe:AUTO?", lambda i, f: str(int(i.settings[f.name].auto)), 0, 0, (f,)),
        ]
    if f.integrates:
        nplc = Range(NPLC[0], NPLC[-1], 10.0)
        found += [
            Command(f"{head}:NPLCycles", meter.set_nplc, 1, 1, (f,)),
            Command(f"{head}:NPLCycles?", lambda i, f, w=None: limits_or(nplc, i.settings[f.name].nplc, w), 0, 1, (f,)),
            Command(f"{head}:ZERO:AUTO", meter.set_switch, 1, 1, ("ZERO",)),
            Command(f"{head}:ZERO:AUTO?", meter.ask_switch, 0, 0, ("ZERO",)),
        ]
    if f.ranges and f.name not in ("FREQ", "PER"):
        found += [
            Command(f"{head}:RESolution", meter.set_resolution, 1, 1, (f,)),
            Command(f"{head}:RESolution?", meter.ask_resolution, 0, 1, (f,)),
        ]
    if f.name in ("FREQ", "PER"):
        gate = Range(0.01, 1.0, GATE_S)
        found += [
            Command(f"{head}:APERture", meter.set_aperture, 1, 1, (f,)),
            Command(
                f"{head}:APERture?", lambda i, f, w=None: limits_or(gate, i.settings[f.name].aperture, w), 0, 1, (f,)
            ),
        ]
    return found


def _of_trigger() -> list[Command]:
    meter, found = Keysight34461a, []
    numbers = (
        ("TRIGger:COUNt", "count", Range(1, 1e6, 1)),
        ("TRIGger:DELay", "delay", Range(0, 3600, 0, "S")),
        ("SAMPle:COUNt", "samples", Range(1, 1e6, 1)),
        ("SAMPle:TIMer", "timer", Range(0.02, 3600, 1, "S")),
    )
    for pattern, key, limits in numbers:
        found.append(Command(pattern, meter.set_trigger, 1, 1, (key, limits)))
        found.append(Command(f"{pattern}?", meter.ask_trigger, 0, 1, (key, limits)))
    words = (
        ("TRIGger:SOURce", "source", ("IMMediate", "BUS", "EXTernal")),
        ("TRIGger:SLOPe", "slope", ("POSitive", "NEGative")),
        ("SAMPle:SOURce", "sample_source", ("IMMediate", "TIMer")),
    )
    for pattern, key, allowed in words:
        found.append(Command(pattern, meter.set_choice, 1, 1, (key, allowed)))
        found.append(Command(f"{pattern}?", meter.ask_choice, 0, 0, (key,)))
    return found


def _of_switches() -> list[Command]:
    meter, found = Keysight34461a, []
    switches = (
        ("[SENSe:]ZERO:AUTO", "ZERO"),
        ("INPut:IMPedance:AUTO", "INP"),
        ("[SENSe:]VOLTage[:DC]:IMPedance:AUTO", "INP"),
        ("DISPlay[:STATe]", "DISP"),
        ("SYSTem:BEEPer:STATe", "BEEP"),
    )
    for pattern, key in switches:
        found.append(Command(pattern, meter.set_switch, 1, 1, (key,)))
        found.append(Command(f"{pattern}?", meter.ask_switch, 0, 0, (key,)))
    return found


def _set_auto_delay(meter: Keysight34461a, text: str) -> None:
    meter.trig.auto_delay = parse_boolean(text)


Keysight34461a.commands = (
    Command("[SENSe:]FUNCtion[:ON]", Keysight34461a.select, 1, 1),
    Command("[SENSe:]FUNCtion[:ON]?", Keysight34461a.ask_function),
    Command("CONFigure?", Keysight34461a.ask_configuration),
    Command("READ?", Keysight34461a.read),
    Command("INITiate[:IMMediate]", Keysight34461a.initiate),
    Command("FETCh?", Keysight34461a.fetch),
    Command("ABORt", Keysight34461a.abort),
    Command("DATA:POINts?", lambda i: f"{len(i.trig.readings):+d}"),
    Command("DATA:LAST?", lambda i: format_reading(i.trig.readings[-1] if i.trig.readings else 9.91e37)),
    Command("TRIGger:DELay:AUTO", _set_auto_delay, 1, 1),
    Command("TRIGger:DELay:AUTO?", lambda i: str(int(i.trig.auto_delay))),
    Command("[SENSe:]DETector:BANDwidth", Keysight34461a.set_bandwidth, 1, 1),
    Command("[SENSe:]DETector:BANDwidth?", lambda i: format_number(i.bandwidth)),
    Command("ROUTe:TERMinals?", constant("FRON")),
    Command("DISPlay:TEXT[:DATA]", Keysight34461a.set_text, 1, 1),
    Command("DISPlay:TEXT[:DATA]?", lambda i: f'"{i.text}"'),
    Command("DISPlay:TEXT:CLEar", lambda i: i.set_text('""')),
    Command("SYSTem:BEEPer[:IMMediate]", ignored),
    Command("SYSTem:LFRequency?", lambda i: format_number(_LINE_HZ)),
    Command("SYSTem:LICense:CATalog?", constant('""')),
    Command("SYSTem:LOCal", ignored),
    Command("SYSTem:REMote", ignored),
    Command("SYSTem:RWLock", ignored),
    *[command for function in FUNCTIONS for command in _of_function(function)],
    *_of_trigger(),
    *_of_switches(),
)
