"""What a report costs: gather, plot, compare, and opening the page, for 1,000, 10,000 and 100,000 cases.

    python benchmarks/report.py                 all three sizes
    python benchmarks/report.py 1000 10000      these

The runs are made up: four measures over corner, supply, temperature and samples, one case in a hundred failed. Each
step is a process of its own; its memory is the highest resident set of that process. The page is opened by a headless
Chromium until its case table stands; then the table is sorted by a measure and filtered.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIMORC = [sys.executable, "-m", "simorc"]
CONFIG = """parameters: {corner: tt, vin: 5.0, temp: 27, sample: 0}
template: ./t.spice.j2
measures:
  vout: {unit: V, spec: {min: 3.25, typ: 3.3, max: 3.35}}
  iq: {unit: A, spec: {max: 100u}}
  gain: {unit: dB, spec: {min: 40}}
  noise: {unit: V}
"""
SWEEP = """testbench: tb
parameters:
  corner: [tt, ff, ss, sf, fs]
  vin: [4.5, 5.0, 5.5, 6.0]
  temp: [-40, 0, 27, 85, 125]
  sample: {start: 0, stop: %d, step: 1}
"""
OPENED = """
import json, sys, time, shutil
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    arguments = ["--no-sandbox", "--disable-gpu"]
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
    page = browser.new_page()
    page.goto("about:blank")
    times = {}
    start = time.perf_counter()
    page.goto("file://" + sys.argv[1])
    page.wait_for_selector("#cases.live tbody tr")
    times["open"] = time.perf_counter() - start
    start = time.perf_counter()
    page.locator("#cases thead button").nth(6).click()
    page.wait_for_selector("#cases th[aria-sort=ascending]")
    times["sort"] = time.perf_counter() - start
    start = time.perf_counter()
    page.fill("#case-filter", "corner=ff temp>27")
    page.wait_for_function("document.querySelector('#cases .told').textContent.includes(' of ')")
    times["filter"] = time.perf_counter() - start
    times["heap"] = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
    print(json.dumps(times))
    browser.close()
"""


def made(project: Path, cases: int, run_id: str, seed: int) -> Path:
    """A run whose cases are all finished, made without simulating."""
    (project / "testbenches/tb").mkdir(parents=True, exist_ok=True)
    (project / "testbenches/tb/config.yaml").write_text(CONFIG)
    (project / "testbenches/tb/t.spice.j2").write_text("* {{ parameters.sample }}\n.end\n")
    (project / "sweeps").mkdir(exist_ok=True)
    (project / "sweeps/large.yaml").write_text(SWEEP % (cases // 100 - 1))
    (project / "sim_setup.yaml").write_text("testbenches: {tb: testbenches/tb}\nsweeps: {large: sweeps/large.yaml}\n")
    subprocess.run([*SIMORC, "build", "large", "--run-id", run_id], cwd=project, check=True, capture_output=True)
    run = project / "simulations" / run_id
    _records(run, random.Random(seed))
    return run


def _records(run: Path, chance: random.Random) -> None:
    from simorc.core.errors import ErrorKind
    from simorc.core.measurement import Outcome, judge
    from simorc.core.record import CaseRecord, Status
    from simorc.workspace.layout import RunDirectory
    from simorc.workspace.plan_file import read_plan
    from simorc.workspace.status_store import write_record

    directory = RunDirectory(run)
    plan = read_plan(directory)
    for case in plan.sweep.cases():
        i, temp = case.case_id, float(str(case.parameters["temp"]))
        values = {
            "vout": 3.3 + chance.gauss(0, 0.015),
            "iq": 80e-6 + 0.05e-6 * temp + chance.gauss(0, 5e-6),
            "gain": 50 - 0.03 * temp + chance.gauss(0, 2),
            "noise": 2e-6 + 1e-9 * temp + abs(chance.gauss(0, 2e-7)),
        }
        measured = tuple(judge(m, case, values[m.name], Outcome.VALUE) for m in plan.measures)
        record = CaseRecord(i, Status.COMPLETED, measurements=measured, duration_s=0.01)
        if i % 100 == 7:
            record = CaseRecord(i, Status.FAILED, error_kind=ErrorKind.NO_CONVERGENCE, error_message="no convergence")
        write_record(directory, record)


def timed(command: list[str], folder: Path) -> tuple[float, float, str]:
    """Seconds, highest resident set in MB, and what it printed."""
    wrapped = [sys.executable, "-c", _MEASURED, *command]
    start = time.perf_counter()
    done = subprocess.run(wrapped, cwd=folder, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr[-2000:])
    return seconds, float(done.stderr.rsplit("RSS ", 1)[1]), done.stdout


_MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print("RSS", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, file=sys.stderr)
sys.exit(code)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", type=int, default=[1_000, 10_000, 100_000])
    sizes = parser.parse_args().cases
    print("| cases | gather | plot | compare | page | open | sort | filter | heap |")
    print("|---|---|---|---|---|---|---|---|---|")
    for cases in sizes:
        with tempfile.TemporaryDirectory() as folder:
            print(_line(Path(folder), cases), flush=True)


def _line(project: Path, cases: int) -> str:
    run, other = made(project, cases, "one", 1), made(project, cases, "two", 2)
    gathered = timed([sys.executable, "-c", _GATHER, str(run)], project)
    plotted = timed([*SIMORC, "plot", str(run)], project)
    compared = timed([*SIMORC, "compare", str(run), str(other)], project)
    page = run / "report/index.html"
    opened = {"open": 0.0, "sort": 0.0, "filter": 0.0, "heap": 0.0}
    if shutil.which("chromium"):
        done = subprocess.run([sys.executable, "-c", OPENED, str(page)], capture_output=True, text=True, check=True)
        opened = json.loads(done.stdout)
    steps = " | ".join(f"{seconds:.1f} s, {memory:.0f} MB" for seconds, memory, _ in (gathered, plotted, compared))
    seen = " | ".join(f"{opened[name]:.2f} s" for name in ("open", "sort", "filter"))
    return f"| {cases:,} | {steps} | {page.stat().st_size / 1e6:.1f} MB | {seen} | {opened['heap']:.0f} MB |"


_GATHER = """
import sys
from pathlib import Path
from simorc.workspace.conclude import conclude
from simorc.workspace.layout import RunDirectory
from simorc.workspace.lock import run_lock
run = RunDirectory(Path(sys.argv[1]))
with run_lock(run):
    conclude(run)
"""

if __name__ == "__main__":
    main()
