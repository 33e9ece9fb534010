"""Pure: which units of model files a deck reaches, and which bins of their models.

From the words of the deck to the units that define them, from the words of those on to others, until nothing new comes.
Of a subcircuit with bins only those count whose limits hold for an instance that was found on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from simorc.simulators.model_cards import Bin, Call, Subcircuit, Unit, draws, number

_SLACK = 1e-3
_Geometry = tuple[float, Sequence[float]]


@dataclass(frozen=True)
class Pruner:
    """What one deck reaches.

    Parameters
    ----------
    by_name: the units that define a name
    scale: of geometries in the instances; None where that is not certain
    drawing: functions that draw random numbers
    all_that_draw: bins that draw random numbers stay, since ngspice would draw for them
    """

    by_name: Mapping[str, Sequence[Unit]]
    scale: float | None
    drawing: Sequence[str]
    all_that_draw: bool
    _reached: dict[int, Unit] = field(default_factory=dict)
    _calls: dict[str, list[Call]] = field(default_factory=dict)
    _bins: dict[int, list[Bin]] = field(default_factory=dict)

    def reach(self, kept: Iterable[Unit], words: Set[str], calls: Iterable[Call]) -> None:
        """Find everything that words, instances, and what stays in any case lead to."""
        self._note(calls)
        waiting = [*kept, *self._defining(words)]
        while waiting:
            while waiting:
                unit = waiting.pop()
                if id(unit) not in self._reached:
                    self._reached[id(unit)] = unit
                    self._note(unit.subcircuit.calls)
                    waiting += self._defining(unit.words)
            for unit in self._reached.values():
                if unit.subcircuit.parts:
                    before = len(self._bins.get(id(unit), ()))
                    self._bins[id(unit)] = self._wanted(unit)
                    if len(self._bins[id(unit)]) != before:
                        waiting += self._defining(frozenset().union(*(part.words for part in self._bins[id(unit)])))

    def text(self, units: Sequence[Unit]) -> str:
        """What is kept of a file, in its order."""
        return "".join(f"{self._kept(unit)}\n" for unit in units if id(unit) in self._reached)

    def _kept(self, unit: Unit) -> str:
        if id(unit) not in self._bins:
            return unit.text
        bins = set(map(id, self._bins[id(unit)]))
        parts = [part for part in unit.subcircuit.parts if isinstance(part, str) or id(part) in bins]
        return "\n".join(part if isinstance(part, str) else part.text for part in parts)

    def _note(self, calls: Iterable[Call]) -> None:
        for call in calls:
            self._calls.setdefault(call.words[-1], []).append(call)

    def _defining(self, words: Set[str]) -> list[Unit]:
        return [unit for word in words & self.by_name.keys() for unit in self.by_name[word]]

    def _wanted(self, unit: Unit) -> list[Bin]:
        """The bins of a subcircuit that an instance may need; all where that is not certain."""
        subcircuit = unit.subcircuit
        bins = [part for part in subcircuit.parts if isinstance(part, Bin)]
        calls = self._calls.get(unit.names[0], []) if unit.names else []
        if self.scale is None:
            return bins
        wanted: set[int] = set()
        for base, names in subcircuit.geometry.items():
            of_base = [part for part in bins if part.base == base]
            wanted.update(map(id, _in_range(of_base, _geometries(subcircuit, calls, names), self.scale)))
        return [part for part in bins if id(part) in wanted or (self.all_that_draw and self._draws(part.text))]

    def _draws(self, text: str) -> bool:
        return draws(text) or any(name in text.lower() for name in self.drawing)


def _geometries(subcircuit: Subcircuit, calls: Sequence[Call], names: Sequence[str]) -> list[_Geometry]:
    """Length and widths that the choice of a bin may go by, for each instance; empty where any is no plain number.

    The width that counts is that of all fingers or of one, as ngspice's compatibility mode says.
    """
    found: list[_Geometry] = []
    for call in calls:
        values = [number(call.parameters.get(name, subcircuit.defaults.get(name, name))) for name in names]
        length, width, fingers = values
        if length is None or width is None or not fingers:
            return []
        found.append((length, (width, width / fingers)))
    return found


def _in_range(bins: Sequence[Bin], geometries: Sequence[_Geometry], scale: float) -> list[Bin]:
    """The bins for these geometries, also those that touch one with their limits; all where one has none."""
    wanted: dict[int, Bin] = {id(part): part for part in bins if part.limits is None}
    for length, widths in geometries:
        found = [part for part in bins if part.limits and _is_within(part.limits, length * scale, widths, scale)]
        if not found:
            return list(bins)
        wanted |= {id(part): part for part in found}
    return list(wanted.values()) if geometries else list(bins)


def _is_within(limits: tuple[float, ...], length: float, widths: Sequence[float], scale: float) -> bool:
    lmin, lmax, wmin, wmax = limits
    return _between(length, lmin, lmax) and any(_between(width * scale, wmin, wmax) for width in widths)


def _between(value: float, low: float, high: float) -> bool:
    return low * (1 - _SLACK) <= value <= high * (1 + _SLACK)
