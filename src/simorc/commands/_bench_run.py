"""What `simorc run` has to do for a bench beside the cases: open it first, tell how long it takes, see it left safe."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simorc.core.bench import BenchSettings, FaultSettings
from simorc.core.bench_time import predict, temperature_order
from simorc.core.case import Case
from simorc.core.errors import SimorcError
from simorc.core.plan import Plan
from simorc.core.record import CaseRecord
from simorc.core.units import as_number, format_duration
from simorc.instruments.bench_lock import BenchLock
from simorc.instruments.rack import calibration_warnings, open_bench
from simorc.instruments.watchdog import make_safe
from simorc.virtual_lab.faults import expected_outcome
from simorc.virtual_lab.parameter_sets import parameter_set
from simorc.workspace.bench_state import read_bench_state, write_bench_state
from simorc.workspace.events import log_event, read_events
from simorc.workspace.layout import RunDirectory
from simorc.workspace.manifest import update_manifest

_CASE_S = 60.0
"""What the measuring of one case is taken to last before any has been measured; assumed."""
_WATCHDOG_S = 60.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was found out before the first case.

    Parameters
    ----------
    predicted_s: bench seconds that the due cases will take
    warnings: for the summary
    """

    predicted_s: float
    warnings: Sequence[str]


def prepare(directory: RunDirectory, plan: Plan, due: Sequence[Case], workers: int) -> Prepared:
    """Open the bench, bring it into its safe state, record its instruments, let go of it again.

    Parameters
    ----------
    workers: how many benches will share the temperatures

    Raises
    ------
    ToolMissingError: it is in use, out of reach, or not the one expected
    """
    settings = _settings(plan)
    bench = open_bench(settings, lambda kind, **data: log_event(directory, kind, **data))
    identities = bench.identities
    bench.close()
    write_bench_state(directory, "safe", "command", "before the first case")
    warnings = calibration_warnings(settings)
    update_manifest(directory, instruments=identities, parts=_parts(settings), bench=settings.name)
    predicted = _predicted(settings, due, workers)
    print(f"predicted: {format_duration(predicted)} of bench time for {len(due)} cases", file=sys.stderr)
    return Prepared(predicted, warnings)


def leave_safe(directory: RunDirectory, plan: Plan) -> Mapping[str, Any]:
    """See that the bench is safe once nobody uses it any more, and say by whom it was made so.

    A bench in this process's memory is gone with the worker that had it. Any other is waited for as long as a watchdog
    may be at it, and then made safe from here.
    """
    settings = _settings(plan)
    state = read_bench_state(directory)
    if settings.simulated is not None:
        left = "safe" if state is not None and state.state == "safe" else "gone with its process"
        return {"left": left, "by": state.by if state is not None else ""}
    try:
        BenchLock([i.resource for i in settings.instruments], wait_s=_WATCHDOG_S).close()
        state = read_bench_state(directory)
        if state is None or state.state != "safe":
            make_safe(directory, settings, "command", "nobody else had made it safe")
            state = read_bench_state(directory)
    except SimorcError as error:
        write_bench_state(directory, "unsafe", "command", error.what)
        return {"left": "unsafe", "by": "command", "reason": str(error)}
    assert state is not None
    return {"left": state.state, "by": state.by, "reason": state.reason}


def fault_remarks(plan: Plan, records: Iterable[CaseRecord]) -> list[str]:
    """Whether the faults of a simulated bench led to what they have to lead to, a line each."""
    simulated = _settings(plan).simulated
    if simulated is None:
        return []
    seen = {str(record.error_kind) for record in records if record.error_kind}
    return [_fault_remark(fault, expected_outcome(fault), seen) for fault in simulated.faults]


def _fault_remark(fault: FaultSettings, expected: str, seen: Collection[str]) -> str:
    what = f"fault {fault.fault} of {fault.instrument}"
    if expected in seen:
        return f"{what}: led to {expected}, as it has to"
    return f"{what}: did not lead to {expected}, but to {', '.join(sorted(seen)) or 'no failure'}"


def bench_seconds(directory: RunDirectory, since: str) -> float:
    """Bench time that an execution took: the longest of its workers' clocks, s."""
    times = [float(e["sim_time_s"]) for e in read_events(directory) if e.get("sim_time_s") and e["time"] >= since]
    return max(times, default=0.0)


def _settings(plan: Plan) -> BenchSettings:
    assert plan.bench is not None
    return plan.bench


def _predicted(settings: BenchSettings, due: Sequence[Case], workers: int) -> float:
    """Until the last of the benches has ended; they take temperatures in turn."""
    name = settings.settling.parameter
    values = [as_number(case.parameters[name]) for case in due if name in case.parameters]
    numbers = [value for value in values if value is not None]
    rank = temperature_order(numbers, settings.ambient)
    shares: list[list[float]] = [[] for _ in range(workers)]
    for number in sorted(numbers, key=rank.__getitem__):
        shares[rank[number] % workers].append(number)
    return max(predict(share, settings.ambient, settings.settling, _CASE_S).total_s for share in shares)


def _parts(settings: BenchSettings) -> list[dict[str, Any]]:
    """The simulated parts, with what is assumed about them."""
    if settings.simulated is None:
        return []
    described = []
    for name, part in settings.simulated.parts.items():
        numbers = parameter_set(part.set)
        described.append(
            {
                "name": name,
                "serial": part.serial,
                "model": part.model,
                "set": part.set,
                "title": numbers.title,
                "sources": dict(numbers.sources),
                "assumed": numbers.assumed,
            }
        )
    return described
