"""Simulations that a person's own test asks for, apart from the recorded results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import structs

from simorc.core.case import Case
from simorc.core.errors import UsageError
from simorc.core.protocols import SimulationResult
from simorc.core.units import Value, value_from_text, value_to_text
from simorc.plugin.case_runner import CaseRunner
from simorc.plugin.spice_target import SpiceTarget


def simulate(
    runner: CaseRunner, case: Case, deck: str | None, parameters: Mapping[str, object], folder: Path
) -> SimulationResult:
    """Simulate the template, or another deck, in a new folder with some parameters changed.

    Parameters
    ----------
    folder: in `results/` of the run directory, where the relative paths of a rendered deck hold
    """
    values: dict[str, Value] = dict(case.parameters)
    for name, value in parameters.items():
        if name not in values:
            raise KeyError(f"{name!r} is not a parameter of testbench {runner.plan.testbench!r}")
        values[name] = value_from_text(value if isinstance(value, str) else value_to_text(value))  # type: ignore[arg-type]
    changed = structs.replace(case, parameters=values)
    target = runner.target
    if not isinstance(target, SpiceTarget):
        raise UsageError("the fixture `simulator` works on the target spice alone", where=runner.run.run_id)
    text = deck if deck is not None else target.renderer.render(changed)
    folder.mkdir()
    result = target.simulator.run(target.simulator.prepare(text, changed, {}), folder, runner.timeout_s)
    if result.error is not None:
        raise result.error
    return result
