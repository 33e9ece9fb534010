"""What several commands do alike: find the project, find the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from simorc.workspace.layout import RunDirectory, find_run, is_run_directory

if TYPE_CHECKING:  # this brings numpy along, for which `simorc status` has no time
    from simorc.core.bench import BenchSettings
    from simorc.core.plan import Plan


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
    if text and is_run_directory(Path(text)):  # an empty text is no path, such as that of an unset variable
        return RunDirectory(Path(text).resolve())
    return find_run(text, output_of(setup))


def bench_of(name: str | None, setup: Path | None) -> BenchSettings:
    """A bench of the project, by default its only one.

    Raises
    ------
    UsageError: there is none of that name, none at all, or several to choose from
    """
    from simorc.config.project import find_setup, load_project
    from simorc.config.resolve import choose_bench

    return choose_bench(load_project(find_setup(Path.cwd(), setup)), name or "")


def todays_plan(frozen: Plan, setup: Path | None) -> Plan:
    """A run's plan with the measures, aggregates and plot specs of today's project."""
    from simorc.config.project import load_project
    from simorc.config.resolve import make_plan

    bench = frozen.bench.name if frozen.bench is not None else None
    today = make_plan(load_project(setup or Path(frozen.setup_file)), frozen.sweep.name, frozen.target, bench)
    return structs.replace(
        frozen,
        measures=today.measures,
        aggregates=today.aggregates,
        plot_specs=today.plot_specs,
        curves=today.curves,
        testbench_dir=today.testbench_dir,
    )
