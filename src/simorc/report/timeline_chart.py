"""Pure: the time line of a bench as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from simorc.core.units import format_duration
from simorc.report.chart import Chart, Legend, Mark, Panel, PlotAxis, parameter_scale
from simorc.report.timeline import Doing, Lane, Span, said

_COLOURS = {Doing.SOAKING: "s1", Doing.MEASURING: "s2", Doing.UNSETTLED: "fail"}
_WORDS = {
    Doing.SOAKING: "moving and soaking",
    Doing.MEASURING: "measuring",
    Doing.UNSETTLED: "never settled",
}
_FAULT = "fault"
_UNITS = ((10_800.0, 3600.0, "h"), (180.0, 60.0, "min"))
"""From so many seconds on, seconds of the unit, its name."""


def timeline_chart(lane: Lane, ambient: float | None) -> Chart:
    """The temperatures that a bench headed for, over bench time, above bars that say what it did: case by case.

    The line slopes while the chamber moves and soaks; where it stands is where was measured.

    Parameters
    ----------
    ambient: where the chamber began, degC; None where that is not known
    """
    unit_s, unit = next(((s, name) for least, s, name in _UNITS if lane.end_s >= least), (1.0, "s"))
    levels = sorted({span.temperature for span in lane.spans})
    reached = levels if ambient is None else [*levels, ambient]
    low, high = min(reached), max(reached)
    room = (high - low) or 1.0
    axis, _ = parameter_scale("temperature [°C]", [int(level) if level.is_integer() else level for level in levels])
    y = replace(axis, low=low - 0.4 * room, high=high + 0.12 * room)
    end = (lane.end_s or 1.0) / unit_s
    x = PlotAxis(f"bench time [{unit}]", low=-0.01 * end, high=1.01 * end)
    feet = (low - 0.32 * room, low - 0.16 * room)
    marks = [*_bars(lane, unit_s, feet), _course(lane, ambient, unit_s), *_faults(lane, unit_s)]
    return Chart([Panel(x, y, marks)], f"{said(lane)}.", _legend(lane), wide=True)


def _bars(lane: Lane, unit_s: float, feet: tuple[float, float]) -> list[Mark]:
    """A bar a span, and over the spans that measure one a case."""
    made = []
    for doing in Doing:
        spans = [span for span in lane.spans if span.doing is doing]
        cases = lane.measured if doing is Doing.MEASURING else ()
        texts = [f"{_WORDS[doing]}, {_at(span)}" for span in spans]
        made.append(_bar([(s.start_s, s.end_s) for s in spans], unit_s, feet, _COLOURS[doing], texts))
        made.append(
            _bar(
                [(case.start_s, case.end_s) for case in cases],
                unit_s,
                feet,
                _COLOURS[doing],
                [_took(case.start_s, case.end_s) for case in cases],
                [case.case_id for case in cases],
            )
        )
    return [mark for mark in made if mark.x]


def _bar(
    ends: Sequence[tuple[float, float]],
    unit_s: float,
    feet: tuple[float, float],
    colour: str,
    texts: Sequence[str],
    cases: Sequence[int] = (),
) -> Mark:
    left, right = [start / unit_s for start, _ in ends], [end / unit_s for _, end in ends]
    low, high = ([foot] * len(ends) for foot in feet)
    return Mark("bars", left, low, right, high, colour, cases=cases, texts=texts)


def _course(lane: Lane, ambient: float | None, unit_s: float) -> Mark:
    first = lane.spans[0]
    begin = first.temperature if ambient is None else ambient
    points = [(first.start_s, begin), *((span.end_s, span.temperature) for span in lane.spans)]
    texts = [f"{_degrees(temperature)} at {format_duration(at)}" for at, temperature in points]
    return Mark("line", [at / unit_s for at, _ in points], [temperature for _, temperature in points], texts=texts)


def _faults(lane: Lane, unit_s: float) -> list[Mark]:
    if not lane.marks:
        return []
    heights = [_span_at(lane, at).temperature for at, _ in lane.marks]
    texts = [f"{text}, at {format_duration(at)}" for at, text in lane.marks]
    return [Mark("rings", [at / unit_s for at, _ in lane.marks], heights, colour="limit", texts=texts)]


def _span_at(lane: Lane, at: float) -> Span:
    return next((span for span in lane.spans if span.start_s <= at <= span.end_s), lane.spans[0])


def _legend(lane: Lane) -> Legend:
    seen = [doing for doing in Doing if any(span.doing is doing for span in lane.spans)]
    names, colours = [_WORDS[doing] for doing in seen], [_COLOURS[doing] for doing in seen]
    return Legend("bench", [*names, _FAULT], [*colours, "limit"]) if lane.marks else Legend("bench", names, colours)


def _at(span: Span) -> str:
    return f"{_degrees(span.temperature)}: {_took(span.start_s, span.end_s)}"


def _took(start_s: float, end_s: float) -> str:
    return f"{format_duration(end_s - start_s)} from {format_duration(start_s)}"


def _degrees(temperature: float) -> str:
    return f"{temperature:g} °C".replace("-", "−")
