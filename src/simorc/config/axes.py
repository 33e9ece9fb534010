"""The axes of a sweep from its file: lists, ranges, zips, corners, Monte Carlo samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from simorc.config.axis_values import RangeError, linear, logarithmic, stepped
from simorc.config.document import Document, Key
from simorc.config.models.sweep import AxisKeys, SweepKeys
from simorc.config.problems import Problems, one_of, printed
from simorc.core.errors import Problem
from simorc.core.sweep import FIRST_SEED, MAX_CASES, SAMPLE_COLUMNS, Axis, monte_carlo_axis
from simorc.core.units import Value, as_number
from simorc.core.wording import did_you_mean

SEED = SAMPLE_COLUMNS[1]


@dataclass(frozen=True)
class AxisBuilder:
    """Makes the axes of one sweep and notes what is wrong with them.

    Parameters
    ----------
    file: the sweep's document
    keys: the same, validated
    testbench: name of the testbench
    known: names of its parameters
    defaults: their values
    """

    file: Document
    keys: SweepKeys
    testbench: str
    known: Sequence[str]
    defaults: Mapping[str, Value]
    problems: Problems

    def axes(self) -> tuple[Axis, ...]:
        """The axes, the slowest first: corners, parameters in the order of the file, Monte Carlo samples."""
        columns = {name: values for name, axis in self.keys.parameters.items() if (values := self._values(name, axis))}
        axes = [*self._corners(), *self._parameters(columns)]
        size = math.prod(len(axis) for axis in axes)
        samples = self.keys.monte_carlo.samples if self.keys.monte_carlo else 1
        if size * samples > MAX_CASES:
            found = f"{size * samples:,} cases in all"
            self._note([], found, f"at most {MAX_CASES:,}", "use fewer values, or `zip` what belongs together")
            return ()
        if self.keys.monte_carlo:
            self._check_given("monte_carlo", "samples", "the number of samples")
            axes.append(monte_carlo_axis(samples, self.keys.monte_carlo.seed))
        return tuple(axes)

    def _note(self, keys: Sequence[Key], found: str, expected: str, hint: str = "", missing: str = "") -> None:
        self.problems.add(Problem(self.file.where(keys, missing), found, expected, hint))

    def _check_given(self, section: str, name: str, expected: str) -> None:
        if name not in self.file.section(section):
            self._note([section], "no such key", expected, missing=name)

    def _check_known(self, name: str, keys: Sequence[Key]) -> bool:
        if name not in self.known:
            found = f"a parameter that testbench {self.testbench!r} does not have"
            self._note(keys, found, one_of(self.known), did_you_mean(name, self.known))
        return name in self.known

    def _values(self, name: str, axis: AxisKeys) -> tuple[Value, ...]:
        keys = ["parameters", name]
        raw = self.file.section("parameters")[name]
        is_whole = not isinstance(raw, dict) or set(raw) == axis.model_fields_set
        if not self._check_known(name, keys) or not is_whole:  # what is not whole was noted before
            return ()
        try:
            values = _points(axis)
        except RangeError as error:
            self._note(keys, error.found, error.expected)
            return ()
        if not values:
            self._note(keys, "an empty axis", "at least one value")
        if not any(name in group for group in self.keys.zip):
            self._check_duplicates(keys, [(value,) for value in values])
        return values

    def _check_duplicates(self, keys: Sequence[Key], rows: Iterable[tuple[Value, ...]]) -> None:
        first: dict[tuple[object, ...], tuple[Value, ...]] = {}
        for position, row in enumerate(rows):
            earlier = first.setdefault(tuple(map(_identity, row)), row)
            if earlier is not row:
                was, now = (", ".join(printed(value) for value in values) for values in (earlier, row))
                found = f"{now} twice" if was == now else f"{now}, the same as {was}"
                self._note([*keys, position], found, "every value of an axis once")

    def _parameters(self, columns: Mapping[str, tuple[Value, ...]]) -> list[Axis]:
        groups = self._groups(columns)
        axes: list[Axis] = []
        done: set[str] = set()
        for name in columns:
            group = groups.get(name, (name,))
            if name not in done:
                axes.append(Axis(group, tuple(zip(*(columns[member] for member in group), strict=True))))
            done.update(group)
        return axes

    def _groups(self, columns: Mapping[str, tuple[Value, ...]]) -> dict[str, tuple[str, ...]]:
        """Each zipped parameter with its whole group, in the order of the file."""
        groups: dict[str, tuple[str, ...]] = {}
        for position, names in enumerate(self.keys.zip):
            keys: list[Key] = ["zip", position]
            members = tuple(name for name in columns if name in names)
            if self._fits(names, keys, groups) and self._same_length(members, columns, keys):
                self._check_duplicates(keys, zip(*(columns[name] for name in members), strict=True))
                groups.update(dict.fromkeys(members, members))
        return groups

    def _fits(self, names: tuple[str, ...], keys: list[Key], groups: Mapping[str, object]) -> bool:
        swept = self.file.section("parameters")
        if len(set(names)) < 2 or len(set(names)) < len(names):
            self._note(keys, f"the group {', '.join(names) or 'of none'}", "two or more different parameters")
            return False
        for i, name in enumerate(names):
            if name not in swept:
                self._note([*keys, i], printed(name), one_of(swept), did_you_mean(name, swept))
            elif name in groups:
                self._note([*keys, i], f"{name!r}, which is in a group already", "each parameter in one group")
        return all(name in self.keys.parameters and name not in groups for name in names)

    def _same_length(self, members: tuple[str, ...], columns: Mapping[str, tuple[Value, ...]], keys: list[Key]) -> bool:
        lengths = {name: len(columns[name]) for name in members}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{name} with {length}" for name, length in lengths.items())
            self._note(keys, f"{found} values", "as many values for each")
        return len(members) > 1 and len(set(lengths.values())) == 1

    def _check_seed(self, value: Value, keys: Sequence[Key]) -> None:
        if self.keys.monte_carlo is not None:
            self._note(keys, "a seed, beside `monte_carlo`", "one of the two")
        elif isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**31:
            self._note(keys, printed(value), "a whole number from 1 to 2147483647")

    def _corners(self) -> list[Axis]:
        corners = self.keys.corners
        if corners is None:
            return []
        if not self.file.section("corners"):
            self._note(["corners"], "an empty axis", "at least one corner")
            return []
        bound = {name: None for binding in corners.values() for name in binding}
        for corner, binding in corners.items():
            if not corner.strip() or not corner.isprintable():
                self._note(["corners", corner], printed(corner), "a printable name")
            for name, value in binding.items():
                if name == SEED:
                    self._check_seed(value, ["corners", corner, name])
                elif self._check_known(name, ["corners", corner, name]) and name in self.file.section("parameters"):
                    found = f"{name!r}, which stands in `parameters` too"
                    self._note(["corners", corner, name], found, "each parameter in one place")
        if not corners:
            return []
        defaults = {**self.defaults, SEED: FIRST_SEED}
        names = tuple(name for name in bound if name in defaults and name not in self.keys.parameters)
        rows = ((corner, *(binding.get(name, defaults[name]) for name in names)) for corner, binding in corners.items())
        return [Axis(("corner_name", *names), tuple(rows))]


def _points(axis: AxisKeys) -> tuple[Value, ...]:
    """The values of one parameter, or RangeError."""
    start, stop, num, step = axis.start, axis.stop, axis.num, axis.step
    if axis.values is not None:
        if axis.model_fields_set != {"values"}:
            raise RangeError("values and a range", "one of the two")
        return axis.values
    if start is None or stop is None or (num is None) == (step is None):
        raise RangeError(f"a range with {', '.join(sorted(axis.model_fields_set)) or 'no keys'}", _RANGE)
    if axis.scale == "log":
        if num is None:
            raise RangeError("a logarithmic range with step", _RANGE)
        return logarithmic(start, stop, num)
    return linear(start, stop, num) if num is not None else stepped(start, stop, step or 0)


_RANGE = "start, stop and either num or step (with `scale: log` num)"


def _identity(value: Value) -> object:
    """What makes two values of an axis the same: the number, whatever way it is written."""
    number = as_number(value)
    return (type(value).__name__, value) if number is None else number
