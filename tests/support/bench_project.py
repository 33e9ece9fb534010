"""A small project on a served lab: two parts, two temperatures, two supplies."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
INSTRUMENTS = {
    "psu": "keysight_e36312a",
    "load": "aimtti_ld400p",
    "dmm": "keysight_34461a",
    "ammeter": "keysight_34461a",
    "chamber": "temptronic_ats545",
    "switch": "scpi_switch",
}
RATE = 1000


def write_project(folder: Path, sweep: str = "corner: [tt, ff]\n  vin: [4.0, 5.0, 6.0]\n  temp: [0, 27]") -> None:
    """The LDO on the bench of this repository, with a smaller sweep, in a folder of its own."""
    for name in ("testbenches/tempco", "benches"):
        shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)
    (folder / "sweep.yaml").write_text(f"testbench: tempco\ntarget: bench\nparameters:\n  {sweep}\n")
    write_setup(folder, "virtual")


def write_setup(folder: Path, *benches: str) -> None:
    """The setup with these benches."""
    named = ", ".join(f"{name}: ./benches/{name}.yaml" for name in benches)
    text = f"testbenches: {{tempco: ./testbenches/tempco}}\nsweeps: {{small: ./sweep.yaml}}\nbenches: {{{named}}}\n"
    (folder / "sim_setup.yaml").write_text(text)


def write_served_bench(folder: Path, resources: dict[str, dict[str, str]], kind: str = "hislip") -> None:
    """`benches/served.yaml`: the served instruments by their resources."""
    lines = ["real: true", f"rate: {RATE}", "parts: [tt, ff, ss]", "instruments:"]
    lines += [f"  {n}: {{driver: {d}, resource: '{resources[n][kind]}'}}" for n, d in INSTRUMENTS.items()]
    lines += ["limits: {voltage: 7, current: 150m, power: 1, chamber_min: -45, chamber_max: 130}"]
    lines += ["settling: {soak_s: 60, timeout_s: 3000, drift_timeout_s: 3000}"]
    lines += ["safe_state: [{load: off}, {psu: off}, {switch: off}, {chamber: ambient}]"]
    (folder / "benches" / "served.yaml").write_text("\n".join(lines) + "\n")


def ask(resources: dict[str, dict[str, str]], name: str, text: str) -> str:
    """A reply by a raw socket of our own."""
    _, host, port, _ = resources[name]["socket"].split("::")
    with socket.create_connection((host, int(port)), timeout=20) as connection, connection.makefile("rw") as wire:
        wire.write(text + "\n")
        wire.flush()
        return wire.readline().strip()


@contextmanager
def bench_serve(folder: Path) -> Iterator[dict[str, dict[str, str]]]:
    """`simorc bench serve` in a process of its own; where its instruments are."""
    command = [sys.executable, "-m", "simorc", "bench", "serve", "--bench", "virtual", "--rate", str(RATE), "--json"]
    server = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        resources: dict[str, Any] = json.loads(server.stdout.readline())["instruments"]
        write_served_bench(folder, resources)
        write_setup(folder, "virtual", "served")
        yield resources
        assert server.poll() is None, "the server ended by itself"
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()
