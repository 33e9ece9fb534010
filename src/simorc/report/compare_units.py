"""Pure: columns of several sides brought to the first one's units. Numbers of different units are never joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from simorc.core.errors import UsageError
from simorc.core.table import Column
from simorc.core.units import conversion
from simorc.report.compare_side import FILE, Floats, Measured, Side, is_numeric


def in_common_units(
    sides: Sequence[Side], columns: Sequence[str], measures: Sequence[str], stated: Mapping[str, str]
) -> tuple[Side, ...]:
    """The sides with conditions and measures in the units that the first side that has them has them in.

    Parameters
    ----------
    stated: units of columns, which hold where a side states none

    Raises
    ------
    UsageError: units that do not fit each other, or are known on some sides alone, all of them at once
    """
    problems: list[str] = []
    unstated: list[str] = []
    for name in (*columns, *measures):
        having = [side for side in sides if name in side.measures or name in columns]
        units = [(side.conditions[name] if name in columns else side.measures[name]).unit for side in having]
        found = _one(having, name, units, stated, problems)
        brought = dict(zip(map(id, having), found, strict=True))
        sides = [brought.get(id(side), side) for side in sides]
        known = list(dict.fromkeys(unit or stated.get(name, "") for unit in units))
        unstated += [f"--unit {name}={unit}" for unit in known if unit and "" in known][:1]
    if problems:
        hint = [f"a column that states no unit: {' '.join(unstated)} says what it is in"] if unstated else []
        if len(problems) > len(unstated) and any(side.target == FILE for side in sides):
            hint.append("a unit that a file states wrongly is changed in its heading: --unit does not overrule it")
        raise UsageError("units differ", hint="\n".join([*problems, *hint]))
    return tuple(sides)


def _one(
    sides: Sequence[Side], name: str, units: Sequence[str], stated: Mapping[str, str], problems: list[str]
) -> Sequence[Side]:
    """The sides with one column in a common unit; notes a problem where there is none."""
    held = [unit or stated.get(name, "") for unit in units]
    if len(set(held)) == 1:
        return [_with_unit(side, name, held[0]) for side in sides]
    ways = [conversion(unit, held[0]) if unit and held[0] else None for unit in held]
    if None in ways:
        each = ", ".join(f"{unit or 'no unit'} in {side.label}" for unit, side in zip(held, sides, strict=True))
        problems.append(f"{name}: {each}")
        return sides
    return [_converted(side, name, held[0], *way) for side, way in zip(sides, ways, strict=True) if way is not None]


def _with_unit(side: Side, name: str, unit: str) -> Side:
    return _converted(side, name, unit, 1.0, 0.0)


def _converted(side: Side, name: str, unit: str, factor: float, offset: float) -> Side:
    same = factor == 1.0 and offset == 0.0
    if name in side.measures:
        m = side.measures[name]
        values = m.values if same else _scaled(m.values, factor) + offset
        made = Measured(values, unit, m.uncertainty * abs(factor), m.out, m.judged)
        return replace(side, measures={**side.measures, name: made})
    held = side.conditions[name].values
    if not same and is_numeric(held):
        held = _scaled(held.astype(np.float64), factor) + offset
    return replace(side, conditions={**side.conditions, name: Column(held, unit)})


def _scaled(values: Floats, factor: float) -> Floats:
    """Values times a factor; by a whole number where it is one below the line: 3300 mV is 3.3 V to the last bit."""
    divisor = round(1 / factor) if abs(factor) < 1 else 1
    return values / divisor if divisor > 1 and abs(divisor * factor - 1) < 1e-12 else values * factor
