"""What simorc costs on its own, and what its cache saves.

    python benchmarks/throughput.py scale       build, execute, gather: 1k, 10k, 100k cases, no simulator
    python benchmarks/throughput.py cache       the first run of a sweep of `speed.py` against a second, identical one

The cache is measured in rounds (the machine may be shared), the worst round beside the median.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIMORC = [sys.executable, "-m", "simorc"]
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

STUB_SWEEP = """
testbench: stub
parameters:
  a: {start: 1, stop: %d, num: %d}
  b: {start: 1, stop: 100, num: 100}
"""


def timed(command: Sequence[str], folder: Path, **options: object) -> float:
    """Wall time in seconds of a command that must not crash (out of spec is fine)."""
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=folder, check=False, **options)  # type: ignore[call-overload]
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}")
    return time.perf_counter() - begin


def build(project: Path, sweep: str, run_id: str) -> Path:
    """Build a run directory, replacing one of that name."""
    command = [*SIMORC, "build", sweep, "--target", "spice", "--run-id", run_id, "--force"]
    done = subprocess.run(command, cwd=project, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return project / "simulations" / run_id


def copy_project(folder: Path) -> Path:
    """A copy of this repository's own project."""
    folder.mkdir(exist_ok=True)
    for name in ("testbenches", "sweeps", "netlists", "models", "benches", "schematics"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "sim_setup.yaml", folder)
    return folder


def add_sweep(project: Path, name: str, text: str, testbench: str = "") -> None:
    """Add a sweep, and where named its testbench, to a project's setup file."""
    (project / "sweeps" / f"{name}.yaml").write_text(text)
    setup = project / "sim_setup.yaml"
    lines = setup.read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("sweeps:"))
    lines.insert(at + 1, f"  {name}: ./sweeps/{name}.yaml")
    if testbench:
        at = next(i for i, line in enumerate(lines) if line.startswith("testbenches:"))
        lines.insert(at + 1, f"  {testbench}: ./testbenches/{testbench}")
    setup.write_text("\n".join(lines) + "\n")


def scale(project: Path, sizes: Sequence[int], workers: int, keep: str) -> None:
    """Build, execute and gather with the stub simulator, sizes ascending; memory is the peak of any process so far.

    The run's time includes gathering; "gather" is that once more. CPU time tells of the harness on a busy machine, too.
    """
    bench = project / "testbenches" / "stub"
    bench.mkdir(parents=True)
    (bench / "stub.spice.j2").write_text("* stub\n* meas y = {{ parameters.a }}\n.end\n")
    (bench / "config.yaml").write_text(
        "template: ./stub.spice.j2\nparameters: {a: 1, b: 1}\nmeasures: {y: {unit: V}}\n"
    )
    (project / "sweeps").mkdir()
    setup = f"testbenches: {{stub: ./testbenches/stub}}\nsimulator: {{name: stub, keep: {keep}}}\nsweeps: {{%s}}\n"
    names = {size: f"stub_{size}" for size in sizes}
    (project / "sim_setup.yaml").write_text(setup % ", ".join(f"{n}: ./sweeps/{n}.yaml" for n in names.values()))
    for size, name in names.items():
        (project / "sweeps" / f"{name}.yaml").write_text(STUB_SWEEP % (size // 100, size // 100))
    print(f"keep: {keep}, {workers} workers, load {os.getloadavg()[0]:.1f}")
    print("    cases   build s   run s  gather s  us/case (run)  CPU us/case  peak memory MB")
    for size, name in names.items():
        times = {}
        begin = time.perf_counter()
        run = build(project, name, name)
        times["build"] = time.perf_counter() - begin
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        times["run"] = timed([*SIMORC, "run", name, "-n", str(workers)], project, **QUIET)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        gather = "import sys,pathlib; from simorc.workspace.conclude import conclude; "
        gather += "from simorc.workspace.layout import RunDirectory; conclude(RunDirectory(pathlib.Path(sys.argv[1])))"
        times["gather"] = timed([sys.executable, "-c", gather, str(run)], project)
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(
            f"  {size:7} {times['build']:9.2f} {times['run']:7.2f} {times['gather']:9.2f} "
            f"{times['run'] / size * 1e6:14.0f} {cpu / size * 1e6:12.0f} {memory:15.0f}",
            flush=True,
        )
        told = json.loads(subprocess.check_output([*SIMORC, "status", name, "--json"], cwd=project))
        assert told[0]["completed"] == size


def cached(folder: Path, what: str, rounds: int, workers: int) -> None:
    """In a new project each round: a first run, three that find all of it in the cache, one with the cache emptied.

    The last one differs from the first in that the comparisons with plain ngspice are known, and the model files.
    """
    from speed import WORKS, prepare

    work = WORKS[what]
    print(f"{work.title}, {workers} workers, {rounds} rounds, load {os.getloadavg()[0]:.1f}")
    print("  round  first s  second s (each)    ms/case  ratio  emptied s  ratio", flush=True)
    ratios, emptied = [], []
    for number in range(1, rounds + 1):
        project = folder / str(number)
        project.mkdir()
        prepare(project, work)
        store = project / "simulations" / ".cache"
        seconds = []
        for name in ("first", "second", "third", "fourth"):
            run = build(project, "bench", name)
            seconds.append(timed([*SIMORC, "run", str(run), "-n", str(workers)], project, **QUIET))
        records = [json.loads(path.read_text()) for path in (run / ".status").glob("case_*.json")]
        assert all(record["cached_from"] for record in records)
        first, *found = seconds
        second = statistics.median(found)
        size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
        shutil.rmtree(store / "results")
        again = timed([*SIMORC, "run", str(build(project, "bench", "fifth")), "-n", str(workers)], project, **QUIET)
        ratios.append(first / second)
        emptied.append(again / second)
        each = " ".join(f"{t:.2f}" for t in found)
        print(
            f"  {number:5} {first:8.2f} {second:9.2f} ({each}) {second / len(records) * 1e3:6.2f} {ratios[-1]:6.1f} "
            f"{again:10.2f} {emptied[-1]:6.1f}",
            flush=True,
        )
    for what, found in (("first run", ratios), ("cache emptied", emptied)):
        print(f"  {what}: median {statistics.median(found):.1f}, worst {min(found):.1f}")
    print(f"  the cache takes {size / 1e6:.0f} MB")


def main() -> None:
    """Read the arguments and run one benchmark in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["scale", "cache"])
    parser.add_argument("--sweep", default="sky130-ota", help="for cache: a work of speed.py")
    parser.add_argument("--rounds", type=int, default=3, help="for cache")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", default="none", choices=["all", "failed", "none"], help="for scale: decks and logs")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000], help="for scale")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if options.what == "scale":
            scale(Path(name), options.sizes, options.workers, options.keep)
        else:
            cached(Path(name), options.sweep, options.rounds, options.workers)


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
