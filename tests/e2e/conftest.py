"""A small project on real ngspice, the command line as a person calls it, and a lab on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from simorc.core.bench import BenchSettings, FaultSettings, InstrumentSettings, PartSettings, SimulatedLab
from simorc.virtual_lab.server import ServedLab, served_lab

TEMPLATE = """* divider
v1 in 0 {{ parameters.vin }}
r1 in out {{ parameters.r1 }}
r2 out 0 1k
.dc v1 0 {{ parameters.vin }} {{ parameters.vin }}
.meas dc vout find v(out) at={{ parameters.vin }}
.end
"""
CONFIG = """
template: ./divider.spice.j2
parameters: {vin: 1.0, r1: 1k}
measures:
  vout: {unit: V}
"""


@dataclass
class Project:
    """A resistive divider: vout = vin * 1k / (r1 + 1k)."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def simorc(self, *arguments: str, code: int | None = 0, **options: object) -> subprocess.CompletedProcess[str]:
        """Call the command line in the project's folder; `code` None accepts any exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "simorc", *arguments],
            cwd=self.folder,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
            **options,  # type: ignore[call-overload]
        )
        if code is not None:
            assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def build(self, sweep: str = "divider", *arguments: str) -> Path:
        """Build a sweep and give its run directory."""
        run_id = self.simorc("build", sweep, *arguments).stdout.strip()
        return self.folder / "simulations" / run_id

    def start(self, *arguments: str, **options: object) -> subprocess.Popen[str]:
        """Start the command line and go on."""
        return subprocess.Popen(
            [sys.executable, "-m", "simorc", *arguments],
            cwd=self.folder,
            env=os.environ | self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,  # type: ignore[call-overload]
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one testbench `divider` and a sweep of six cases."""
    made = Project(tmp_path / "project")
    made.write("sim_setup.yaml", "testbenches: {divider: ./tb}\nsweeps: {divider: ./sweep.yaml}\n")
    made.write("sweep.yaml", "testbench: divider\nparameters:\n  vin: [1.0, 2.0]\n  r1: [1k, 2k, 3k]\n")
    made.write("tb/divider.spice.j2", TEMPLATE)
    made.write("tb/config.yaml", CONFIG)
    return made


SERVED = {
    "psu": "keysight_e36312a",
    "load": "aimtti_ld400p",
    "dmm": "keysight_34461a",
    "chamber": "temptronic_ats545",
    "switch": "scpi_switch",
}


@pytest.fixture
def lab_bench() -> Callable[..., BenchSettings]:
    """A simulated bench with one LDO and these faults."""
    wiring = {"psu.2": "vin", "load": "vout", "dmm": "vout", "chamber": "air", "switch": "parts"}
    parts = {"dut": PartSettings("ldo", "lp2985_33")}

    def bench(*faults: FaultSettings) -> BenchSettings:
        instruments = tuple(InstrumentSettings(name, driver) for name, driver in SERVED.items())
        simulated = SimulatedLab(parts=parts, wiring=wiring, faults=faults)
        return BenchSettings("served", instruments, simulated=simulated)

    return bench


@pytest.fixture
def serve_lab(lab_bench: Callable[..., BenchSettings]) -> Iterator[Callable[..., ServedLab]]:
    """That bench on loopback until the test ends; faults, and what `served_lab` takes."""
    with ExitStack() as stack:
        yield lambda *faults, **options: stack.enter_context(served_lab(lab_bench(*faults), **options))
