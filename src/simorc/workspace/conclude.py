"""From status files to everything that is derived from them: metadata.csv, the tables, measurements, the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

from simorc.core.aggregates import AggregateResult
from simorc.core.run_statistics import GroupStatistics
from simorc.workspace.beside import beside
from simorc.workspace.catalogue import update_catalogue
from simorc.workspace.gather import Gathered, aggregates_of, look, write_aggregates, write_tables
from simorc.workspace.layout import RunDirectory
from simorc.workspace.revision import restore_inputs
from simorc.workspace.statistics_file import statistics_of, write_statistics
from simorc.workspace.status_store import ReadBefore

_WORTH_A_PROCESS = 100
"""With fewer cases a process for the catalogue takes longer than the catalogue."""


@dataclass(frozen=True, slots=True)
class Concluded:
    """A run as its files tell it: what was gathered, and the aggregates and statistics over it."""

    gathered: Gathered
    aggregates: list[AggregateResult]
    statistics: list[GroupStatistics]


def conclude(run: RunDirectory, before: ReadBefore | None = None, *, forks: bool = False) -> Concluded:
    """Gather, compute and write aggregates and statistics, then bring measurements and catalogue up to date.

    The same after any number of calls. The last two are made from the run's files and can be made again at any time:
    where they cannot be written the run is none the worse, and a note says so.

    Parameters
    ----------
    before: what this process has read of the run already
    forks: whether a forked process may write the catalogue meanwhile; not where a person's code may have threads

    Raises
    ------
    RunDirectoryError: the directory contradicts itself
    """
    restore_inputs(run)
    gathered = look(run, before)
    aggregates = aggregates_of(gathered)
    catalogue = partial(update_catalogue, run, gathered, aggregates)
    with beside(catalogue) if forks and len(gathered.cases) >= _WORTH_A_PROCESS else nullcontext(catalogue) as written:
        write_tables(run, gathered)
        write_aggregates(run, aggregates)
        statistics = statistics_of(gathered)
        write_statistics(run, gathered.plan.sweep, statistics)
        notes = [
            *_tried("measurements/", lambda: _write_measurements(run, gathered)),
            *_tried("the catalogue of runs", written),
        ]
    return Concluded(replace(gathered, notes=(*gathered.notes, *notes)), aggregates, statistics)


def _tried(what: str, write: Callable[[], None]) -> list[str]:
    try:
        write()
    except Exception as error:  # whatever it is: what is only derived must not cost a run its summary
        return [f"{what} could not be brought up to date: {' '.join((str(error) or type(error).__name__).split())}"]
    return []


def _write_measurements(run: RunDirectory, gathered: Gathered) -> None:
    from simorc.workspace.measurement_store import write_measurements  # brings pyarrow along

    write_measurements(run, gathered)
