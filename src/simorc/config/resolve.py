"""From a project to the plan of one run."""

from __future__ import annotations

from pathlib import Path

from simorc.config.document import Document
from simorc.config.files import is_file
from simorc.config.problems import Problems, shown_path
from simorc.config.project import SERVED_BY, Project, SweepEntry, TestbenchEntry
from simorc.config.user_functions import read_functions
from simorc.core.bench import BenchSettings
from simorc.core.errors import ConfigError, Problem, UsageError
from simorc.core.plan import Plan
from simorc.core.wording import suggestion


def make_plan(project: Project, sweep_name: str, target: str | None = None, bench: str | None = None) -> Plan:
    """The plan of a sweep on its own target and bench, or on others; `pdks` and `environment` are left empty.

    Raises
    ------
    UsageError: there is no such sweep, target or bench
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
    _check_procedure(testbench, wanted, problems)
    problems.raise_all()
    settings = choose_bench(project, bench or entry.bench) if wanted == "bench" else None
    if settings is not None and settings.settling.parameter not in entry.sweep.defaults:
        raise UsageError(
            f"bench {settings.name!r} follows the parameter {settings.settling.parameter!r}, which testbench "
            f"{testbench.name!r} does not have",
            hint="name its temperature under settling: parameter: in the bench's file",
        )
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
        curves=entry.curves,
        simulator=testbench.simulator,
        bench=settings,
        stop_when=entry.stop_when if wanted == "spice" else None,
        bench_file=project.benches[settings.name].path.as_posix() if settings is not None else "",
    )


def _check_procedure(testbench: TestbenchEntry, target: str, problems: Problems) -> None:
    """A procedure defines `measure`; what it does is seen when it runs."""
    if target != "bench" or testbench.procedure is None or not is_file(testbench.procedure):
        return
    try:
        functions = read_functions(testbench.procedure)
    except ConfigError as error:
        problems.extend(error.problems)
        return
    if functions is not None and functions.bound is not None and "measure" not in functions.bound:
        where = shown_path(testbench.procedure)
        problems.add(Problem(where, "no function measure()", "def measure(bench, case): ..."))


def choose_bench(project: Project, name: str) -> BenchSettings:
    """The bench of that name; with an empty one the project's only bench.

    Raises
    ------
    UsageError: there is none of that name, none at all, or several to choose from
    """
    where, known = shown_path(project.setup_file), list(project.benches)
    if not known:
        raise UsageError(f"there is no bench in {where}", hint="name one under benches:, or --target spice")
    if not name and len(known) > 1:
        raise UsageError(f"which bench? there are {', '.join(known)}", hint="`bench:` in the sweep, or --bench NAME")
    chosen = name or known[0]
    if chosen not in project.benches:
        raise UsageError(f"no bench {chosen!r} in {where}", hint=suggestion(chosen, known))
    return project.benches[chosen].settings


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
    drawn = testbench.name if target == "spice" and testbench.schematic is not None else ""
    _check_file(testbench.file, [key], testbench.folder / _inside(testbench, key), drawn, problems)
    if target == "spice" and "netlist" in project.dut:
        drawn = "dut" if "schematic" in project.dut else ""
        _check_file(project.file, ["dut", "netlist"], project.dut["netlist"], drawn, problems)


def _check_file(file: Document, keys: list[str], path: Path, drawn: str, problems: Problems) -> None:
    """Note a file that is not there; `drawn` is what `simorc netlist` would make it of, if it can."""
    if not is_file(path):
        hint = f"type: simorc netlist {drawn} --update" if drawn else ""
        problems.add(Problem(file.where(keys), f"{shown_path(path)!r}, where there is no file", "a file", hint))


def _check_cases(entry: SweepEntry, problems: Problems) -> None:
    if next(entry.sweep.cases(), None) is None:
        key = "where" if entry.sweep.where else "exclude"
        problems.add(Problem(entry.file.where([key]), "conditions that leave no case", "at least one case"))
