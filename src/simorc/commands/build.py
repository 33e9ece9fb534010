"""`simorc build`: expand a sweep into a run directory. Starts no process."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from simorc.core.case import Case
from simorc.core.errors import UsageError
from simorc.core.plan import Plan
from simorc.core.sample import representatives
from simorc.core.sweep import Cases
from simorc.registry import simulator_class
from simorc.simulators.deck_paths import file_references, full_path
from simorc.simulators.model_files import ModelFiles
from simorc.simulators.netlist import Renderer
from simorc.workspace.create import create_run
from simorc.workspace.layout import check_name, new_run_id

if TYPE_CHECKING:
    from simorc.config.project import Project


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What the command line of `simorc build` says."""

    setup: Path | None = None
    target: str | None = None
    bench: str | None = None
    run_id: str | None = None
    force: bool = False
    dry_run: bool = False
    show: int | None = None
    require_fresh: bool = False


def build(sweep: str, options: BuildOptions) -> int:
    """Make the run directory and print its id, alone, on stdout.

    Raises
    ------
    ConfigError, TemplateError, UsageError, RunDirectoryError: nothing was written
    ToolMissingError: the template uses a PDK that is not installed
    """
    from simorc.config.project import find_setup, load_project
    from simorc.config.resolve import make_plan

    project = load_project(find_setup(Path.cwd(), options.setup))
    plan = make_plan(project, sweep, options.target, options.bench)
    spice = plan.target == "spice"
    if spice:
        _check_netlists(project, plan, options.require_fresh)
        plan = with_surroundings(plan)
    _check_lab(plan)
    cases = Cases(plan.sweep)
    if options.show is not None:
        return _show(plan, cases, options.show)
    files = _checked_decks(plan, cases) if spice else ModelFiles()
    if options.dry_run:
        _say(f"{sweep}: {len(cases)} cases of testbench {plan.testbench} on {plan.target}; nothing written")
        return 0
    now = datetime.now(UTC)
    run_id = check_name(options.run_id) if options.run_id is not None else new_run_id(plan.sweep.name, now)
    run = create_run(
        project.output, run_id, plan, cases, files.outside, now, force=options.force, rewritten=files.copies
    )
    _say(f"{sweep}: {len(cases)} cases of testbench {plan.testbench} on {plan.target} in {os.path.relpath(run.path)}")
    _say(f"next: simorc run {run.run_id}")
    print(run.run_id)
    return 0


def _check_netlists(project: Project, plan: Plan, require_fresh: bool) -> None:
    """Warn of netlists that are not as their schematics are, or refuse them."""
    from simorc.commands._netlists import DUT, unfresh

    reads_dut = Renderer.of_project(plan).names().dut or _includes_dut(plan)
    found = unfresh(project, [plan.testbench, DUT] if reads_dut else [plan.testbench])
    if not found:
        return
    remarks = [f"{pair.name}: {finding.state} ({finding.reason})" for pair, finding in found]
    remedy = " ".join(["simorc netlist", *[pair.name for pair, _ in found if len(found) == 1], "--update"])
    if require_fresh:
        hint = "\n".join([*remarks, f"type: {remedy}"])
        raise UsageError("netlists are not as their schematics are", hint=hint)
    for remark in remarks:
        _say(f"warning: netlist of {remark}; type: {remedy}")


def _includes_dut(plan: Plan) -> bool:
    """Whether the template names the DUT's netlist by its path."""
    template = Path(plan.testbench_dir, plan.template)
    text = template.read_text(encoding="utf-8", errors="replace")
    folder = template.parent.as_posix()
    return any(full_path(path, folder) == plan.dut.get("netlist") for path, _ in file_references(text))


def _check_lab(plan: Plan) -> None:
    """Wiring, faults and parameter sets of a simulated bench, before anything is written."""
    if plan.bench is None or plan.bench.simulated is None:
        return
    from simorc.virtual_lab.clock import AutojumpClock
    from simorc.virtual_lab.lab import Lab

    try:
        Lab(plan.bench, AutojumpClock())
    except UsageError as error:
        raise UsageError(error.what, where=f"bench {plan.bench.name!r}", hint=error.hint) from error


def _checked_decks(plan: Plan, cases: Sequence[Case]) -> ModelFiles:
    """The files that decks read; a case for every axis value is rendered, which finds errors that only some cause."""
    renderer = Renderer.of_project(plan)
    renderer.check()
    chosen = representatives(cases)
    decks = [renderer.render(case) for case in chosen]
    simulator_class(plan.simulator.name)(plan.simulator).prepare(decks[0], chosen[0], {})
    files = renderer.files(decks)
    for missing in files.missing:
        _say(f"warning: there is no file {missing}; cases that read it will fail")
    return files


def with_surroundings(plan: Plan) -> Plan:
    """The plan with the PDKs and environment variables that its template uses, as they are here and now."""
    names = Renderer.of_project(plan).names()
    pdks = _pdks(sorted(names.pdks))
    missing = sorted(name for name in names.environment if name not in os.environ)
    if missing:
        raise UsageError(
            f"the template reads environment variables that are not set: {', '.join(missing)}",
            where=str(Path(plan.testbench_dir) / plan.template),
            hint=f"type: export {missing[0]}=…",
        )
    return structs.replace(
        plan,
        pdks=pdks,
        environment={name: os.environ[name] for name in sorted(names.environment)},
    )


def _pdks(names: Sequence[str]) -> dict[str, Mapping[str, str]]:
    if not names:
        return {}
    from simorc.simulators.pdk import find_pdk

    return {name: find_pdk(name, os.environ).as_mapping() for name in names}


def _show(plan: Plan, cases: Sequence[Case], case_id: int) -> int:
    if plan.target != "spice":
        raise UsageError("--show prints a deck, and a bench has none", hint="--target spice")
    renderer = Renderer.of_project(plan)
    renderer.check()
    if not 0 <= case_id < len(cases):
        raise UsageError(f"no case {case_id}: there are 0 to {len(cases) - 1}")
    simulator = simulator_class(plan.simulator.name)(plan.simulator)
    print(simulator.prepare(renderer.render(cases[case_id]), cases[case_id], {}).text, end="")
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)
