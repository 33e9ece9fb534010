"""Pure: the time line of a bench as a picture for the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from simorc.core.units import format_duration
from simorc.report.timeline import Doing, Lane

WIDTH, HEIGHT = 1160, 190
_LEFT, _RIGHT, _TOP, _BAR, _BOTTOM = 58, 22, 14, 10, 24
_FLOOR = HEIGHT - _BOTTOM - _BAR - 12
_STEPS_S = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
_MOST_TICKS = 12
_LEAST_GAP = 11


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where bench time, s, and temperature, degC, lie in the picture."""

    end_s: float
    low: float
    high: float

    def x(self, at: float) -> float:
        return round(_LEFT + at / self.end_s * (WIDTH - _LEFT - _RIGHT), 1)

    def y(self, temperature: float) -> float:
        return round(_FLOOR - (temperature - self.low) / (self.high - self.low) * (_FLOOR - _TOP), 1)


def timeline_svg(lane: Lane, ambient: float | None) -> str:
    """An SVG of the temperatures that a bench headed for, over bench time, above a bar that says what it did.

    The line slopes while the chamber moves and soaks; where it stands is where was measured. Colours are the page's.

    Parameters
    ----------
    ambient: where the chamber began, degC; None where that is not known
    """
    levels = sorted({span.temperature for span in lane.spans})
    low, high = (min(levels), max(levels)) if ambient is None else (min(ambient, *levels), max(ambient, *levels))
    scale = _Scale(lane.end_s or 1.0, low, high if high > low else low + 1)
    parts = [*_levels(scale, levels), *_ticks(scale), *_bars(scale, lane)]
    parts.append(f'<path class="course" d="{_course(scale, lane, ambient)}"/>')
    for at, text in lane.marks:
        parts.append(f'<path class="mark" d="M{scale.x(at)} {_TOP}V{_FLOOR}"><title>{escape(text)}</title></path>')
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(said(lane))}"'
    return f'<svg class="timeline" {box}>{"".join(parts)}</svg>'


def said(lane: Lane) -> str:
    """The time line in one sentence.

    >>> from simorc.report.timeline import Span
    >>> said(Lane("", (Span(Doing.SOAKING, -40.0, 0, 300), Span(Doing.MEASURING, -40.0, 300, 400)), 400.0))
    '6:40 of bench time: 1 temperature, 5:00 moving and soaking, 1:40 measuring'
    """
    count = len({span.temperature for span in lane.spans})
    parts = [f"{count} temperature{'' if count == 1 else 's'}"]
    for doing, words in (
        (Doing.SOAKING, "moving and soaking"),
        (Doing.MEASURING, "measuring"),
        (Doing.UNSETTLED, "waiting in vain"),
    ):
        length_s = sum(span.length_s for span in lane.spans if span.doing is doing)
        parts += [f"{format_duration(length_s)} {words}"] if length_s else []
    return f"{format_duration(lane.end_s)} of bench time: {', '.join(parts)}"


def _levels(scale: _Scale, levels: list[float]) -> Iterator[str]:
    """A line for every temperature, with its number where there is room."""
    last = float("inf")
    for level in levels:
        at = scale.y(level)
        yield f'<path class="grid" d="M{_LEFT} {at}H{WIDTH - _RIGHT}"/>'
        if last - at >= _LEAST_GAP:
            last = at
            yield f'<text x="{_LEFT - 8}" y="{at + 4}" text-anchor="end">{f"{level:g}".replace("-", "−")} °C</text>'


def _ticks(scale: _Scale) -> Iterator[str]:
    step = next((step for step in _STEPS_S if scale.end_s / step <= _MOST_TICKS), scale.end_s)
    for number in range(int(scale.end_s // step) + 1):
        at = number * step
        hours, minutes = divmod(round(at / 60), 60)
        yield f'<text x="{scale.x(at)}" y="{HEIGHT - 6}" text-anchor="middle">{hours}:{minutes:02} h</text>'


def _bars(scale: _Scale, lane: Lane) -> Iterator[str]:
    for span in lane.spans:
        left, right = scale.x(span.start_s), scale.x(span.end_s)
        place = f'x="{left}" y="{HEIGHT - _BOTTOM - _BAR}" width="{max(round(right - left, 1), 0.5)}" height="{_BAR}"'
        words = f"{span.doing}, {span.temperature:g} °C, {format_duration(span.length_s)}"
        yield f'<rect class="{span.doing}" {place}><title>{words}</title></rect>'


def _course(scale: _Scale, lane: Lane, ambient: float | None) -> str:
    first = lane.spans[0]
    points = [f"M{scale.x(first.start_s)} {scale.y(first.temperature if ambient is None else ambient)}"]
    points += [f"L{scale.x(span.end_s)} {scale.y(span.temperature)}" for span in lane.spans]
    return "".join(points)
