"""What keeps a bench safe: limits on every text that goes out and every reading that comes in, and the safe state.

One mechanism serves drivers and `simorc bench query` alike: a guarded transport reads each message as the instrument
would, by the driver's table of effects, and refuses it before it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from simorc.core.bench import BenchLimits, SafeStep
from simorc.core.equipment import Transport
from simorc.core.errors import InstrumentError
from simorc.core.reading import Reading
from simorc.core.scpi import Unit, keyword, match, parse_boolean, parse_channels, parse_message, parse_number
from simorc.core.scpi_errors import ScpiError
from simorc.instruments.interfaces import Effect, Instrument

_ALWAYS = ("*RST", "*CLS", "*OPC", "*ESE", "*SRE", "*WAI", "*PSC")
_UNITS = {"voltage": "V", "current": "A", "temperature": "degC"}
_DEFAULT_ORDER = ("load", "supply", "switch", "chamber")
AMBIENT = 23.0


@dataclass
class _Told:
    """What an instrument has been told so far."""

    selected: int = 1
    mode: str = "C"
    level: float = 0.0
    voltage: dict[int, float] = field(default_factory=dict)
    current: dict[int, float] = field(default_factory=dict)


@dataclass
class Guard:
    """The limits of one bench, and what has been set on it.

    Parameters
    ----------
    may_switch_on: whether outputs may go on at all: the bench is simulated, or its file says `real: true`
    """

    limits: BenchLimits
    may_switch_on: bool
    tripped: str = ""
    temperature: float = AMBIENT
    _told: dict[str, _Told] = field(default_factory=dict)

    def check_text(self, instrument: str, effects: Sequence[Effect], text: str) -> None:
        """Refuse a message that would break a limit, or might.

        Raises
        ------
        InstrumentError: says what, and which limit
        """
        if not effects:
            return
        for unit in parse_message(text):
            if isinstance(unit, ScpiError):
                raise self._refused(instrument, text, f"it cannot be read: {unit.text}")
            if unit.query or unit.header in _ALWAYS:
                self._forget(instrument, unit)
                continue
            effect = next((e for e in effects if match(e.pattern, unit.header)), None)
            if effect is None:
                raise self._refused(instrument, text, "what it does is not known here")
            try:
                self._check(instrument, effect, unit)
            except ScpiError as error:
                raise self._refused(instrument, text, f"its value cannot be read: {error.text}") from error
            except _LimitError as error:
                raise self._refused(instrument, text, str(error)) from error

    def check_reading(self, quantity: str, reading: Reading) -> None:
        """Notice a reading beyond a limit: the bench has tripped, and is to be made safe.

        Raises
        ------
        InstrumentError: says which
        """
        low, high = self._bounds(quantity)
        if low <= reading.value <= high:
            return
        limit = high if reading.value > high else low
        unit = _UNITS.get(quantity, "")
        self.tripped = f"{reading.source} reads {reading.value:.4g} {unit}, the bench's limit is {limit:g} {unit}"
        raise InstrumentError(self.tripped, resource=reading.source.partition(":")[0])

    def _bounds(self, quantity: str) -> tuple[float, float]:
        limits, no = self.limits, float("inf")
        if quantity == "temperature":
            low = -no if limits.chamber_min is None else limits.chamber_min
            high = no if limits.chamber_max is None else limits.chamber_max
            # A controller overshoots a little on its way; its own accuracy is no breach either.
            return low - 5.0, high + 5.0
        limit = limits.voltage if quantity == "voltage" else limits.current
        return (-no, no) if limit is None else (-limit * 1.01, limit * 1.01)

    def _check(self, instrument: str, effect: Effect, unit: Unit) -> None:
        told = self._told.setdefault(instrument, _Told())
        if effect.quantity == "harmless":
            return
        text = unit.arguments[effect.argument] if len(unit.arguments) > effect.argument else ""
        if effect.quantity == "output":
            self._check_output(parse_boolean(text))
        elif effect.quantity == "select":
            told.selected = round(parse_number(text))
        elif effect.quantity == "mode":
            told.mode, told.level = text.upper(), 0.0
        else:
            self._check_value(told, effect.quantity, _number(text), _channels(unit, told))

    def _check_output(self, on: bool) -> None:
        if on and not self.may_switch_on:
            raise _LimitError("outputs of real equipment stay off until the bench's file says `real: true`")
        if on and self.tripped:
            raise _LimitError(f"the bench has tripped: {self.tripped}")

    def _check_value(self, told: _Told, quantity: str, value: float, channels: Sequence[int]) -> None:
        limits = self.limits
        if quantity == "temperature":
            _within("the chamber", value, limits.chamber_max, "degC")
            _within(
                "the chamber", -value, None if limits.chamber_min is None else -limits.chamber_min, "degC, from below"
            )
            self._check_junction(temperature=value)
            self.temperature = value
        elif quantity == "level":
            self._check_level(told.mode, value)
            told.level = value
        elif quantity == "voltage":
            _within("the voltage", abs(value), limits.voltage, "V")
            for channel in channels:
                self._check_power(value, told.current.get(channel))
                self._check_junction(voltage=abs(value))
                told.voltage[channel] = value
        else:
            _within("the current", abs(value), limits.current, "A")
            for channel in channels:
                self._check_power(told.voltage.get(channel), value)
                told.current[channel] = value

    def _check_level(self, mode: str, level: float) -> None:
        """The current that a load's level may ask for, at the highest voltage of the bench."""
        limits, highest = self.limits, self.limits.voltage or 0.0
        if mode == "P":
            _within("the power", level, limits.power, "W")
        amperes = {"C": level, "R": highest / level if level else float("inf"), "G": level * highest}.get(mode)
        if amperes is not None:
            _within("the load's current", amperes, limits.current, "A")
            self._check_junction(load=amperes)

    def _check_power(self, voltage: float | None, current: float | None) -> None:
        if voltage is not None and current is not None:
            _within("voltage times current limit", abs(voltage * current), self.limits.power, "W")

    def _check_junction(
        self, temperature: float | None = None, voltage: float | None = None, load: float | None = None
    ) -> None:
        """Air plus theta_ja times supply voltage times load current: never less than what the junction will reach."""
        if self.limits.tj is None:
            return
        told = self._told.values()
        volts = [abs(v) for t in told for v in t.voltage.values()]
        highest = max([voltage] if voltage is not None else volts, default=0.0)
        sunk = load if load is not None else max((t.level for t in told if t.mode == "C"), default=0.0)
        air = self.temperature if temperature is None else temperature
        _within("the junction", air + self.limits.theta_ja * highest * sunk, self.limits.tj, "degC")

    def _forget(self, instrument: str, unit: Unit) -> None:
        if unit.header == "*RST":
            self._told.pop(instrument, None)

    @staticmethod
    def _refused(instrument: str, text: str, why: str) -> InstrumentError:
        return InstrumentError(f"{text!r} was not sent: {why}", resource=instrument, hint="limits: in the bench's file")


class _LimitError(Exception):
    """A message that would break a limit."""


def _within(what: str, value: float, limit: float | None, unit: str) -> None:
    if limit is not None and value > limit * (1 + 1e-9 if limit > 0 else 1 - 1e-9):
        raise _LimitError(f"{what} would be {value:.4g} {unit}, the bench's limit is {limit:g} {unit}")


def _number(text: str) -> float:
    """A value as a number; MIN is 0, other words are not known to be safe."""
    if keyword(text, ("MINimum",)):
        return 0.0
    units = ("V", "A", "W", "OHM", "SIE")
    for unit in units:
        if text.upper().endswith(unit):
            return parse_number(text, unit)
    return parse_number(text)


def _channels(unit: Unit, told: _Told) -> list[int]:
    listed = next((a for a in unit.arguments if a.startswith("(")), None)
    return [told.selected] if listed is None else parse_channels(listed, range(1, 100))


class GuardedTransport:
    """A transport that refuses what limits forbid, and writes down what went over it (see core.equipment.Transport).

    Parameters
    ----------
    note: is told every text: `>` for sent, `<` for received, and the text
    """

    def __init__(
        self,
        transport: Transport,
        instrument: str,
        effects: Sequence[Effect],
        guard: Guard,
        note: Callable[[str, str, str], None],
    ) -> None:
        self._transport = transport
        self._instrument = instrument
        self._effects = effects
        self._guard = guard
        self._note = note

    def write(self, text: str) -> None:
        """Send one program message, if the limits allow it."""
        self._guard.check_text(self._instrument, self._effects, text)
        self._note(self._instrument, ">", text)
        self._transport.write(text)

    def read(self) -> str:
        """One response message."""
        reply = self._transport.read()
        self._note(self._instrument, "<", reply)
        return reply

    def query(self, text: str) -> str:
        """Write, then read; one transport call, so that it can clear up after a timeout."""
        self._guard.check_text(self._instrument, self._effects, text)
        self._note(self._instrument, ">", text)
        reply = self._transport.query(text)
        self._note(self._instrument, "<", reply)
        return reply

    def clear(self) -> None:
        """Device clear."""
        self._transport.clear()

    def close(self) -> None:
        """Let go of the instrument."""
        self._transport.close()


@dataclass(frozen=True, slots=True)
class StepResult:
    """How one step into the safe state went."""

    instrument: str
    done: bool
    said: str


def safe_state(
    instruments: Mapping[str, Instrument], steps: Sequence[SafeStep], ambient: float = AMBIENT
) -> list[StepResult]:
    """Bring a bench into its safe state: every step is tried, whatever became of those before it.

    Parameters
    ----------
    steps: in this order; empty for loads, supplies, switches, then chambers to ambient
    ambient: degC
    """
    results = []
    for step in steps or default_steps(instruments):
        to = ambient if step.to == "ambient" else step.to
        try:
            said = instruments[step.instrument].make_safe(to)
        except Exception as error:  # whatever it is: the next step must not miss its turn
            results.append(StepResult(step.instrument, False, f"{type(error).__name__}: {error}"))
        else:
            results.append(StepResult(step.instrument, True, said))
    return results


def default_steps(instruments: Mapping[str, Instrument]) -> list[SafeStep]:
    """Loads, supplies and switches off, then chambers to ambient."""
    return [
        SafeStep(name, "ambient" if kind == "chamber" else "off")
        for kind in _DEFAULT_ORDER
        for name, instrument in instruments.items()
        if instrument.kind == kind
    ]
