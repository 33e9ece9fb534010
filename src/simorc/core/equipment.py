"""Pure: the faces between drivers, transports, virtual equipment and the physics behind it.

driver -> text -> Transport -> (real instrument | VirtualInstrument -> ports -> physics and DutModel)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from simorc.core.bench import BenchSettings, InstrumentSettings


class Clock(Protocol):
    """Bench time in seconds, from 0 when the bench was opened."""

    def now(self) -> float:
        """Bench time, s."""

    def sleep(self, seconds: float) -> None:
        """Let bench time pass, s; an autojump clock jumps."""


class Transport(Protocol):
    """Text to one instrument and back, without terminators.

    Every method raises InstrumentError (core.errors) with resource, text sent and what happened.
    """

    def write(self, text: str) -> None:
        """Send one program message."""

    def read(self) -> str:
        """One response message.

        Raises
        ------
        InstrumentError: none came in time; nothing stale is ever returned later: the caller clears
        """

    def query(self, text: str) -> str:
        """Write, then read."""

    def clear(self) -> None:
        """Device clear: what is on its way is thrown away, in both directions."""

    def close(self) -> None:
        """Let go of the instrument; twice is once."""


class Link(Protocol):
    """How the instruments of one bench are reached: the family `transports`, called with the settings."""

    clock: Clock

    def __init__(self, bench: BenchSettings) -> None: ...

    def open(self, instrument: InstrumentSettings) -> Transport:
        """The transport of one instrument.

        Raises
        ------
        ToolMissingError: it cannot be reached
        """

    def begin_case(self, seed: int) -> None:
        """A case begins: where readings are drawn at random, they are drawn from this seed from here on."""

    def close(self) -> None:
        """Close every transport that is still open."""


class Reply(Struct, frozen=True):
    """What a virtual instrument answers.

    Parameters
    ----------
    text: the response message without terminator
    ready_s: bench time at which it can be read
    """

    text: str
    ready_s: float


class VirtualInstrument(Protocol):
    """What plays an instrument: the family `equipment`, called with (settings, lab)."""

    def execute(self, message: str) -> Reply | None:
        """Carry out one program message (no terminator), which may hold several units; no input raises."""

    def clear(self) -> None:
        """Device clear: forget what was begun; settings stay."""

    def status_byte(self) -> int:
        """The status byte for a serial poll."""

    def report(self, code: int) -> None:
        """Put an error into the queue that only the interface can notice, e.g. -410."""


class SupplyState(Struct, frozen=True):
    """What one output of a supply delivers: V at its terminals, A out of them, and whether the current limit acts."""

    voltage: float
    current: float
    limiting: bool


class SupplyPort(Protocol):
    """One output of a power supply at its terminals."""

    def drive(self, voltage: float, current_limit: float, on: bool) -> None:
        """Set what it tries to deliver: V, A."""

    def measure(self) -> SupplyState:
        """What it delivers now; 0 V and 0 A when off."""


class LoadPort(Protocol):
    """The terminals of an electronic load."""

    def sink(self, mode: str, level: float, on: bool) -> None:
        """Set what it tries to sink; mode is C (A), P (W), R (ohm), G (S) or V (V)."""

    def measure(self) -> tuple[float, float]:
        """V at its terminals, A into them."""


class MeterPort(Protocol):
    """The terminals of a multimeter, wherever they are connected."""

    def voltage(self) -> float:
        """V between its inputs; 0 where nothing is connected there."""

    def current(self) -> float:
        """A through its current input; 0 where nothing is connected there."""

    def resistance(self) -> float:
        """Ohm between its inputs; infinite where nothing is connected there."""

    def noise(self) -> float:
        """One draw of a standard normal distribution; 0 in a lab without noise."""


class ChamberState(Struct, frozen=True):
    """Temperatures at a chamber, degC; None for a sensor that is open."""

    air: float | None
    dut: float | None


class ChamberPort(Protocol):
    """The air stream of a thermal chamber."""

    def drive(self, setpoint: float, ramp: float | None, flow: bool) -> None:
        """Head for a temperature: degC; K/min, None for as fast as it can; whether air flows at all."""

    def temperatures(self) -> ChamberState:
        """What its sensors read now."""

    def inside_since(self, sensor: str, window: float) -> float | None:
        """Bench time since when the `air` or `dut` sensor has been within +-window K of the setpoint without a break.

        None while it is outside. Exact between polls: the physics keeps the history, not the caller's polling.
        """


class SwitchPort(Protocol):
    """The relays that connect one of several DUTs."""

    def close(self, channel: int | None) -> None:
        """Connect DUT number `channel` (from 1) and no other; None opens all."""

    def closed(self) -> int | None:
        """Which one is connected."""


class LabPorts(Protocol):
    """What a virtual instrument sees of the lab: its own terminals and the time. Every call is at the clock's time."""

    clock: Clock

    def supply(self, instrument: str, channel: int) -> SupplyPort:
        """Terminals of a supply's output."""

    def load(self, instrument: str) -> LoadPort:
        """Terminals of a load."""

    def meter(self, instrument: str) -> MeterPort:
        """Terminals of a meter."""

    def chamber(self, instrument: str) -> ChamberPort:
        """The air stream of a chamber."""

    def switch(self, instrument: str) -> SwitchPort:
        """The relays of a switch."""

    def fault(self, instrument: str, kind: str) -> float | None:
        """The size of a fault that has befallen the instrument by now (0 where it has none), else None."""


class ElectricalState(Struct, frozen=True):
    """The DUT's terminals at one instant.

    Parameters
    ----------
    vin: V at the input
    iin: A into the input
    vout: V at the output
    iout: A out of the output
    ignd: A out of the ground pin
    """

    vin: float = 0.0
    iin: float = 0.0
    vout: float = 0.0
    iout: float = 0.0
    ignd: float = 0.0

    @property
    def power(self) -> float:
        """W that stay in the DUT."""
        return self.vin * self.iin - self.vout * self.iout


class DutModel(Protocol):
    """The physics of one part; pure. Entry points in `simorc.dut_models`, called with (parameters, spread).

    `parameters` is one set: name -> value in SI units and degC. `spread` is by how much this part differs, by the name
    of the quantity that varies from part to part, in that quantity's own unit; an absent one is 0.
    """

    ladder: tuple[tuple[float, float], ...]
    """Cauer ladder from junction to air: (K/W, J/K) a rung, junction first."""

    def __init__(self, parameters: Mapping[str, float], spread: Mapping[str, float]) -> None: ...

    def solve(self, vin: float, iout: float, tj: float, shut_down: bool) -> ElectricalState:
        """Terminal values with a stiff supply and a stiff load current.

        Parameters
        ----------
        vin: V
        iout: A that the load asks for; beyond the current limit the output falls, down to 0 V
        tj: degC of the junction
        shut_down: whether thermal shutdown holds the output off
        """

    def shuts_down(self, tj: float, shut_down: bool) -> bool:
        """Whether thermal shutdown holds the output off at this junction temperature, given whether it did before."""
