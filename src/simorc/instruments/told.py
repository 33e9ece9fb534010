"""Pure: what the instruments of a bench have been told, as a guard reads it off the texts that go out and come back.

Only what was said is known. What nobody said, or what was said and perhaps not taken, is unknown, and an output whose
voltage or current is unknown does not go on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from simorc.core.scpi import Unit, keyword, parse_boolean, parse_channels, parse_number
from simorc.core.scpi_errors import ScpiError
from simorc.instruments.interfaces import Effect

_WORDS = ("MINimum", "MAXimum", "DEFault", "UP", "DOWN")
_LEVEL_UNITS = {"C": "A", "P": "W", "R": "OHM", "G": "SIE", "V": "V"}
_MOST_CHANNELS = 100
_VALUE = re.compile(r"^(MODE|A|B|LVLSEL|INP) ")
"""Headers that a load repeats in its replies."""


class UnknownError(Exception):
    """A text whose consequences are not known here."""


@dataclass
class Told:
    """What one instrument has been told.

    Parameters
    ----------
    selected: output of a supply, or setpoint of a chamber, that a setting without a channel is about
    voltage, current: of a supply, by output: V, A
    found: what a supply answered that it was set to, before it was told anything: `voltage` and `current` by output
    on: whether outputs of a supply are on, by number
    mode: of a load
    levels: of a load by name: A that it may sink at most in its mode
    level: name of the level that is in effect
    input: whether a load's input is on
    setpoints: of a chamber by number: degC
    flow: whether a chamber's air flows
    """

    selected: int | None = None
    voltage: dict[int, float] = field(default_factory=dict)
    current: dict[int, float] = field(default_factory=dict)
    found: dict[tuple[str, int], float] = field(default_factory=dict)
    on: dict[int, bool] = field(default_factory=dict)
    mode: str = ""
    levels: dict[str, float] = field(default_factory=dict)
    level: str = ""
    input: bool | None = None
    setpoints: dict[int | None, float] = field(default_factory=dict)
    flow: bool | None = None

    def level_of(self, quantity: str, channel: int) -> float | None:
        """What an output is set to, V or A: as it was told, else as it was found."""
        told = self.voltage if quantity == "voltage" else self.current
        return told.get(channel, self.found.get((quantity, channel)))

    def voltages(self) -> dict[int, float]:
        """Of every output of which anything is known, V."""
        found = {channel: value for (quantity, channel), value in self.found.items() if quantity == "voltage"}
        return found | self.voltage

    def amperes(self) -> float:
        """The most that a load may sink, A: by the level in effect, where that is known, else by any."""
        return self.levels.get(self.level, max(self.levels.values(), default=0.0))


def channels_of(told: Told, effect: Effect, unit: Unit) -> Sequence[int]:
    """The outputs that a setting or a query is about: fixed, listed, or selected before.

    Raises
    ------
    ScpiError: a list that cannot be read
    UnknownError: none is listed, and which one is selected is not known
    """
    if effect.channels:
        return effect.channels
    rest = unit.arguments if unit.query else unit.arguments[effect.argument + 1 :]
    if rest:
        return [number for text in rest for number in parse_channels(text, range(1, _MOST_CHANNELS))]
    if told.selected is None:
        raise UnknownError("which output it is for is not known here: list or select it in the same message")
    return [told.selected]


def learn(told: Told, effect: Effect, unit: Unit, reply: str, highest: float) -> None:
    """Note what an instrument answers that it is set to; parameters as those of `take`.

    Raises
    ------
    ScpiError: a query or reply that cannot be read
    UnknownError: what it comes to is not known here
    """
    texts = [_VALUE.sub("", text.strip()) for text in reply.split(",")]
    if effect.quantity in ("voltage", "current", "output"):
        for channel, text in zip(channels_of(told, effect, unit), texts, strict=False):
            if effect.quantity == "output":
                told.on[channel] = parse_boolean(text)
            else:
                told.found[effect.quantity, channel] = parse_number(text)
        return
    arguments = ("",) * effect.argument + (texts[0],)
    take(told, effect, Unit(unit.header, False, arguments), highest)


def take(told: Told, effect: Effect, unit: Unit, highest: float) -> None:
    """Note what a message unit tells an instrument.

    Parameters
    ----------
    highest: V, the most that a load can find at its terminals

    Raises
    ------
    ScpiError: a value that cannot be read
    UnknownError: what it comes to is not known here
    """
    _TAKE[effect.quantity](told, effect, unit, highest)


def _harmless(told: Told, effect: Effect, unit: Unit, highest: float) -> None:
    """Nothing that limits are about."""


def _voltage(told: Told, effect: Effect, unit: Unit, highest: float) -> None:
    value = _number(unit, effect, "V")
    told.voltage.update(dict.fromkeys(channels_of(told, effect, unit), value))


def _current(told: Told, effect: Effect, unit: Unit, highest: float) -> None:
    value = _number(unit, effect, "A")
    told.current.update(dict.fromkeys(channels_of(told, effect, unit), value))


def _output(told: Told, effect: Effect, unit: Unit, highest: float) -> None:
    value = parse_boolean(_argument(unit, effect))
    told.on.update(dict.fromkeys(channels_of(told, effect, unit), value))


def _select(told: Told, effect: Effect, unit: Unit, highest: float) -> None:
    told.selected = round(_number(unit, effect, ""))


def _mode(told: Told, effect: Effect, unit: Unit, highest: float) -> None:
    mode = _argument(unit, effect).upper()
    if mode not in _LEVEL_UNITS:
        raise ScpiError(-224)
    if mode != told.mode:  # each mode keeps levels of its own, which nobody here has heard of
        told.mode, told.levels = mode, {}


def _level(told: Told, effect: Effect, unit: Unit, highest: float) -> None:
    if not told.mode:
        raise UnknownError("the load's mode is not known here: say it in the same message")
    value = _number(unit, effect, _LEVEL_UNITS[told.mode])
    told.levels[effect.pattern] = _amperes(told.mode, value, highest)


def _source(told: Told, effect: Effect, unit: Unit, highest: float) -> None:
    told.level = _argument(unit, effect).upper()


def _input(told: Told, effect: Effect, unit: Unit, highest: float) -> None:
    told.input = parse_boolean(_argument(unit, effect))


def _flow(told: Told, effect: Effect, unit: Unit, highest: float) -> None:
    told.flow = parse_boolean(_argument(unit, effect))


def _temperature(told: Told, effect: Effect, unit: Unit, highest: float) -> None:
    if told.selected is None:
        raise UnknownError("which setpoint it is for is not known here: select it in the same message")
    told.setpoints[told.selected] = _number(unit, effect, "")


_TAKE: Mapping[str, Callable[[Told, Effect, Unit, float], None]] = {
    "harmless": _harmless,
    "voltage": _voltage,
    "current": _current,
    "output": _output,
    "select": _select,
    "mode": _mode,
    "level": _level,
    "source": _source,
    "input": _input,
    "temperature": _temperature,
    "flow": _flow,
}


def _amperes(mode: str, level: float, highest: float) -> float:
    """The most that a level makes a load sink, A; constant power and constant voltage have no bound."""
    if mode == "C":
        return level
    if mode == "R":
        return highest / level if level > 0 else float("inf")
    if mode == "G":
        return level * highest if level > 0 else 0.0
    return float("inf")


def _argument(unit: Unit, effect: Effect) -> str:
    return unit.arguments[effect.argument] if len(unit.arguments) > effect.argument else ""


def _number(unit: Unit, effect: Effect, of: str) -> float:
    text = _argument(unit, effect)
    if keyword(text, _WORDS):
        raise UnknownError(f"{text!r} is not known here as a number")
    return parse_number(text, of)
