"""Results are used again: the same numbers without a simulation, and never where something has changed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simorc.workspace.layout import RunDirectory
from simorc.workspace.status_store import read_records

if TYPE_CHECKING:
    from tests.e2e.conftest import Project

pytestmark = pytest.mark.ngspice
INCLUDED = """* divider with a model file
.include "{{ env.MODELS }}/parts.inc"
v1 in 0 {{ parameters.vin }}
x1 in out divider r={{ parameters.r1 }}
.op
.dc v1 0 {{ parameters.vin }} {{ parameters.vin }}
.meas dc vout find v(out) at={{ parameters.vin }}
.end
"""
PARTS = "* parts\n.subckt divider a b r=1k\nr1 a b {r}\nr2 b 0 1k\n.ends\n"


class Runs:
    """Builds and runs the project's sweep, and tells which cases were simulated."""

    def __init__(self, project: Project, tool: Path) -> None:
        self.project = project
        self.calls = tool
        self.count = 0

    def new(self, *arguments: str, code: int | None = 0) -> Path:
        """A further run of the sweep."""
        run = self.project.build("divider", "--run-id", f"run{self.count}")
        self.count += 1
        self.said = self.project.simorc("run", run.name, "-n", "1", *arguments, code=code).stdout
        return run

    @property
    def output(self) -> Path:
        return self.project.folder / "simulations"

    def simulations(self) -> int:
        """How many ngspice processes were started to simulate something since last asked."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return sum("--version" not in line for line in lines)


def values(run: Path) -> dict[int, Any]:
    return {i: record.value("vout") for i, record in read_records(RunDirectory(run)).items()}


def origins(run: Path) -> list[str]:
    return [record.cached_from for _, record in sorted(read_records(RunDirectory(run)).items())]


def sessions(run: Path) -> set[int]:
    """The cases that a worker of a pytest session executed."""
    return {i for i, record in read_records(RunDirectory(run)).items() if record.worker.startswith("gw")}


@pytest.fixture
def runs(project: Project, tmp_path: Path) -> Runs:
    """The project with an ngspice that keeps a list of its calls."""
    tools = tmp_path / "bin"
    tools.mkdir()
    program = shutil.which("ngspice")
    (tools / "ngspice").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nexec {program} "$@"\n')
    (tools / "ngspice").chmod(0o755)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "parts.inc").write_text(PARTS)
    project.environment |= {"PATH": f"{tools}:{os.environ['PATH']}", "MODELS": str(tmp_path / "models")}
    return Runs(project, tmp_path / "calls")


def test_a_second_identical_run_simulates_nothing_and_gives_the_same_numbers(runs: Runs) -> None:
    first = runs.new()
    assert runs.simulations() > 0
    second = runs.new()
    assert runs.simulations() == 0
    assert values(second) == values(first) == {0: 0.5, 1: 1 / 3, 2: 0.25, 3: 1.0, 4: 2 / 3, 5: 0.5}
    assert origins(first) == [""] * 6
    assert origins(second) == [f"run0/{i}" for i in range(6)]
    assert "from the cache: 6 cases, simulated in run0" in runs.said
    assert not sessions(second), "no pytest was needed"
    for name in ("netlist.spice", "ngspice.log", "results.raw", ".spiceinit"):
        kept = second / "results" / "4" / name
        assert kept.read_bytes() == (first / "results" / "4" / name).read_bytes()
        assert kept.stat().st_nlink == 1
        assert not kept.is_symlink()
    folder = second / "results" / "3"
    (folder / "results.raw").unlink()
    subprocess.run(["ngspice", "-b", "netlist.spice"], cwd=folder, check=True, capture_output=True, timeout=60)
    assert (folder / "results.raw").stat().st_size > 0
    page = Path(runs.project.simorc("plot", second.name).stdout.strip())
    assert "6 cases taken over from an earlier run" in page.read_text()


@pytest.mark.slow
def test_a_changed_comment_in_a_model_file_misses_and_a_changed_time_stamp_hits(runs: Runs, tmp_path: Path) -> None:
    runs.project.write("tb/divider.spice.j2", INCLUDED)
    models = tmp_path / "models" / "parts.inc"
    assert values(runs.new())[0] == 0.5
    os.utime(models, (1, 1))
    assert origins(runs.new()) == [f"run0/{i}" for i in range(6)]
    models.write_text(PARTS.replace("* parts", "* Parts"))
    os.utime(models, (1, 1))
    assert origins(runs.new()) == [""] * 6
    models.write_text(PARTS.replace("r2 b 0 1k", "r2 b 0 3k"))
    changed = runs.new()
    assert origins(changed) == [""] * 6
    assert values(changed)[0] == 0.75
    models.write_text(PARTS)
    assert origins(runs.new()) == [f"run0/{i}" for i in range(6)]


def test_a_waveform_file_of_a_source_counts(runs: Runs, tmp_path: Path) -> None:
    wave = tmp_path / "models" / "wave.txt"
    wave.write_text("0 1\n1 1\n")
    runs.project.write(
        "tb/divider.spice.j2",
        '* from a file\na1 %v([in]) src\n.model src filesource (file="{{ env.MODELS }}/wave.txt"\n'
        "+ amploffset=[0] amplscale=[1] timeoffset=0 timescale=1)\n"
        "r1 in out {{ parameters.r1 }}\nr2 out 0 {{ parameters.vin }}k\n.tran 0.1 0.9\n"
        ".meas tran vout find v(out) at=0.5\n.end\n",
    )
    first = runs.new()
    assert values(first)[0] == pytest.approx(0.5)
    assert origins(runs.new()) == [f"run0/{i}" for i in range(6)]
    wave.write_text("0 3\n1 3\n")
    changed = runs.new()
    assert origins(changed) == [""] * 6
    assert values(changed)[0] == pytest.approx(1.5)


def test_measures_and_verdicts_are_made_anew(runs: Runs) -> None:
    config = "template: ./divider.spice.j2\nparameters: {vin: 1.0, r1: 1k}\n"
    config += "measures:\n  vout: {unit: V, spec: {max: %s}}\n  twice: {unit: V, source: python}\n"
    runs.project.write("tb/config.yaml", config % "2")
    runs.project.write("tb/measures.py", "def twice(waves, case):\n    return 2 * float(waves['out'][-1])\n")
    runs.new()
    runs.project.write("tb/measures.py", "def twice(waves, case):\n    return 20 * float(waves['out'][-1])\n")
    runs.project.write("tb/config.yaml", config % "0.6")
    second = runs.new(code=1)
    records = read_records(RunDirectory(second))
    assert {i: record.value("twice") for i, record in records.items()} == pytest.approx(
        {i: 20 * value for i, value in values(second).items()}
    )
    assert sorted(i for i, record in records.items() if record.verdict == "fail") == [3, 4]
    assert sessions(second) == set(range(6)), "a person's code runs in pytest's workers alone"
    assert all(record.cached_from for record in records.values())


@pytest.mark.slow
def test_no_cache_neither_reads_nor_writes_and_a_case_that_is_named_is_simulated(runs: Runs) -> None:
    runs.new("--no-cache")
    assert not (runs.output / ".cache" / "results").exists()
    runs.new()
    runs.simulations()
    assert origins(runs.new("--no-cache")) == [""] * 6
    assert runs.simulations() > 0
    last = runs.new()
    runs.project.simorc("run", last.name, "--case", "2")
    assert origins(last) == ["run1/0", "run1/1", "", "run1/3", "run1/4", "run1/5"]


@pytest.mark.slow
@pytest.mark.parametrize("keep", ["failed", "none"])
def test_what_is_not_to_be_kept_is_not_written_and_damage_is_simulated_again(runs: Runs, keep: str) -> None:
    setup = "testbenches: {divider: ./tb}\nsweeps: {divider: ./sweep.yaml}\n"
    first = runs.new()
    runs.project.write("sim_setup.yaml", f"{setup}simulator: {{keep: {keep}}}\n")
    second = runs.new()
    assert values(second) == values(first)
    assert all(origins(second))
    assert not list((second / "results").iterdir())
    for entry in (runs.output / ".cache" / "results").glob("*/*"):
        entry.write_bytes(entry.read_bytes()[:-9])
    third = runs.new()
    assert values(third) == values(first)
    assert not any(origins(third))
    assert origins(runs.new()) == [f"run2/{i}" for i in range(6)]


@pytest.mark.slow
def test_deleting_the_first_run_or_editing_its_results_harms_nobody(runs: Runs) -> None:
    first = runs.new()
    expected = values(first)
    for file in (first / "results").rglob("*.*"):
        file.write_bytes(b"edited by hand")
    second = runs.new()
    assert values(second) == expected
    shutil.rmtree(first)
    for file in (second / "results").rglob("*.*"):
        file.write_bytes(b"edited by hand")
    third = runs.new()
    assert values(third) == expected
    assert all(origins(third))


def test_what_the_cache_does_not_hold_is_simulated_in_a_session(runs: Runs) -> None:
    first = runs.new()
    entries = [path for path in (runs.output / ".cache" / "results").rglob("*") if path.is_file()]
    lost = [path for path in entries if b'"run0/3"' in path.read_bytes()]
    assert lost
    for path in lost:
        path.unlink()
    second = runs.new()
    assert values(second) == values(first)
    assert [bool(origin) for origin in origins(second)] == [True, True, True, False, True, True]
    assert sessions(second) == {3}


def test_cases_that_are_not_known_do_not_hide_those_behind_them(runs: Runs) -> None:
    axes = "  vin: {start: %d, stop: 10, num: %d}\n  r1: {start: 1000, stop: 2000, num: 20}\n"
    sweep = f"testbench: divider\nparameters:\n{axes}"
    runs.project.write("sweep.yaml", sweep % (6, 5))
    runs.new()
    runs.project.write("sweep.yaml", sweep % (1, 10))
    second = runs.new()
    assert sessions(second) == set(range(100))
    assert [bool(origin) for origin in origins(second)] == [False] * 100 + [True] * 100


THOUSAND = """testbench: divider
parameters:
  vin: {start: 1, stop: 2, num: 50}
  r1: {start: 1000, stop: 2000, num: 20}
"""


@pytest.mark.slow
def test_what_a_process_that_was_killed_had_taken_is_left_to_others(runs: Runs) -> None:
    runs.project.write("sweep.yaml", THOUSAND)
    first = runs.new()
    second = runs.project.build("divider", "--run-id", "killed")
    process = runs.project.start("run", second.name, "-n", "2")
    while not (begun := list((second / ".status" / "begun").glob("*.json"))) and process.poll() is None:
        time.sleep(0.001)
    killed = int(begun[0].name.partition("-")[0])
    os.kill(killed, signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert values(second) == values(first)
    assert all(origins(second))
    assert 0 < len(sessions(second)) <= 10, "those that it had taken at once"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_whoever_is_stopped_while_taking_from_the_cache_goes_on_from_there(runs: Runs, number: signal.Signals) -> None:
    runs.project.write("sweep.yaml", THOUSAND)
    first = runs.new()
    second = runs.project.build("divider", "--run-id", "stopped")
    process = runs.project.start("run", second.name, "-n", "2")
    while len(list((second / ".status").glob("case_*.json"))) < 20 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    process.communicate(timeout=60)
    done = {i for i, record in read_records(RunDirectory(second)).items() if record.status == "completed"}
    assert 0 < len(done) < 1000
    time.sleep(0.3)
    later = read_records(RunDirectory(second))
    assert done >= {i for i, record in later.items() if record.status == "completed"}, "nobody goes on by itself"
    runs.project.simorc("run", second.name, "-n", "2")
    assert values(second) == values(first)
    assert all(origins(second))
    attempts = {i: record.attempt for i, record in read_records(RunDirectory(second)).items()}
    assert {attempts[i] for i in done} == {1}


@pytest.mark.slow
def test_another_seed_misses(runs: Runs) -> None:
    sweep = (
        "testbench: divider\nparameters:\n  vin: [1.0, 2.0]\n  r1: [1k, 2k, 3k]\nmonte_carlo: {samples: 2, seed: %d}\n"
    )
    runs.project.write("sweep.yaml", sweep % 1)
    runs.new()
    runs.project.write("sweep.yaml", sweep % 2)
    assert not any(origins(runs.new()))
    runs.project.write("sweep.yaml", sweep % 1)
    assert all(origins(runs.new()))


def test_two_runs_at_once(runs: Runs) -> None:
    both = [runs.project.build("divider", "--run-id", f"at_once_{i}") for i in range(2)]
    started = [runs.project.start("run", run.name, "-n", "2") for run in both]
    for process in started:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err
    assert values(both[0]) == values(both[1]) == {0: 0.5, 1: 1 / 3, 2: 0.25, 3: 1.0, 4: 2 / 3, 5: 0.5}
    assert all(origins(runs.new()))
    assert not list((runs.output / ".cache").rglob("*.tmp"))


def test_a_failed_simulation_is_not_stored(runs: Runs) -> None:
    broken = (
        "* divider\nv1 in 0 {{ parameters.vin }}\nv2 in 0 3\nr1 in 0 1k\n.op\n.meas dc vout find v(in) at=1\n.end\n"
    )
    runs.project.write("tb/divider.spice.j2", broken)
    runs.new(code=1)
    runs.simulations()
    assert not any(origins(runs.new(code=1)))
    assert runs.simulations() > 0


CONTROLLED = """* with commands of its own
v1 in 0 {{ parameters.vin }}
r1 in out {{ parameters.r1 }}
r2 out 0 1k
.op
.control
op
let vout = v(out)
print vout
wrdata mine.txt v(out)
%s
.endc
.end
"""


def test_a_deck_with_commands_brings_back_the_files_that_it_wrote(runs: Runs) -> None:
    runs.project.write("tb/divider.spice.j2", CONTROLLED % "")
    runs.project.write(
        "tb/config.yaml",
        "template: ./divider.spice.j2\nparameters: {vin: 1.0, r1: 1k}\nmeasures: {vout: {unit: V, source: python}}\n",
    )
    runs.project.write("tb/measures.py", "def vout(waves, case):\n    return float(waves['out'][-1])\n")
    first = runs.new()
    second = runs.new()
    assert all(origins(second))
    assert values(second) == values(first)
    mine = [run / "results" / "2" / "mine.txt" for run in (first, second)]
    assert mine[0].read_bytes() == mine[1].read_bytes() != b""


@pytest.mark.slow
def test_verify_all_simulates_and_compares_what_came_the_fast_way(runs: Runs) -> None:
    runs.new()
    second = runs.new("--verify", "all")
    assert origins(second) == [""] * 6
    assert all(record.verified == "models" for record in read_records(RunDirectory(second)).values())
    third = runs.new("--verify", "original")
    assert origins(third) == [""] * 6
    assert all(origins(runs.new("--verify", "none")))


FAULT = """
from msgspec.structs import replace
from simorc.simulators.ngspice_session import NgspiceSession
good = NgspiceSession.run
def run(self, script, timeout_s):
    wrong = script.netlist.replace("r2 out 0 1k", "r2 out 0 1.1k") if "* odd" in script.netlist else script.netlist
    return good(self, replace(script, netlist=wrong), timeout_s)
NgspiceSession.run = run
"""
"""What a fault of the session would do: another resistor in some decks."""


@pytest.mark.slow
def test_a_fault_that_is_found_late_leaves_nothing_wrong_in_the_cache(runs: Runs) -> None:
    template = (runs.project.folder / "tb/divider.spice.j2").read_text()
    odd = "{% if case.id > 0 %}* odd{% endif %}\n.end"
    runs.project.write("tb/divider.spice.j2", template.replace(".end", odd))
    runs.project.write("faults/sitecustomize.py", FAULT)
    runs.project.environment["PYTHONPATH"] = str(runs.project.folder / "faults")
    good = {0: 0.5, 1: 1 / 3, 2: 0.25, 3: 1.0, 4: 2 / 3, 5: 0.5}
    unseen = values(runs.new("--verify", "none"))
    assert unseen != good
    assert values(runs.new("--verify", "50%")) == good
    assert "another result than the slow one" in runs.said
    assert values(runs.new()) == good
    assert values(runs.new("--verify", "none")) == good


@pytest.mark.req("SIM-18")
def test_clean_says_what_the_cache_took(runs: Runs) -> None:
    run = runs.new()
    said = runs.project.simorc("clean", "--cache").stdout
    assert ".cache: " in said
    assert "freed" in said
    assert run.exists()
    assert not (runs.output / ".cache").exists()
    assert not any(origins(runs.new()))
