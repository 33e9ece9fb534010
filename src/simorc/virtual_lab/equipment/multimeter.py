"""What a multimeter of the 34401A's family does: functions, ranges, triggers, readings; noise figures are assumed."""

from __future__ import annotations

import math

from simorc.core.bench import InstrumentSettings
from simorc.core.equipment import LabPorts
from simorc.core.scpi import (
    Range,
    choice,
    keyword,
    parse_boolean,
    parse_number,
    parse_string,
)
from simorc.core.scpi_errors import ScpiError
from simorc.virtual_lab.equipment.arguments import format_reading, limits_or, smallest_at_least
from simorc.virtual_lab.equipment.instrument import VirtualScpi
from simorc.virtual_lab.equipment.meter_functions import (
    BY_NAME,
    FUNCTIONS,
    NPLC,
    RESOLUTION,
    Function,
    Setting,
    TriggerSystem,
    function_named,
    resolutions,
)

OVERLOAD = 9.9e37
LINE_HZ = 50.0
_OVERRANGE = 1.2
_NOISE_AT_10 = 1e-7
"""Standard deviation of a reading in parts of the range at 10 power line cycles; assumed."""
_MEMORY = 10_000


class VirtualMultimeter(VirtualScpi):
    """A multimeter at a meter's terminals; subclasses give identity and table."""

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
        return setting.nplc / LINE_HZ * (2 if self.switches["ZERO"] else 1)

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
