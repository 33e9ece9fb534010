"""Pure: small SVG curves of a case's waveforms, for the rows of pytest-html."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import numpy as np

from simorc.core.case import Case
from simorc.core.errors import SimorcError
from simorc.core.plan import PlotSpec
from simorc.core.transforms import Reals, transformed, transformed_name
from simorc.core.waveforms import Waveforms

_WIDTH, _HEIGHT, _POINTS = 240, 80, 240


def sparklines(specs: Sequence[PlotSpec], waves_of: Callable[[Case], Waveforms], case: Case) -> list[str]:
    """One SVG for every vector of every waveform plot spec that this case has; none where nothing was kept."""
    wanted = [(spec, name) for spec in specs if spec.kind == "waveform" for name in spec.y]
    if not wanted:
        return []
    try:
        waves = waves_of(case)
    except (SimorcError, OSError):
        return []
    return [svg for spec, name in wanted if (svg := _one(spec, name, waves))]


def _one(spec: PlotSpec, name: str, waves: Waveforms) -> str:
    plots = [p for p in waves if name in p and (not spec.analysis or p.kind == spec.analysis)]
    if not plots:
        return ""
    plot = plots[-1]
    x = np.real(plot[spec.x] if spec.x else plot.x)
    y, unit = transformed(plot[name], spec.transform, plot.unit(name))
    if spec.x_scale == "log":
        positive = x > 0
        x, y = np.log10(x[positive]), y[positive]
    finite = np.isfinite(x) & np.isfinite(y)
    return _svg(x[finite], y[finite], transformed_name(plot[name], spec.transform, name), unit)


def _svg(x: Reals, y: Reals, title: str, unit: str) -> str:
    if len(x) < 2:
        return ""
    step = max(1, len(x) // _POINTS)
    points = " ".join(
        f"{a:.1f},{b:.1f}" for a, b in zip(_fit(x[::step], _WIDTH), _HEIGHT - _fit(y[::step], _HEIGHT), strict=True)
    )
    text = f"{y.min():.4g} … {y.max():.4g} {unit}".strip()
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT + 16}" role="img" aria-label="{escape(title)}">'
        f'<polyline points="{points}" fill="none" stroke="#2563a8" stroke-width="1.5"/>'
        f'<text x="0" y="{_HEIGHT + 13}" font-size="11" font-family="sans-serif">'
        f"{escape(title)}: {escape(text)}</text></svg>"
    )


def _fit(values: Reals, size: int) -> Reals:
    low, high = float(values.min()), float(values.max())
    span = high - low
    return np.full(len(values), size / 2) if span == 0 else (values - low) / span * (size - 4) + 2
