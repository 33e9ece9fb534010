"""What a bench asks of instruments, whatever their make: the faces that procedures are written against.

Every setting is confirmed by the instrument (read back, or its error queue looked at); every reading is a Reading in
SI units or degC with the bound of its error. All methods raise InstrumentError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from simorc.core.bench import InstrumentSettings
from simorc.core.equipment import Clock, Transport
from simorc.core.reading import Reading

Observer = Callable[[str, Reading], None]
"""Is told every reading: the kind of quantity (`voltage`, `current`, `temperature`), and the reading."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a command does that limits are about.

    Parameters
    ----------
    pattern: header in the notation of manuals
    quantity: of a supply `voltage`, `current`, `output`; of a load `mode`, `level` (its name is the header), `source`
        (which level is in effect), `input`; of a chamber `temperature`, `flow`; `select` for the output or setpoint
        that settings are about; `harmless` for none of them
    argument: position of the value among the arguments
    channels: outputs it acts on whatever is selected; empty for those listed after the value, else the one selected
    """

    pattern: str
    quantity: str
    argument: int = 0
    channels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an instrument says that it is.

    Parameters
    ----------
    idn: its whole reply to `*IDN?`
    """

    idn: str

    def field(self, index: int) -> str:
        """Maker, model, serial number or firmware (0 to 3), empty where it does not say."""
        fields = [text.strip() for text in self.idn.split(",")]
        # Some makers put a comma into their own name: serial number and firmware are the last two.
        return fields[index - 4 if index >= 2 and len(fields) > 4 else index] if len(fields) > index else ""


class Instrument(Protocol):
    """Any instrument of a bench. Entry points in `simorc.instruments`, called as below."""

    kind: ClassVar[str]
    """`supply`, `load`, `meter`, `chamber` or `switch`."""
    expected: ClassVar[str]
    """A text that its reply to `*IDN?` contains, whatever the case."""
    effects: ClassVar[Sequence[Effect]]
    """What its commands do; empty where nothing it is told can hurt anything."""
    settings: InstrumentSettings

    def __init__(
        self, settings: InstrumentSettings, transport: Transport, clock: Clock, observe: Observer | None = None
    ) -> None: ...

    def identity(self) -> Identity:
        """Ask who it is."""

    def errors(self) -> list[str]:
        """Take everything out of its error queue."""

    def send(self, text: str) -> str | None:
        """Any text: a query's reply, or None."""

    def look(self) -> None:
        """Ask what it is set to, as far as limits are about it; a guard that listens knows then, too."""

    def make_safe(self, to: str | float) -> str:
        """Bring it into its safe state, read that back, and say what was read.

        Parameters
        ----------
        to: `off`, or for a chamber a temperature in degC
        """


class SupplyChannel(Protocol):
    """One output of a power supply."""

    def apply(self, voltage: float, current_limit: float) -> None:
        """Set both, V and A."""

    def set_voltage(self, voltage: float) -> None:
        """V."""

    def set_current_limit(self, current: float) -> None:
        """A."""

    def on(self) -> None:
        """Switch the output on, and see that it follows."""

    def off(self) -> None:
        """Switch the output off, and see that it is."""

    def is_on(self) -> bool:
        """Whether the output is on."""

    def voltage(self) -> Reading:
        """Read back, V."""

    def current(self) -> Reading:
        """Read back, A."""


class PowerSupply(Instrument, Protocol):
    """A supply with one or more outputs."""

    def channel(self, number: int) -> SupplyChannel:
        """An output, from 1."""


class Multimeter(Instrument, Protocol):
    """A multimeter for direct voltage and current."""

    def voltage(self, range_: float | None = None, nplc: float = 10) -> Reading:
        """V; range in V or None for autorange, aperture in power line cycles."""

    def current(self, range_: float | None = None, nplc: float = 10) -> Reading:
        """A; range in A or None for autorange."""


class ElectronicLoad(Instrument, Protocol):
    """An electronic load."""

    def set_current(self, amperes: float) -> None:
        """Sink a constant current."""

    def on(self) -> None:
        """Switch the input on."""

    def off(self) -> None:
        """Switch the input off."""

    def voltage(self) -> Reading:
        """V at its terminals."""

    def current(self) -> Reading:
        """A into its terminals."""


class ThermalChamber(Instrument, Protocol):
    """A source of temperature."""

    def head_for(self, temperature: float, window: float, soak_s: float) -> None:
        """Go to a temperature, degC; settled is within +-window K for soak_s seconds without a break."""

    def is_settled(self) -> bool:
        """Whether its firmware says so."""

    def temperature(self) -> Reading:
        """What it controls by now, degC."""


class Switch(Instrument, Protocol):
    """A relay matrix that connects one of several DUTs."""

    def close(self, channel: int) -> None:
        """Connect this one, after all others were opened."""

    def open_all(self) -> None:
        """Connect none."""


def identity_record(instrument: Instrument, identity: Identity) -> Mapping[str, str]:
    """What run.json keeps of an instrument."""
    s = instrument.settings
    return {
        "name": s.name,
        "driver": s.driver,
        "resource": s.resource,
        "idn": identity.idn,
        "serial": identity.field(2),
        "firmware": identity.field(3),
        "calibrated": s.calibrated,
        "calibration_due": s.calibration_due,
    }
