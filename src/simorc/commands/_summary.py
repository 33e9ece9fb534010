"""The closing words of a run: verdict, worst cases first, the command that reruns one alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from simorc.core.aggregates import AggregateResult
from simorc.core.case import Case
from simorc.core.errors import ExitCode
from simorc.core.measurement import Measurement
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Verdict, tightness
from simorc.core.units import format_quantity, value_to_text
from simorc.core.verdict import RunVerdict, run_verdict
from simorc.workspace.conclude import Concluded
from simorc.workspace.gather import Gathered
from simorc.workspace.layout import RunDirectory

_MOST_ROWS = 5
_MOST_NAMED = 3


def exit_code(concluded: Concluded) -> int:
    """0 when nothing failed and everything that ran is in spec, else 1."""
    open_cases = concluded.gathered.tally[Status.IN_PROGRESS]
    return ExitCode.NOT_IN_SPEC if open_cases or _verdict(concluded) is RunVerdict.FAIL else ExitCode.DONE


def summary(
    run: RunDirectory, concluded: Concluded, executed: int, notes: Sequence[str] = (), remarks: Sequence[str] = ()
) -> str:
    """What a person wants to know when a run has ended, as lines of text.

    Parameters
    ----------
    executed: how many cases were due
    notes: what an earlier gather of this run had to say: warnings
    remarks: what else a person wants to know
    """
    gathered = concluded.gathered
    lines = [_headline(run, concluded, executed)]
    lines += _held(run, gathered)
    lines += _failures(run, gathered.cases, gathered.records.values())
    completed = [record for record in gathered.records.values() if record.status is Status.COMPLETED]
    lines += _worst(run, gathered.cases, completed)
    lines += [_aggregate(a) for a in concluded.aggregates if a.verdict is Verdict.FAIL]
    warnings = [warning for record in gathered.records.values() for warning in record.warnings]
    lines += [f"warning: {text}" for text in dict.fromkeys([*warnings, *notes, *gathered.notes])]
    lines += _verified(completed)
    lines += _cached(completed)
    return "\n".join([*lines, *remarks, f"report: simorc plot {run.run_id}"])


def _verified(records: Sequence[CaseRecord]) -> list[str]:
    """How many results of the fast way were compared with the slow one."""
    fast = [record for record in records if record.fast]
    if not fast:
        return []
    ways = {"models": "all of the model sections", "original": "the original decks"}
    counts = {text: sum(record.verified == how for record in fast) for how, text in ways.items()}
    said = [f"{count} identical to plain ngspice on {text}" for text, count in counts.items() if count]
    return [f"fast way: {len(fast)} {'case' if len(fast) == 1 else 'cases'}, {' and '.join(said) or 'compared before'}"]


def _cached(records: Sequence[CaseRecord]) -> list[str]:
    """How many results were not simulated for this run."""
    origins = Counter(record.cached_from.rpartition("/")[0] for record in records if record.cached_from)
    if not origins:
        return []
    named = ", ".join(run for run, _ in origins.most_common(_MOST_NAMED))
    more = f" and {len(origins) - _MOST_NAMED} more runs" if len(origins) > _MOST_NAMED else ""
    return [f"from the cache: {origins.total()} cases, simulated in {named}{more}; --no-cache simulates them"]


def _headline(run: RunDirectory, concluded: Concluded, executed: int) -> str:
    tally = concluded.gathered.tally
    parts = [f"{tally[Status.COMPLETED]}/{tally.total} completed"]
    parts += [f"{tally[s]} {s.replace('_', ' ')}" for s in (Status.FAILED, Status.IN_PROGRESS) if tally[s]]
    parts += [f"{tally.out_of_spec} out of spec"] if tally.out_of_spec else []
    parts += [] if executed else ["nothing to run"]
    return f"{run.run_id}: {_verdict(concluded).upper()}: {', '.join(parts)}"


def _verdict(concluded: Concluded) -> RunVerdict:
    gathered = concluded.gathered
    return run_verdict(gathered.tally, gathered.records.values(), concluded.aggregates)


def _held(run: RunDirectory, gathered: Gathered) -> list[str]:
    """Bench cases that a crash left half-way."""
    if gathered.plan.target != "bench":
        return []
    held = sorted(r.case_id for r in gathered.records.values() if r.status is Status.IN_PROGRESS)
    lines = [
        f"  held: case {case_id} ({gathered.cases[case_id].description}): begun, and never finished" for case_id in held
    ]
    lines = lines[:_MOST_ROWS] + _more(len(held), "held cases")
    return [*lines, f"    simorc run {run.run_id} --lost rerun (or fail)"] if held else []


def _failures(run: RunDirectory, cases: Sequence[Case], records: Iterable[CaseRecord]) -> list[str]:
    failed = sorted((r for r in records if r.status is Status.FAILED), key=lambda record: record.case_id)
    lines = []
    for record in failed[:_MOST_ROWS]:
        case = cases[record.case_id]
        first_line = record.error_message.partition("\n")[0]
        lines += [f"  failed: case {case.case_id} ({case.description}): {record.error_kind}: {first_line}"]
        lines += [f"    {_rerun(run, case)}"]
    return lines + _more(len(failed), "failed cases")


def _worst(run: RunDirectory, cases: Sequence[Case], records: Iterable[CaseRecord]) -> list[str]:
    """Measurements out of spec, those without a value first, then the largest relative miss, as in the report."""
    misses = [
        (tightness(m.margin, m.min, m.max), r.case_id, m)
        for r in records
        for m in r.measurements
        if m.verdict is Verdict.FAIL
    ]
    misses.sort(key=lambda miss: miss[:2])
    lines = []
    for _, case_id, m in misses[:_MOST_ROWS]:
        value = format_quantity(m.value, m.unit) if m.value is not None else f"no value ({m.outcome})"
        lines += [f"  out of spec: {m.name} = {value}, {_limits(m)}: case {case_id} ({cases[case_id].description})"]
        lines += [f"    {_rerun(run, cases[case_id])}"]
    return lines + _more(len(misses), "measurements out of spec")


def _limits(m: Measurement | AggregateResult) -> str:
    low = f"min {format_quantity(m.min, m.unit)}" if m.min is not None else ""
    high = f"max {format_quantity(m.max, m.unit)}" if m.max is not None else ""
    return ", ".join(part for part in (low, high) if part)


def _aggregate(a: AggregateResult) -> str:
    group = ", ".join(f"{name}={value_to_text(value)}" for name, value in a.group.items()) or "all cases"
    value = format_quantity(a.value, a.unit) if a.value is not None else f"missing ({a.message})"
    return f"  out of spec: {a.name} = {value}, {_limits(a)}: {group}"


def _rerun(run: RunDirectory, case: Case) -> str:
    return f"simorc run {run.run_id} --case {case.case_id}"


def _more(count: int, what: str) -> list[str]:
    return [f"  … and {count - _MOST_ROWS} more {what}"] if count > _MOST_ROWS else []
