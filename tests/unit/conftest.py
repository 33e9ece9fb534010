"""A small project on disk and a run directory built from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simorc.core.aggregates import Aggregate
from simorc.core.measurement import Measure, Measurement, Outcome
from simorc.core.plan import Plan, PlotSpec, SimulatorSettings
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Spec, Verdict
from simorc.core.sweep import Axis, Sweep
from simorc.core.units import Quantity
from simorc.workspace.create import create_run
from simorc.workspace.layout import RunDirectory

CREATED = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def ws_plan(tmp_path: Path) -> Plan:
    """Six cases, corner x (vin, iload), of a testbench with a helper beside measures.py."""
    testbench = tmp_path / "project" / "testbenches" / "ldo"
    testbench.mkdir(parents=True)
    (testbench / "tb.spice.j2").write_text("* {{ parameters.vin }}\n.end\n")
    (testbench / "measures.py").write_text("from helper import twice\n\ndef psrr(waves, case):\n    return twice(21)\n")
    (testbench / "helper.py").write_text("def twice(x):\n    return 2 * x\n")
    project = tmp_path / "project"
    (project / "pvt.yaml").write_text("testbench: ldo\n")
    (project / "ldo.spice").write_text(".subckt ldo\n.ends\n")
    (project / "sim_setup.yaml").write_text("output: ./simulations\n")
    axes = (
        Axis(("corner",), (("tt",), ("ff, hot",))),
        Axis(("vin", "iload"), ((4.5, Quantity("10u")), (5, Quantity("10m")), (5.5e-05, Quantity("1meg")))),
    )
    return Plan(
        sweep=Sweep("pvt", axes, {"corner": "tt", "vin": 5.0, "iload": Quantity("10m"), "temp": 27, "on": True}),
        testbench="ldo",
        target="spice",
        testbench_dir=str(testbench),
        sweep_file=str(project / "pvt.yaml"),
        setup_file=str(project / "sim_setup.yaml"),
        template="tb.spice.j2",
        dut={"netlist": str(project / "ldo.spice")},
        measures=(
            Measure("vout", "V", Spec(3.25, 3.3, 3.35), {"ff": Spec(max=3.4)}),
            Measure("psrr", "dB", source="python", targets=("spice",), optional=True),
        ),
        aggregates=(Aggregate("spread", "spread", "vout", unit="V", spec=Spec(max=Quantity("50m"))),),
        plot_specs=(PlotSpec("p", x="vin", y=("vout",), group="corner"),),
        simulator=SimulatorSettings(init=("set ngbehavior=hsa",), retries=({"gmin": "1e-10"},)),
        pdks={"sky130": {"path": "/pdk", "lib": "/pdk/lib", "origin": "PDK_ROOT"}},
        environment={"VARIANT": "b"},
    )


@pytest.fixture
def ws_build(tmp_path: Path, ws_plan: Plan) -> Callable[..., RunDirectory]:
    """Builds run directories in the project's simulations/ folder."""

    def build(run_id: str = "pvt_20260101120000", *, plan: Plan = ws_plan, force: bool = False) -> RunDirectory:
        output = tmp_path / "project" / "simulations"
        return create_run(output, run_id, plan, list(plan.sweep.cases()), [], CREATED, force=force)

    return build


@pytest.fixture
def ws_run(ws_build: Callable[..., RunDirectory]) -> RunDirectory:
    """A run directory with six pending cases."""
    return ws_build()


@pytest.fixture
def ws_record() -> Callable[..., CaseRecord]:
    """Makes records of cases, completed and in spec unless said otherwise."""

    def make(case_id: int, status: Status = Status.COMPLETED, vout: float | None = 3.3, **fields: object) -> CaseRecord:
        outcome = Outcome.VALUE if vout is not None else Outcome.FAILED
        verdict, margin = Spec(3.25, None, 3.35).judge(vout)
        measured = (Measurement("vout", vout, "V", outcome, verdict, 3.25, 3.35, margin),)
        measurements = measured if status is Status.COMPLETED else ()
        return CaseRecord(case_id, status, measurements=measurements, **fields)  # type: ignore[arg-type]

    assert make(0, vout=9.0).verdict is Verdict.FAIL
    return make
