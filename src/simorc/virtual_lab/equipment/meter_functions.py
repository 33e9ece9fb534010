"""Pure: what a 34461A measures, and in which ranges (Keysight 34461A data sheet; 34401A user's guide)."""

from __future__ import annotations

from dataclasses import dataclass, field

from simorc.core.scpi import Range, match
from simorc.core.scpi_errors import ScpiError

NPLC = (0.02, 0.2, 1.0, 10.0, 100.0)
RESOLUTION = {0.02: 1e-4, 0.2: 1e-5, 1.0: 3e-6, 10.0: 1e-6, 100.0: 3e-7}
"""Power line cycles -> resolution in parts of the range (34401A user's guide, integration time table)."""
GATE_S = 0.1


@dataclass(frozen=True, slots=True)
class Function:
    """One measuring function.

    Parameters
    ----------
    name: as `FUNC?` answers it
    pattern: header in the notation of manuals
    ranges: ascending, in `unit`; empty for a function without ranges
    integrates: whether NPLC and resolution apply
    """

    name: str
    pattern: str
    unit: str = ""
    ranges: tuple[float, ...] = ()
    integrates: bool = False

    @property
    def limits(self) -> Range:
        """The ranges that may be asked for; the default is the highest."""
        return Range(self.ranges[0], self.ranges[-1], self.ranges[-1], self.unit)


@dataclass
class Setting:
    """How one function measures: its range, power line cycles, gate time in s."""

    range: float = 0.0
    auto: bool = True
    nplc: float = 10.0
    aperture: float = GATE_S


@dataclass
class TriggerSystem:
    """When readings are taken, and those that were.

    Parameters
    ----------
    delay, timer: s
    count, samples: triggers, and readings a trigger
    waiting: whether it is initiated, and waits for its source
    """

    source: str = "IMM"
    delay: float = 0.0
    auto_delay: bool = True
    count: float = 1
    slope: str = "NEG"
    samples: float = 1
    sample_source: str = "IMM"
    timer: float = 1.0
    waiting: bool = False
    readings: list[float] = field(default_factory=list)


FUNCTIONS = (
    Function("VOLT", "VOLTage[:DC]", "V", (0.1, 1.0, 10.0, 100.0, 1000.0), True),
    Function("VOLT:AC", "VOLTage:AC", "V", (0.1, 1.0, 10.0, 100.0, 750.0)),
    Function("VOLT:RAT", "VOLTage[:DC]:RATio", "", (0.1, 1.0, 10.0, 100.0, 1000.0)),
    Function("CURR", "CURRent[:DC]", "A", (1e-4, 1e-3, 1e-2, 0.1, 1.0, 3.0, 10.0), True),
    Function("CURR:AC", "CURRent:AC", "A", (1e-4, 1e-3, 1e-2, 0.1, 1.0, 3.0, 10.0)),
    Function("RES", "RESistance", "OHM", (1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8), True),
    Function("FRES", "FRESistance", "OHM", (1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8), True),
    Function("FREQ", "FREQuency", "V", (0.1, 1.0, 10.0, 100.0, 750.0)),
    Function("PER", "PERiod", "V", (0.1, 1.0, 10.0, 100.0, 750.0)),
    Function("CONT", "CONTinuity"),
    Function("DIOD", "DIODe"),
)
BY_NAME = {function.name: function for function in FUNCTIONS}


def resolutions(full_scale: float) -> Range:
    """The resolutions that may be asked for in a range, in its unit."""
    finest, usual, coarsest = (RESOLUTION[nplc] * full_scale for nplc in (NPLC[-1], 10.0, NPLC[0]))
    return Range(finest, coarsest, usual)


def function_named(text: str) -> Function:
    """The function that a text such as `VOLT:DC` names.

    Raises
    ------
    ScpiError: -224 there is none
    """
    for function in FUNCTIONS:
        if match(function.pattern, text.strip().upper().removeprefix("SENS:")):
            return function
    raise ScpiError(-224)
