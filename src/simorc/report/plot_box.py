"""Boxes of a measure's values at each value of a parameter, and what the failures are of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from simorc.core.errors import UsageError
from simorc.core.measurement import Outcome
from simorc.core.plan import PlotSpec
from simorc.core.record import Status
from simorc.core.spec import Verdict
from simorc.core.wording import suggestion
from simorc.report.chart import Chart, Mark, Panel, PlotAxis
from simorc.report.data import ReportData
from simorc.report.display import Scale, axis_key, count, quantity, value_text
from simorc.report.plot_limits import fitted_range, join, limit_rules, missing_sentence, scale_of
from simorc.report.points import Point, Quantities, by, chosen_cases, grouped, quantities

_HALF = 0.28
_MOST_DOTS = 400
_MOST_BARS = 20


def box_chart(spec: PlotSpec, data: ReportData) -> Chart:
    """A box from quartile to quartile with the median in it and whiskers from minimum to maximum, for each value of x.

    Raises
    ------
    UsageError: an unknown measure or parameter
    """
    panels, sentences = [], ["Box: quartiles and median; whiskers: minimum and maximum; dots: out of spec."]
    for q in [quantities(data, name, spec.where) for name in spec.y]:
        q.demand(spec.x)
        scale = scale_of(q)
        xs = q.values(spec.x)
        groups = grouped(q.points, by(spec.x))
        marks = [
            mark
            for i, points in enumerate(groups[key] for key in _keys(q, spec.x))
            for mark in _box(i, points, q, scale)
        ]
        out = [(i, p) for i, key in enumerate(_keys(q, spec.x)) for p in groups[key] if p.out][:_MOST_DOTS]
        if out:
            x, y = [float(i) for i, _ in out], [(p.value or 0.0) / scale.factor for _, p in out]
            ids = [p.case_id for _, p in out if p.case_id is not None]
            marks.append(Mark("dots", x, y, colour="fail", cases=ids if len(ids) == len(out) else ()))
        rules, limits = limit_rules(q, scale)
        ticks = tuple((float(i), value_text(value)) for i, value in enumerate(xs))
        x_axis = PlotAxis(spec.x, "texts", ticks=ticks, low=-0.5, high=max(len(xs), 1) - 0.5)
        low, high = fitted_range(q, scale)
        panels.append(Panel(x_axis, PlotAxis(scale.label(q.name), low=low, high=high), marks, rules))
        sentences += [*limits, *missing_sentence(q)]
    return Chart(panels, join(sentences))


def _keys(q: Quantities, name: str) -> list[tuple[object, ...]]:
    return [(axis_key(value),) for value in q.values(name)]


def _box(at: int, points: Sequence[Point], q: Quantities, scale: Scale) -> list[Mark]:
    values = np.array([point.value for point in points if point.value is not None])
    if not len(values):
        return []
    low, first, middle, third, high = (float(v) for v in np.quantile(values, (0, 0.25, 0.5, 0.75, 1)))
    five = ("minimum", low), ("quartile", first), ("median", middle), ("quartile", third), ("maximum", high)
    said = ", ".join(f"{word} {quantity(value, q.unit)}" for word, value in five)
    text = f"{count(len(values), 'value')}: {said}"
    low, first, middle, third, high = (value / scale.factor for value in (low, first, middle, third, high))
    ends = [min((p for p in points if p.value is not None), key=lambda p: p.value or 0.0)]
    ends.append(max((p for p in points if p.value is not None), key=lambda p: p.value or 0.0))
    ids = [p.case_id for p in ends if p.case_id is not None]
    return [
        Mark("stems", [float(at)], [low], (), [high], "s0"),
        Mark("bars", [at - _HALF], [first], [at + _HALF], [third], "s0", texts=[text]),
        Mark("line", [at - _HALF, at + _HALF], [middle, middle], colour="paper", texts=[text]),
        Mark("targets", [float(at)] * 2, [low, high], cases=ids if len(ids) == 2 else (), texts=() if ids else [text]),
    ]


def pareto_chart(spec: PlotSpec, data: ReportData) -> Chart:
    """What fails, most often first: values out of spec by measure, or by the value of x, and cases that broke.

    Raises
    ------
    UsageError: an unknown measure or parameter, or nothing failed
    """
    counts = _failures(spec, data)
    if not counts:
        raise UsageError("nothing failed", hint="a Pareto plot has no bars then")
    listed = counts.most_common(_MOST_BARS)
    total = sum(counts.values())
    at = [float(i) for i in range(len(listed))]
    heights = [float(number) for _, number in listed]
    shares = np.cumsum(heights) / total
    texts = [
        f"{name}: {count(number, 'failure')}, {number / total:.0%}; with all before it {share:.0%}"
        for (name, number), share in zip(listed, shares, strict=True)
    ]
    bars = Mark("bars", [x - 0.4 for x in at], [0.0] * len(at), [x + 0.4 for x in at], heights, "fail", texts=texts)
    marks = [bars]
    if len(at) > 1:
        running = np.cumsum(heights).tolist()
        marks.append(Mark("line", at, running, colour="s0", texts=texts, marker="o"))
    ticks = tuple((x, name) for x, (name, _) in zip(at, listed, strict=True))
    x_axis = PlotAxis("", "texts", ticks=ticks, low=-0.6, high=len(at) - 0.4)
    panel = Panel(x_axis, PlotAxis("failures", low=0.0, high=float(sum(heights)) * 1.1, whole=True), marks)
    more = f" The {len(counts) - len(listed)} rarest are left out." if len(counts) > len(listed) else ""
    line = " Line: running sum." if len(at) > 1 else ""
    return Chart([panel], f"{count(total, 'failure')}; a case with two failures counts twice.{line}{more}")


def has_failures(data: ReportData) -> bool:
    """Whether a Pareto plot of all failures has bars."""
    return bool(_failures(PlotSpec("failures", "pareto"), data))


def _failures(spec: PlotSpec, data: ReportData) -> Counter[str]:
    for name in spec.y:
        quantities(data, name)  # an error for an unknown one
    counts: Counter[str] = Counter()
    for case in chosen_cases(data, spec.where):
        record = data.records.get(case.case_id)
        if record is None:
            continue
        names = [
            m.name
            for m in record.measurements
            if record.status is Status.COMPLETED
            and (m.verdict is Verdict.FAIL or m.outcome is Outcome.FAILED)
            and (not spec.y or m.name in spec.y)
        ]
        if record.status is Status.FAILED and not spec.y:
            names = [str(record.error_kind or "failed").replace("_", " ")]
        if spec.x and names:
            if spec.x not in case.parameters:
                raise UsageError(f"no parameter {spec.x!r}", hint=suggestion(spec.x, list(case.parameters)))
            names = [f"{spec.x}={value_text(case.parameters[spec.x])}"] * len(names)
        counts.update(names)
    return counts
