"""Pure: a bench as plain frozen data: instruments, limits, settling, safe state, and what stands in for equipment.

`config` makes a BenchSettings from the bench's YAML; the plan keeps it in the run directory.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from simorc.core.units import Value

AMBIENT = 23.0
"""The room, degC, where nothing says otherwise; assumed."""


class InstrumentSettings(Struct, frozen=True):
    """One instrument of a bench.

    Parameters
    ----------
    name: what procedures call it: `psu`, `dmm`
    driver: a name of the family `instruments` of the registry, e.g. `keysight_e36312a`
    resource: VISA resource name; empty on a simulated bench
    model: what plays it on a simulated bench, of the family `equipment`; empty for the driver's own name
    idn: a text that its reply to `*IDN?` has to contain, whatever the case; empty for the driver's own expectation
    timeout_s: wall seconds to wait for a reply
    terminator: ends messages both ways on SOCKET and serial
    calibrated, calibration_due: dates in ISO 8601, or empty
    options: further VISA attributes, e.g. `baud_rate: 9600`
    """

    name: str
    driver: str
    resource: str = ""
    model: str = ""
    idn: str = ""
    timeout_s: float = 5.0
    terminator: str = "\n"
    calibrated: str = ""
    calibration_due: str = ""
    options: Mapping[str, Value] = field(default_factory=dict)


class BenchLimits(Struct, frozen=True):
    """What must never be exceeded, set or read; None limits nothing.

    Parameters
    ----------
    voltage: V, of any supply channel, and of any voltage read
    current: A, of any supply channel or load, and of any current read
    power: W, of a supply channel (voltage times current limit), and of any power read
    chamber_min, chamber_max: degC, set and read
    tj: degC, of the DUT's junction: chamber plus `theta_ja` times the supply voltage times the load current
    theta_ja: K/W, junction to air
    """

    voltage: float | None = None
    current: float | None = None
    power: float | None = None
    chamber_min: float | None = None
    chamber_max: float | None = None
    tj: float | None = None
    theta_ja: float = 0.0


class SafeStep(Struct, frozen=True):
    """One step into the safe state: `to` is `off`, or for a chamber a temperature in degC, or `ambient`."""

    instrument: str
    to: str | float = "off"


class Settling(Struct, frozen=True):
    """When a temperature, and the DUT on it, counts as settled. Times are bench time.

    Parameters
    ----------
    parameter: name of the sweep's parameter that the chamber follows
    window: K around the setpoint
    soak_s: seconds that it has to stay inside the window
    timeout_s: seconds after which it counts as `never_settled`
    resolution: relative drift of the DUT's reading between two looks below which it has settled, in parts
    interval_s: seconds between two looks at the DUT
    drift_timeout_s: seconds after which a reading that still drifts counts as `never_settled`
    """

    parameter: str = "temp"
    window: float = 0.5
    soak_s: float = 120.0
    timeout_s: float = 3600.0
    resolution: float = 5e-6
    interval_s: float = 5.0
    drift_timeout_s: float = 900.0


class PartSettings(Struct, frozen=True):
    """One DUT on the simulated board.

    Parameters
    ----------
    model: a name of the family `dut_models`
    set: parameter set of the model
    serial: what it is called in the record
    spread: whether it differs from the typical part, by a draw from the lab's seed
    foster: thermal table (K/W, s) that takes the place of the set's ladder; empty for none
    """

    model: str
    set: str
    serial: str = ""
    spread: bool = True
    foster: tuple[tuple[float, ...], ...] = ()


class FaultSettings(Struct, frozen=True):
    """Something that goes wrong on a simulated bench.

    Parameters
    ----------
    fault: its kind, a name in `virtual_lab/faults.py`
    instrument: which one it befalls
    after_s: bench seconds after which it begins
    value: how large it is, where the kind has a size
    outcome: what it has to lead to: an error kind, `missing` (the bench does not open), or empty for the kind's own
    """

    fault: str
    instrument: str
    after_s: float = 0.0
    value: float | None = None
    outcome: str = ""


class SimulatedLab(Struct, frozen=True):
    """What stands in for equipment and DUT.

    Parameters
    ----------
    clock: `autojump` (in this process), `rate` or `real`
    rate: bench seconds per wall second of the clock `rate`
    ambient: degC of the room
    seed: seed of spread and reading noise
    noise: whether readings carry noise
    parts: the DUTs in the chamber by name; a switch selects them in this order, from 1
    wiring: instrument, or `instrument.channel`, -> where it is connected: `vin`, `vout`, `ground`, `air`, `parts`
    """

    clock: str = "autojump"
    rate: float = 1000.0
    ambient: float = AMBIENT
    seed: int = 1
    noise: bool = True
    parts: Mapping[str, PartSettings] = field(default_factory=dict)
    wiring: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[FaultSettings, ...] = ()


class BenchSettings(Struct, frozen=True):
    """A bench with everything resolved.

    Parameters
    ----------
    name: as in the setup
    instruments: in the order in which they are opened
    transport: of the family `transports`: `memory` where the bench is simulated in the process, else `visa`
    real: whether outputs of real equipment may go on
    rate: bench seconds per wall second; other than 1 only in front of a served lab
    parts: names of the DUTs in the order of the switch's channels; empty where one DUT is fixed in place
    case_timeout_s: wall seconds that one case may take, soaking included
    safe_state: in the order of execution; what it leaves out follows: loads, supplies, switches, then chambers
    simulated: None for a bench that is reached by VISA resources
    """

    name: str
    instruments: tuple[InstrumentSettings, ...]
    transport: str = "visa"
    real: bool = False
    rate: float = 1.0
    parts: tuple[str, ...] = ()
    case_timeout_s: float = 14400.0
    limits: BenchLimits = BenchLimits()
    settling: Settling = Settling()
    safe_state: tuple[SafeStep, ...] = ()
    simulated: SimulatedLab | None = None

    @property
    def ambient(self) -> float:
        """The room, degC."""
        return AMBIENT if self.simulated is None else self.simulated.ambient
