"""What simorc costs on top of the simulator.

    python benchmarks/throughput.py ota         500 cases of the OTA against `xargs -P2 ngspice -b`
    python benchmarks/throughput.py sky130      the SKY130 inverter, likewise (needs `simorc pdk install sky130`)
    python benchmarks/throughput.py scale       build, execute, gather: 1k, 10k, 100k cases, no simulator
    python benchmarks/throughput.py cache       the first run of a sweep of `speed.py` against a second, identical one

The comparison runs the very decks that simorc rendered, in rounds that alternate (the machine may be shared), and
says the worst round beside the best. Start-up is taken from a run of two cases and shown apart.
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

OTA_SWEEP = """
testbench: ota
parameters:
  corner: [tt, ff, ss, sf, fs]
  vdd: {start: 1.6, stop: 2.0, num: 4}
  temp: {start: -40, stop: 125, num: 25}
"""
SKY130_SWEEP = """
testbench: fast_inverter
parameters:
  corner: [tt, ff, ss, sf, fs]
  vdd: {start: 1.6, stop: 2.0, num: 24}
"""
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
    subprocess.run(command, cwd=project, check=True, **QUIET)  # type: ignore[call-overload]
    return project / "simulations" / run_id


def copy_project(folder: Path) -> Path:
    """A copy of this repository's own project."""
    for name in ("testbenches", "sweeps", "netlists", "models", "benches"):
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


def plain_copy(run: Path, target: Path) -> Path:
    """The rendered decks of a run in folders of their own, nothing else in them."""
    shutil.copytree(run / "inputs", target / "inputs")
    for folder in (run / "results").iterdir():
        copy = target / "results" / folder.name
        copy.mkdir(parents=True)
        for name in ("netlist.spice", ".spiceinit"):
            shutil.copy(folder / name, copy)
    return target / "results"


def xargs(results: Path, workers: int) -> float:
    """The same decks by xargs, without any harness: the bare processes."""
    folders = "\n".join(str(folder) for folder in results.iterdir())
    command = ["xargs", f"-P{workers}", "-I{}", "env", "-C", "{}", "OMP_WAIT_POLICY=passive"]
    begin = time.perf_counter()
    subprocess.run([*command, "ngspice", "-b", "netlist.spice"], input=folders.encode(), check=False, **QUIET)  # type: ignore[call-overload]
    return time.perf_counter() - begin


def compare(project: Path, sweep: str, rounds: int, workers: int) -> None:
    """Alternate simorc and xargs over the same decks and print the figures."""
    run = build(project, sweep, "bench")
    command = [*SIMORC, "run", str(run), "-n", str(workers)]
    timed(command, project, **QUIET)
    plain = plain_copy(run, project / "plain")
    count = len(list(plain.iterdir()))
    rows = []
    for _ in range(rounds):
        run = build(project, sweep, "bench")
        start = timed([*command, "--case", "0-1"], project, **QUIET)
        run = build(project, sweep, "bench")
        rows.append((timed(command, project, **QUIET), start, xargs(plain, workers)))
    print(f"{sweep}: {count} cases, {workers} workers, {rounds} rounds")
    print("  round  simorc s  start-up s  xargs s  ratio  overhead ms/case")
    overheads = []
    for number, (whole, start, bare) in enumerate(rows, 1):
        # Start-up holds two cases of its own; they are counted on both sides.
        rest = whole - start
        overheads.append((rest / (count - 2) - bare / count) * 1e3)
        print(f"  {number:5}  {whole:8.2f}  {start:10.2f}  {bare:7.2f}  {rest / bare:5.2f}  {overheads[-1]:16.2f}")
    print(f"  overhead a case: median {statistics.median(overheads):.2f} ms, worst {max(overheads):.2f} ms")
    print(
        f"  cases a second: simorc {count / statistics.median(r[0] for r in rows):.0f}, "
        f"xargs {count / statistics.median(r[2] for r in rows):.0f}"
    )


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


def cached(project: Path, what: str, rounds: int, workers: int) -> None:
    """Alternate a run with an empty cache of results and one that finds all of them there; both build anew."""
    from speed import WORKS, prepare

    work = WORKS[what]
    prepare(project, work)
    store = project / "simulations" / ".cache"
    print(f"{work.title}, {workers} workers, {rounds} rounds\n  round  first s  second s  ms/case  ratio", flush=True)
    ratios = []
    for number in range(1, rounds + 2):
        shutil.rmtree(store / "results", ignore_errors=True)  # comparisons with the slow way stay: paid for once
        seconds = []
        for name in ("first", "second"):
            run = build(project, "bench", name)
            seconds.append(timed([*SIMORC, "run", str(run), "-n", str(workers)], project, **QUIET))
        records = [json.loads(path.read_text()) for path in (run / ".status").glob("case_*.json")]
        assert all(record["cached_from"] for record in records)
        if number == 1:  # which had to compare: it is no measure of what follows
            print(f"  before {seconds[0]:8.2f}  {seconds[1]:8.2f}", flush=True)
            continue
        ratios.append(seconds[0] / seconds[1])
        per_case = seconds[1] / len(records) * 1e3
        print(f"  {number - 1:5}  {seconds[0]:7.2f}  {seconds[1]:8.2f}  {per_case:7.2f}  {ratios[-1]:5.1f}", flush=True)
    print(f"  ratio: median {statistics.median(ratios):.1f}, worst {min(ratios):.1f}")
    size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    print(f"  the cache takes {size / 1e6:.0f} MB")


def sky130_project(project: Path) -> None:
    """The inverter on single model files of the PDK: a case takes a tenth of a second, not eighteen."""
    add_sweep(project, "bench_sky130", SKY130_SWEEP, "fast_inverter")
    bench = project / "testbenches" / "fast_inverter"
    bench.mkdir()
    (bench / "config.yaml").write_text(
        "template: ./inverter.spice.j2\nparameters: {corner: tt, vdd: 1.8}\n"
        "simulator: {init: [set ngbehavior=hsa]}\nmeasures: {vth: {unit: V}}\n"
    )
    (bench / "inverter.spice.j2").write_text(
        "* inverter on single model files\n.option scale=1e-6\n"
        ".include '{{ pdk.sky130 }}/models/parameters/lod.spice'\n"
        "{% for device in ['nfet_01v8', 'pfet_01v8'] %}"
        "{% set file = pdk.sky130 ~ '/cells/' ~ device ~ '/sky130_fd_pr__' ~ device ~ '__' %}"
        ".include '{{ file }}mismatch.corner.spice'\n.include '{{ file }}{{ parameters.corner }}.corner.spice'\n"
        "{% endfor %}"
        "vdd vdd 0 {{ parameters.vdd }}\nvin in 0 0\n"
        "xn out in 0 0 sky130_fd_pr__nfet_01v8 w=1 l=0.15\nxp out in vdd vdd sky130_fd_pr__pfet_01v8 w=3 l=0.15\n"
        ".dc vin 0 {{ parameters.vdd }} 0.005\n.meas dc vth when v(out)='v(in)'\n.end\n"
    )


def main() -> None:
    """Read the arguments and run one benchmark in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["ota", "sky130", "scale", "cache"])
    parser.add_argument("--sweep", default="sky130-ota", help="for cache: a work of speed.py")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", default="none", choices=["all", "failed", "none"], help="for scale: decks and logs")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        if options.what == "scale":
            scale(project, options.sizes, options.workers, options.keep)
            return
        if options.what == "cache":
            cached(project, options.sweep, options.rounds, options.workers)
            return
        copy_project(project)
        if options.what == "ota":
            add_sweep(project, "bench_ota", OTA_SWEEP)
        else:
            sky130_project(project)
        compare(project, f"bench_{options.what}", options.rounds, options.workers)


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
