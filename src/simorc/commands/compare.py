"""`simorc compare`: runs joined on their conditions, as a table, as CSV and as a page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simorc.commands._common import open_run_directory
from simorc.core.errors import ExitCode, UsageError
from simorc.workspace.gather import look

if TYPE_CHECKING:
    from rich.table import Table

    from simorc.report.compare import Comparison
    from simorc.report.compare_table import Block, Column

_MOST_ROWS = 200
_MOST_LACKING = 10
_NO_TERMINAL_WIDTH = 10_000  # a file has room for every column


def compare(texts: Sequence[str], setup: Path | None, out: Path | None) -> int:
    """Print the joined table of several runs and how far apart they are; last, alone on its line, the page's path.

    Parameters
    ----------
    out: folder of the page and its tables; by default `compare/<A>_vs_<B>/` beside the first run

    Raises
    ------
    UsageError: fewer than two different runs, nothing in common, a condition twice in one run, units that differ
    RunDirectoryError: a run contradicts itself, or the page cannot be written
    """
    from simorc.report.compare import compare as compared
    from simorc.report.compare_page import folder_for, write_comparison
    from simorc.report.load import report_data

    runs = [open_run_directory(text, setup) for text in texts]
    twice = [text for number, text in enumerate(texts) if runs[number] in runs[:number]]
    if twice:
        raise UsageError(f"{twice[0]!r} names a run that was named before", where=str(runs[texts.index(twice[0])].path))
    comparison = compared([report_data(run, look(run)) for run in runs])
    _show(comparison)
    print(write_comparison(out or folder_for(runs), comparison, runs, datetime.now(UTC)).resolve())
    return ExitCode.DONE


def _show(comparison: Comparison) -> None:
    from rich.console import Console

    from simorc.report.compare_table import blocks

    width = None if sys.stdout.isatty() else _NO_TERMINAL_WIDTH
    console = Console(file=sys.stdout, width=width, markup=False, highlight=False, emoji=False)
    with console.capture() as captured:
        for side in comparison.sides:
            console.print(f"{side.short}: {side.label}")
        rows = comparison.rows[:_MOST_ROWS]
        for table in _joined(console, comparison, blocks(comparison, rows)):
            console.print(table)
        if len(rows) < len(comparison.rows):
            console.print(f"… and {len(comparison.rows) - len(rows)} more conditions: see comparison.csv")
        console.print(_differences(comparison))
        _tell(console, comparison)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _joined(console: Any, comparison: Comparison, blocks: Sequence[Block]) -> list[Table]:
    """The joined table; where the terminal is too narrow for all measures, in parts with the conditions in each."""
    from rich.measure import Measurement

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
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from simorc.report.display import value_text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in comparison.columns:
        table.add_column(name, no_wrap=True)
    for block in blocks:
        for column in block.columns:
            table.add_column(_heading(comparison, block, column), justify="right", no_wrap=True)
    columns = [column.cells for block in blocks for column in block.columns]
    for number, cells in enumerate(zip(*columns, strict=True)):
        table.add_row(*map(value_text, comparison.rows[number].conditions.values()), *cells)
    return table


def _heading(comparison: Comparison, block: Block, column: Column) -> str:
    """`vout [bench]` and below it the unit; a difference has the signs of both runs."""
    short = comparison.sides[column.run].short
    shown = f"{short} - {comparison.sides[0].short}" if column.is_difference else short
    return f"{block.measure}\n[{shown}]\n{column.unit}"


def _differences(comparison: Comparison) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from simorc.core.units import format_quantity
    from simorc.report.compare import conditions_text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    many = len(comparison.sides) > 2
    for name in ("measure", *(["run"] if many else []), "n", "bias", "sigma", "largest", "uncertainty", "where"):
        table.add_column(name, justify="left" if name in ("measure", "run", "where") else "right", overflow="fold")
    for d in comparison.differences:
        numbers = [format_quantity(value, d.unit) for value in (d.bias, d.sigma, d.largest)]
        bound = "-" if d.uncertainty is None else f"± {format_quantity(d.uncertainty, d.unit, 2)}"
        where = "-" if d.where is None else conditions_text(d.where)
        table.add_row(d.measure, *([d.side.short] if many else []), str(d.n), *numbers, bound, where)
    return table


def _tell(console: Any, comparison: Comparison) -> None:
    """What is not in the tables: measures of some runs alone, conditions without a counterpart."""
    from simorc.report.compare import conditions_text

    for name, labels in comparison.left_out:
        console.print(f"{name}: measured in {', '.join(labels)} alone")
    lacking = comparison.lacking()
    for row, reason in lacking[:_MOST_LACKING]:
        console.print(f"{conditions_text(row.conditions)}: {reason}")
    if len(lacking) > _MOST_LACKING:
        console.print(f"… and {len(lacking) - _MOST_LACKING} more conditions without a counterpart")
