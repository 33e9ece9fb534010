"""What keeps a bench safe: limits on every text that goes out and every reading that comes in, and the safe state.

One mechanism serves drivers and `simorc bench query` alike: a guarded transport reads each message as the instrument
would, by the driver's table of effects, and refuses it before it is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field

from simorc.core.bench import AMBIENT, BenchLimits, SafeStep
from simorc.core.equipment import Transport
from simorc.core.errors import InstrumentError, RefusedError
from simorc.core.reading import Reading
from simorc.core.scpi import Unit, match, parse_boolean, parse_message
from simorc.core.scpi_errors import ScpiError
from simorc.core.status_registers import EVENT_ERRORS
from simorc.instruments.interfaces import Effect, Instrument
from simorc.instruments.told import Told, UnknownError, channels_of, learn, take

_ALWAYS = ("*RST", "*CLS", "*OPC", "*ESE", "*SRE", "*WAI", "*PSC")
_UNITS = {"voltage": "V", "current": "A", "temperature": "degC"}
_SWITCHES = ("output", "input", "flow")
_DEFAULT_ORDER = ("load", "supply", "switch", "chamber")
_OVERSHOOT_K = 5.0
_READING_HEADROOM = 1.01


@dataclass
class Guard:
    """The limits of one bench, and what has been set on it.

    Parameters
    ----------
    may_switch_on: whether outputs may go on at all: the bench is simulated, or its file says `real: true`
    tripped: the reading that was beyond a limit, in words, or empty
    """

    limits: BenchLimits
    may_switch_on: bool
    tripped: str = ""
    _told: dict[str, Told] = field(default_factory=dict)

    def check_text(self, instrument: str, effects: Sequence[Effect], text: str) -> bool:
        """Refuse a message that would break a limit, or might; what passes counts as told: whether it sets anything.

        Raises
        ------
        InstrumentError: says what, and which limit
        """
        if not effects:
            return False
        try:
            units = _units(text)
            if all(unit.query for unit in units):
                return False
            after = deepcopy(self._told)
            for unit in units:
                self._follow(after, instrument, effects, unit)
        except ScpiError as error:
            raise self._refused(instrument, text, f"it cannot be read: {error.text}") from error
        except (UnknownError, _LimitError) as error:
            raise self._refused(instrument, text, str(error)) from error
        changes, self._told = after != self._told, after
        return changes

    def check_reading(self, quantity: str, reading: Reading) -> None:
        """Notice a reading beyond a limit: the bench has tripped, and is to be made safe.

        Raises
        ------
        InstrumentError: says which
        """
        low, high = self._bounds(quantity)
        if low <= reading.value <= high:
            return
        limit = low if reading.value < low else high
        unit = _UNITS.get(quantity, "")
        self.tripped = (
            f"{reading.source} reads {reading.value:.4g} {unit}, beyond what the bench allows: {limit:g} {unit}"
        )
        raise InstrumentError(self.tripped, resource=reading.source.partition(":")[0])

    def learn(self, instrument: str, effects: Sequence[Effect], text: str, reply: str) -> None:
        """Note what an instrument answers that it is set to; what cannot be read teaches nothing."""
        queries = [unit for unit in parse_message(text) if isinstance(unit, Unit) and unit.query] if effects else []
        replies = reply.split(";")
        if len(queries) != len(replies):
            return
        for unit, part in zip(queries, replies, strict=True):
            effect = next((e for e in effects if match(e.pattern, unit.header)), None)
            if effect is not None:
                with suppress(ScpiError, UnknownError):
                    learn(_of(self._told, instrument, effects), effect, unit, part, self._highest)

    def forget(self, instrument: str) -> None:
        """What an instrument was told is no longer sure: it refused something, or did not answer."""
        self._told.pop(instrument, None)

    def _bounds(self, quantity: str) -> tuple[float, float]:
        """A temperature overshoots a little on its way; what a supply reads back differs a little from its setting."""
        limits, no = self.limits, float("inf")
        if quantity == "temperature":
            low = -no if limits.chamber_min is None else limits.chamber_min
            high = no if limits.chamber_max is None else limits.chamber_max
            return low - _OVERSHOOT_K, high + _OVERSHOOT_K
        limit = {"voltage": limits.voltage, "current": limits.current}.get(quantity)
        bound = no if limit is None else limit * _READING_HEADROOM
        return -bound, bound

    @property
    def _is_strict(self) -> bool:
        return not self.may_switch_on or self.limits != BenchLimits(theta_ja=self.limits.theta_ja)

    def _follow(self, after: dict[str, Told], instrument: str, effects: Sequence[Effect], unit: Unit) -> None:
        told = _of(after, instrument, effects)
        if unit.header == "*RST":
            del after[instrument]
        if unit.query or unit.header in _ALWAYS:
            return
        effect = next((e for e in effects if match(e.pattern, unit.header)), None)
        try:
            if effect is None:
                raise UnknownError("what it does is not known here")
            take(told, effect, unit, self._highest)
        except (UnknownError, ScpiError):
            if self._is_strict:
                raise
            del after[instrument]
            return
        if effect.quantity in _SWITCHES:
            if not parse_boolean(unit.arguments[effect.argument]):
                return
            self._check_switching_on(effect.quantity)
        if effect.quantity in ("voltage", "current", "output"):
            for channel in channels_of(told, effect, unit):
                self._check_supply(told, channel, effect.quantity)
        elif effect.quantity in ("mode", "level", "source", "input"):
            self._check_load(told, effect.pattern if effect.quantity == "level" else told.level)
        elif effect.quantity in ("select", "temperature", "flow"):
            self._check_chamber(told, self._told.get(instrument), effect.quantity)
        self._check_junction(after)

    @property
    def _highest(self) -> float:
        """V, the most that a load can find at its terminals."""
        return float("inf") if self.limits.voltage is None else self.limits.voltage

    def _check_switching_on(self, quantity: str) -> None:
        if not self.may_switch_on:
            raise _LimitError("outputs of real equipment stay off until the bench's file says `real: true`")
        if self.tripped and quantity != "flow":  # air at ambient is part of the safe state
            raise _LimitError(f"the bench has tripped: {self.tripped}")

    def _check_supply(self, told: Told, channel: int, quantity: str) -> None:
        """One output that is set or switched on; while it is off, what it was found at does not matter yet."""
        limits, is_off = self.limits, told.on.get(channel) is False
        voltage = told.voltage.get(channel) if is_off else told.level_of("voltage", channel)
        current = told.current.get(channel) if is_off else told.level_of("current", channel)
        if quantity == "output":
            _known(f"the voltage of output {channel}", voltage, limits.voltage, limits.power, limits.tj)
        if voltage and not is_off:
            _known(f"the current limit of output {channel}", current, limits.current, limits.power)
        _within("the voltage", abs(voltage or 0.0), limits.voltage, "V")
        if voltage or quantity == "current":
            _within("the current", abs(current or 0.0), limits.current, "A")
            _within("voltage times current limit", abs((voltage or 0.0) * (current or 0.0)), limits.power, "W")

    def _check_load(self, told: Told, level: str) -> None:
        amperes = told.levels.get(level)
        if told.input:
            _known("the load's level", told.levels.get(told.level), self.limits.current, self.limits.tj)
        _within("the load's current", amperes or 0.0, self.limits.current, "A")

    def _check_chamber(self, told: Told, before: Told | None, quantity: str) -> None:
        """A setpoint that the chamber refuses leaves the old one: air begins to flow only towards one set before."""
        low, high = self.limits.chamber_min, self.limits.chamber_max
        setpoints = {told.setpoints.get(told.selected)}
        if quantity == "flow":
            setpoints.add(before.setpoints.get(told.selected) if before else None)
        if quantity == "select" and not told.flow:
            return
        for setpoint in setpoints:
            if told.flow:
                _known("the setpoint", setpoint, low, high, self.limits.tj)
            if setpoint is None:
                continue
            _within("the chamber", setpoint, high, "degC")
            if low is not None and setpoint < low - 1e-9:
                raise _LimitError(f"the chamber would be {setpoint:.4g} degC, the bench's limit is {low:g} degC")

    def _check_junction(self, after: Mapping[str, Told]) -> None:
        """Air plus theta_ja times the highest voltage times all load currents, of what is not known to be off."""
        limits = self.limits
        if limits.tj is None:
            return
        told = after.values()
        volts = max((abs(v) for t in told for n, v in t.voltages().items() if t.on.get(n, True)), default=0.0)
        amperes = sum(t.amperes() for t in told if t.input is not False)
        airs = [t.setpoints[t.selected] for t in told if t.selected in t.setpoints]
        heating = limits.theta_ja * volts * amperes if volts and amperes else 0.0
        _within("the junction", max(airs, default=AMBIENT) + heating, limits.tj, "degC")

    @staticmethod
    def _refused(instrument: str, text: str, why: str) -> RefusedError:
        return RefusedError(f"{text!r} was not sent: {why}", resource=instrument, hint="limits: in the bench's file")


def _of(told: dict[str, Told], instrument: str, effects: Sequence[Effect]) -> Told:
    """What one instrument was told; where outputs cannot be selected there is one."""
    single = all(effect.quantity != "select" for effect in effects)
    return told.setdefault(instrument, Told(selected=1 if single else None))


class _LimitError(Exception):
    """A message that would break a limit."""


def _units(text: str) -> list[Unit]:
    """The units of a message, of which an instrument can read no other than these."""
    if not text.isprintable():
        raise UnknownError("it holds a control character, which may end a message")
    units = []
    for unit in parse_message(text):
        if isinstance(unit, ScpiError):
            raise unit
        if any(";" in argument for argument in unit.arguments if argument.startswith("(")):
            raise UnknownError("a parenthesis holds a semicolon")
        units.append(unit)
    return units


def _within(what: str, value: float, limit: float | None, unit: str) -> None:
    if limit is not None and value > limit + abs(limit) * 1e-9:
        raise _LimitError(f"{what} would be {value:.4g} {unit}, the bench's limit is {limit:g} {unit}")


def _known(what: str, value: float | None, *limits: float | None) -> None:
    """What a limit is about has to be known."""
    if value is None and any(limit is not None for limit in limits):
        raise UnknownError(f"{what} is not known here: set it before")


class GuardedTransport:
    """A transport that refuses what limits forbid, and writes down what went over it (see core.equipment.Transport).

    Parameters
    ----------
    note: is told the instrument, `>` for sent, `<` for received or `!` for what went wrong, and the text
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
        sets = self._guard.check_text(self._instrument, self._effects, text)
        self._note(self._instrument, ">", text)
        with self._watched(sets):
            self._transport.write(text)

    def read(self) -> str:
        """One response message."""
        with self._watched(False):
            reply = self._transport.read()
        self._note(self._instrument, "<", reply)
        return reply

    def query(self, text: str) -> str:
        """Write, then read; one transport call, so that it can clear up after a timeout."""
        sets = self._guard.check_text(self._instrument, self._effects, text)
        self._note(self._instrument, ">", text)
        with self._watched(sets):
            reply = self._transport.query(text)
        self._note(self._instrument, "<", reply)
        if _tells_of_an_error(text, reply):
            self._guard.forget(self._instrument)
        self._guard.learn(self._instrument, self._effects, text, reply)
        return reply

    def clear(self) -> None:
        """Device clear."""
        self._transport.clear()

    def close(self) -> None:
        """Let go of the instrument."""
        self._transport.close()

    @contextmanager
    def _watched(self, sets: bool) -> Iterator[None]:
        """What goes wrong stands in the transcript too; whether the instrument took a setting is then not sure."""
        try:
            yield
        except InstrumentError as error:
            self._note(self._instrument, "!", error.what)
            if sets:
                self._guard.forget(self._instrument)
            raise


def _tells_of_an_error(text: str, reply: str) -> bool:
    """Whether a reply says that something it was told before was refused."""
    if text.upper() == "*ESR?":
        return bool(re.fullmatch(r"[+-]?\d+", reply) and int(reply) & EVENT_ERRORS)
    return text.upper() in ("SYST:ERR?", ":SYST:ERR?") and not reply.lstrip("+-").startswith("0")


@dataclass(frozen=True, slots=True)
class StepResult:
    """How one step into the safe state went."""

    instrument: str
    done: bool
    said: str


def not_done(results: Sequence[StepResult]) -> str:
    """The steps that failed, in words; empty where none did."""
    return "; ".join(f"{r.instrument}: {r.said}" for r in results if not r.done)


def safe_state(
    instruments: Mapping[str, Instrument], steps: Sequence[SafeStep], ambient: float = AMBIENT
) -> list[StepResult]:
    """Bring a bench into its safe state: every step is tried, whatever became of those before it.

    Parameters
    ----------
    steps: in this order
    ambient: degC
    """
    results = []
    for step in steps:
        to = ambient if step.to == "ambient" else step.to
        try:
            said = instruments[step.instrument].make_safe(to)
        except Exception as error:  # whatever it is: the next step must not miss its turn
            results.append(StepResult(step.instrument, False, f"{type(error).__name__}: {error}"))
        else:
            results.append(StepResult(step.instrument, True, said))
    return results


def all_steps(instruments: Mapping[str, Instrument], listed: Sequence[SafeStep] = ()) -> list[SafeStep]:
    """The listed steps; then what they leave out: loads, supplies and switches off, chambers to ambient."""
    named = {step.instrument for step in listed}
    return [
        *listed,
        *(step for step in _default_steps(instruments) if step.instrument not in named),
    ]


def _default_steps(instruments: Mapping[str, Instrument]) -> list[SafeStep]:
    return [
        SafeStep(name, "ambient" if kind == "chamber" else "off")
        for kind in _DEFAULT_ORDER
        for name, instrument in instruments.items()
        if instrument.kind == kind
    ]
