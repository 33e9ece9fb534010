"""A Keysight 34461A multimeter, which answers the 34401A's commands too.

Command set: Keysight Truevolt series operating and service guide, and 34401A user's guide, as third-party drivers use
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simorc.core.scpi import Range, format_number, parse_boolean
from simorc.virtual_lab.equipment.arguments import format_reading, limits_or
from simorc.virtual_lab.equipment.instrument import Command, constant, ignored
from simorc.virtual_lab.equipment.meter_functions import FUNCTIONS, GATE_S, NPLC, Function
from simorc.virtual_lab.equipment.multimeter import LINE_HZ, VirtualMultimeter


def _of_function(f: Function) -> list[Command]:
    meter, head = VirtualMultimeter, f"[SENSe:]{f.pattern}"
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
    meter, found = VirtualMultimeter, []
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
    meter, found = VirtualMultimeter, []
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


def _set_auto_delay(meter: VirtualMultimeter, text: str) -> None:
    meter.trig.auto_delay = parse_boolean(text)


_M = VirtualMultimeter
_COMMANDS = (
    Command("[SENSe:]FUNCtion[:ON]", _M.select, 1, 1),
    Command("[SENSe:]FUNCtion[:ON]?", _M.ask_function),
    Command("CONFigure?", _M.ask_configuration),
    Command("READ?", _M.read),
    Command("INITiate[:IMMediate]", _M.initiate),
    Command("FETCh?", _M.fetch),
    Command("ABORt", _M.abort),
    Command("DATA:POINts?", lambda i: f"{len(i.trig.readings):+d}"),
    Command("DATA:LAST?", lambda i: format_reading(i.trig.readings[-1] if i.trig.readings else 9.91e37)),
    Command("TRIGger:DELay:AUTO", _set_auto_delay, 1, 1),
    Command("TRIGger:DELay:AUTO?", lambda i: str(int(i.trig.auto_delay))),
    Command("[SENSe:]DETector:BANDwidth", _M.set_bandwidth, 1, 1),
    Command("[SENSe:]DETector:BANDwidth?", lambda i: format_number(i.bandwidth)),
    Command("ROUTe:TERMinals?", constant("FRON")),
    Command("DISPlay:TEXT[:DATA]", _M.set_text, 1, 1),
    Command("DISPlay:TEXT[:DATA]?", lambda i: f'"{i.text}"'),
    Command("DISPlay:TEXT:CLEar", lambda i: i.set_text('""')),
    Command("SYSTem:BEEPer[:IMMediate]", ignored),
    Command("SYSTem:LFRequency?", lambda i: format_number(LINE_HZ)),
    Command("SYSTem:LICense:CATalog?", constant('""')),
    Command("SYSTem:LOCal", ignored),
    Command("SYSTem:REMote", ignored),
    Command("SYSTem:RWLock", ignored),
    *[command for function in FUNCTIONS for command in _of_function(function)],
    *_of_trigger(),
    *_of_switches(),
)


class Keysight34461a(VirtualMultimeter):
    """The meter."""

    identity: ClassVar[str] = "Keysight Technologies,34461A,MY532{serial:05d},A.02.17-02.40-02.17-00.52-02-01"
    commands: ClassVar[Sequence[Command]] = _COMMANDS


class Hp34401a(Keysight34461a):
    """The same meter under the name of its predecessor."""

    identity: ClassVar[str] = "HEWLETT-PACKARD,34401A,0,10-5-2"
