"""Pure: numbers drawn small, a line of a table as a picture: a range within its limits, differences around zero."""

from __future__ import annotations

from collections.abc import Sequence

from simorc.core.spec import Spec

WIDTH, HEIGHT = 148, 22
_MIDDLE = HEIGHT / 2
_PAD = 0.12


def strip(low: float | None, median: float | None, high: float | None, spec: Spec) -> str:
    """An SVG of the range from `low` to `high` on the window that `spec` allows; empty where nothing was measured.

    What lies outside the window is drawn in the colour of a failure, the window's ends as ticks. The numbers stand
    beside it in the table, so it is hidden from screen readers.
    """
    if low is None or median is None or high is None:
        return ""
    known = [low, high, *(limit for limit in (spec.min, spec.max) if limit is not None)]
    start, end = min(known), max(known)
    span = (end - start) or abs(end) or 1.0
    # An open side of the window gets more room than a closed one.
    first = start - span * (_PAD if spec.min is not None else 2 * _PAD)
    last = end + span * (_PAD if spec.max is not None else 2 * _PAD)

    def x(value: float) -> float:
        return round((value - first) / (last - first) * WIDTH, 1)

    parts = [f'<path class="rail" d="M0 {_MIDDLE}H{WIDTH}"/>']
    if spec.has_limits:
        left = x(spec.min) if spec.min is not None else 0.0
        right = x(spec.max) if spec.max is not None else float(WIDTH)
        parts.append(f'<rect class="window" x="{left}" y="3" width="{round(right - left, 1)}" height="{HEIGHT - 6}"/>')
        ends = [x(limit) for limit in (spec.min, spec.max) if limit is not None]
        parts += [f'<path class="end" d="M{at} 2V{HEIGHT - 2}"/>' for at in ends]
    parts += _bars(x(low), x(high), spec, x(spec.min or 0.0), x(spec.max or 0.0))
    parts.append(f'<circle class="middle" cx="{x(median)}" cy="{_MIDDLE}" r="2.6"/>')
    return _picture(parts)


def dots(values: Sequence[float]) -> str:
    """An SVG of differences, a dot each, around a tick at zero; empty where there are none.

    Dots that would fall on each other are drawn once. It is hidden from screen readers, as the numbers stand beside it.
    """
    if not values:
        return ""
    reach = max(abs(value) for value in values) or 1.0
    places = {round(WIDTH / 2 + value / reach * (WIDTH / 2 - 5), 1) for value in values}
    parts = [f'<path class="rail" d="M0 {_MIDDLE}H{WIDTH}"/>', f'<path class="end" d="M{WIDTH / 2} 2V{HEIGHT - 2}"/>']
    parts += [f'<circle class="dot" cx="{place}" cy="{_MIDDLE}" r="2.6"/>' for place in sorted(places)]
    return _picture(parts)


def _picture(parts: Sequence[str]) -> str:
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    return f'<svg class="strip" {box} aria-hidden="true">{"".join(parts)}</svg>'


def _bars(low: float, high: float, spec: Spec, left: float, right: float) -> list[str]:
    parts = [_bar("range", low, high)]
    if spec.min is not None and low < left:
        parts.append(_bar("beyond", low, min(high, left)))
    if spec.max is not None and high > right:
        parts.append(_bar("beyond", max(low, right), high))
    return parts


def _bar(kind: str, start: float, end: float) -> str:
    width = max(end - start, 3.0)
    return f'<rect class="{kind}" x="{round(start, 1)}" y="{_MIDDLE - 3}" width="{round(width, 1)}" height="6" rx="2"/>'
