"""Pure: the outcome of one case, as it stands in its status file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec
from msgspec import Struct, field

from simorc.core.errors import ErrorKind
from simorc.core.measurement import Measure, Measurement
from simorc.core.spec import Spec, Verdict, worst


class Status(StrEnum):
    """Status of a case; out of spec is `completed`, `failed` means that tool, deck or bench broke."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


SLOWER_WAYS = {"models": "unpruned models", "original": "the original decks"}
"""On what a result was compared with plain ngspice: what `CaseRecord.verified` says, in words."""


class CaseRecord(msgspec.Struct, frozen=True, gc=False):
    """One case's outcome; times are UTC in ISO 8601, durations in seconds.

    `retries` lists, for every attempt beyond the first inside this one execution, the simulator options that were
    added; `warnings` are sentences for the summary and the report. `fast` says that a simulator took its fast way,
    `verified` with what slower way the result was compared, bit for bit: a key of `SLOWER_WAYS`.
    """

    case_id: int
    status: Status
    attempt: int = 1
    error_kind: ErrorKind | None = None
    error_message: str = ""
    started: str = ""
    finished: str = ""
    duration_s: float | None = None
    worker: str = ""
    seed: int | None = None
    cached_from: str = ""
    measurements: tuple[Measurement, ...] = ()
    retries: tuple[Mapping[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    fast: bool = False
    verified: str = ""

    @property
    def verdict(self) -> Verdict:
        """Verdict over all measurements; a failed case has none."""
        if self.status is not Status.COMPLETED:
            return Verdict.NONE
        return worst([measurement.verdict for measurement in self.measurements])

    def value(self, name: str) -> float | None:
        """The value of one measurement in its unit, or None."""
        return next((m.value for m in self.measurements if m.name == name), None)


def status_of(record: CaseRecord | None) -> Status:
    """Status of a case; one without a record is pending."""
    return record.status if record else Status.PENDING


def measures_found(asked: Iterable[Measure], records: Iterable[CaseRecord]) -> tuple[Measure, ...]:
    """The measures that were asked for, and after them those that only a hook added to the records."""
    found = {measure.name: measure for measure in asked}
    for record in records:
        for m in record.measurements:
            if m.name not in found:
                found[m.name] = Measure(m.name, m.unit, Spec(m.min, None, m.max))
    return tuple(found.values())


class Tally(Struct, frozen=True):
    """How far a run is: counts of cases; `spared` says how many need not run, since fewer were enough."""

    total: int
    by_status: Mapping[Status, int] = field(default_factory=dict)
    out_of_spec: int = 0
    in_spec: int = 0
    spared: int = 0

    @classmethod
    def of(cls, total: int, records: Iterable[CaseRecord], spared: int = 0) -> Tally:
        """Count records; cases without one are pending, and so are those spared, unless they ran after all."""
        counts = dict.fromkeys(Status, 0)
        out_of_spec = in_spec = 0
        seen = 0
        for record in records:
            seen += 1
            counts[record.status] += 1
            verdict = record.verdict
            out_of_spec += verdict is Verdict.FAIL
            in_spec += verdict is Verdict.PASS
        counts[Status.PENDING] += max(total - seen, 0)
        return cls(total, counts, out_of_spec, in_spec, min(spared, counts[Status.PENDING]))

    def __getitem__(self, status: Status) -> int:
        return self.by_status.get(status, 0)
