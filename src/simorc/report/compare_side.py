"""Pure: what a comparison lays side by side: a run, or a table of foreign data, as columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from msgspec import structs

from simorc.core.errors import UsageError
from simorc.core.expression import compile_condition, names_in
from simorc.core.record import Status
from simorc.core.spec import Verdict
from simorc.core.sweep import RESERVED_NAMES
from simorc.core.table import UNCERTAINTY, Column, Table
from simorc.core.units import Value, as_number
from simorc.report.data import ReportData
from simorc.report.display import axis_key, value_text

Floats = npt.NDArray[np.float64]
FILE = "file"
"""The target of what is no run."""
SPARED = "spared"
"""Why a sample that need not run has no values."""
_WORDS = {
    Status.COMPLETED: "",
    Status.FAILED: "failed",
    Status.PENDING: "pending",
    Status.IN_PROGRESS: "in progress",
}


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """One measure over the rows of a side; NaN where there is no value or no bound of its error.

    `out` says where the value is out of its limits, `judged` where that is known of a value that may have any.
    """

    values: Floats
    unit: str
    uncertainty: Floats
    out: npt.NDArray[np.bool_]
    judged: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Side:
    """One of the inputs, or a part of it.

    Parameters
    ----------
    label: what people call it: `<run id>/<target>`, or the file's name; `short` is as short as it can be
    target: `spice`, `bench`, or `file`
    source: which of the inputs it is, from 0; parts of one input share it
    conditions: every parameter of a run, the condition columns of a table
    swept: those that vary
    reason: for each row why it has no values, empty where it has; `SPARED` where the run stopped early
    data: the run
    notes: sentences about what was left out of it
    ids: the case of each row; of a table the number of the row, from 1
    is_curves: whether its rows are the points of a run's curves, which have no limits
    idle: of such a run the cases without a row: their conditions, and why they have none
    is_record: whether a row without a value says that there is none: a run, or what `simorc run` wrote of one; an
        empty cell of another table says nothing
    """

    label: str
    target: str
    conditions: Mapping[str, Column]
    swept: tuple[str, ...]
    measures: Mapping[str, Measured]
    reason: npt.NDArray[Any]
    ids: npt.NDArray[np.int64]
    data: ReportData | None = None
    source: int = 0
    short: str = ""
    notes: tuple[str, ...] = ()
    is_curves: bool = False
    idle: tuple[tuple[Mapping[str, Value], str], ...] = ()
    is_record: bool = True

    def __len__(self) -> int:
        return len(self.reason)

    @cached_property
    def measure_names(self) -> list[str]:
        """The measures that have a value somewhere."""
        return [name for name, measured in self.measures.items() if not np.isnan(measured.values).all()]

    def rows(self, chosen: npt.NDArray[Any]) -> Side:
        """The side with some of its rows: a mask or positions."""
        return replace(
            self,
            conditions={name: Column(c.values[chosen], c.unit) for name, c in self.conditions.items()},
            measures={
                name: Measured(m.values[chosen], m.unit, m.uncertainty[chosen], m.out[chosen], m.judged[chosen])
                for name, m in self.measures.items()
            },
            reason=self.reason[chosen],
            ids=self.ids[chosen],
        )


def column(values: Iterable[Value]) -> npt.NDArray[Any]:
    """Values as they are written, in an array."""
    listed = list(values)
    made = np.empty(len(listed), dtype=object)
    made[:] = listed
    return made


def of_run(data: ReportData) -> Side:
    """The measures of a run, a row a case.

    Raises
    ------
    UsageError: no case has completed
    """
    check_completed(data)
    names = list(data.cases[0].parameters)
    measures = {}
    for measure in data.measures_here:
        found = [data.finished(case.case_id, measure.name) for case in data.cases]
        verdicts = [m.verdict if m is not None else Verdict.NONE for m in found]
        measures[measure.name] = Measured(
            numbers(m.value if m is not None else None for m in found),
            measure.unit,
            numbers(m.uncertainty if m is not None else None for m in found),
            np.array([verdict is Verdict.FAIL for verdict in verdicts]),
            np.array([verdict is not Verdict.NONE for verdict in verdicts]),
        )
    words = why_without(data)
    return Side(
        f"{data.run_id}/{data.plan.target}",
        data.plan.target,
        {name: Column(column(case.parameters[name] for case in data.cases)) for name in names},
        tuple(data.plan.sweep.swept),
        measures,
        column(words[data.status(case.case_id)] for case in data.cases),
        np.array([case.case_id for case in data.cases], dtype=np.int64),
        data,
    )


def of_table(table: Table, conditions: Sequence[str]) -> Side:
    """A table of foreign data; its measures are the numeric columns that are no conditions.

    Rows that lack a condition are left out, and a note says so; what is not finite is no value. In the columns `status`
    and `verdict`, as results.csv has them, it says which rows have no values, and where all values are in spec.

    Raises
    ------
    UsageError: it has none of the conditions, or no measure
    """
    why, passed = _why_of_record(table), _is(table, "verdict", Verdict.PASS)
    here = [name for name in conditions if name in table.columns]
    if not here:
        known = ", ".join(table.columns)
        what = f"{table.name} has no column that the conditions are in: {', '.join(conditions) or 'none is known'}"
        raise UsageError(what, hint=f"its columns: {known}; --on NAME,NAME says which of them are conditions")
    others = {n: c for n, c in table.columns.items() if c.is_numeric and n not in here and n not in RESERVED_NAMES}
    values = {name: _kept(c, why) for name, c in others.items() if not _is_uncertainty(name, others)}
    if not values:
        texts = {name: next((v for v in c.values if v is not None), None) for name, c in _texts(table, here).items()}
        hint = "; ".join(f"{name}: {text!r} is no number" for name, text in texts.items() if text is not None)
        raise UsageError(f"{table.name} has no column of numbers beside its conditions", hint=hint)
    lacking = np.zeros(len(table), dtype=bool)
    for name in here:
        held = table.columns[name].values
        lacking |= ~np.isfinite(held) if table.columns[name].is_numeric else np.array([value is None for value in held])
    if lacking.all():
        raise UsageError(f"no row of {table.name} has a value in all of its conditions: {', '.join(here)}")
    notes = [f"{int(lacking.sum())} rows without a condition are left out"] if lacking.any() else []
    infinite = {name: int(np.isinf(c.values).sum()) for name, c in values.items()}
    notes += [f"{count} values of {name} are not finite: taken as absent" for name, count in infinite.items() if count]
    odd = {name: _odd(c) for name, c in _texts(table, here).items()}
    notes += [f"{name} is left out: {text!r} in it is no number" for name, text in odd.items() if text]
    side = Side(
        table.name,
        FILE,
        {name: table.columns[name] for name in here},
        tuple(here),
        {name: replace(bare(c, others.get(name + UNCERTAINTY)), judged=passed) for name, c in values.items()},
        np.full(len(table), "", dtype=object) if why is None else why,
        np.arange(1, len(table) + 1),
        notes=tuple(f"{table.name}: {note}" for note in notes),
        is_record=why is not None,
    )
    return side.rows(~lacking) if lacking.any() else side


def _texts(table: Table, conditions: Sequence[str]) -> dict[str, Column]:
    """The columns that hold other things than numbers and are no conditions."""
    others = {n: c for n, c in table.columns.items() if n not in conditions and n not in RESERVED_NAMES}
    return {name: c for name, c in others.items() if not c.is_numeric}


def _why_of_record(table: Table) -> npt.NDArray[Any] | None:
    """Why each row has no values by its column `status`; None where it has none that a run could have written."""
    held = table.columns.get("status")
    if held is None or not set(held.values) <= set(_WORDS):
        return None
    return column(_WORDS[status] for status in held.values)


def _kept(values: Column, why: npt.NDArray[Any] | None) -> Column:
    """A column without what rows hold that are said to have no values: a run judges nothing of a failed case."""
    return values if why is None else structs.replace(values, values=np.where(why == "", values.values, np.nan))


def _is(table: Table, name: str, text: str) -> npt.NDArray[np.bool_]:
    """Where a column of a table has a text; nowhere where there is no such column."""
    held = table.columns.get(name)
    return np.zeros(len(table), dtype=bool) if held is None else np.array([value == text for value in held.values])


def bare(values: Column, uncertainty: Column | None = None) -> Measured:
    """A measure without limits."""
    count = len(values.values)
    none = np.zeros(count, dtype=bool)
    bound = np.full(count, np.nan) if uncertainty is None else finite(np.abs(uncertainty.values))
    return Measured(finite(values.values), values.unit, bound, none, none)


def finite(values: Floats) -> Floats:
    """The same with NaN for what is infinite."""
    return np.where(np.isfinite(values), values, np.nan)


def numbers(values: Iterable[float | None]) -> Floats:
    """Numbers as an array, NaN where there is none."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def chosen(side: Side, where: str) -> Side:
    """The rows that meet a condition; a side that lacks one of its parameters stays as it is.

    Raises
    ------
    UsageError: the condition does not fit, or nothing is left
    """
    names = names_in(where)
    if not set(names) <= set(side.conditions):
        return side
    test = compile_condition(where)
    mask = np.array([test(dict(zip(names, map(_plain, row), strict=True))) for row in _rows(side, names)])
    if not mask.any():
        raise UsageError(f"no row of {side.label} meets {where!r}")
    return side.rows(mask)


def split(side: Side, names: Sequence[str]) -> list[Side]:
    """A side for each value of some parameters, which then are no conditions any more."""
    here = [name for name in names if name in side.conditions]
    if not here:
        return [side]
    texts = column(_text(dict(zip(here, map(_plain, row), strict=True)), here) for row in _rows(side, here))
    rest = {name: c for name, c in side.conditions.items() if name not in here}
    bare_side = replace(side, conditions=rest, swept=tuple(name for name in side.swept if name not in here))
    parts = {text: bare_side.rows(texts == text) for text in dict.fromkeys(texts)}
    return [
        replace(
            part,
            label=f"{side.label} {text}",
            short=_bare(text, here),
            idle=tuple((conditions, why) for conditions, why in side.idle if _text(conditions, here) == text),
        )
        for text, part in parts.items()
    ]


def _rows(side: Side, names: Sequence[str]) -> Iterable[tuple[Any, ...]]:
    return zip(*(side.conditions[name].values for name in names), strict=True)


def _text(conditions: Mapping[str, Value], names: Sequence[str]) -> str:
    return ", ".join(f"{name}={value_text(conditions[name])}" for name in names)


def named(sides: Sequence[Side]) -> tuple[Side, ...]:
    """The sides with labels and short names that tell them apart."""
    labels = [side.label for side in sides]
    labels = [
        label if labels.index(label) == number else f"{label} ({labels[:number].count(label) + 1})"
        for number, label in enumerate(labels)
    ]
    shorts = [
        side.short or (side.target if side.target != FILE else side.label.rpartition(".")[0] or side.label)
        for side in sides
    ]
    if len(set(shorts)) < len(sides):
        shorts = [_letters(number) for number in range(len(sides))]
    return tuple(replace(s, label=label, short=short) for s, label, short in zip(sides, labels, shorts, strict=True))


def is_numeric(values: npt.NDArray[Any]) -> bool:
    """Whether all values are numbers."""
    return values.dtype == np.float64 or all(as_number(value) is not None for value in set_of(values))


def set_of(values: npt.NDArray[Any]) -> list[Value]:
    """The different values, in order of appearance."""
    if values.dtype == np.float64:
        return [float(value) for value in pd.unique(values)]
    return list({(type(value), axis_key(value)): value for value in map(_plain, values)}.values())


def _plain(value: Any) -> Value:
    return float(value) if isinstance(value, np.floating) else value


def _odd(values: Column) -> str:
    """A text among numbers, which keeps a column from being a measure; empty where it has none, or no numbers."""
    known = [value for value in pd.unique(values.values) if value is not None]
    texts = [str(value) for value in known if as_number(value) is None]
    return texts[0] if 0 < len(texts) < len(known) else ""


def _is_uncertainty(name: str, columns: Mapping[str, Column]) -> bool:
    return name.endswith(UNCERTAINTY) and name.removesuffix(UNCERTAINTY) in columns


def _bare(text: str, names: Sequence[str]) -> str:
    """`corner=tt` is `tt` where nothing else is named."""
    return text.partition("=")[2] if len(names) == 1 else text


def _letters(number: int) -> str:
    """A, B, … Z, AA, AB …"""
    high, low = divmod(number, 26)
    return (_letters(high - 1) if high else "") + chr(ord("A") + low)


def why_without(data: ReportData) -> dict[Status, str]:
    """Why a case of a run has no values, by its status; empty for one that has completed."""
    spared = 0 < data.tally[Status.PENDING] == data.tally.spared
    return {**_WORDS, Status.PENDING: SPARED} if spared else _WORDS


def check_completed(data: ReportData) -> None:
    if not data.tally[Status.COMPLETED]:
        raise UsageError(f"no case of {data.run_id} has completed", hint=f"type: simorc run {data.run_id}")
