"""The project: where its setup stands, and everything in it, checked.

Finding the setup and its output folder imports no models, so that commands which only look at runs start at once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simorc.config.document import Document
from simorc.config.environment import with_environment
from simorc.config.files import is_file, is_folder, resolved
from simorc.config.loader import load_yaml
from simorc.config.problems import Problems, printed, shown_path
from simorc.core.errors import Problem, UsageError
from simorc.core.measurement import Measure
from simorc.core.sweep import Sweep
from simorc.core.units import Value

if TYPE_CHECKING:  # these bring numpy along, for which `simorc status` has no time
    from simorc.core.aggregates import Aggregate
    from simorc.core.bench import BenchSettings
    from simorc.core.netlister import NetlisterSettings
    from simorc.core.plan import Curve, PlotSpec, SimulatorSettings
    from simorc.core.stopping import StopRule

SETUP_FILE = "sim_setup.yaml"
DEFAULT_OUTPUT = "./simulations"
SERVED_BY = {"spice": "template", "bench": "procedure"}
"""Target -> the key of a testbench that names the file which serves it."""


@dataclass(frozen=True, slots=True)
class TestbenchEntry:
    """A testbench of the project.

    Parameters
    ----------
    folder: absolute
    file: its config.yaml
    schematic, template, procedure: absolute paths, None where not given
    parameters: names and defaults
    simulator: settings that hold for its cases
    """

    __test__ = False

    name: str
    folder: Path
    file: Document
    schematic: Path | None
    template: Path | None
    procedure: Path | None
    parameters: Mapping[str, Value]
    simulator: SimulatorSettings

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets that it serves."""
        return tuple(target for target, key in SERVED_BY.items() if getattr(self, key) is not None)


@dataclass(frozen=True, slots=True)
class BenchEntry:
    """A bench of the project.

    Parameters
    ----------
    path: absolute path of its file
    file: its content
    """

    path: Path
    file: Document
    settings: BenchSettings


@dataclass(frozen=True, slots=True)
class SweepEntry:
    """A sweep of the project, with everything that its testbench gives it.

    Parameters
    ----------
    path: absolute path of its file
    file: its content
    target: the target unless the command line says otherwise
    bench: the bench of the target `bench` unless the command line says otherwise; empty for the only one
    """

    name: str
    path: Path
    file: Document
    testbench: str
    target: str
    bench: str
    sweep: Sweep
    measures: tuple[Measure, ...]
    aggregates: tuple[Aggregate, ...]
    plot_specs: tuple[PlotSpec, ...]
    curves: tuple[Curve, ...]
    stop_when: StopRule | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """A project whose files have been checked.

    Parameters
    ----------
    setup_file: absolute path of sim_setup.yaml
    file: its content, with the environment's overrides
    output: folder of the run directories, absolute
    dut: `netlist` and `schematic` (absolute) as far as given; the files need not exist yet
    benches: name -> bench
    netlister: how schematics become netlists
    """

    setup_file: Path
    file: Document
    output: Path
    dut: Mapping[str, Path]
    testbenches: Mapping[str, TestbenchEntry]
    sweeps: Mapping[str, SweepEntry]
    benches: Mapping[str, BenchEntry]
    netlister: NetlisterSettings


def find_setup(start: Path, explicit: Path | None = None) -> Path:
    """The setup file: the one that is named, else sim_setup.yaml in `start` or the nearest folder above it.

    Raises
    ------
    UsageError: there is none
    """
    if explicit is not None:
        path = explicit / SETUP_FILE if is_folder(explicit) else explicit
        if not is_file(path):
            raise UsageError(f"no setup file {shown_path(path)}", hint="`simorc init` makes one")
        return _absolute(path)
    folder = _absolute(start)
    for candidate in (folder, *folder.parents):
        if is_file(candidate / SETUP_FILE):
            return candidate / SETUP_FILE
    hint = "`simorc init` makes one; `--setup FILE` names one that stands elsewhere"
    raise UsageError(f"no {SETUP_FILE} in {folder} or a folder above it", hint=hint)


def output_folder(setup_file: Path, environment: Mapping[str, str] | None = None) -> Path:
    """The folder of the run directories, absolute; looks at nothing else in the setup.

    Raises
    ------
    ConfigError: the file is not well-formed, or `output` is not a path
    """
    problems = Problems()
    file = _load_setup(setup_file, environment, problems)
    text = file.data.get("output", DEFAULT_OUTPUT) if isinstance(file.data, dict) else None
    if not isinstance(text, str) or not text.strip():
        expected = "a path" if isinstance(file.data, dict) else "a mapping"
        problems.add(Problem(file.where(["output"]), printed(text if expected == "a path" else file.data), expected))
    problems.raise_all()
    return resolved(file.folder, str(text))


def load_project(setup_file: Path, environment: Mapping[str, str] | None = None) -> Project:
    """The project of a setup file, with all its testbenches and sweeps.

    `environment` is where overrides are looked up, by default the process's own.

    Raises
    ------
    ConfigError: every problem in any of the files
    """
    from simorc.config.assembly import assemble  # pydantic costs start-up time that `status` need not pay

    problems = Problems()
    return assemble(_absolute(setup_file), _load_setup(setup_file, environment, problems), problems)


def _load_setup(setup_file: Path, environment: Mapping[str, str] | None, problems: Problems) -> Document:
    variables = os.environ if environment is None else environment
    return with_environment(load_yaml(setup_file), variables, problems)


def _absolute(path: Path) -> Path:
    return resolved(Path.cwd(), str(path))
