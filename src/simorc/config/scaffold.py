"""The files of a new project, which builds and runs as it stands."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from simorc.config.project import SETUP_FILE
from simorc.config.reference import setup_text

FOLDERS = ("testbenches", "sweeps", "simulations", "netlists", "benches")
_EXAMPLE = {
    "dut": {"netlist": "./netlists/rc.spice"},
    "testbenches": {"rc": "./testbenches/rc", "reference": "./testbenches/reference"},
    "sweeps": {"rc_corner": "./sweeps/rc_corner.yaml", "reference_tempco": "./sweeps/reference_tempco.yaml"},
    "benches": {"virtual": "./benches/virtual.yaml"},
}


def project_files() -> dict[str, str]:
    """Path within the project -> text, of every file that `simorc init` makes."""
    made = {SETUP_FILE: setup_text(_EXAMPLE), ".gitignore": "/simulations/\n__pycache__/\n"}
    example = files("simorc.config") / "example"
    return made | {path: item.read_text(encoding="utf-8") for path, item in sorted(_walk(example, ""))}


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _walk(item, f"{prefix}{item.name}/")
        elif not item.name.endswith(".pyc"):
            yield f"{prefix}{item.name}", item
