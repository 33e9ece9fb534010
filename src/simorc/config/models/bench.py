"""The keys of a bench's file."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from simorc.config.models.fields import (
    Kind,
    Line,
    Named,
    NotNegative,
    Number,
    Positive,
    Scalar,
    Section,
    Switch,
    Text,
    Texts,
    Whole,
    key,
    read_number,
)


def _date(raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError
    return date.fromisoformat(raw).isoformat()


def _safe(raw: Any) -> str | float:
    if raw in ("off", "ambient"):
        return str(raw)
    return float(read_number(raw))


def _terminator(raw: Any) -> str:
    if raw not in ("\n", "\r\n", "\r"):
        raise ValueError
    return str(raw)


def _foster(raw: Any) -> tuple[float, float]:
    resistance, tau = raw if isinstance(raw, list) and len(raw) == 2 else (0, 0)
    pair = (float(read_number(resistance)), float(read_number(tau)))
    if min(pair) <= 0:
        raise ValueError
    return pair


FosterPair = Annotated[tuple[float, float], Kind("a pair of K/W and s, both above 0", _foster)]
Date = Annotated[str, Kind("a date such as 2027-03-31", _date)]
Safe = Annotated[str | float, Kind("off, ambient, or a temperature in degC", _safe)]
Terminator = Annotated[str, Kind('"\\n", "\\r\\n" or "\\r"', _terminator)]


class InstrumentKeys(Section):
    """One instrument."""

    driver: Line = key("", "The driver, by its name.", example="keysight_e36312a", shown="required")
    resource: Text = key(
        "", "VISA resource name; none on a simulated bench.", example='"TCPIP::192.168.0.5::5025::SOCKET"'
    )
    model: Text = key(
        "", "What plays it on a simulated bench.", example="keysight_e3631a", shown="the driver's own name"
    )
    idn: Text = key(
        "", "A text that its reply to `*IDN?` has to contain.", example="MY60100001", shown="the driver's model"
    )
    timeout_s: Positive = key(5.0, "Seconds to wait for a reply.", example="20")
    terminator: Terminator = key("\n", "Ends messages on SOCKET and serial resources.", example='"\\r\\n"')
    calibrated: Date | None = key(None, "When it was calibrated.", example="2026-03-31", shown="none")
    calibration_due: Date | None = key(
        None, "When it has to be calibrated again; overdue is warned of.", example="2027-03-31", shown="none"
    )
    options: Named[Scalar] = key({}, "Further attributes of the VISA resource.", example="{baud_rate: 9600}")


class LimitKeys(Section):
    """What must never be exceeded: checked before a command goes out, and against what is read."""

    voltage: Positive | None = key(None, "V, of any supply output.", example="7", shown="none")
    current: Positive | None = key(None, "A, of any supply output or load.", example="200m", shown="none")
    power: Positive | None = key(None, "W, voltage times current limit of a supply output.", example="1", shown="none")
    chamber_min: Number | None = key(None, "degC.", example="-45", shown="none")
    chamber_max: Number | None = key(None, "degC.", example="130", shown="none")
    tj: Number | None = key(
        None,
        "degC of the junction: chamber plus `theta_ja` times supply voltage times load current.",
        example="150",
        shown="none",
    )
    theta_ja: NotNegative = key(0.0, "K/W from junction to air.", example="60")


class SettlingKeys(Section):
    """When a temperature, and the DUT on it, counts as settled; all times are bench time."""

    parameter: Line = key("temp", "The parameter that the chamber follows.", example="temp")
    window: Positive = key(0.5, "K around the setpoint.", example="0.5")
    soak_s: NotNegative = key(120.0, "Seconds inside the window without a break.", example="300")
    timeout_s: Positive = key(3600.0, "Seconds after which a soak has failed as `never_settled`.", example="1800")
    resolution: Positive = key(
        5e-6, "Drift of the DUT's reading from look to look, in parts, below which it has settled.", example="10u"
    )
    interval_s: Positive = key(5.0, "Seconds from look to look.", example="10")
    drift_timeout_s: Positive = key(900.0, "Seconds after which a drift counts as `never_settled`.", example="600")


class PartKeys(Section):
    """One DUT on the simulated board."""

    model: Line = key("ldo", "Its physics, by their name.", example="ldo")
    set: Line = key("", "Its parameter set.", example="lp2985_33", shown="required")
    serial: Text = key("", "What the record calls it.", example="A17", shown="its name")
    foster: tuple[FosterPair, ...] = key(
        (),
        "Thermal table, junction to air: pairs of K/W and time constant in s, in place of the set's own ladder.",
        example="[[15, 0.05], [45, 8]]",
    )
    spread: Switch = key(True, "Whether it differs from the typical part, by a seeded draw.", example="false")


class FaultKeys(Section):
    """Something that goes wrong on a simulated bench."""

    fault: Line = key(
        "",
        "sensor_open, soak_never_reached, link_lost, wrong_idn, drift, over_temperature, stuck_output or "
        "error_queue_full.",
        example="link_lost",
        shown="required",
    )
    instrument: Line = key("", "Which instrument it befalls.", example="dmm", shown="required")
    after_s: NotNegative = key(0.0, "Seconds of bench time after which it begins.", example="600")
    value: Number | None = key(None, "How large it is.", example="5", shown="that of its kind")
    outcome: Text = key("", "What it has to lead to.", example="instrument", shown="that of its kind")


class SimulatedKeys(Section):
    """What stands in for equipment and DUT; the bench then needs none."""

    clock: Literal["autojump", "rate", "real"] = key(
        "autojump", "Time that jumps, runs `rate` times as fast as the wall, or as fast.", example="rate"
    )
    rate: Positive = key(1000.0, "Bench seconds per second of the clock `rate`.", example="100")
    ambient: Number = key(23.0, "degC of the room.", example="25")
    seed: Whole = key(1, "Seed of spread and reading noise.", example="7")
    noise: Switch = key(True, "Whether readings carry noise.", example="false")
    parts: Named[PartKeys] = key({}, "The DUTs, by name.", example="{tt: {set: simorc180_tt}}", shown="required")
    wiring: Named[Line] = key(
        {},
        "Where instruments are connected: vin, vout, input, ground, air, parts.",
        example="{psu.2: vin, load: vout, dmm: vout, chamber: air}",
    )
    faults: tuple[FaultKeys, ...] = key(
        (), "What goes wrong.", example="[{fault: link_lost, instrument: dmm, after_s: 600}]"
    )


class BenchKeys(Section):
    """A bench: its instruments, their limits, and how it is left."""

    instruments: Named[InstrumentKeys] = key(
        {}, "The instruments, by the names that procedures use.", example="{dmm: {driver: scpi_dmm}}", shown="required"
    )
    real: Switch = key(False, "Whether outputs of real equipment may go on.", example="true")
    rate: Positive = key(
        1.0, "Bench seconds per second; other than 1 only in front of `simorc bench serve`.", example="1000"
    )
    parts: Texts = key(
        (), "The DUTs in the order of the switch's channels, from 1.", example="[tt, ff, ss]", shown="those simulated"
    )
    case_timeout_s: Positive = key(14400.0, "Seconds (wall) that one case may take, soaking included.", example="3600")
    limits: LimitKeys = key(LimitKeys(), "What must never be exceeded.", example="{voltage: 7, current: 200m}")
    settling: SettlingKeys = key(SettlingKeys(), "When a temperature counts as settled.", example="{soak_s: 300}")
    safe_state: tuple[dict[str, Safe], ...] = key(
        (),
        "How the bench is left, step by step, whatever happens.",
        example="[{load: off}, {psu: off}, {chamber: ambient}]",
        shown="loads, supplies and switches off, chambers to ambient",
    )
    simulated: SimulatedKeys | None = key(
        None, "What stands in for equipment and DUT.", example="{seed: 7}", shown="none"
    )
