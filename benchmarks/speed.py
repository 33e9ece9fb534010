"""How much faster a sweep is with simorc than with `xargs -P2 ngspice -b` over the very same decks.

    python benchmarks/speed.py amp          SKY130 two-stage amplifier through the whole library, 200 cases
    python benchmarks/speed.py amp-large    the same, 5,000 cases
    python benchmarks/speed.py amp-stepping  5,000 cases without `.nodeset`, so that every analysis steps gmin first
    python benchmarks/speed.py sky130-ota   SKY130 five-transistor OTA on the corner files of its devices, 1,000 cases
    python benchmarks/speed.py ota          OTA on level-1 models, dc and ac, 5,000 cases
    python benchmarks/speed.py mismatch     500 samples of the SKY130 OTA with mismatch, seeded

Rounds alternate, because the machine may be shared; each has a folder of its own. simorc's time is that of
`simorc run`, nothing cached, default `--verify`: interpreter, reading and pruning of models, start of the sessions,
comparison, gather. The bare processes run twice, as people run them and with one thread; the ratio is to the better of
the two. Where a case takes seconds they run a few of the decks, and the rest is extrapolated.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from throughput import QUIET, ROOT, SIMORC, add_sweep, build, copy_project, timed

AMPLIFIER = """* two-stage amplifier: gain and bandwidth, closed by an inductor for dc
.option scale=1e-6
.lib "{{ pdk.sky130 }}/models/sky130.lib.spice" {{ parameters.corner }}
.temp {{ parameters.temp }}
vdd vdd 0 {{ parameters.vdd }}
vcm inp 0 dc {{ parameters.vdd / 2 }} ac 1
ibias vdd nb 20u
xnb nb nb 0 0 sky130_fd_pr__nfet_01v8 w=2 l=1 nf=1
xtail tail nb 0 0 sky130_fd_pr__nfet_01v8 w=4 l=1 nf=1
xm1 d1 inn tail 0 sky130_fd_pr__nfet_01v8_lvt w=4 l=0.5 nf=2
xm2 d2 inp tail 0 sky130_fd_pr__nfet_01v8_lvt w=4 l=0.5 nf=2
xm3 d1 d1 vdd vdd sky130_fd_pr__pfet_01v8 w=4 l=0.5 nf=1
xm4 d2 d1 vdd vdd sky130_fd_pr__pfet_01v8 w=4 l=0.5 nf=1
xm5 out d2 vdd vdd sky130_fd_pr__pfet_01v8 w=16 l=0.5 nf=4
xm6 out nb 0 0 sky130_fd_pr__nfet_01v8 w=8 l=1 nf=1
xmh hv hv 0 0 sky130_fd_pr__nfet_g5v0d10v5 w=5 l=1
ih vdd hv 1u
xr zc out 0 sky130_fd_pr__res_high_po_0p35 l=3
cc d2 zc 1p
cl out 0 2p
lfb out inn 1t
cfb inn 0 1t
.nodeset v(out)={{ parameters.vdd / 2 }} v(inn)={{ parameters.vdd / 2 }}
.op
.ac dec 20 10 1g
.meas ac gain find vdb(out) at=10
.meas ac ugf when vdb(out)=0 fall=1
.end
"""
OTA = """* five-transistor OTA on the corner files of its devices
.option scale=1e-6
.param mc_mm_switch={{ parameters.mismatch }} mc_pr_switch=0
.include '{{ pdk.sky130 }}/models/parameters/lod.spice'
{% for device in ['nfet_01v8', 'pfet_01v8'] %}
{%- set file = pdk.sky130 ~ '/cells/' ~ device ~ '/sky130_fd_pr__' ~ device ~ '__' %}
.include '{{ file }}mismatch.corner.spice'
.include '{{ file }}{{ parameters.corner }}.corner.spice'
{% endfor %}
.temp {{ parameters.temp }}
vdd vdd 0 {{ parameters.vdd }}
vcm inp 0 dc {{ parameters.vdd / 2 }} ac 1
ibias vdd nb 20u
xnb nb nb 0 0 sky130_fd_pr__nfet_01v8 w=2 l=1
xtail tail nb 0 0 sky130_fd_pr__nfet_01v8 w=4 l=1
xm1 d1 inn tail 0 sky130_fd_pr__nfet_01v8 w=4 l=0.5
xm2 out inp tail 0 sky130_fd_pr__nfet_01v8 w=4 l=0.5
xm3 d1 d1 vdd vdd sky130_fd_pr__pfet_01v8 w=4 l=0.5
xm4 out d1 vdd vdd sky130_fd_pr__pfet_01v8 w=4 l=0.5
cl out 0 1p
lfb out inn 1t
cfb inn 0 1t
.ac dec 20 10 1g
.meas ac gain find vdb(out) at=10
.meas ac ugf when vdb(out)=0 fall=1
.end
"""
HSA = "simulator: {init: [set ngbehavior=hsa]}\n"
MEASURES = "measures: {gain: {unit: dB}, ugf: {unit: Hz}}\n"


@dataclass(frozen=True)
class Work:
    """One row of the table.

    Parameters
    ----------
    template, config: of a testbench of its own; empty for `testbench` of this project
    sample: how many decks the bare processes run; 0 for all
    first: a card before the first analysis of this project's testbench
    """

    title: str
    sweep: str
    testbench: str
    template: str = ""
    config: str = ""
    sample: int = 0
    first: str = ""


def _grid(vdd: int, temp: int) -> str:
    return (
        "  corner: [tt, ff, ss, sf, fs]\n"
        f"  vdd: {{start: 1.6, stop: 2.0, num: {vdd}}}\n  temp: {{start: -40, stop: 125, num: {temp}}}\n"
    )


AMP = {"testbench": "bench_amp", "template": AMPLIFIER, "sample": 4}
STEPPING = AMP | {"testbench": "bench_amp_stepping"}
STEPPING["template"] = "".join(line for line in AMPLIFIER.splitlines(keepends=True) if not line.startswith(".nodeset"))
AMP["config"] = STEPPING["config"] = "parameters: {corner: tt, vdd: 1.8, temp: 27}\n" + HSA + MEASURES
SKY = {"testbench": "bench_sky_ota", "template": OTA, "sample": 40}
SKY["config"] = "parameters: {corner: tt, vdd: 1.8, temp: 27, mismatch: 0}\n" + HSA + MEASURES
WORKS = {
    "amp": Work("SKY130 amplifier, whole library, 200 cases", _grid(5, 8), **AMP),  # type: ignore[arg-type]
    "amp-large": Work("SKY130 amplifier, whole library, 5,000 cases", _grid(25, 40), **AMP),  # type: ignore[arg-type]
    "amp-stepping": Work("SKY130 amplifier that steps gmin, 5,000 cases", _grid(25, 40), **STEPPING),  # type: ignore[arg-type]
    "sky130-ota": Work("SKY130 OTA, corner files, 1,000 cases", _grid(10, 20), **SKY),  # type: ignore[arg-type]
    "ota": Work("level-1 OTA, op, dc and ac, 5,000 cases", _grid(25, 40), "ota", first=".op"),
    "mismatch": Work(
        "SKY130 OTA with mismatch, 500 samples",
        "  mismatch: [1]\nmonte_carlo: {samples: 500, seed: 1}\n",
        **SKY,  # type: ignore[arg-type]
    ),
}


def prepare(project: Path, work: Work) -> None:
    """Add the sweep, and where the work brings one its testbench, to a copy of this project."""
    copy_project(project)
    own = bool(work.template)
    add_sweep(
        project, "bench", f"testbench: {work.testbench}\nparameters:\n{work.sweep}", work.testbench if own else ""
    )
    if work.first:
        template = project / "testbenches" / work.testbench / f"tb_{work.testbench}.spice.j2"
        template.write_text(template.read_text().replace("\n.dc ", f"\n{work.first}\n.dc ", 1))
    if own:
        folder = project / "testbenches" / work.testbench
        folder.mkdir()
        (folder / "bench.spice.j2").write_text(work.template)
        (folder / "config.yaml").write_text(f"template: ./bench.spice.j2\n{work.config}")


def bare(results: Path, target: Path, names: Sequence[str], workers: int, *, one_thread: bool) -> float:
    """Wall time of the same decks by xargs, in folders of their own."""
    shutil.copytree(results.parent / "inputs", target / "inputs")
    for name in names:
        folder = target / "results" / name
        folder.mkdir(parents=True)
        shutil.copy(results / name / "netlist.spice", folder)
        init = (results / name / ".spiceinit").read_text()
        (folder / ".spiceinit").write_text(init if one_thread else init.replace("set num_threads=1\n", ""))
    command = ["xargs", f"-P{workers}", "-I{}", "env", "-C", "{}"]
    command += ["OMP_WAIT_POLICY=passive"] if one_thread else []
    folders = "\n".join(str(target / "results" / name) for name in names)
    begin = time.perf_counter()
    subprocess.run([*command, "ngspice", "-b", "netlist.spice"], input=folders.encode(), check=False, **QUIET)  # type: ignore[call-overload]
    return time.perf_counter() - begin


def main() -> None:
    """Read the arguments and run one benchmark in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=list(WORKS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--options", default="", help="further options of `simorc run`, e.g. '--verify none'")
    options = parser.parse_args()
    work = WORKS[options.what]
    with tempfile.TemporaryDirectory() as name:
        print(f"{work.title}, {options.workers} workers", flush=True)
        print("  round  simorc s  ms/case   xargs s, as run  one thread   ratio to the better", flush=True)
        rows = []
        for number in range(1, options.rounds + 1):
            # Nothing is deleted in between: for minutes after that, making files costs several times as much (ext4).
            project = Path(name) / str(number)
            prepare(project, work)
            run = build(project, "bench", "bench")
            command = [*SIMORC, "run", str(run), "--no-cache", "-n", str(options.workers), *options.options.split()]
            mine = timed(command, project, **QUIET)
            ids = sorted((folder.name for folder in (run / "results").iterdir()), key=int)
            count = len(ids)
            chosen = ids[:: max(1, count // work.sample)][: work.sample] if work.sample else ids
            theirs = [
                bare(run / "results", project / f"plain_{one}", chosen, options.workers, one_thread=one)
                * count
                / len(chosen)
                for one in (False, True)
            ]
            rows.append(min(theirs) / mine)
            per_case = f"{mine:8.2f}  {mine / count * 1e3:7.2f}"
            print(f"  {number:5}  {per_case}  {theirs[0]:16.1f}  {theirs[1]:10.1f}  {rows[-1]:8.1f}", flush=True)
        print(f"  ratio: median {statistics.median(rows):.1f}, worst {min(rows):.1f}")


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
