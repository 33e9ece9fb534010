"""Bench time of pvt_tempco in the executive's order, against its lower bound and against row order.

    python benchmarks/bench_time.py [ROUNDS]

Every order runs the real procedure through drivers, guarded transports and the virtual lab in this process.
The lower bound takes the shortest way of the chamber through all temperatures at its full rates, each soaked once, and
the cases' own measuring time as it was in the executive's order.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from simorc.config.project import load_project
from simorc.config.resolve import make_plan
from simorc.core.bench import BenchSettings
from simorc.core.bench_time import temperature_order
from simorc.core.case import Case
from simorc.core.units import as_number
from simorc.instruments.rack import open_bench
from simorc.virtual_lab.chamber import ChamberPhysics
from simorc.workspace.user_code import load_module

ROOT = Path(__file__).resolve().parents[1]


def temperature(case: Case) -> float:
    """degC that a case asks for."""
    number = as_number(case.parameters["temp"])
    assert number is not None
    return number


def run(settings: BenchSettings, procedure: Any, cases: Sequence[Case]) -> dict[str, float]:
    """Carry out cases: bench time, the part of it spent on temperatures, how many soaks; and wall time, all in s."""
    soaks: list[float] = []

    def note(kind: str, **data: Any) -> None:
        if kind == "settled":
            soaks.append(data["took_s"])

    wall = time.perf_counter()
    bench = open_bench(settings, note)
    for case in cases:
        bench.begin_case(case.case_id)
        procedure.measure(bench, case)
    end = bench.clock.now()
    bench.make_safe()
    bench.close()
    return {"bench": end, "chamber": sum(soaks), "soaks": len(soaks), "wall": time.perf_counter() - wall}


def bound(settings: BenchSettings, cases: Sequence[Case], measuring: float) -> float:
    """The lower bound in bench seconds."""
    assert settings.simulated is not None
    physics, here, total = ChamberPhysics(), settings.simulated.ambient, measuring
    values = {temperature(case) for case in cases}
    rank = temperature_order(values, here)
    for target in sorted(values, key=rank.__getitem__):
        total += abs(target - here) / (physics.heating if target > here else physics.cooling) + settings.settling.soak_s
        here = target
    return total


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    plan = make_plan(load_project(ROOT / "sim_setup.yaml"), "pvt_tempco", "bench")
    assert plan.bench is not None
    assert plan.bench.simulated is not None
    procedure = load_module(ROOT / "testbenches" / "tempco", "procedure.py")
    cases = list(plan.sweep.cases())
    rank = temperature_order({temperature(case) for case in cases}, plan.bench.simulated.ambient)
    ordered = sorted(cases, key=lambda case: (rank[temperature(case)], case.case_id))
    print("seed  ordered s  bound s  ratio  soaks  row order s  times  soaks  wall s  wall a case ms")
    for seed in range(1, rounds + 1):
        settings = replace(plan.bench, simulated=replace(plan.bench.simulated, seed=seed))
        ours, naive = run(settings, procedure, ordered), run(settings, procedure, cases)
        least = bound(settings, cases, ours["bench"] - ours["chamber"])
        print(
            f"{seed:4} {ours['bench']:10.0f} {least:8.0f} {ours['bench'] / least:6.3f} {ours['soaks']:6.0f}"
            f" {naive['bench']:12.0f} {naive['bench'] / ours['bench']:6.2f} {naive['soaks']:6.0f}"
            f" {ours['wall']:7.2f} {1e3 * ours['wall'] / len(cases):11.1f}"
        )


if __name__ == "__main__":
    main()
