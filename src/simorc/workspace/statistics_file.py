"""statistics.csv: what the values of every measure and group say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simorc.core.record import measures_found
from simorc.core.run_statistics import COLUMNS, GroupStatistics, group_names, run_statistics
from simorc.core.sweep import Sweep
from simorc.core.units import value_to_text
from simorc.workspace.csv_text import csv_lines
from simorc.workspace.files import replace_file
from simorc.workspace.gather import Gathered
from simorc.workspace.layout import RunDirectory

OWN = ("measure", "unit", *COLUMNS)


def statistics_of(gathered: Gathered) -> list[GroupStatistics]:
    """The statistics of every measure of the run's target over the gathered records."""
    plan = gathered.plan
    measures = measures_found(plan.measures, gathered.records.values())
    here = [measure for measure in measures if plan.target in measure.targets]
    return run_statistics(plan.sweep, here, gathered.cases, gathered.records, plan.confidence)


def write_statistics(run: RunDirectory, sweep: Sweep, rows: Sequence[GroupStatistics]) -> None:
    """Replace statistics.csv. A row without a measure is the yield over all limits, one without a group all cases.

    A parameter named like one of the table's own columns, such as `n`, stands in `parameter_n`.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    replace_file(run.statistics, csv_lines(_lines(sweep, rows)))


def _lines(sweep: Sweep, rows: Sequence[GroupStatistics]) -> Iterator[list[str]]:
    groups = group_names(sweep)
    yield ["measure", *(f"parameter_{name}" if name in OWN else name for name in groups), "unit", *COLUMNS]
    for row in rows:
        cells = (get(row) for get in COLUMNS.values())
        yield [
            row.measure,
            *(value_to_text(row.group[name]) if name in row.group else "" for name in groups),
            row.unit,
            *("" if cell is None else repr(cell) for cell in cells),
        ]
