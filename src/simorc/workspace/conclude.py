"""From status files to everything that is derived from them: metadata.csv, the tables, measurements, the catalogue."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from simorc.core.aggregates import AggregateResult
from simorc.core.run_statistics import GroupStatistics
from simorc.workspace.beside import beside
from simorc.workspace.gather import Gathered, aggregates_of, look, write_aggregates, write_tables
from simorc.workspace.layout import RunDirectory
from simorc.workspace.revision import restore_inputs
from simorc.workspace.statistics_file import statistics_of, write_statistics
from simorc.workspace.status_store import ReadBefore

if TYPE_CHECKING:
    from simorc.workspace.concluder import Concluder

Progress = tuple[str, bool]
"""The path of a run, and whether it has ended; before that its records are read, so that few are left at the end."""

_WORTH_A_PROCESS = 100
"""With fewer cases a process takes longer than what it would do."""


class Concluded(Struct, frozen=True):
    """A run as its files tell it: what was gathered, and the aggregates and statistics over it."""

    gathered: Gathered
    aggregates: list[AggregateResult]
    statistics: list[GroupStatistics]


class Derived(Struct, frozen=True):
    """What the records of a run come to; `notes` are sentences about what could not be written."""

    aggregates: list[AggregateResult]
    statistics: list[GroupStatistics]
    notes: tuple[str, ...]


def conclude(
    run: RunDirectory, before: ReadBefore | None = None, *, forks: bool = False, ahead: Concluder | None = None
) -> Concluded:
    """Gather, compute and write aggregates and statistics, then bring measurements and catalogue up to date.

    The same after any number of calls. The last two are made from the run's files and can be made again at any time:
    where they cannot be written the run is none the worse, and a note says so.

    Parameters
    ----------
    before: what this process has read of the run already
    forks: whether a forked process may do a part of it; not where a person's code may have threads
    ahead: a process that may do that part, already started

    Raises
    ------
    RunDirectoryError: the directory contradicts itself
    """
    restore_inputs(run)
    answer = ahead.asked((os.fspath(run.path), True)) if ahead is not None else None
    gathered = look(run, before)
    derived = None
    if answer is not None:
        write_tables(run, gathered)
        with suppress(ChildProcessError):
            derived = answer()
    if derived is None:
        derived = _derived(run, gathered, partial(write_tables, run, gathered), forks=forks)
    notes = (*gathered.notes, *derived.notes)
    return Concluded(structs.replace(gathered, notes=notes), derived.aggregates, derived.statistics)


def _derived(run: RunDirectory, gathered: Gathered, meanwhile: Callable[[], None], *, forks: bool) -> Derived:
    """Compute and write aggregates and statistics, write measurements and catalogue.

    Parameters
    ----------
    meanwhile: what can be done while a forked process writes the catalogue, if there is to be one
    """
    from simorc.workspace.catalogue import update_catalogue  # a process that another does this for does without

    aggregates = aggregates_of(gathered)
    catalogue = partial(update_catalogue, run, gathered, aggregates)
    with beside(catalogue) if forks and len(gathered.cases) >= _WORTH_A_PROCESS else nullcontext(catalogue) as written:
        meanwhile()
        statistics = statistics_of(gathered)
        notes = (
            *_tried("measurements/", lambda: _write_measurements(run, gathered)),
            *_tried("the catalogue of runs", written),
        )
    write_aggregates(run, aggregates)
    write_statistics(run, gathered.plan.sweep, statistics)
    return Derived(aggregates, statistics, notes)


def derive_beside() -> Callable[[Progress], Derived | None]:
    """The same in a process that has nothing of the run yet but its path; metadata.csv and results.csv are not its."""
    before = ReadBefore()

    def derive(progress: Progress) -> Derived | None:
        path, has_ended = progress
        gathered = look(RunDirectory(Path(path)), before)
        return _derived(RunDirectory(Path(path)), gathered, lambda: None, forks=True) if has_ended else None

    return derive


def _tried(what: str, write: Callable[[], None]) -> list[str]:
    try:
        write()
    except Exception as error:  # whatever it is: what is only derived must not cost a run its summary
        return [f"{what} could not be brought up to date: {' '.join((str(error) or type(error).__name__).split())}"]
    return []


def _write_measurements(run: RunDirectory, gathered: Gathered) -> None:
    from simorc.workspace.measurement_store import write_measurements  # brings pyarrow along

    write_measurements(run, gathered)
