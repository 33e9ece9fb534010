"""Gather: status files become metadata.csv, results.csv and aggregates.csv. Idempotent; works after any crash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from simorc.core.aggregates import AggregateResult, compute
from simorc.core.case import Case
from simorc.core.measurement import Outcome
from simorc.core.plan import Plan
from simorc.core.record import CaseRecord, Status, Tally, status_of
from simorc.core.spec import Verdict
from simorc.core.units import value_to_text
from simorc.workspace.csv_text import csv_lines, number_cell
from simorc.workspace.files import entries, replace_file
from simorc.workspace.layout import RunDirectory
from simorc.workspace.manifest import spared_cases
from simorc.workspace.metadata import MetadataRow, is_as_written, read_metadata, write_metadata
from simorc.workspace.plan_file import read_plan
from simorc.workspace.revision import restore_inputs
from simorc.workspace.status_marks import remove_settled_marks
from simorc.workspace.status_store import ReadBefore, remove_leftovers, scan_records

_MOST_NAMED = 5
_BEFORE_GROUPS = ("name", "measure", "over")
_AFTER_GROUPS = ("value", "unit", "verdict", "min", "max", "margin", "n", "n_missing")


class Gathered(Struct, frozen=True):
    """What the files of a run say.

    Parameters
    ----------
    cases: every case of the run, in the order of metadata.csv
    records: by case id, where there is one
    tally: how far the run is
    notes: sentences about files that could not be used and edits that were overwritten
    """

    plan: Plan
    cases: Sequence[Case]
    records: Mapping[int, CaseRecord]
    tally: Tally
    notes: tuple[str, ...] = ()


def gather(run: RunDirectory, before: ReadBefore | None = None) -> Gathered:
    """Join the status files with the cases into metadata.csv, in one atomic replace, and write results.csv.

    Where nothing has begun yet there is nothing to write.

    Parameters
    ----------
    before: what this process has read of the run already

    Raises
    ------
    RunDirectoryError: metadata.csv or the plan contradicts itself, or nothing can be written; nothing is lost then
    """
    restore_inputs(run)
    gathered = look(run, before)
    if _is_untouched(run):
        remove_leftovers(run)
    else:
        write_tables(run, gathered)
    return gathered


def _is_untouched(run: RunDirectory) -> bool:
    """Whether a run is as build left it: nobody has begun a case, and metadata.csv is what build wrote."""
    known = {entry.name for entry in entries(run.status_dir)}
    return (
        known <= {run.metadata_digest.name, run.lock.name} and not run.results_csv.exists() and bool(is_as_written(run))
    )


def look(run: RunDirectory, before: ReadBefore | None = None) -> Gathered:
    """The same as `gather` gives, without writing anything; for a run that somebody else executes meanwhile.

    Parameters
    ----------
    before: what this process has read of the run already

    Raises
    ------
    RunDirectoryError: metadata.csv or the plan contradicts itself
    """
    plan = read_plan(run)
    unchanged = is_as_written(run)
    rows = [] if unchanged else read_metadata(run, plan)
    found = scan_records(run, before)
    cases = plan.sweep.by_id
    records, strays = _of_cases(found.records, len(cases))
    notes = [f".status/case_{case_id}.json belongs to no case of this sweep; it is passed over" for case_id in strays]
    if unchanged is False:
        notes += _edited(rows, records)
    return Gathered(
        plan, cases, records, Tally.of(len(cases), records.values(), spared_cases(run)), (*found.notes, *notes)
    )


def write_tables(run: RunDirectory, gathered: Gathered) -> None:
    """Replace metadata.csv and results.csv by what was found, and take away what killed processes left.

    Raises
    ------
    RunDirectoryError: nothing can be written; nothing is lost then
    """
    rows = (_row(case, gathered.records.get(case.case_id)) for case in gathered.cases)
    write_metadata(run, gathered.plan, rows)
    replace_file(run.results_csv, csv_lines(_results(gathered)))
    remove_leftovers(run)
    remove_settled_marks(run, gathered.records)


def aggregates_of(gathered: Gathered) -> list[AggregateResult]:
    """The aggregates of the plan over the gathered records."""
    plan = gathered.plan
    typical = {measure.name: measure.spec.typ for measure in plan.measures}
    together = [axis.names for axis in plan.sweep.axes]
    return compute(plan.aggregates, gathered.cases, gathered.records, typical, together, gathered.tally.spared > 0)


def write_aggregates(run: RunDirectory, results: Sequence[AggregateResult]) -> None:
    """Replace aggregates.csv. Its group columns are all parameters by which some aggregate is grouped.

    A parameter named like one of the table's own columns, such as `n`, stands in `parameter_n`.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    groups = list(dict.fromkeys(name for result in results for name in result.group))
    own = (*_BEFORE_GROUPS, *_AFTER_GROUPS)
    named = [f"parameter_{name}" if name in own else name for name in groups]
    columns = [*_BEFORE_GROUPS, *named, *_AFTER_GROUPS]
    replace_file(run.aggregates, csv_lines([columns, *(_aggregate_row(result, groups) for result in results)]))


def _of_cases(found: Mapping[int, CaseRecord], cases: int) -> tuple[Mapping[int, CaseRecord], list[int]]:
    """The records of the cases that there are, and the ids of all others."""
    strays = sorted(case_id for case_id in found if case_id >= cases)
    if not strays:
        return found, []
    return {case_id: record for case_id, record in found.items() if case_id < cases}, strays


def _row(case: Case, record: CaseRecord | None) -> MetadataRow:
    return MetadataRow(case, record.status, record.error_message) if record else MetadataRow(case, Status.PENDING, "")


def _edited(rows: Sequence[MetadataRow], records: Mapping[int, CaseRecord]) -> list[str]:
    """One sentence about status cells that somebody changed."""
    changed = [
        f"case {row.case.case_id} ({row.status or 'empty'}, is {status})"
        for row in rows
        if row.status != (status := status_of(records.get(row.case.case_id)))
    ]
    if not changed:
        return []
    more = f" and {len(changed) - _MOST_NAMED} more" if len(changed) > _MOST_NAMED else ""
    named = ", ".join(changed[:_MOST_NAMED])
    return [f"metadata.csv was edited by hand; its status column is overwritten: {named}{more}"]


def _results(gathered: Gathered) -> Iterator[list[object]]:
    """The rows of results.csv, heading first.

    Measures that only a hook added stand behind those of the plan, and behind all of them the uncertainties of those
    that have any.
    """
    plan = gathered.plan
    measures, uncertain = _measures(gathered)
    yield ["case_id", "status", "verdict", *plan.sweep.swept, *measures, *(f"{name}_uncertainty" for name in uncertain)]
    for case in gathered.cases:
        record = gathered.records.get(case.case_id)
        known = {m.name: m for m in record.measurements} if record else {}
        yield [
            str(case.case_id),
            status_of(record),
            record.verdict if record else Verdict.NONE,
            *[value_to_text(case.parameters[name]) for name in case.swept],
            *[m.value if (m := known.get(name)) else None for name in measures],
            *[m.uncertainty if (m := known.get(name)) else None for name in uncertain],
        ]


def _measures(gathered: Gathered) -> tuple[list[str], list[str]]:
    """The names of all measures, and of those that have uncertainties."""
    names = {measure.name: False for measure in gathered.plan.measures}
    for record in gathered.records.values():
        for m in record.measurements:
            if m.uncertainty is not None:
                names[m.name] = True
            elif m.name not in names:
                names[m.name] = False
    return list(names), [name for name, is_uncertain in names.items() if is_uncertain]


def _aggregate_row(result: AggregateResult, groups: Sequence[str]) -> list[str]:
    return [
        result.name,
        result.measure,
        result.over,
        *(value_to_text(result.group[name]) if name in result.group else "" for name in groups),
        number_cell(result.value),
        result.unit,
        # With a point missing there is no value that limits could judge: the cell says so.
        Outcome.MISSING if result.outcome is Outcome.MISSING else result.verdict,
        number_cell(result.min),
        number_cell(result.max),
        number_cell(result.margin),
        str(result.n),
        str(result.n_missing),
    ]
