"""Pure: which terminal of which instrument is connected to which point of the DUT's board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simorc.core.errors import UsageError
from simorc.core.wording import suggestion

POINTS = {
    "vin": "a supply's output, at the DUT's input",
    "vout": "a meter or a load, at the DUT's output",
    "input": "a meter that reads the voltage at the DUT's input",
    "ground": "a meter's current input, in the DUT's ground lead",
    "air": "a chamber, around the DUT",
    "parts": "a switch, which selects one of the DUTs",
}


@dataclass(frozen=True, slots=True)
class Wiring:
    """The connections of a bench: terminal -> point; a terminal is (instrument, channel), 1 where it has but one."""

    points: Mapping[tuple[str, int], str]

    def at(self, instrument: str, channel: int = 1) -> str | None:
        """Where a terminal is connected, or None."""
        return self.points.get((instrument, channel))

    def instrument_at(self, point: str) -> tuple[str, int] | None:
        """The terminal at a point where there is one only, or None."""
        return next((terminal for terminal, found in self.points.items() if found == point), None)


def make_wiring(texts: Mapping[str, str], instruments: Sequence[str]) -> Wiring:
    """The wiring that a bench's YAML describes: `psu.2: vin`.

    Raises
    ------
    UsageError: an unknown instrument or point, or two supplies, chambers or switches at one point
    """
    points: dict[tuple[str, int], str] = {}
    for text, point in texts.items():
        name, _, channel = text.partition(".")
        if name not in instruments:
            raise UsageError(f"wiring of an unknown instrument {name!r}", hint=suggestion(name, sorted(instruments)))
        if point not in POINTS:
            raise UsageError(f"wiring to an unknown point {point!r}", hint=suggestion(point, sorted(POINTS)))
        if channel and not channel.isdecimal():
            raise UsageError(f"wiring of {text!r}: a channel is a number", hint="write for example psu.2: vin")
        if point in ("vin", "air", "parts") and point in points.values():
            raise UsageError(f"two instruments are wired to {point!r}")
        points[name, int(channel or 1)] = point
    return Wiring(points)
