"""From status files to everything that is derived from them: metadata.csv, results.csv, aggregates.csv."""

from __future__ import annotations

from dataclasses import dataclass

from simorc.core.aggregates import AggregateResult, compute
from simorc.core.plan import Plan
from simorc.workspace.gather import Gathered, gather, write_aggregates
from simorc.workspace.layout import RunDirectory


@dataclass(frozen=True, slots=True)
class Concluded:
    """A run as its files tell it: what was gathered, and the aggregates over it."""

    gathered: Gathered
    aggregates: list[AggregateResult]


def conclude(run: RunDirectory) -> Concluded:
    """Gather, then compute and write the aggregates; the same after any number of calls.

    Raises
    ------
    RunDirectoryError: the directory contradicts itself
    """
    gathered = gather(run)
    aggregates = aggregates_of(gathered.plan, gathered)
    write_aggregates(run, aggregates)
    return Concluded(gathered, aggregates)


def aggregates_of(plan: Plan, gathered: Gathered) -> list[AggregateResult]:
    """The aggregates of a plan over gathered records."""
    typical = {measure.name: measure.spec.typ for measure in plan.measures}
    together = [axis.names for axis in plan.sweep.axes]
    return compute(plan.aggregates, gathered.cases, gathered.records, typical, together)
