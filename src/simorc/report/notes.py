"""Pure: what a reader should know about how the results came to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from simorc.core.ranges import format_ranges
from simorc.core.record import SLOWER_WAYS
from simorc.report.bench_view import overdue
from simorc.report.data import ReportData
from simorc.report.display import count, minute


def notes(data: ReportData) -> list[str]:
    """Warnings and notes as sentences: of the run, of its cases, retries used, changes made by hand, executions."""
    records = data.records.values()
    return [
        *data.notes,
        *_repeatable(data.manifest),
        *overdue(data),
        *_by_cases((text, r.case_id) for r in records for text in r.warnings),
        *_retries((_options(r.retries[-1]), r.case_id) for r in records if r.retries),
        *_again([r.case_id for r in records if r.attempt > 1]),
        *_cached([r.case_id for r in records if r.cached_from]),
        *_compared(Counter(r.verified for r in records if r.fast)),
        *_changes(data.manifest),
        *_executions(_entries(data.manifest, "executions")),
    ]


def _repeatable(manifest: Mapping[str, Any]) -> list[str]:
    checked = manifest.get("repeatable")
    if not isinstance(checked, Mapping):
        return []
    case = checked.get("case")
    if checked.get("identical"):
        return [f"Case {case} was run twice: the results are identical."]
    return [f"Case {case} was run twice and the results differ: the models draw at random, and no seed is swept."]


def _by_cases(found: Iterable[tuple[str, int]]) -> list[str]:
    cases: dict[str, list[int]] = {}
    for text, case_id in found:
        cases.setdefault(text, []).append(case_id)
    return [f"{text} ({_named(ids)})" for text, ids in cases.items()]


def _retries(found: Iterable[tuple[str, int]]) -> list[str]:
    return [f"Converged only after a retry with {text}" for text in _by_cases(found)]


def _options(options: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" if value else name for name, value in options.items()) or "other options"


def _again(ids: list[int]) -> list[str]:
    return [f"{count(len(ids), 'case')} ran more than once ({_named(ids)})."] if ids else []


def _cached(ids: list[int]) -> list[str]:
    return [f"{count(len(ids), 'case')} taken over from an earlier run ({_named(ids)})."] if ids else []


def _compared(fast: Counter[str]) -> list[str]:
    """How many results came by a long-lived simulator on pruned models, and how many of them were checked."""
    said = [f"{fast[how]:,} compared with plain ngspice on {text}" for how, text in SLOWER_WAYS.items() if fast[how]]
    checked = f"{' and '.join(said)}, identical" if said else "none compared: their like was before"
    return [f"{count(fast.total(), 'case')} simulated the fast way, {checked}."] if fast else []


def _changes(manifest: Mapping[str, Any]) -> list[str]:
    files = dict.fromkeys(str(entry.get("file")) for entry in _entries(manifest, "accepted_changes"))
    accepted = [f"Changed after the build, and accepted: {', '.join(files)}."] if files else []
    times = [minute(entry.get("time")) for entry in _entries(manifest, "judged")]
    judged = [f"Judged anew, by the project's specs and measure functions of {', '.join(times)}."] if times else []
    return accepted + judged


def _executions(executions: list[Mapping[str, Any]]) -> list[str]:
    sentences = [f"Note of {minute(e.get('started'))}: {e['note']}" for e in executions if e.get("note")]
    stopped = sum(e.get("ended") == "interrupted" for e in executions)
    if stopped:
        sentences.append(f"The run was interrupted {'once' if stopped == 1 else f'{stopped} times'}.")
    return sentences


def _entries(manifest: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    entries = manifest.get(key)
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []


def _named(ids: list[int]) -> str:
    return f"{'case' if len(ids) == 1 else 'cases'} {format_ranges(ids)}"
