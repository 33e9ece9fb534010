"""`simorc doctor`: what is installed, which versions are tested, what is missing and how to get it."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from simorc import __version__
from simorc.core.errors import ExitCode, SimorcError, ToolMissingError, UsageError
from simorc.core.netlister import Netlister, NetlisterSettings
from simorc.core.plan import SimulatorSettings
from simorc.core.protocols import FastSimulator, Simulator
from simorc.registry import names, netlister_class, simulator_class
from simorc.simulators.pdk import find_pdk, known
from simorc.workspace.layout import RunDirectory, is_run_directory
from simorc.workspace.plan_file import read_plan
from simorc.workspace.proof import fast_way_left

_PACKAGES = ("pytest", "pytest-xdist", "pytest-html", "numpy", "pandas", "matplotlib", "pyarrow", "pyvisa")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: a tool, what was found, and whether simorc can work without it."""

    tool: str
    found: str
    remark: str = ""
    missing: bool = False

    def __str__(self) -> str:
        mark = "missing" if self.missing else "ok"
        return f"{self.tool:14} {mark:8} {self.found}{f'   ({self.remark})' if self.remark else ''}"


def doctor(setup: Path | None, deck: Path | None = None) -> int:
    """Print one line a tool; exit 3 where a simulator is missing.

    Parameters
    ----------
    setup: a project whose setup file is looked at too; by default the one around the current folder, if any
    deck: a netlist: say how it would be simulated instead
    """
    if deck is not None:
        return _explain(deck)
    simulators = list(_simulators())
    for finding in (*_program(), *simulators, *_netlisters(), *_packages(), *_pdks(), *_project(setup)):
        print(finding)
    return ExitCode.MISSING if any(finding.missing for finding in simulators) else ExitCode.DONE


def _explain(deck: Path) -> int:
    try:
        text = deck.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise UsageError(f"cannot read {deck}: {error.strerror}") from error
    run = RunDirectory(deck.resolve().parent.parent.parent)
    settings = read_plan(run).simulator if is_run_directory(run.path) else SimulatorSettings()
    simulator = simulator_class(settings.name)(settings)
    if not isinstance(simulator, FastSimulator):
        raise UsageError(f"the simulator {settings.name!r} has but one way to simulate", where=str(deck))
    for line in simulator.explain(text, deck.parent):
        print(line)
    if reason := fast_way_left(run):
        print(f"this run left the fast way: {reason}")
    return ExitCode.DONE


def _program() -> Iterator[Finding]:
    yield Finding("simorc", __version__)
    yield Finding("python", platform.python_version())


def _simulators() -> Iterator[Finding]:
    """Those that run a program which has to be installed."""
    for name in names("simulators"):
        simulator = simulator_class(name)
        if simulator.tested_versions:
            yield _tool(name, simulator(SimulatorSettings(name=name)))


def _netlisters() -> Iterator[Finding]:
    for name in names("netlisters"):
        found = _tool(name, netlister_class(name)(NetlisterSettings(name=name)))
        yield replace(found, remark="needed to make netlists of schematics") if found.missing else found


def _tool(name: str, tool: Simulator | Netlister) -> Finding:
    """What is there of something that says its version, and which versions are tested."""
    tested = f"tested with {', '.join(tool.tested_versions)}"
    try:
        found = tool.version()
    except ToolMissingError as error:
        return Finding(name, error.hint, tested, missing=True)
    return Finding(name, found, tested if found in tool.tested_versions else f"{tested}; this version is not")


def _packages() -> Iterator[Finding]:
    for package in _PACKAGES:
        try:
            yield Finding(package, version(package))
        except PackageNotFoundError:
            yield Finding(package, f"type: pip install {package}", missing=True)


def _pdks() -> Iterator[Finding]:
    for name in known():
        try:
            pdk = find_pdk(name, os.environ)
        except ToolMissingError as error:
            yield Finding(f"PDK {name}", error.hint, "needed by sweeps that use it", missing=True)
        else:
            yield Finding(f"PDK {name}", f"{pdk.version or '-'} {pdk.path}", pdk.origin)


def _project(setup: Path | None) -> Iterator[Finding]:
    from simorc.config.project import find_setup, load_project

    try:
        path = find_setup(Path.cwd(), setup)
    except SimorcError:
        if setup is not None:
            raise
        return
    try:
        load_project(path)
    except SimorcError as error:
        yield Finding("project", f"{path}: {str(error).splitlines()[0]}", missing=True)
    else:
        yield Finding("project", str(path))
