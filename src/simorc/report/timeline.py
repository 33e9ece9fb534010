"""Pure: what a bench did when, from the events of a run: heading for a temperature, measuring at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from simorc.core.units import format_duration

Event = Mapping[str, Any]


class Doing(StrEnum):
    """What a bench does over a span of time."""

    SOAKING = "soaking"  # on the way to a temperature, and waiting there
    MEASURING = "measuring"  # at a temperature
    UNSETTLED = "unsettled"  # on the way to one that was never reached


@dataclass(frozen=True, slots=True)
class Span:
    """Bench time from `start_s` to `end_s`, the temperature in degC that it is about, and the cases seen in it."""

    doing: Doing
    temperature: float
    start_s: float
    end_s: float
    cases: tuple[int, ...] = ()

    @property
    def length_s(self) -> float:
        """How long it took."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class CaseSpan:
    """Bench time in which a case was measured, without the way to its temperature."""

    case_id: int
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Lane:
    """One opened bench, from its first event to its last.

    Parameters
    ----------
    marks: faults: time and words
    measured: the cases whose times are known, in their order
    """

    name: str
    spans: tuple[Span, ...]
    end_s: float
    marks: tuple[tuple[float, str], ...] = ()
    measured: tuple[CaseSpan, ...] = ()


def lanes(
    events: Sequence[Event], worker_of: Mapping[int, str], times: Mapping[int, tuple[float, float]] | None = None
) -> list[Lane]:
    """The benches of a run, in the order in which they were opened.

    Parameters
    ----------
    events: lines of events.jsonl
    worker_of: who ran a case; every worker has a bench of its own, whose time begins at 0
    times: begin and end of a case, s of bench time, as far as known
    """
    sessions = list(_sessions(events, worker_of))
    last = {worker: number for number, (worker, _) in enumerate(sessions)}
    found = []
    for number, (worker, session) in enumerate(sessions):
        lane = _lane(worker.partition(":")[0], session)
        own = {i: at for i, at in (times or {}).items() if last.get(worker_of.get(i, "")) == number}
        found.append(replace(lane, measured=tuple(_measured(lane, own))))
    return [lane for lane in found if lane.spans]


def said(lane: Lane) -> str:
    """The time line in one sentence.

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


def _measured(lane: Lane, times: Mapping[int, tuple[float, float]]) -> Iterator[CaseSpan]:
    """The cases by their begin, each without what of its time the bench did something else."""
    spans = [span for span in lane.spans if span.doing is Doing.MEASURING]
    for case_id, (start_s, end_s) in sorted(times.items(), key=lambda item: item[1]):
        span = next((span for span in spans if span.start_s < end_s <= span.end_s), None)
        if span is not None:
            yield CaseSpan(case_id, max(start_s, span.start_s), end_s)


def _sessions(events: Sequence[Event], worker_of: Mapping[int, str]) -> Iterator[tuple[str, list[Event]]]:
    """Worker and events of one opened bench each, as long as time does not go back.

    What belongs to no case, such as the safe state at the end, goes to the bench whose time comes nearest to it.
    """
    sessions: list[tuple[str, list[Event]]] = []
    current: dict[str, list[Event]] = {}
    for event in events:
        at, case = event.get("sim_time_s"), event.get("case")
        if not isinstance(at, (int, float)):
            continue
        if isinstance(case, int):
            worker = worker_of.get(case, "")
            if worker not in current or at < _last(current[worker]):
                current[worker] = []
                sessions.append((worker, current[worker]))
            current[worker].append(event)
        elif before := [session for session in current.values() if _last(session) <= at]:
            max(before, key=_last).append(event)
    yield from sessions


def _last(session: Sequence[Event]) -> float:
    return float(session[-1]["sim_time_s"])


def _lane(name: str, events: Sequence[Event]) -> Lane:
    spans: list[Span] = []
    marks = []
    for event in events:
        at, kind, data = float(event["sim_time_s"]), event.get("kind"), event.get("data") or {}
        spans[-1:] = [_until(spans[-1], at, event.get("case"))] if spans else []
        spans = _followed(spans, event, at)
        if kind in ("fault", "never settled"):
            marks.append((at, str(data.get("what") or kind)))
    return Lane(name, tuple(spans), float(events[-1]["sim_time_s"]), tuple(marks))


def _until(span: Span, at: float, case: object) -> Span:
    """A span that goes on until a time, in which a case was seen."""
    known = span.cases if not isinstance(case, int) or case in span.cases else (*span.cases, case)
    return replace(span, end_s=at, cases=known)


def _followed(spans: list[Span], event: Event, at: float) -> list[Span]:
    """The spans with the one that an event begins, or with another word for the last one."""
    temperature = (event.get("data") or {}).get("temperature")
    if not isinstance(temperature, (int, float)):
        return spans
    kind, case = event.get("kind"), event.get("case")
    begun = {"setpoint": Doing.SOAKING, "settled": Doing.MEASURING}.get(str(kind))
    if begun is not None:
        return [*spans, Span(begun, float(temperature), at, at, (case,) if isinstance(case, int) else ())]
    return [*spans[:-1], replace(spans[-1], doing=Doing.UNSETTLED)] if kind == "never settled" and spans else spans
