"""kill -9 and Ctrl-C at random moments of a run on a served lab: the bench is left safe, and nothing is done twice."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import bench_project
import pytest

pytestmark = pytest.mark.req("DVT-08", "DVT-11")
TARGETS = ("controller", "worker", "watchdog", "worker and watchdog", "ctrl-c")
PATTERNS = {
    "controller": "-m pytest",
    "worker": "exec(eval(sys.stdin.readline()))",
    "watchdog": "simorc.instruments.watchdog",
}


def simorc(folder: Path, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "simorc", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    assert done.returncode in codes, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def pids_below(root: int, pattern: str, run: Path) -> list[int]:
    """Processes that a command started; a watchdog is nobody's child, it is known by the run that it watches."""
    parents, lines = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                lines[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
    if "watchdog" in pattern:
        return [pid for pid, line in lines.items() if pattern in line and str(run) in line]
    level, below = [root], []
    while level:
        level = [pid for pid, parent in parents.items() if parent in level]
        below += level
    return [pid for pid in below if pattern in lines.get(pid, "")]


def wait_for_events(command: subprocess.Popen[str], run: Path, count: int) -> None:
    """Until so many events stand there: the bench is open by then, whatever the machine's load."""
    events, deadline = run / "events.jsonl", time.monotonic() + 100
    while command.poll() is None and (not events.exists() or events.read_bytes().count(b"\n") < count):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def strike(command: subprocess.Popen[str], run: Path, target: str, rng: random.Random) -> bool:
    """Kill at a random moment; False when the run was over before."""
    wait_for_events(command, run, 12)
    time.sleep(rng.uniform(0.0, 2.0))
    if command.poll() is not None:
        return False
    if target == "ctrl-c":
        command.send_signal(signal.SIGINT)
        if rng.random() < 0.5:
            time.sleep(0.2)
            command.send_signal(signal.SIGINT)
        return True
    pids = [pid for name in target.split(" and ") for pid in pids_below(command.pid, PATTERNS[name], run)]
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return bool(pids)


def assert_safe(resources: dict[str, dict[str, str]], run: Path) -> None:
    """Asked by connections of our own, and by the run's record."""
    assert bench_project.ask(resources, "psu", "OUTP? (@1:3)") == "0,0,0"
    assert bench_project.ask(resources, "load", "INP?") == "INP 0"
    assert float(bench_project.ask(resources, "chamber", "SETP?")) == 23.0
    assert json.loads((run / ".status" / "bench.json").read_text())["state"] == "safe"
    assert json.loads((run / "run.json").read_text())["executions"][-1]["bench"]["left"] == "safe"


def values(run: Path) -> dict[str, dict[str, str]]:
    with (run / "results.csv").open() as file:
        return {row["case_id"]: row for row in csv.DictReader(file)}


def assert_same_results(run: Path, reference: dict[str, dict[str, str]]) -> None:
    found = values(run)
    assert found.keys() == reference.keys()
    for case_id, row in found.items():
        assert row["status"] == "completed"
        for name in ("vout", "iq", "load_reg"):
            bound = float(row[f"{name}_uncertainty"])
            assert float(row[name]) == pytest.approx(float(reference[case_id][name]), abs=bound), (case_id, name)


def one_round(folder: Path, resources: dict[str, Any], reference: dict[str, Any], target: str, seed: int) -> bool:
    name = f"{target.replace(' ', '_')}-{seed}"
    simorc(folder, "build", "small", "--bench", "served", "--run-id", name)
    run = folder / "simulations" / name
    command = subprocess.Popen(
        [sys.executable, "-m", "simorc", "run", name],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    hit = strike(command, run, target, random.Random(seed))
    said = command.communicate(timeout=120)
    assert command.returncode in (0, 1, 2, 130), said
    assert_safe(resources, run)
    done = {p.name: p.read_bytes() for p in (run / ".status").glob("case_*.json") if b'"completed"' in p.read_bytes()}

    soaks = (run / "events.jsonl").read_text().count('"kind": "settled"')
    simorc(folder, "run", name, "--lost", "rerun")

    assert_same_results(run, reference)
    assert_safe(resources, run)
    after = {name: (run / ".status" / name).read_bytes() for name in done}
    assert after == done, "a completed case was measured again"
    if len(done) < len(reference):
        assert (run / "events.jsonl").read_text().count('"kind": "settled"') > soaks, "it resumed without soaking"
    return hit


@pytest.fixture(scope="module")
def served(tmp_path_factory):  # type: ignore[no-untyped-def]
    """A project whose bench is served by another process, and what an undisturbed run on it gives."""
    folder = tmp_path_factory.mktemp("served") / "project"
    bench_project.write_project(folder)
    with bench_project.bench_serve(folder) as resources:
        simorc(folder, "build", "small", "--bench", "served", "--run-id", "undisturbed")
        simorc(folder, "run", "undisturbed")
        yield folder, resources, values(folder / "simulations" / "undisturbed")


@pytest.mark.parametrize("target", TARGETS)
def test_killed_at_a_random_moment_the_bench_is_left_safe(served, target) -> None:  # type: ignore[no-untyped-def]
    hits = sum(one_round(*served, target, seed) for seed in range(3))
    assert hits, "every round was over before anything was killed"


def test_when_the_command_is_killed_the_watchdog_makes_the_bench_safe(served) -> None:  # type: ignore[no-untyped-def]
    folder, resources, reference = served
    simorc(folder, "build", "small", "--bench", "served", "--run-id", "command")
    run = folder / "simulations" / "command"
    command = subprocess.Popen(
        [sys.executable, "-m", "simorc", "run", "command"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for_events(command, run, 12)  # type: ignore[arg-type]
    command.kill()
    command.wait()
    deadline = time.monotonic() + 60
    while bench_state(run) != ("safe", "watchdog"):
        assert time.monotonic() < deadline, bench_state(run)
        time.sleep(0.05)
    assert bench_project.ask(resources, "psu", "OUTP? (@1:3)") == "0,0,0"
    assert float(bench_project.ask(resources, "chamber", "SETP?")) == 23.0
    simorc(folder, "run", "command", "--lost", "rerun")
    assert_same_results(run, reference)


def bench_state(run: Path) -> tuple[str, str]:
    state = json.loads((run / ".status" / "bench.json").read_text())
    return state["state"], state["by"]


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_killed_often_the_bench_is_left_safe(served, target) -> None:  # type: ignore[no-untyped-def]
    hits = sum(one_round(*served, target, seed) for seed in range(3, 23))
    assert hits >= 10
