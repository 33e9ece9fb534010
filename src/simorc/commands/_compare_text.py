"""What `simorc compare` prints: the joined table, the differences, a regression diff, what has no counterpart."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import islice
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from simorc.core.tolerance import Agreement
from simorc.core.units import format_quantity
from simorc.report.compare import Comparison, conditions_text
from simorc.report.compare_table import Block, TableColumn, blocks
from simorc.report.display import value_text
from simorc.report.regression import REGRESSIONS, Change, Regression

_MOST_ROWS = 200
_MOST_LACKING = 10
_NO_TERMINAL_WIDTH = 10_000  # a file has room for every column


def show(comparison: Comparison, found: Sequence[Regression]) -> None:
    """Print a comparison and its regression diffs."""
    width = None if sys.stdout.isatty() else _NO_TERMINAL_WIDTH
    console = Console(file=sys.stdout, width=width, markup=False, highlight=False, emoji=False)
    with console.capture() as captured:
        for side in comparison.sides:
            console.print(f"{side.short}: {side.label}")
        shown = min(len(comparison), _MOST_ROWS)
        for table in _joined(console, comparison, blocks(comparison, shown)):
            console.print(table)
        if shown < len(comparison):
            console.print(f"… and {len(comparison) - shown} more conditions: see comparison.csv")
        console.print(_differences(comparison))
        _tell(console, comparison)
        for regression in found:
            _diff(console, comparison, regression)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _joined(console: Any, comparison: Comparison, blocks: Sequence[Block]) -> list[Table]:
    """The joined table; where the terminal is too narrow for all measures, in parts with the conditions in each."""
    unbounded = console.options.update(max_width=_NO_TERMINAL_WIDTH)
    parts: list[list[Block]] = []
    for block in blocks:
        wider = [*parts[-1], block] if parts else [block]
        fits = Measurement.get(console, unbounded, _table(comparison, wider)).maximum <= console.width
        if parts and fits:
            parts[-1] = wider
        else:
            parts.append([block])
    return [_table(comparison, part) for part in parts]


def _table(comparison: Comparison, blocks: Sequence[Block]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in comparison.columns:
        table.add_column(name, no_wrap=True)
    for block in blocks:
        for column in block.columns:
            table.add_column(_heading(comparison, block, column), justify="right", no_wrap=True)
    columns = [column.cells for block in blocks for column in block.columns]
    for number, cells in enumerate(zip(*columns, strict=True)):
        table.add_row(*map(value_text, comparison.conditions(number).values()), *cells)
    return table


def _heading(comparison: Comparison, block: Block, column: TableColumn) -> str:
    """`vout [bench]` and below it the unit; a difference has the signs of both sides."""
    short = comparison.sides[column.side].short
    shown = f"{short} - {comparison.sides[0].short}" if column.is_difference else short
    return f"{block.measure}\n[{shown}]\n{column.unit}"


def _differences(comparison: Comparison) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    many = len(comparison.sides) > 2
    between = any(d.between is not None for d in comparison.differences)
    right = ("n", "bias", "sigma", "largest", "uncertainty", "between")
    names = ["measure", *(["input"] if many else []), "n", "bias", "sigma", "largest", "uncertainty"]
    for name in (*names, "agreement", *(["between"] if between else []), "where"):
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for d in comparison.differences:
        numbers = [format_quantity(value, d.unit) for value in (d.bias, d.sigma, d.largest)]
        bound = "-" if d.uncertainty is None else f"± {format_quantity(d.uncertainty, d.unit, 2)}"
        share = ["-" if d.between is None else f"{d.between:.0%}"] if between else []
        where = "-" if d.where is None else conditions_text(d.where)
        short = [comparison.sides[d.side].short] if many else []
        table.add_row(d.measure, *short, str(d.n), *numbers, bound, d.verdict, *share, where)
    return table


def _tell(console: Any, comparison: Comparison) -> None:
    """What is not in the tables: measures of some alone, conditions without a counterpart, what was left out."""
    for name, labels in comparison.left_out:
        console.print(f"{name}: measured in {', '.join(labels)} alone")
    for note in dict.fromkeys(note for side in comparison.sides for note in side.notes):
        console.print(note)
    for d in comparison.disagreeing:
        console.print(
            f"{d.measure}: {d.counts[Agreement.DIFFERS]} of {d.n} values of {comparison.sides[d.side].short} "
            f"are further than {d.tolerance} from {comparison.sides[0].short}"
        )
    lacking = comparison.lacking_rows
    for row in lacking[:_MOST_LACKING]:
        console.print(f"{conditions_text(comparison.conditions(row))}: {comparison.reason(row)}")
    if len(lacking) > _MOST_LACKING:
        console.print(f"… and {len(lacking) - _MOST_LACKING} more conditions without a counterpart")


def _diff(console: Any, comparison: Comparison, regression: Regression) -> None:
    """The counts of a regression diff and its worst lines."""
    first, side = comparison.sides[0], comparison.sides[regression.side]
    counts = [f"{count} {kind}" for kind, count in regression.counts.items() if count]
    head = "regression" if regression.is_regression else "no regression"
    console.print(f"{head}, {side.short} since {first.short}: {', '.join(counts) or 'nothing changed'}")
    if regression.note:
        console.print(f"  {regression.note}")
    told = (*REGRESSIONS, Change.NEWLY_PASSING)
    for line in islice(regression.lines(comparison, told), _MOST_LACKING):
        values = " -> ".join(
            format_quantity(v, line.unit, 6) if v is not None else "no value" for v in (line.before, line.now)
        )
        console.print(f"  {line.kind}: {line.name} at {conditions_text(line.conditions)}: {values}")
    more = sum(regression.counts[kind] for kind in told) - _MOST_LACKING
    if more > 0:
        console.print(f"  … and {more} more: see regression.csv")
