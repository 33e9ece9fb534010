"""Waveforms of many cases, one over the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from simorc.core.case import Case
from simorc.core.errors import SimorcError, UsageError
from simorc.core.plan import PlotSpec
from simorc.core.units import Value
from simorc.core.waveforms import Plot, Reals, Waveforms, transformed, transformed_name
from simorc.core.wording import suggestion
from simorc.report.case_table import selection
from simorc.report.data import ReportData
from simorc.report.display import axis_key, axis_values, count, is_numeric, scale_for, unit_sign
from simorc.report.plot_limits import join
from simorc.report.plot_style import Theme, colours, legend, log_axis, new_figure, value_axis
from simorc.report.points import chosen_cases

MOST_CASES = 200
"""Of more cases than this an even selection is drawn."""


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


def draw_waveform(spec: PlotSpec, data: ReportData, theme: Theme) -> tuple[Figure, str]:
    """The figure and its caption; a panel for each vector, a line for each case, coloured by one parameter.

    Raises
    ------
    UsageError: no case has waveforms, or none has the vector
    """
    cases = chosen_cases(data, spec.where)
    listed = selection(cases, MOST_CASES)
    waves = {case.case_id: waveforms for case in listed if (waveforms := _read(data, case)) is not None}
    if not waves:
        raise UsageError("no case has waveforms", hint="none has run yet, or `simulator.keep` did not keep them")
    panels = [_curves(spec, name, listed, waves) for name in spec.y]
    group = _group(spec, data, listed)
    values = axis_values(case.parameters[group] for case in listed) if group else []
    paints = {axis_key(v): colour for v, colour in zip(values, colours(values, theme), strict=True)}
    figure, axes = new_figure(theme, len(panels))
    for ax, curves in zip(axes, panels, strict=True):
        _panel(ax, spec, curves, lambda case: _paint(case, group, paints, theme))
    for ax in axes[:-1]:
        ax.set_xlabel("")
    if group:
        legend(figure, theme, group, values, list(paints.values()))
    return figure, join(_sentences(len(cases), len(listed), len(waves)))


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


def _paint(case: Case, group: str, paints: Mapping[object, str], theme: Theme) -> str:
    value: Value = case.parameters[group] if group else ""
    return paints[axis_key(value)] if group else theme.series[0]


def _panel(ax: Axes, spec: PlotSpec, curves: Sequence[_Curve], paint: Callable[[Case], str]) -> None:
    first = curves[0]
    finite = np.concatenate([curve.y[np.isfinite(curve.y)] for curve in curves])
    scale = scale_for([float(finite.min()), float(finite.max())] if finite.size else [], first.unit)
    thin = len(curves) > 12
    for curve in curves:
        ax.plot(
            curve.x,
            curve.y / scale.factor,
            color=paint(curve.case),
            linewidth=0.9 if thin else 1.5,
            alpha=0.75 if thin else 0.95,
        )
    value_axis(ax, first.label, scale)
    _x_axis(ax, spec, curves)
    if spec.y_scale == "log" and finite.size and finite.min() > 0:
        log_axis(ax, "y")


def _x_axis(ax: Axes, spec: PlotSpec, curves: Sequence[_Curve]) -> None:
    first = curves[0]
    unit = unit_sign(first.x_unit)
    positive = all(np.nanmin(curve.x) > 0 for curve in curves)
    if (spec.x_scale == "log" or first.kind in ("ac", "noise")) and positive:
        log_axis(ax, "x", first.x_unit)
        ax.set_xlabel(first.x_name)
    else:
        ax.xaxis.set_major_formatter(EngFormatter(unit=unit))
        ax.set_xlabel(first.x_name)
    ends = [float(np.nanmin(c.x)) for c in curves], [float(np.nanmax(c.x)) for c in curves]
    if min(ends[0]) < max(ends[1]):
        ax.set_xlim(min(ends[0]), max(ends[1]))


def _sentences(asked: int, listed: int, present: int) -> list[str]:
    sentences = [f"{count(present, 'case')}."]
    if listed < asked:
        sentences = [f"{present} of {asked:,} cases, evenly chosen."]
    if present < listed:
        sentences.append(f"{count(listed - present, 'case')} without waveforms.")
    return sentences
