"""Pure: the curves of a run as a side of a comparison, a row a point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simorc.core.errors import UsageError
from simorc.core.plan import Curve
from simorc.core.record import Status
from simorc.core.table import Column
from simorc.core.transforms import transformed
from simorc.core.waveforms import Plot, Waveforms
from simorc.core.wording import suggestion
from simorc.report.compare_side import Side, bare, check_completed, column, why_without
from simorc.report.data import ReportData


def of_curves(data: ReportData) -> Side:
    """The curves of a run's waveforms, a row a point: its conditions are the case's and those of the curve's axes.

    Raises
    ------
    UsageError: no case has completed, the testbench names no curves, or a case kept no waveforms
    CaseError: waveforms that cannot be read
    """
    check_completed(data)
    curves = _curves(data)
    done = [case for case in data.cases if data.status(case.case_id) is Status.COMPLETED]
    read = [_points(data, case.case_id, curves) for case in done]
    sizes = [len(next(iter(points.values())).values) for points in read]
    which = np.repeat(np.arange(len(done)), sizes)
    names = [name for name in data.cases[0].parameters if name not in curves[0].over]
    own = {name: Column(column(case.parameters[name] for case in done)[which]) for name in names}
    joined = {
        name: Column(np.concatenate([points[name].values for points in read]), read[0][name].unit) for name in read[0]
    }
    why = why_without(data)
    reasons = [(case, why[data.status(case.case_id)]) for case in data.cases]
    return Side(
        f"{data.run_id}/{data.plan.target}",
        data.plan.target,
        own | {name: joined[name] for name in curves[0].over},
        (*(name for name in data.plan.sweep.swept if name in own), *curves[0].over),
        {curve.name: bare(joined[curve.name]) for curve in curves},
        np.full(len(which), "", dtype=object),
        np.array([case.case_id for case in done], dtype=np.int64)[which],
        data,
        is_curves=True,
        idle=tuple(({name: case.parameters[name] for name in names}, reason) for case, reason in reasons if reason),
    )


def _curves(data: ReportData) -> Sequence[Curve]:
    """The curves that the testbench names, all over the same axes."""
    curves = data.plan.curves
    if not curves:
        hint = "name them in the testbench's config.yaml: curves: {id: {y: i(vd), over: {vg: v(g), vd: v(d)}}}"
        raise UsageError(f"{data.run_id} has no curves", hint=hint)
    if len({tuple(curve.over) for curve in curves}) > 1:
        each = "; ".join(f"{curve.name}: {', '.join(curve.over)}" for curve in curves)
        raise UsageError(f"the curves of {data.run_id} are not over the same axes", hint=each)
    return curves


def _points(data: ReportData, case_id: int, curves: Sequence[Curve]) -> dict[str, Column]:
    """The points of one case: the axes and every curve, all of one length."""
    waves = data.waveforms(case_id)
    found = {}
    for curve in curves:
        for name, vector in {**curve.over, curve.name: curve.y}.items():
            plot = waves.plot(curve.analysis) if curve.analysis else _last_with(waves, vector)
            drawn = "none" if name == curve.name else "real"  # of a complex vector the magnitude, of an axis the number
            found[name] = Column(*transformed(plot[vector], drawn, plot.unit(vector)))
    lengths = {name: len(c.values) for name, c in found.items()}
    if len(set(lengths.values())) > 1:
        each = ", ".join(f"{name}: {length} points" for name, length in lengths.items())
        raise UsageError(f"the curves of case {case_id} are of different length", hint=f"{each}; name the `analysis`")
    return found


def _last_with(waves: Waveforms, vector: str) -> Plot:
    """The last plot that has a vector."""
    for plot in reversed(waves):
        if vector in plot:
            return plot
    known = [name for plot in waves for name in plot.vectors]
    raise UsageError(f"no vector {vector!r} in the waveforms", hint=suggestion(vector, known))
