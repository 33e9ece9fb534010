"""statistics.csv: what the values of every measure and group say."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from simorc.core.record import measures_found
from simorc.core.run_statistics import COLUMNS, GroupStatistics, group_names, run_statistics
from simorc.core.sweep import Sweep
from simorc.core.units import Value, value_to_text
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
    columns = statistics_columns(sweep, rows)
    lines = zip(*columns.values(), strict=True)
    texts = (["" if cell is None else value_to_text(cell) for cell in line] for line in lines)
    replace_file(run.statistics, csv_lines(itertools.chain([list(columns)], texts)))


def statistics_columns(sweep: Sweep, rows: Sequence[GroupStatistics]) -> dict[str, list[Value | None]]:
    """The columns of statistics.csv with their cells; None where there is no number, "" where a group is all cases."""
    columns: dict[str, list[Value | None]] = {"measure": [row.measure for row in rows]}
    for name in group_names(sweep):
        columns[f"parameter_{name}" if name in OWN else name] = [row.group.get(name, "") for row in rows]
    columns["unit"] = [row.unit for row in rows]
    return columns | {name: [get(row) for row in rows] for name, get in COLUMNS.items()}
