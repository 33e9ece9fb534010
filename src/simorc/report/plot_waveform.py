"""Waveforms of many cases, one over the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simorc.core.case import Case
from simorc.core.errors import SimorcError, UsageError
from simorc.core.plan import PlotSpec
from simorc.core.transforms import Reals, transformed, transformed_name
from simorc.core.waveforms import Plot, Waveforms
from simorc.core.wording import suggestion
from simorc.report.case_table import selection
from simorc.report.chart import Chart, Legend, Mark, Panel, PlotAxis
from simorc.report.data import ReportData
from simorc.report.display import axis_key, axis_values, count, is_numeric, scale_for, unit_sign
from simorc.report.plot_limits import join
from simorc.report.plot_style import colours
from simorc.report.points import chosen_cases

MOST_CASES = 200
"""Of more cases than this an even selection is drawn."""

_MANY_CURVES = 12


@dataclass(frozen=True, slots=True)
class _Curve:
    """One vector of one case: arrays of shape (points,)."""

    case: Case
    x: Reals
    y: Reals
    x_name: str
    x_unit: str
    label: str
    unit: str
    kind: str


def waveform_chart(spec: PlotSpec, data: ReportData) -> Chart:
    """A panel for each vector, a line for each case, coloured by one parameter; of many lines also their envelope.

    Raises
    ------
    UsageError: no case has waveforms, or none has the vector
    """
    cases = chosen_cases(data, spec.where)
    listed = selection(cases, MOST_CASES)
    waves = {case.case_id: waveforms for case in listed if (waveforms := _read(data, case)) is not None}
    if not waves:
        raise UsageError("no case has waveforms", hint="none has run yet, or `simulator.keep` did not keep them")
    drawn = [_curves(spec, name, listed, waves) for name in spec.y]
    group = _group(spec, data, listed)
    values = axis_values(case.parameters[group] for case in listed) if group else []
    paints = {axis_key(v): colour for v, colour in zip(values, colours(values), strict=True)}
    panels = [_panel(spec, curves, group, paints) for curves in drawn]
    sentences = _sentences(len(cases), len(listed), len(waves))
    if any(mark.kind == "band" for panel in panels for mark in panel.marks):
        sentences.append("Shaded: from the lowest to the highest line of a colour.")
    return Chart(panels, join(sentences), Legend(group, values, list(paints.values())) if group else None)


def _read(data: ReportData, case: Case) -> Waveforms | None:
    try:
        waves = data.waveforms(case.case_id)
    except SimorcError:
        return None
    return waves if len(waves) else None


def _curves(spec: PlotSpec, name: str, cases: Sequence[Case], waves: Mapping[int, Waveforms]) -> list[_Curve]:
    curves = []
    for case in cases:
        if case.case_id in waves:
            plot = _find(waves[case.case_id], spec.analysis, name)
            if plot is not None:
                curves.append(_curve(spec, name, case, plot))
    if not curves:
        first = next(iter(waves.values()))
        known = [vector for plot in first for vector in plot.vectors]
        raise UsageError(f"no case has a vector {name!r}", hint=suggestion(name, known))
    return curves


def _find(waves: Waveforms, analysis: str, name: str) -> Plot | None:
    """The last plot of the analysis that has the vector and more than one point."""
    fitting = [plot for plot in waves if (not analysis or plot.kind == analysis) and name in plot and len(plot) > 1]
    return fitting[-1] if fitting else None


def _curve(spec: PlotSpec, name: str, case: Case, plot: Plot) -> _Curve:
    y, unit = transformed(plot[name], spec.transform, plot.unit(name))
    x_name = spec.x if spec.x and spec.x in plot else plot.scale
    x = np.real(plot[x_name]).astype(float)
    if plot.kind == "dc":
        x, y = _without_retrace(x, y)
    label = transformed_name(plot[name], spec.transform, name)
    return _Curve(case, x, y, x_name, plot.unit(x_name), label, unit, plot.kind)


def _without_retrace(x: Reals, y: Reals) -> tuple[Reals, Reals]:
    """Break the line where a nested sweep starts again."""
    steps = np.sign(np.diff(x))
    breaks = np.flatnonzero(steps * steps[0] < 0) + 1
    return np.insert(x, breaks, np.nan), np.insert(y, breaks, np.nan)


def _group(spec: PlotSpec, data: ReportData, cases: Sequence[Case]) -> str:
    """The parameter that colours: the one asked for, else the first varying text, else the first varying one."""
    if spec.group:
        known = list(cases[0].parameters) if cases else []
        if spec.group not in known:
            raise UsageError(f"no parameter {spec.group!r}", hint=suggestion(spec.group, known))
        return spec.group
    varying = [name for name in data.plan.sweep.swept if len({axis_key(case.parameters[name]) for case in cases}) > 1]
    texts = [name for name in varying if not is_numeric(case.parameters[name] for case in cases)]
    return next(iter([*texts, *varying]), "")


def _panel(spec: PlotSpec, curves: Sequence[_Curve], group: str, paints: Mapping[object, str]) -> Panel:
    first = curves[0]
    finite = np.concatenate([curve.y[np.isfinite(curve.y)] for curve in curves])
    scale = scale_for([float(finite.min()), float(finite.max())] if finite.size else [], first.unit)
    log_y = spec.y_scale == "log" and bool(finite.size) and bool(finite.min() > 0)
    thin = len(curves) > _MANY_CURVES
    colour_of = {
        curve.case.case_id: paints[axis_key(curve.case.parameters[group])] if group else "s0" for curve in curves
    }
    lines = [
        Mark(
            "line",
            curve.x.tolist(),
            (curve.y / scale.factor).tolist(),
            colour=colour_of[curve.case.case_id],
            cases=(curve.case.case_id,),
            thin=thin,
        )
        for curve in curves
    ]
    bands = _envelopes(curves, colour_of, scale.factor) if thin else []
    y_axis = PlotAxis(scale.label(first.label), "log" if log_y else "plain")
    return Panel(_x_axis(spec, curves), y_axis, [*bands, *lines])


def _envelopes(curves: Sequence[_Curve], colour_of: Mapping[int, str], factor: float) -> list[Mark]:
    """A band from the lowest to the highest curve of each colour, on the grid of the one with the most points.

    Only where every curve of the colour rises in x; the others are interpolated between their points.
    """
    colours_of: dict[str, list[_Curve]] = {}
    for curve in curves:
        colours_of.setdefault(colour_of[curve.case.case_id], []).append(curve)
    marks = []
    for colour, members in colours_of.items():
        if len(members) < 3 or any(not np.all(np.diff(curve.x) > 0) for curve in members):
            continue
        grid = max(members, key=lambda curve: len(curve.x)).x
        table = np.array([np.interp(grid, curve.x, curve.y, np.nan, np.nan) for curve in members]) / factor
        known = np.isfinite(table).any(axis=0)
        low, high = np.nanmin(table[:, known], axis=0), np.nanmax(table[:, known], axis=0)
        marks.append(Mark("band", grid[known].tolist(), low.tolist(), (), high.tolist(), colour))
    return marks


def _x_axis(spec: PlotSpec, curves: Sequence[_Curve]) -> PlotAxis:
    first = curves[0]
    low, high = (
        float(f(c))
        for f, c in ((np.nanmin, [np.nanmin(c.x) for c in curves]), (np.nanmax, [np.nanmax(c.x) for c in curves]))
    )
    logarithmic = (spec.x_scale == "log" or first.kind in ("ac", "noise")) and low > 0
    form, unit = ("log", first.x_unit) if logarithmic else ("engineering", unit_sign(first.x_unit))
    ends = (low, high) if low < high else (None, None)
    return PlotAxis(first.x_name, form, unit, low=ends[0], high=ends[1])


def _sentences(asked: int, listed: int, present: int) -> list[str]:
    sentences = [f"{count(present, 'case')}."]
    if listed < asked:
        sentences = [f"{present} of {asked:,} cases, evenly chosen."]
    if present < listed:
        sentences.append(f"{count(listed - present, 'case')} without waveforms.")
    return sentences
