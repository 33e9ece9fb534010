"""Pure: inputs joined on their conditions, how far apart their measures are, and whether they agree.

The first input is the reference: a difference is another one's value minus its value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

import numpy as np

from simorc.core.errors import UsageError
from simorc.core.expression import names_in
from simorc.core.table import Column
from simorc.core.tolerance import Agreement, Tolerance
from simorc.core.units import Value
from simorc.core.wording import suggestion
from simorc.report.compare_difference import Conditions, Difference, Readings, Terms, difference
from simorc.report.compare_join import ABSENT, Positions, TwiceError, join, rounded, tolerances_of
from simorc.report.compare_side import FILE, SPARED, Floats, Side, bare, chosen, is_numeric, named, set_of, split
from simorc.report.compare_units import in_common_units
from simorc.report.display import axis_key, value_text

_MOST_NAMED = 6
_WHOLE = 1e15
NOT_THERE = "not there"
"""Why a side has no values in a condition: no row of it stands for it."""


@dataclass(frozen=True, slots=True)
class Options:
    """How inputs are joined and judged.

    Parameters
    ----------
    nearest: how far apart the numbers of a condition may be, in the reference's unit; others are joined when equal
    usual: the same for conditions that some comparisons have and others have not; `nearest` wins
    agree: how far apart values may be, by measure; `*` stands for all others
    units: the units of columns that state none
    by: parameters that split an input, one side a value
    where: a condition that chooses rows
    """

    nearest: Mapping[str, float] = field(default_factory=dict)
    usual: Mapping[str, float] = field(default_factory=dict)
    agree: Mapping[str, Tolerance] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    by: tuple[str, ...] = ()
    where: str = ""

    def tolerance(self, measure: str) -> Tolerance | None:
        """The tolerance of a measure; None where none is stated."""
        return self.agree.get(measure, self.agree.get("*"))


@dataclass(frozen=True, eq=False)
class Comparison:
    """Inputs joined on their conditions.

    Parameters
    ----------
    columns: the conditions that they are joined on
    measures: name -> unit of those that the first side and some other input have
    index: which row of each side stands for which condition, shape (sides, conditions), -1 for none
    left_out: measures that not all have: name, labels of those that do
    """

    sides: tuple[Side, ...]
    columns: tuple[str, ...]
    measures: Mapping[str, str]
    index: Positions
    left_out: tuple[tuple[str, tuple[str, ...]], ...]
    options: Options = field(default_factory=Options)

    def __len__(self) -> int:
        return int(self.index.shape[1])

    def sides_with(self, measure: str) -> list[int]:
        """The positions of the sides that have a measure; the first one has every one."""
        return [number for number, side in enumerate(self.sides) if measure in side.measures]

    def values(self, side: int, measure: str) -> Floats:
        """The values of a side in every condition, NaN where there is none."""
        return self._taken(side, self.sides[side].measures[measure].values)

    def uncertainty(self, side: int, measure: str) -> Floats:
        """The bounds of their errors, NaN where none is known."""
        return self._taken(side, self.sides[side].measures[measure].uncertainty)

    def _taken(self, side: int, values: Floats) -> Floats:
        taken: Floats = values[self.index[side]]
        taken[self.index[side] == ABSENT] = np.nan
        return taken

    @cached_property
    def joined(self) -> int:
        """How many conditions stand in all sides."""
        return int((self.index != ABSENT).all(axis=0).sum())

    def condition(self, name: str) -> Any:
        """The values of one condition, in every row; of the first side that has the row."""
        found = np.empty(len(self), dtype=object)
        todo = np.ones(len(self), dtype=bool)
        for side, index in zip(self.sides, self.index, strict=True):
            rows = todo & (index != ABSENT)
            found[rows] = side.conditions[name].values[index[rows]]
            todo &= ~rows
        numeric = all(side.conditions[name].is_numeric for side in self.sides)
        return found.astype(np.float64) if numeric else found

    @cached_property
    def _conditions(self) -> dict[str, Any]:
        return {name: self.condition(name) for name in self.columns}

    def conditions(self, row: int) -> dict[str, Value]:
        """The conditions of one row."""
        return {name: _plain(values[row]) for name, values in self._conditions.items()}

    def unit_of(self, name: str) -> str:
        """The unit of a condition, empty where none is known."""
        return self.sides[0].conditions[name].unit

    @cached_property
    def reasons(self) -> tuple[Any, ...]:
        """For each side an array: why it has no values in a condition, empty where it has a row with values."""
        return tuple(self._reasons(number) for number in range(len(self.sides)))

    def _reasons(self, number: int) -> Any:
        side, index = self.sides[number], self.index[number]
        found = side.reason[index]
        found[index == ABSENT] = NOT_THERE
        if side.idle:
            names = [name for name in self.columns if name in side.idle[0][0]]
            known = {_key(conditions, names): reason for conditions, reason in side.idle}
            for row in np.flatnonzero(index == ABSENT):
                found[row] = known.get(_key(self.conditions(int(row)), names), NOT_THERE)
        return found

    @cached_property
    def lacking_rows(self) -> list[int]:
        """The rows that some side has no values for."""
        lacks = np.any([reasons != "" for reasons in self.reasons], axis=0)
        return [int(row) for row in np.flatnonzero(lacks)]

    def reason(self, row: int) -> str:
        """Why some side has no values in a row."""
        told = [(side.label, reasons[row]) for side, reasons in zip(self.sides, self.reasons, strict=True)]
        return ", ".join(f"{'not' if why == NOT_THERE else why} in {label}" for label, why in told if why)

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """Every measure of every side but the first that has it."""
        return tuple(_difference(self, m, side) for m in self.measures for side in self.sides_with(m)[1:])

    @property
    def disagreeing(self) -> list[Difference]:
        """Those that a stated tolerance does not allow."""
        return [d for d in self.differences if d.tolerance is not None and d.agreement is Agreement.DIFFERS]


def compare(inputs: Sequence[Side], options: Options = Options()) -> Comparison:
    """Join inputs on the conditions that any of them varies and all of them have.

    Raises
    ------
    UsageError: they have no condition or no measure in common, a condition stands in one input twice, units differ
    """
    if len(inputs) < 2 and not options.by:
        raise UsageError("a comparison takes two inputs or more")
    numbered = [replace(side, source=number) for number, side in enumerate(inputs)]
    if options.where:
        _check_where(numbered, options.where)
        numbered = [chosen(side, options.where) for side in numbered]
    _check_by(numbered, options)
    sides = named([part for side in numbered for part in split(side, options.by)])
    if len(sides) < 2:
        raise UsageError("a comparison takes two inputs or more")
    columns = _columns(sides)
    sides = _with_lost_measures(sides)
    having = _having(sides)
    measures = _shared(sides, having)
    left_out = tuple((name, _labels(holders)) for name, holders in having.items() if len(holders) < len(sides))
    sides = in_common_units([_with_these(side, measures, having) for side in sides], columns, measures, options.units)
    keys = [[side.conditions[name].values for name in columns] for side in sides]
    try:
        usual = {name: tolerance for name, tolerance in options.usual.items() if name in columns}
        index = join(keys, tolerances_of(columns, {**usual, **options.nearest}, keys))
    except TwiceError as error:
        raise _twice(sides, columns, error) from error
    units = {name: sides[0].measures[name].unit for name in measures}
    comparison = Comparison(sides, columns, units, index, left_out, options)
    if not _any_pair(index):
        raise UsageError("no condition stands in all of these inputs", hint=_axes_apart(sides, columns))
    return comparison


def conditions_text(conditions: Conditions) -> str:
    """Conditions for people: `corner=ff, temp=85`."""
    return ", ".join(f"{name}={value_text(value)}" for name, value in conditions.items()) or "the only case"


def _any_pair(index: Positions) -> bool:
    """Whether every side shares a condition with the first."""
    return all(((index[0] != ABSENT) & (other != ABSENT)).any() for other in index[1:])


def _check_by(sides: Sequence[Side], options: Options) -> None:
    """One input alone is parted by a parameter: parts of two would be compared crosswise, ff with tt."""
    for name in options.by:
        having = [side.label for side in sides if name in side.conditions]
        if not having:
            known = dict.fromkeys(name for side in sides for name in side.swept)
            raise UsageError(f"--by {name}: no input has such a condition", hint=f"there are: {', '.join(known)}")
        if len(having) > 1:
            what = f"--by {name}: {' and '.join(having)} have it, and only one input can be parted"
            raise UsageError(what, hint="without --by they are joined on it")


def _check_where(sides: Sequence[Side], where: str) -> None:
    wanted = names_in(where)
    if not any(set(wanted) <= set(side.conditions) for side in sides):
        known = list(dict.fromkeys(name for side in sides for name in side.conditions))
        name = next((name for name in wanted if name not in known), "")
        hint = suggestion(name, known) if name else "its parameters stand in different inputs"
        raise UsageError(f"--where {where!r}: no input has all of its parameters", hint=hint)


def _with_lost_measures(sides: Sequence[Side]) -> tuple[Side, ...]:
    """The sides; a run that does not measure all that its baseline does has it without values.

    What is gone altogether is a part of the diff. A baseline is a run of its target, or a file that a run was written
    to; of other columns nobody knows that a run should measure them. Where nothing is in common all stays as it is.
    """
    first = sides[0]
    made = []
    for side in sides:
        gone = [name for name in first.measure_names if name not in side.measures]
        later = side.data is not None and first.is_record and first.target in (side.target, FILE)
        if later and not side.is_curves and 0 < len(gone) < len(first.measure_names):
            none = np.full(len(side), np.nan)
            lost = {name: bare(Column(none, first.measures[name].unit)) for name in gone}
            made.append(replace(side, measures={**side.measures, **lost}))
        else:
            made.append(side)
    return tuple(made)


def _columns(sides: Sequence[Side]) -> tuple[str, ...]:
    swept = list(dict.fromkeys(name for side in sides for name in side.swept))
    shared = tuple(name for name in swept if all(name in side.conditions for side in sides))
    if swept and not shared:
        each = "; ".join(f"{side.label}: {', '.join(side.swept) or 'none'}" for side in sides)
        raise UsageError("these inputs have no parameter in common to be joined on", hint=f"they sweep: {each}")
    return shared


def _twice(sides: Sequence[Side], columns: Sequence[str], error: TwiceError) -> UsageError:
    side = sides[error.side]
    rows = (error.first, error.second)
    at = conditions_text({name: _plain(side.conditions[name].values[rows[0]]) for name in columns})
    kind = "rows" if side.target == FILE else "points" if side.is_curves else "cases"
    ids = " and ".join(dict.fromkeys(str(side.ids[row]) for row in rows))
    what = f"two {kind} of {side.label} stand for one condition, {at}: {'of case ' if side.is_curves else ''}{ids}"
    others = [name for name in side.swept if name not in columns and _apart(side.conditions[name], *rows)]
    if not others:
        return UsageError(what)
    named_ = ", ".join(others)
    return UsageError(
        what, hint=f"they differ in {named_}, which not every input has: --by {','.join(others)} parts them"
    )


def _apart(values: Column, first: int, second: int) -> bool:
    return len(set_of(values.values[[first, second]])) > 1


def _axes_apart(sides: Sequence[Side], columns: Sequence[str]) -> str:
    """The first parameter that has no value in common, with the values of each side."""
    for name in columns:
        values = [_listed(side.conditions[name].values) for side in sides]
        first, *others = [set(map(str, listed)) for listed in values]
        if any(not first & other for other in others):
            each = [f"{side.label}: {_named(listed)}" for side, listed in zip(sides, values, strict=True)]
            return f"values of {name}: {'; '.join(each)}; --nearest {name}=TOLERANCE joins near ones"
    return f"every value of {', '.join(columns)} is there, but never together"


def _listed(values: Any) -> list[Value]:
    """The different values, numbers sorted."""
    if is_numeric(values):
        return [float(v) for v in np.unique(rounded(values.astype(np.float64)))]
    return set_of(values)


def _named(values: Sequence[Value]) -> str:
    more = ", …" if len(values) > _MOST_NAMED else ""
    return ", ".join(f"{v:g}" if isinstance(v, float) else value_text(v) for v in values[:_MOST_NAMED]) + more


def _having(sides: Sequence[Side]) -> dict[str, list[Side]]:
    """Every measure of which some side has a value, with the sides that have it.

    A file has what it has values of; a run also what it should have measured, where another side has values of it.
    """
    valued = {name for side in sides for name in side.measure_names}
    having: dict[str, list[Side]] = {}
    for side in sides:
        for name in side.measure_names if side.target == FILE else side.measures:
            if name in valued:
                having.setdefault(name, []).append(side)
    return having


def _shared(sides: Sequence[Side], having: Mapping[str, Sequence[Side]]) -> list[str]:
    """The measures that are compared: those that the first side has, and another input, where there is one."""
    wanted = min(len({side.source for side in sides}), 2)
    shared = [name for name, held in having.items() if held[0] is sides[0] and len({s.source for s in held}) >= wanted]
    for side in sides:
        if not any(side in having[name] for name in shared):
            each = "; ".join(f"{name} in {', '.join(_labels(held))}" for name, held in having.items()) or "none in any"
            each += "".join(
                f"; {name} has no value in {s.label}" for s in sides for name in _empty(s) if name in having
            )
            who = "these inputs have" if len(sides) == 2 else f"{sides[0].label} and {side.label} have"
            raise UsageError(f"{who} no measure in common", hint=f"there are: {each}")
    return shared


def _empty(side: Side) -> list[str]:
    return [name for name in side.measures if name not in side.measure_names]


def _labels(sides: Sequence[Side]) -> tuple[str, ...]:
    return tuple(side.label for side in sides)


def _with_these(side: Side, names: Sequence[str], having: Mapping[str, Sequence[Side]]) -> Side:
    return replace(side, measures={name: side.measures[name] for name in names if side in having[name]})


def _difference(comparison: Comparison, measure: str, side: int) -> Difference:
    sides, source = comparison.sides, comparison.sides[0].source
    parts = [n for n, part in enumerate(sides) if part.source == source and measure in part.measures]
    terms = Terms(
        comparison.options.tolerance(measure),
        sides[side].source != source,
        comparison.reasons[side] == SPARED,
        [comparison.values(n, measure) for n in parts],
    )
    name = (measure, comparison.measures[measure], side)
    first, other = (Readings(comparison.values(n, measure), comparison.uncertainty(n, measure)) for n in (0, side))
    return difference(name, first, other, terms, comparison.conditions)


def _key(conditions: Conditions, names: Sequence[str]) -> tuple[object, ...]:
    return tuple(axis_key(conditions[name]) for name in names)


def _plain(value: Any) -> Value:
    """A condition as people write it: of a file 27.0 is 27."""
    if type(value) is not float and not isinstance(value, np.floating):  # a quantity stays as it is written
        return cast("Value", value)
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < _WHOLE else number
