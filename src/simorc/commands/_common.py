"""What several commands do alike: find the project, find the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from simorc.core.plan import Plan
from simorc.workspace.layout import RunDirectory, find_run


def output_of(setup: Path | None) -> Path:
    """The output folder of the project here, in a parent folder, or of a given setup file."""
    from simorc.config.project import find_setup, output_folder

    return output_folder(find_setup(Path.cwd(), setup))


def open_run_directory(text: str, setup: Path | None) -> RunDirectory:
    """The run that a person means: a path, an exact id, a sweep's name, a unique beginning.

    A path works outside any project.

    Raises
    ------
    UsageError: there is none, or several
    """
    path = Path(text)
    if (path / "run.json").is_file() and (path / "metadata.csv").is_file():
        return RunDirectory(path.resolve())
    return find_run(text, output_of(setup))


def todays_plan(frozen: Plan, setup: Path | None) -> Plan:
    """A run's plan with the measures, aggregates and plot specs of today's project."""
    from simorc.config.project import load_project
    from simorc.config.resolve import make_plan

    today = make_plan(load_project(setup or Path(frozen.setup_file)), frozen.sweep.name, frozen.target)
    return replace(
        frozen,
        measures=today.measures,
        aggregates=today.aggregates,
        plot_specs=today.plot_specs,
        testbench_dir=today.testbench_dir,
    )
