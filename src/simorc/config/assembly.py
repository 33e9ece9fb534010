"""Put a project together from its files; the heavy half of `project`, with the models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simorc import registry
from simorc.config.bench_file import read_bench
from simorc.config.document import Document
from simorc.config.environment import PREFIX
from simorc.config.files import is_folder, resolved
from simorc.config.models.setup import Setup
from simorc.config.names import check_file_names
from simorc.config.problems import Problems, one_of, printed
from simorc.config.project import BenchEntry, Project, SweepEntry
from simorc.config.sweep_file import read_sweep
from simorc.config.testbench_file import TestbenchFile, read_testbench
from simorc.config.validation import validate
from simorc.core.errors import Problem
from simorc.core.netlister import NetlisterSettings
from simorc.core.plan import SimulatorSettings
from simorc.core.wording import did_you_mean


def assemble(setup_file: Path, file: Document, problems: Problems) -> Project:
    """The project that a setup describes; raises ConfigError with the problems of all its files."""
    setup = validate(file, Setup, problems)
    for section in ("testbenches", "sweeps", "benches"):
        check_file_names(file, section, problems)
    _check_choice("simulator", setup.simulator.name, file, problems)
    _check_choice("netlister", setup.netlister.name, file, problems)
    benches = _benches(setup, file, problems)
    testbenches = _testbenches(setup, file, problems)
    sweeps = _sweeps(setup, file, testbenches, problems)
    problems.raise_all()
    return Project(
        setup_file=setup_file,
        file=file,
        output=resolved(file.folder, setup.output),
        dut={key: resolved(file.folder, path) for key, path in setup.dut.model_dump().items() if path},
        testbenches={name: found.entry(_settings(setup, file, found)) for name, found in testbenches.items() if found},
        sweeps=sweeps,
        benches=benches,
        netlister=_netlister(setup, file),
    )


def _check_choice(section: str, name: str, file: Document, problems: Problems) -> None:
    """Whether a section names something that is registered."""
    known = registry.names(f"{section}s")
    if name not in known:
        where = file.where([section, "name"])
        problems.add(Problem(where, f"the {section} {printed(name)}", one_of(known), did_you_mean(name, known)))


def _benches(setup: Setup, file: Document, problems: Problems) -> dict[str, BenchEntry]:
    found = {name: read_bench(name, text, file, problems) for name, text in setup.benches.items()}
    return {
        name: BenchEntry(resolved(file.folder, setup.benches[name]), bench[1], bench[0])
        for name, bench in found.items()
        if bench is not None
    }


def _testbenches(setup: Setup, file: Document, problems: Problems) -> dict[str, TestbenchFile | None]:
    found: dict[str, TestbenchFile | None] = dict.fromkeys(file.section("testbenches"))
    for name, text in setup.testbenches.items():
        folder = resolved(file.folder, text)
        if is_folder(folder):
            found[name] = read_testbench(name, folder, problems)
        else:
            where = file.where(["testbenches", name])
            problems.add(Problem(where, f"{printed(text)}, where there is no folder", "the folder of a testbench"))
    return found


def _sweeps(
    setup: Setup, file: Document, testbenches: Mapping[str, TestbenchFile | None], problems: Problems
) -> dict[str, SweepEntry]:
    sweeps = (read_sweep(name, text, file, testbenches, problems) for name, text in setup.sweeps.items())
    return {sweep.name: sweep for sweep in sweeps if sweep}


def _settings(setup: Setup, file: Document, testbench: TestbenchFile) -> SimulatorSettings:
    """The setup's settings, the testbench's over them, the environment's over both."""
    values = _given(setup.simulator)
    for key, value in _given(testbench.keys.simulator).items():
        mark, _ = file.locate(["simulator", key])
        if not mark.source.startswith(PREFIX):
            values[key] = value
    return SimulatorSettings(**values)


def _netlister(setup: Setup, file: Document) -> NetlisterSettings:
    keys = setup.netlister
    return NetlisterSettings(
        name=keys.name,
        timeout_s=keys.timeout_s,
        libraries=tuple(resolved(file.folder, text) for text in keys.libraries),
        rcfile=resolved(file.folder, keys.rcfile) if keys.rcfile else None,
    )


def _given(section: Any) -> dict[str, Any]:
    names = section.model_fields_set.intersection(SimulatorSettings.__struct_fields__)
    return {key: getattr(section, key) for key in names if getattr(section, key) is not None}
