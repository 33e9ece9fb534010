"""Pure: the tables of the catalogue, and the rows that one run has in them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from simorc.core.aggregates import AggregateResult
from simorc.core.case import Case
from simorc.core.measurement import Measurement
from simorc.core.record import CaseRecord, Status, status_of
from simorc.core.spec import Verdict
from simorc.core.units import Value
from simorc.core.verdict import run_verdict
from simorc.workspace.gather import Gathered

_CASES_A_CHUNK = 50_000
SCHEMA = 1
"""Stands in the file as `user_version`; another number than this one means other tables."""

TABLES = """
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL UNIQUE,
    sweep TEXT, testbench TEXT, target TEXT, bench TEXT, dut TEXT,
    created TEXT, ended TEXT, verdict TEXT NOT NULL,
    cases INTEGER NOT NULL, completed INTEGER NOT NULL, failed INTEGER NOT NULL,
    in_progress INTEGER NOT NULL, pending INTEGER NOT NULL, out_of_spec INTEGER NOT NULL,
    simorc TEXT, simulator TEXT, git_commit TEXT
);
CREATE TABLE cases (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    case_id INTEGER NOT NULL,
    conditions TEXT NOT NULL, -- JSON: the swept parameters
    status TEXT NOT NULL, verdict TEXT NOT NULL,
    error_kind TEXT, error_message TEXT, attempt INTEGER,
    started TEXT, finished TEXT, duration_s REAL, worker TEXT,
    PRIMARY KEY (run, case_id)
) WITHOUT ROWID;
CREATE TABLE measurements (
    run INTEGER NOT NULL,
    case_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    value REAL, unit TEXT NOT NULL, outcome TEXT NOT NULL, verdict TEXT NOT NULL,
    min REAL, max REAL, margin REAL, uncertainty REAL,
    PRIMARY KEY (run, name, case_id),
    FOREIGN KEY (run, case_id) REFERENCES cases ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE instruments (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    name TEXT NOT NULL,
    driver TEXT, resource TEXT, idn TEXT, serial TEXT, firmware TEXT, calibrated TEXT, calibration_due TEXT,
    PRIMARY KEY (run, name)
) WITHOUT ROWID;
CREATE INDEX runs_by_sweep ON runs (sweep, created);
CREATE INDEX instruments_by_serial ON instruments (serial);
"""

_INSTRUMENT = ("driver", "resource", "idn", "serial", "firmware", "calibrated", "calibration_due")


def run_row(
    run_id: str, gathered: Gathered, aggregates: Sequence[AggregateResult], manifest: Mapping[str, Any]
) -> tuple[object, ...]:
    """The row of table `runs` without its key."""
    tally, plan = gathered.tally, gathered.plan
    versions = manifest.get("versions")
    versions = versions if isinstance(versions, Mapping) else {}
    return (
        _text(run_id),
        *map(_text, (plan.sweep.name, plan.testbench, plan.target, plan.bench.name if plan.bench else None)),
        _duts(manifest),
        *(_text(manifest.get(key)) for key in ("created", "ended")),
        str(run_verdict(tally, aggregates)),
        tally.total,
        *(tally[status] for status in (Status.COMPLETED, Status.FAILED, Status.IN_PROGRESS, Status.PENDING)),
        tally.out_of_spec,
        *(_text(versions.get(key)) for key in ("simorc", "simulator")),
        _text(manifest.get("git_commit")),
    )


def case_rows(run: int, gathered: Gathered) -> Iterator[tuple[object, ...]]:
    """The rows of table `cases`; a case that has not run has one too.

    Parameters
    ----------
    run: key of the run
    """
    nothing = (str(Verdict.NONE), *[None] * 7)
    for case in gathered.cases:
        record = gathered.records.get(case.case_id)
        told = _of_record(record) if record else nothing
        yield run, case.case_id, _conditions(case), str(status_of(record)), *told


def measurement_rows(run: int, gathered: Gathered) -> Iterator[tuple[object, ...]]:
    """The rows of table `measurements`, in the order of its key, in which SQLite takes them fastest, by chunks."""
    ids = iter(sorted(gathered.records))
    while chunk := list(islice(ids, _CASES_A_CHUNK)):
        found: defaultdict[str, list[tuple[int, Measurement]]] = defaultdict(list)
        for case_id in chunk:
            for m in gathered.records[case_id].measurements:
                found[m.name].append((case_id, m))
        for name in sorted(found):
            text = _text(name)
            for case_id, m in found[name]:
                # As floats: a limit may be a whole number beyond what SQLite holds.
                value, *numbers = [
                    None if n is None else float(n) for n in (m.value, m.min, m.max, m.margin, m.uncertainty)
                ]
                yield run, case_id, text, value, _text(m.unit), str(m.outcome), str(m.verdict), *numbers


def instrument_rows(run: int, manifest: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    """The rows of table `instruments`: what run.json says of them."""
    listed = manifest.get("instruments")
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, Mapping) and entry.get("name"):
            yield run, _text(entry["name"]), *(_text(entry.get(key)) for key in _INSTRUMENT)


def _duts(manifest: Mapping[str, Any]) -> str | None:
    """What the executions say that they measured."""
    executions = manifest.get("executions")
    told = [e.get("dut") for e in executions if isinstance(e, Mapping)] if isinstance(executions, list) else []
    return ", ".join(filter(None, map(_text, dict.fromkeys(told)))) or None


def _of_record(record: CaseRecord) -> tuple[object, ...]:
    return (
        str(record.verdict),
        str(record.error_kind) if record.error_kind else None,
        _text(record.error_message or None),
        record.attempt,
        record.started or None,
        record.finished or None,
        record.duration_s,
        _text(record.worker or None),
    )


def _conditions(case: Case) -> str:
    conditions = {name: _plain(value) for name, value in case.conditions.items()}
    try:
        return msgspec.json.encode(conditions).decode()  # in a sixth of the time
    except (TypeError, UnicodeEncodeError):  # a text of a class of its own, half a character
        return json.dumps(conditions)


def _plain(value: Value) -> Value:
    """`10u` as the number it is."""
    return float(value) if isinstance(value, float) else value


def _text(value: object) -> str | None:
    """A value of run.json as text that SQLite takes: None stays, anything but text is written as JSON."""
    if value is None:
        return None
    text = str(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
