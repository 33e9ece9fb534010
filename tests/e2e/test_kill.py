"""kill -9 at random moments: nothing that is recorded is lost or done again."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.ngspice, pytest.mark.req("SIM-13", "SIM-14", "SIM-15")]
TARGETS = ("command", "concluder", "controller", "worker", "ngspice")


def processes() -> dict[int, tuple[int, str, str]]:
    """Every process: pid -> (parent, command line, environment)."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environment = (entry / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        found[int(entry.name)] = (parent, command, environment)
    return found


def below(parents: list[int], everything: dict[int, tuple[int, str, str]]) -> dict[int, str]:
    """The children of some processes, with their command lines."""
    return {pid: command for pid, (parent, command, _) in everything.items() if parent in parents}


def victim(command: subprocess.Popen[str], target: str, rng: random.Random) -> int | None:
    """The process to kill, or None when there is none of that kind right now."""
    if target == "command":
        return command.pid
    everything = processes()
    generations = [below([command.pid], everything)]
    concluder = min(generations[0], default=0)  # the first process that the command starts
    generations[0].pop(concluder, None)
    if target == "concluder":
        return concluder or None
    for _ in range(2):
        generations.append(below(list(generations[-1]), everything))
    if target == "ngspice":
        fitting = [pid for found in generations for pid, line in found.items() if "ngspice -" in line]
    else:
        found = generations[("controller", "worker").index(target)]
        fitting = [pid for pid, line in found.items() if "ngspice" not in line]
    return rng.choice(sorted(fitting)) if fitting else None


def completed_files(run: Path) -> dict[str, bytes]:
    """The status files of completed cases, byte for byte."""
    files = {}
    for path in (run / ".status").glob("case_*.json"):
        content = path.read_bytes()  # empty where the kill came between making and filling it
        if content and json.loads(content)["status"] == "completed":
            files[path.name] = content
    return files


def left_over(run: Path) -> list[str]:
    """Simulators that still run for a run directory."""
    return [line for _, line, environment in processes().values() if f"SIMORC_RUN={run}" in environment]


def kill_once(run: Path, command: subprocess.Popen[str], target: str, rng: random.Random) -> bool:
    """Kill a process of one kind at a random moment; False when the run was over before."""
    recorded = rng.randrange(-40, 150)  # so many of 200 cases; while it starts
    deadline = time.monotonic() + 20
    if recorded < 0:
        time.sleep(rng.uniform(0.0, 0.5))
    while recorded > 0 and command.poll() is None and time.monotonic() < deadline:
        recorded = 0 if sum(1 for _ in (run / ".status").glob("case_*.json")) >= recorded else recorded
        time.sleep(0.002)
    while command.poll() is None and time.monotonic() < deadline:
        pid = victim(command, target, rng)
        if pid is not None:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            return True
        time.sleep(0.002)
    return False


def one_round(project, target: str, seed: int) -> bool:  # type: ignore[no-untyped-def]
    rng = random.Random(seed)
    run = project.build("big", "--run-id", f"{target}-{seed}")
    command = project.start("run", str(run), "-n", "2", "--no-cache")
    hit = kill_once(run, command, target, rng)
    command.communicate(timeout=120)
    before = completed_files(run)

    project.simorc("run", str(run), "-n", "2", "--no-cache")

    after = completed_files(run)
    assert len(after) == 200
    assert {name: after[name] for name in before} == before, "a completed case was recorded again"
    twice = {path.name.split(".")[0] for path in (run / ".status" / "history").glob("*")}
    assert not twice & {name.removesuffix(".json") for name in before}, "a completed case was started again"
    with (run / "metadata.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["case_id"]) for row in rows] == list(range(200))
    assert {row["status"] for row in rows} == {"completed"}
    with (run / "results.csv").open() as file:
        for row in csv.DictReader(file):
            assert float(row["vout"]) == pytest.approx(float(row["vin"]) / 3, rel=1e-5)
    assert left_over(run) == []
    return hit


@pytest.fixture
def big(project):  # type: ignore[no-untyped-def]
    """The divider with 200 cases."""
    project.write("sim_setup.yaml", "testbenches: {divider: ./tb}\nsweeps: {big: ./big.yaml}\n")
    project.write("big.yaml", "testbench: divider\nparameters: {r1: [2k], vin: {start: 0.1, stop: 20.0, num: 200}}\n")
    return project


@pytest.mark.parametrize("target", TARGETS)
def test_killed_at_a_random_moment(big, target) -> None:  # type: ignore[no-untyped-def]
    hits = sum(one_round(big, target, seed) for seed in range(3))
    assert hits, "every round was over before anything was killed"


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_killed_at_a_random_moment_often(big, target) -> None:  # type: ignore[no-untyped-def]
    hits = sum(one_round(big, target, seed) for seed in range(3, 23))
    assert hits >= 10
