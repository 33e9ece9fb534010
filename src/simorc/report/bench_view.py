"""Pure: what the page says of a bench: facts, instruments, simulated parts, and how long it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from simorc.core.bench import BenchSettings
from simorc.core.units import format_duration
from simorc.report.data import ReportData
from simorc.workspace.clock import parse_utc

_TEXTS = ("driver", "resource", "idn", "serial", "firmware", "calibrated", "calibration_due")


@dataclass(frozen=True, slots=True)
class InstrumentRow:
    """One instrument; a text is empty where nothing is known. `overdue`: its calibration had run out when measuring."""

    name: str
    driver: str
    resource: str
    idn: str
    serial: str
    firmware: str
    calibrated: str
    calibration_due: str
    overdue: bool


@dataclass(frozen=True, slots=True)
class PartRow:
    """One simulated DUT: its model and parameter set, the sources of its numbers, and those that have none."""

    name: str
    model: str
    set: str
    title: str
    serial: str
    sources: tuple[tuple[str, str], ...]
    assumed: tuple[str, ...]


def instruments(data: ReportData) -> list[InstrumentRow]:
    """The instruments as run.json has them; those of the plan where the bench was never opened."""
    day = _day(data)
    listed = data.manifest.get("instruments")
    entries = [entry for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []
    return [_instrument(entry, day) for entry in entries or _planned(data.plan.bench)]


def overdue(data: ReportData) -> list[str]:
    """A sentence for each instrument whose calibration had run out when it was used."""
    return [
        f"The calibration of {row.name} was due on {row.calibration_due}, before this run."
        for row in instruments(data)
        if row.overdue
    ]


def parts(data: ReportData) -> list[PartRow]:
    """The simulated DUTs; none on a real bench."""
    listed = data.manifest.get("parts")
    return [_part(entry) for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []


def facts(data: ReportData) -> list[tuple[str, str]]:
    """Name and value of what is worth knowing of the bench as a whole."""
    bench, listed = data.plan.bench, data.manifest.get("executions")
    if bench is None:
        return []
    executions = [e for e in listed if isinstance(e, Mapping)] if isinstance(listed, list) else []
    rows = [
        ("bench", bench.name),
        ("kind", _kind(bench)),
        ("DUT", ", ".join(dict.fromkeys(str(e["dut"]) for e in executions if e.get("dut")))),
        ("settled", _settled(bench)),
        ("limits", _limits(bench)),
        ("bench time", _duration(executions)),
        (
            "left",
            "; ".join(dict.fromkeys(_left(e["bench"]) for e in executions if isinstance(e.get("bench"), Mapping))),
        ),
    ]
    return [(name, value) for name, value in rows if value]


def _instrument(entry: Mapping[str, Any], day: date | None) -> InstrumentRow:
    texts = {key: str(entry.get(key) or "") for key in ("name", *_TEXTS)}
    due = _date(texts["calibration_due"])
    return InstrumentRow(**texts, overdue=bool(day and due and due < day))


def _planned(bench: BenchSettings | None) -> list[Mapping[str, Any]]:
    keys = ("name", "driver", "resource", "calibrated", "calibration_due")
    return [{key: getattr(i, key) for key in keys} for i in bench.instruments] if bench else []


def _part(entry: Mapping[str, Any]) -> PartRow:
    texts = {key: str(entry.get(key) or "") for key in ("name", "model", "set", "title", "serial")}
    sources, assumed = entry.get("sources"), entry.get("assumed")
    return PartRow(
        **texts,
        sources=tuple((str(k), str(v)) for k, v in sources.items()) if isinstance(sources, Mapping) else (),
        assumed=tuple(map(str, assumed)) if isinstance(assumed, list) else (),
    )


def _kind(bench: BenchSettings) -> str:
    lab = bench.simulated
    if lab is None:
        return "real equipment" if bench.real else "instruments behind VISA, outputs off"
    clock = f"{lab.clock}, {lab.rate:g} times as fast" if lab.clock == "rate" else lab.clock
    return f"simulated: clock {clock}, room {lab.ambient:g} °C, seed {lab.seed}, noise {'on' if lab.noise else 'off'}"


def _settled(bench: BenchSettings) -> str:
    rule = bench.settling
    drift = f"readings drift by less than {rule.resolution * 1e6:g} ppm in {rule.interval_s:g} s"
    return f"{rule.parameter} within {rule.window:g} K for {rule.soak_s:g} s, and {drift}"


def _limits(bench: BenchSettings) -> str:
    limits = bench.limits
    named = (
        (limits.voltage, "{:g} V"),
        (limits.current, "{:g} A"),
        (limits.power, "{:g} W"),
        (limits.chamber_min, "chamber at least {:g} °C"),
        (limits.chamber_max, "at most {:g} °C"),
        (limits.tj, "junction {:g} °C"),
    )
    return ", ".join(text.format(value) for value, text in named if value is not None)


def _duration(executions: Sequence[Mapping[str, Any]]) -> str:
    """Bench time that passed and that was predicted, summed over the executions that say both."""
    told = [e["bench"] for e in executions if isinstance(e.get("bench"), Mapping)]
    both = [
        (b["bench_s"], b["predicted_s"]) for b in told if _number(b.get("bench_s")) and _number(b.get("predicted_s"))
    ]
    if not both:
        return ""
    actual, predicted = (sum(column) for column in zip(*both, strict=True))
    apart = f" ({100 * (actual / predicted - 1):+.0f} %)" if predicted else ""
    return f"{format_duration(actual)}, predicted {format_duration(predicted)}{apart}"


def _left(bench: Mapping[str, Any]) -> str:
    """How an execution left the bench: `safe, by the worker`."""
    by = f", by the {bench['by']}" if bench.get("by") else ""
    reason = f" ({bench['reason']})" if bench.get("reason") else ""
    return f"{bench.get('left') or 'unknown'}{by}{reason}"


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _day(data: ReportData) -> date | None:
    """The day on which was measured last, else that of the build."""
    finished = max((r.finished for r in data.records.values() if r.finished), default="")
    time = parse_utc(finished) or parse_utc(data.manifest.get("created"))
    return time.date() if time else None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
