"""Pure: the statistics of every measure of a run, group by group, and the yield over all limits."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct, field, structs

from simorc.core.case import Case
from simorc.core.measurement import Measure, Measurement
from simorc.core.record import CaseRecord, Status, status_of
from simorc.core.spec import Spec, Verdict, relative_margin, worst
from simorc.core.statistics import CONFIDENCE, Statistics, Yield, describe, yield_of
from simorc.core.sweep import SAMPLE_COLUMNS, Axis, Sweep
from simorc.core.units import Value, as_number

ALL_LIMITS = ""
"""In place of a measure's name: the row that counts samples in which every limit is met."""

# Python 3.11 takes longer to look up a word of an enum than to count it.
_COMPLETED, _NONE, _PASS = Status.COMPLETED, Verdict.NONE, Verdict.PASS

_Key = tuple[str, tuple[Value, ...], float | None, float | None]


class GroupStatistics(Struct, frozen=True):
    """One measure in one group of cases that share its limits, or the yield of a group over all its limits.

    A group is the random samples of one point of the other axes; without Monte Carlo samples all cases are one group,
    and beside it those of one corner are, or of one choice of whatever `group_names` gives. They are no random sample,
    so that neither capability nor yield is said of them.

    Parameters
    ----------
    measure: its name, or `ALL_LIMITS`
    group: the swept parameters that the group shares; empty where it is all cases
    spec: the limits in force
    found: the statistics of the values of completed cases, in `unit`
    n_missing: cases that ran without giving a value; n_pending: cases that have not run
    in_spec: None where nothing is judged, or nothing is random; a sample without a value that has limits is not in
        spec, a case that failed as such is left out
    margin: the smallest of any value in `unit`; relative_margin: the same in parts of half the window between two
        limits, or of the one limit
    """

    measure: str
    unit: str
    group: Mapping[str, Value]
    spec: Spec
    found: Statistics
    n_missing: int
    n_pending: int
    in_spec: Yield | None
    margin: float | None
    relative_margin: float | None


COLUMNS: Mapping[str, Callable[[GroupStatistics], float | None]] = {
    "n": lambda row: row.in_spec.judged if row.in_spec and row.measure == ALL_LIMITS else row.found.n,
    "min": lambda row: row.found.minimum,
    "mean": lambda row: row.found.mean,
    "median": lambda row: row.found.median,
    "max": lambda row: row.found.maximum,
    "sigma": lambda row: row.found.sigma,
    "limit_min": lambda row: row.spec.min,
    "limit_max": lambda row: row.spec.max,
    "cp": lambda row: row.found.cp,
    "cpk": lambda row: row.found.cpk,
    "margin": lambda row: row.margin,
    "margin_percent": lambda row: None if row.relative_margin is None else 100.0 * row.relative_margin,
    "margin_sigma": lambda row: row.found.sigma_to_limit,
    "yield": lambda row: None if row.in_spec is None else row.in_spec.share,
    "yield_low": lambda row: None if row.in_spec is None else row.in_spec.interval.low,
    "yield_high": lambda row: None if row.in_spec is None else row.in_spec.interval.high,
    "normality": lambda row: row.found.normality,
    "n_missing": lambda row: row.n_missing,
    "n_pending": lambda row: row.n_pending,
}
"""The columns of statistics.csv behind measure, unit and group."""


class _Members(Struct):
    """What the cases of one row gave so far."""

    values: array[float] = field(default_factory=lambda: array("d"))
    margin: float | None = None
    passed: int = 0
    judged: int = 0
    missing: int = 0
    pending: int = 0

    def judge(self, status: Status, verdict: Verdict) -> None:
        """Count one case; what a failed one left behind says nothing."""
        if status is _COMPLETED:
            if verdict is not _NONE:
                self.judged += 1
                self.passed += verdict is _PASS
        elif status is Status.FAILED:
            self.missing += 1
        else:
            self.pending += 1

    def add(self, status: Status, m: Measurement | None) -> None:
        """Count one case with its value."""
        self.judge(status, _NONE if m is None else m.verdict)
        if status is not _COMPLETED:
            return
        if m is None or m.value is None:
            self.missing += 1
            return
        self.values.append(m.value)
        if m.margin is not None and (self.margin is None or m.margin < self.margin):
            self.margin = m.margin


def group_names(sweep: Sweep) -> tuple[str, ...]:
    """The swept parameters whose values make the groups.

    Random samples share every other parameter. On a grid it is what `statistics_by` names, else the parameters with
    texts, such as the corner: none where nothing else varies, as each group would be one case.

    >>> group_names(Sweep("s", (Axis(("corner",), (("tt",), ("ff",))), Axis(("temp",), ((-40,), (125,)))), {}))
    ('corner',)
    """
    if sweep.samples:
        return tuple(name for name in sweep.swept if name not in SAMPLE_COLUMNS)
    if sweep.statistics_by is not None:
        return sweep.statistics_by
    varied = [axis for axis in sweep.axes if len(axis) > 1]
    named = [_text_names(axis) for axis in varied]
    return tuple(name for names in named for name in names) if [] in named else ()


def _text_names(axis: Axis) -> list[str]:
    """What tells the rows of an axis apart in words: the name of a corner, else its texts; empty for numbers alone."""
    if "corner_name" in axis.names:
        return ["corner_name"]
    columns = zip(*axis.rows, strict=True)
    return [n for n, column in zip(axis.names, columns, strict=True) if any(as_number(v) is None for v in column)]


def run_statistics(
    sweep: Sweep,
    measures: Sequence[Measure],
    cases: Iterable[Case],
    records: Mapping[int, CaseRecord],
    confidence: float = CONFIDENCE,
) -> list[GroupStatistics]:
    """The statistics of all measures over all groups, measure by measure; of a random sweep first the yields.

    Of a grid the row over all cases comes before those of the measure's groups.

    Parameters
    ----------
    measures: those of the run's target
    cases: every case of the run, also those that have not run
    confidence: of the yields' intervals
    """
    names = group_names(sweep)
    rows: defaultdict[_Key, _Members] = defaultdict(_Members)
    for case in cases:
        record = records.get(case.case_id)
        status = status_of(record)
        known = {m.name: m for m in record.measurements} if record is not None else {}
        group = tuple(case.parameters[name] for name in names)
        groups = [group] if sweep.samples or not group else [(), group]
        if sweep.samples:
            verdict = worst([known[measure.name].verdict for measure in measures if measure.name in known])
            rows[ALL_LIMITS, group, None, None].judge(status, verdict)
        for measure in measures:
            m = known.get(measure.name)
            spec = measure.spec_for(case) if m is None else m
            low, high = spec.min, spec.max
            for one in groups:
                rows[measure.name, one, low, high].add(status, m)
    order = [ALL_LIMITS, *(measure.name for measure in measures)]
    units = {measure.name: measure.unit for measure in measures}
    judges = confidence if sweep.samples else None
    return [
        _row(key, dict(zip(names, key[1], strict=False)), units.get(key[0], ""), rows[key], judges)
        for key in sorted(rows, key=lambda key: (order.index(key[0]), bool(key[1]) and not sweep.samples))
    ]


def yields_lowest_first(rows: Iterable[GroupStatistics]) -> list[GroupStatistics]:
    """The rows that count samples in which every limit is met; none where nothing is random, or nothing has limits."""
    found = [(row.in_spec.share, k, row) for k, row in enumerate(rows) if row.measure == ALL_LIMITS and row.in_spec]
    return [row for *_, row in sorted(found, key=lambda entry: entry[:2])]


def _row(
    key: _Key, group: Mapping[str, Value], unit: str, members: _Members, confidence: float | None
) -> GroupStatistics:
    """A row; `confidence` is None where nothing is random, so that neither capability nor yield is said."""
    measure, _, low, high = key
    margin, spec = members.margin, Spec(low, None, high)
    found = describe(members.values, spec)
    return GroupStatistics(
        measure,
        unit,
        group,
        spec,
        structs.replace(found, cp=None, cpk=None) if confidence is None else found,
        members.missing,
        members.pending,
        None if confidence is None else yield_of(members.passed, members.judged, confidence),
        margin,
        None if margin is None else relative_margin(margin, low, high),
    )
