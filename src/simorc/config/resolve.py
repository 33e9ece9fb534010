"""From a project to the plan of one run."""

from __future__ import annotations

from pathlib import Path

from simorc.config.document import Document
from simorc.config.files import is_file
from simorc.config.problems import Problems, shown_path
from simorc.config.project import SERVED_BY, Project, SweepEntry, TestbenchEntry
from simorc.core.errors import Problem, UsageError
from simorc.core.plan import Plan
from simorc.core.wording import suggestion


def make_plan(project: Project, sweep_name: str, target: str | None = None) -> Plan:
    """The plan of a sweep on its own target, or on another; `pdks` and `environment` are left empty.

    Raises
    ------
    UsageError: there is no such sweep, or no such target
    ConfigError: files that the target needs are missing, or the conditions leave no case
    """
    entry = _sweep(project, sweep_name)
    wanted = entry.target if target is None else target
    if wanted not in SERVED_BY:
        raise UsageError(f"no target {wanted!r}", hint=suggestion(wanted, SERVED_BY))
    testbench = project.testbenches[entry.testbench]
    problems = Problems()
    _check_files(project, testbench, wanted, problems)
    _check_cases(entry, problems)
    problems.raise_all()
    measured = {measure.name for measure in entry.measures if wanted in measure.targets}
    return Plan(
        sweep=entry.sweep,
        testbench=testbench.name,
        target=wanted,
        testbench_dir=testbench.folder.as_posix(),
        sweep_file=entry.path.as_posix(),
        setup_file=project.setup_file.as_posix(),
        template=_inside(testbench, "template"),
        procedure=_inside(testbench, "procedure"),
        dut={key: path.as_posix() for key, path in project.dut.items()},
        measures=entry.measures,
        aggregates=tuple(aggregate for aggregate in entry.aggregates if aggregate.of in measured),
        plot_specs=entry.plot_specs,
        simulator=testbench.simulator,
    )


def _sweep(project: Project, name: str) -> SweepEntry:
    if name not in project.sweeps:
        where = shown_path(project.setup_file)
        raise UsageError(f"no sweep {name!r} in {where}", hint=suggestion(name, project.sweeps))
    return project.sweeps[name]


def _inside(testbench: TestbenchEntry, key: str) -> str:
    path: Path | None = getattr(testbench, key)
    return path.relative_to(testbench.folder).as_posix() if path else ""


def _check_files(project: Project, testbench: TestbenchEntry, target: str, problems: Problems) -> None:
    if target not in testbench.targets:
        found = f"no such key, but the target is {target!r}"
        where = testbench.file.where([], SERVED_BY[target])
        problems.add(Problem(where, found, f"a file, or --target {' or '.join(testbench.targets)}"))
        return
    key = SERVED_BY[target]
    _check_file(testbench.file, [key], testbench.folder / _inside(testbench, key), problems)
    if target == "spice" and "netlist" in project.dut:
        _check_file(project.file, ["dut", "netlist"], project.dut["netlist"], problems)


def _check_file(file: Document, keys: list[str], path: Path, problems: Problems) -> None:
    if not is_file(path):
        problems.add(Problem(file.where(keys), f"{shown_path(path)!r}, where there is no file", "a file"))


def _check_cases(entry: SweepEntry, problems: Problems) -> None:
    if next(entry.sweep.cases(), None) is None:
        key = "where" if entry.sweep.where else "exclude"
        problems.add(Problem(entry.file.where([key]), "conditions that leave no case", "at least one case"))
