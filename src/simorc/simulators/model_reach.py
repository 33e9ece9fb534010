"""Pure: which units of model files a deck reaches, and which bins of their models.

From the words of the deck to the units that define them, from the words of those on to others, until nothing new comes.
Of a subcircuit with bins only those count whose limits hold for an instance that was found on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from enum import IntEnum
from itertools import product

from msgspec import Struct, field

from simorc.simulators.model_cards import GEOMETRY, Bin, Call, Subcircuit, Unit, draws, number

_SLACK = 1e-3
_SAME = 1e-12
_MOST_GEOMETRIES = 1000
_DRAWN = re.compile(r"(?:(?<![\w.])([a-z_]\w*)\s*\*\s*)?\b(?:agauss|gauss|aunif|unif|limit)\b", re.IGNORECASE)
_DRAWS = re.compile(r"\b(?:agauss|gauss|aunif|unif|limit)\b", re.IGNORECASE)
_BARE = re.compile(r"[a-z_]\w*")


class _Fit(IntEnum):
    """How a geometry lies to the limits of a bin; of several dimensions the least counts."""

    OUTSIDE = 0
    UNSURE = 1  # so near a limit that digits decide which ngspice may lose
    ENDS = 2  # at the upper limit
    HOLDS = 3


class Pruner(Struct, eq=False):
    """What one deck reaches.

    Parameters
    ----------
    by_name: the units that define a name
    scale: of geometries in the instances; None where that is not certain
    drawing: functions and parameters that draw random numbers
    all_that_draw: bins that draw random numbers stay, since ngspice would draw for them
    simulator_drops_bins: ngspice drops bins before it draws for them, where instances have plain numbers
    by_finger: the width of one finger is what limits mean, in any case; else perhaps that of all
    has_left_draws: bins were left out for which ngspice would draw
    assigned: values, as written, that the deck gives to parameters
    asked: the parameters on whose values the result depends
    """

    by_name: Mapping[str, Sequence[Unit]]
    scale: float | None
    drawing: Sequence[str]
    all_that_draw: bool
    simulator_drops_bins: bool
    by_finger: bool
    assigned: Mapping[str, Set[str]]
    asked: set[str] = field(default_factory=set)
    has_left_draws: bool = False
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
        drops = self.simulator_drops_bins
        drops &= all(map(_is_plain, calls)) and all(map(_is_usual, subcircuit.geometry.values()))
        wanted: set[int] = set()
        for base, names in subcircuit.geometry.items():
            of_base = [part for part in bins if part.base == base]
            for part in self._for_calls(subcircuit, calls, names, of_base, drops=drops):
                wanted.add(id(part))
        if drops:
            return [part for part in bins if id(part) in wanted]
        drawing = {id(part) for part in bins if id(part) not in wanted and self._draws(part.text)}
        self.has_left_draws |= bool(drawing) and not self.all_that_draw
        return [part for part in bins if id(part) in wanted or (self.all_that_draw and id(part) in drawing)]

    def draws_in_vain(self, text: str) -> bool:
        """Whether every random number in a text is multiplied by a parameter that is nothing but 0."""
        factors = [match.group(1) for match in _DRAWN.finditer(text)]
        return None not in factors and all(map(self._is_zero, {factor.lower() for factor in factors}))

    def _is_zero(self, name: str) -> bool:
        self.asked.add(name)
        given = self._given(name)
        return bool(given) and all(number(value) == 0 for value in given)

    def _draws(self, text: str) -> bool:
        return draws(text) or any(name in text.lower() for name in self.drawing)

    def _for_calls(
        self, subcircuit: Subcircuit, calls: Sequence[Call], names: Sequence[str], bins: Sequence[Bin], *, drops: bool
    ) -> Sequence[Bin]:
        """The bins for every instance; all where the geometry of one is not certain, or has none.

        Parameters
        ----------
        drops: ngspice drops those that no instance is in
        """
        wanted = {id(part): part for part in bins if part.limits is None}
        for call in calls:
            texts = [call.parameters.get(name, subcircuit.defaults.get(name, name)) for name in names]
            values = [self._values(text, frozenset()) for text in texts]
            if not all(values) or len(geometries := list(product(*filter(None, values)))) > _MOST_GEOMETRIES:
                return bins
            found = [part for place in self._places(geometries) for part in self._chosen(bins, place, drops=drops)]
            if not found:
                return bins
            wanted |= {id(part): part for part in found}
        return list(wanted.values()) if calls else bins

    def _places(self, geometries: Iterable[tuple[float, ...]]) -> set[tuple[float, float]]:
        """Length and width, in m, that the limits of bins may mean."""
        scale = self.scale or 1.0
        found: set[tuple[float, float]] = set()
        for length, width, fingers in geometries:
            found.add((length * scale, (width / fingers if fingers else width) * scale))
            if not self.by_finger:
                found.add((length * scale, width * scale))
        return found

    def _chosen(self, bins: Sequence[Bin], place: tuple[float, float], *, drops: bool) -> list[Bin]:
        """The bins that ngspice may take for a geometry.

        Measured: where it drops bins, those are left that hold the geometry, of two that share a limit the one that
        begins there. In modes without that it takes the first in their order, whether it begins or ends there.
        """
        fits = [(part, _fit(part.limits, place)) for part in bins if part.limits]
        near = [part for part, fit in fits if fit]
        if _Fit.UNSURE in (fit for _, fit in fits) or (self.simulator_drops_bins and not drops):
            return near
        return ([part for part, fit in fits if fit == _Fit.HOLDS] or near) if drops else near[:1]

    def _values(self, text: str, seen: frozenset[str]) -> frozenset[float] | None:
        """Everything that a number, or a parameter, may be: what any card gives to that name; None for unknown."""
        value = number(text)
        if value is not None:
            return frozenset((value,))
        name = text.strip(" '{}")
        if name in seen:
            return frozenset()
        if not _BARE.fullmatch(name):
            return None
        self.asked.add(name)
        found: set[float] = set()
        for other in self._given(name):
            values = self._values(other, seen | {name})
            if values is None:
                return None
            found |= values
        return frozenset(found)

    def _given(self, name: str) -> set[str]:
        """All that cards give to a parameter, as written; what cannot be told apart as an empty text."""
        given = set(self.assigned.get(name, ()))
        for unit in self.by_name.get(name, ()):
            given.add(unit.text.partition("=")[2] if unit.kind == ".param" and len(unit.names) == 1 else "")
        for unit in self._reached.values():
            given.update(value for key, value in unit.subcircuit.assigned if key == name)
        return given


def drawing_of(units: Sequence[Unit]) -> list[Unit]:
    """What draws random numbers, itself or through functions and parameters that it uses.

    Models too: in a deck with `.if` ngspice evaluates those that nothing uses.
    """
    loose = [unit for unit in units if unit.names and unit.kind in (".param", ".func", ".if", ".model")]
    drawn = {id(unit): unit for unit in loose if unit.may_draw and _DRAWS.search(unit.text)}
    words: set[str] = set()
    fresh = list(drawn.values())
    while fresh:
        words.update(name for unit in fresh for name in unit.names)
        fresh = [unit for unit in loose if id(unit) not in drawn and not words.isdisjoint(unit.words)]
        drawn |= {id(unit): unit for unit in fresh}
    return list(drawn.values())


def _is_plain(call: Call) -> bool:
    """Whether ngspice sees the geometry of an instance before it evaluates anything."""
    values = [call.parameters.get(name, "1" if name == "nf" else "") for name in GEOMETRY]
    return all(value[:1] not in "'{" and number(value) is not None for value in values)


def _is_usual(names: Sequence[str]) -> bool:
    """Whether the geometry of bins stands in parameters of the usual names."""
    return all(name == usual or name == "1" for name, usual in zip(names, GEOMETRY, strict=True))


def _fit(limits: tuple[float, ...], place: tuple[float, float]) -> _Fit:
    """How length and width lie to lmin, lmax, wmin, wmax."""
    lmin, lmax, wmin, wmax = limits
    return min(_between(place[0], lmin, lmax), _between(place[1], wmin, wmax))


def _between(value: float, low: float, high: float) -> _Fit:
    if not low * (1 - _SLACK) <= value <= high * (1 + _SLACK):
        return _Fit.OUTSIDE
    if abs(value - high) <= high * _SAME:
        return _Fit.ENDS
    if abs(value - low) <= low * _SAME or low * (1 + _SLACK) <= value <= high * (1 - _SLACK):
        return _Fit.HOLDS
    return _Fit.UNSURE
