"""A run directory without a simulator: the stub answers what the deck says."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from simorc.core.measurement import Measure
from simorc.core.plan import Plan, PlotSpec, SimulatorSettings
from simorc.core.spec import Spec
from simorc.core.sweep import Axis, Sweep
from simorc.workspace.create import create_run
from simorc.workspace.layout import RunDirectory

TEMPLATE = "* stub\n* meas y = {{ parameters.a * 10 }}\n.end\n"


class RunMaker:
    """Makes run directories below one folder; `a` is the only axis, `y` = 10 a the only simulated measure."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self,
        values: tuple[int, ...] = (1, 2, 3),
        *,
        run_id: str = "sweep_1",
        measures: tuple[Measure, ...] = (Measure("y", "V", Spec(max=25.0)),),
        template: str = TEMPLATE,
        python: str = "",
        plot_specs: tuple[PlotSpec, ...] = (),
        **settings: Any,
    ) -> RunDirectory:
        testbench = self.folder / f"tb_{run_id}"
        testbench.mkdir()
        (testbench / "deck.spice.j2").write_text(template)
        if python:
            (testbench / "measures.py").write_text(python)
        (self.folder / "sweep.yaml").write_text("testbench: tb\n")
        (self.folder / "sim_setup.yaml").write_text("")
        sweep = Sweep("sweep", (Axis(("a",), tuple((value,) for value in values)),), {"a": 1, "temp": 27})
        plan = Plan(
            sweep,
            "tb",
            "spice",
            str(testbench),
            str(self.folder / "sweep.yaml"),
            str(self.folder / "sim_setup.yaml"),
            template="deck.spice.j2",
            measures=measures,
            plot_specs=plot_specs,
            simulator=SimulatorSettings(name="stub", **settings),
        )
        now = datetime(2026, 1, 1, tzinfo=UTC)
        return create_run(self.folder / "simulations", run_id, plan, list(sweep.cases()), [], now)


@pytest.fixture
def make_run(pytester: pytest.Pytester) -> RunMaker:
    """Makes run directories below pytester's folder."""
    return RunMaker(pytester.path)


@pytest.fixture
def statuses() -> Callable[[RunDirectory], dict[int, dict[str, Any]]]:
    """The status files of a run, by case id."""

    def read(run: RunDirectory) -> dict[int, dict[str, Any]]:
        found = [json.loads(path.read_text()) for path in run.status_dir.glob("case_*.json")]
        return {record["case_id"]: record for record in sorted(found, key=lambda record: record["case_id"])}

    return read
