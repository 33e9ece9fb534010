"""Pure: each aggregate over all its groups, and the group where it is worst."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from simorc.core.aggregates import AggregateResult
from simorc.core.spec import Spec, Verdict
from simorc.core.verdict import RunVerdict
from simorc.report.display import value_text


@dataclass(frozen=True, slots=True)
class AggregateRow:
    """One aggregate over all groups; values in `unit`, of the groups in which no point is missing.

    `worst` is the group with the smallest margin, `n_missing` the number of groups without a value; `reasons` say why
    groups have none though no point is missing.
    """

    name: str
    measure: str
    over: str
    unit: str
    spec: Spec
    minimum: float | None
    median: float | None
    maximum: float | None
    worst: AggregateResult | None
    verdict: RunVerdict | None
    n: int
    n_out: int
    n_missing: int
    reasons: tuple[str, ...] = ()


def aggregate_rows(results: Sequence[AggregateResult]) -> list[AggregateRow]:
    """A row an aggregate, in their order."""
    groups: dict[str, list[AggregateResult]] = {}
    for result in results:
        groups.setdefault(result.name, []).append(result)
    return [_row(members) for members in groups.values()]


def group_text(result: AggregateResult) -> str:
    """The conditions of a group for people: `corner=ff, vin=5.0`."""
    return ", ".join(f"{name}={value_text(value)}" for name, value in result.group.items()) or "all cases"


def _row(members: Sequence[AggregateResult]) -> AggregateRow:
    first = members[0]
    values = [result.value for result in members if result.value is not None]
    judged = [result for result in members if result.margin is not None]
    spec = Spec(first.min, None, first.max)
    return AggregateRow(
        first.name,
        first.measure,
        first.over,
        first.unit,
        spec,
        min(values, default=None),
        statistics.median(values) if values else None,
        max(values, default=None),
        min(judged, key=lambda result: result.margin or 0.0, default=None),
        _verdict(spec, members),
        len(members),
        sum(result.verdict is Verdict.FAIL for result in members),
        len(members) - len(values),
        tuple(dict.fromkeys(r.message for r in members if r.message and not r.n_missing)),
    )


def _verdict(spec: Spec, members: Sequence[AggregateResult]) -> RunVerdict | None:
    if not spec.has_limits:
        return None
    verdicts = {result.verdict for result in members}
    if Verdict.FAIL in verdicts:
        return RunVerdict.FAIL
    return RunVerdict.INCOMPLETE if Verdict.NONE in verdicts else RunVerdict.PASS
