"""The closing words of a run: verdict, worst cases first, the command that reruns one alone."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Mapping, Sequence
from operator import itemgetter

from msgspec import Struct, field

from simorc.core.aggregates import AggregateResult
from simorc.core.case import Case
from simorc.core.errors import ExitCode
from simorc.core.measurement import Measurement
from simorc.core.record import SLOWER_WAYS, CaseRecord, Status
from simorc.core.run_statistics import yields_lowest_first
from simorc.core.spec import Verdict, tightness
from simorc.core.units import Value, format_quantity, value_to_text
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
    seen = _Seen()
    for record in gathered.records.values():
        seen.add(record)
    lines += _failures(run, gathered, seen)
    lines += _worst(run, gathered, seen)
    lines += [_aggregate(a) for a in concluded.aggregates if a.verdict is Verdict.FAIL]
    lines += _yield(concluded)
    lines += [f"warning: {text}" for text in dict.fromkeys([*seen.warnings, *notes, *gathered.notes])]
    lines += _verified(seen)
    lines += _cached(seen)
    return "\n".join([*lines, *remarks, f"report: simorc plot {run.run_id}"])


class _Seen(Struct):
    """What the records of a run say beside their counts; they are looked at once, since there may be a million."""

    failed: list[CaseRecord] = field(default_factory=list)
    misses: list[tuple[tuple[float, int], Measurement]] = field(default_factory=list)
    missed: int = 0
    warnings: dict[str, None] = field(default_factory=dict)
    fast: Counter[str] = field(default_factory=Counter)
    cached: Counter[str] = field(default_factory=Counter)

    def add(self, record: CaseRecord) -> None:
        self.warnings.update(dict.fromkeys(record.warnings))
        if record.status is Status.FAILED:
            insort(self.failed, record, key=lambda r: r.case_id)
            del self.failed[_MOST_ROWS:]
        if record.status is not Status.COMPLETED:
            return
        if record.fast:
            self.fast[record.verified] += 1
        if record.cached_from:
            self.cached[record.cached_from.rpartition("/")[0]] += 1
        for m in record.measurements:
            if m.verdict is Verdict.FAIL:
                self.missed += 1
                insort(self.misses, ((tightness(m.margin, m.min, m.max), record.case_id), m), key=itemgetter(0))
                del self.misses[_MOST_ROWS:]


def _yield(concluded: Concluded) -> list[str]:
    """The yield over all limits, of several points the lowest."""
    rows = yields_lowest_first(concluded.statistics)
    if not rows:
        return []
    row = rows[0]
    lowest = f", the lowest of {len(rows)} points: {_group(row.group)}" if len(rows) > 1 else ""
    return [f"yield: {row.in_spec} with {100 * concluded.gathered.plan.confidence:.4g} % confidence{lowest}"]


def _verified(seen: _Seen) -> list[str]:
    """How many results of the fast way were compared with the slow one."""
    if not seen.fast:
        return []
    ways = [(seen.fast[how], text) for how, text in SLOWER_WAYS.items() if seen.fast[how]]
    said = [f"{number} identical to plain ngspice on {text}" for number, text in ways]
    count = seen.fast.total()
    return [f"fast way: {count} {'case' if count == 1 else 'cases'}, {' and '.join(said) or 'compared before'}"]


def _cached(seen: _Seen) -> list[str]:
    """How many results were not simulated for this run."""
    origins = seen.cached
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
    return run_verdict(gathered.tally, concluded.aggregates)


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


def _failures(run: RunDirectory, gathered: Gathered, seen: _Seen) -> list[str]:
    lines = []
    for record in seen.failed:
        case = gathered.cases[record.case_id]
        first_line = record.error_message.partition("\n")[0]
        lines += [f"  failed: case {case.case_id} ({case.description}): {record.error_kind}: {first_line}"]
        lines += [f"    {_rerun(run, case)}"]
    return lines + _more(gathered.tally[Status.FAILED], "failed cases")


def _worst(run: RunDirectory, gathered: Gathered, seen: _Seen) -> list[str]:
    """Measurements out of spec, those without a value first, then the largest relative miss, as in the report."""
    lines = []
    for (_, case_id), m in seen.misses:
        case = gathered.cases[case_id]
        value = format_quantity(m.value, m.unit) if m.value is not None else f"no value ({m.outcome})"
        lines += [f"  out of spec: {m.name} = {value}, {_limits(m)}: case {case_id} ({case.description})"]
        lines += [f"    {_rerun(run, case)}"]
    return lines + _more(seen.missed, "measurements out of spec")


def _limits(m: Measurement | AggregateResult) -> str:
    low = f"min {format_quantity(m.min, m.unit)}" if m.min is not None else ""
    high = f"max {format_quantity(m.max, m.unit)}" if m.max is not None else ""
    return ", ".join(part for part in (low, high) if part)


def _aggregate(a: AggregateResult) -> str:
    value = format_quantity(a.value, a.unit) if a.value is not None else f"missing ({a.message})"
    return f"  out of spec: {a.name} = {value}, {_limits(a)}: {_group(a.group) or 'all cases'}"


def _group(group: Mapping[str, Value]) -> str:
    return ", ".join(f"{name}={value_to_text(value)}" for name, value in group.items())


def _rerun(run: RunDirectory, case: Case) -> str:
    return f"simorc run {run.run_id} --case {case.case_id}"


def _more(count: int, what: str) -> list[str]:
    return [f"  … and {count - _MOST_ROWS} more {what}"] if count > _MOST_ROWS else []
