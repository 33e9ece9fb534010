"""A small fixed run, six cases, whose tables can be computed by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simorc.core.aggregates import Aggregate, compute
from simorc.core.case import Case
from simorc.core.errors import ErrorKind
from simorc.core.measurement import Measure, Measurement, Outcome, judge
from simorc.core.plan import Plan, PlotSpec
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Spec
from simorc.core.sweep import Axis, Sweep
from simorc.core.units import Quantity
from simorc.core.waveforms import Plot, Waveforms
from simorc.report.data import ReportData

SWEEP = Sweep(
    "pvt_ldo",
    (Axis(("corner",), (("tt",), ("ff",))), Axis(("temp",), ((125,), (-40,), (27,)))),
    {"corner": "tt", "temp": 27, "iload": Quantity("10m")},
    exclude=("temp > 150",),
)
MEASURES = (
    Measure("vout", "V", Spec(3.25, 3.3, 3.35), {"ff": Spec(3.25, 3.3, 3.32)}, description="Output voltage"),
    Measure("iq", "A", Spec(max=100e-6)),
    Measure("gain", "dB"),
    Measure("noise", "V", Spec(max=1e-6), targets=("bench",)),
)
AGGREGATES = (
    Aggregate("vout_spread", "spread", "vout", "temp", "V", Spec(max=0.015)),
    Aggregate("iq_max", "max", "iq", "", "A"),
)
# corner tt: 125, -40, 27; corner ff: 125, -40, 27. Case 1 has too high a current, 3 no vout, 4 did not converge.
VOUT = (3.28, 3.31, 3.3, None, None, 3.315)
IQ = (90e-6, 110e-6, 80e-6, 95e-6, None, 85e-6)
GAIN = (60.0, 61.0, 62.0, 63.0, None, 64.0)
MANIFEST: dict[str, Any] = {
    "run_id": "pvt_ldo_20260101120000",
    "created": "2026-01-01T12:00:00.000Z",
    "versions": {"simorc": "0.1.0", "python": "3.11.2", "simulator": "ngspice-39"},
    "git_commit": "0123456789abcdef0123456789abcdef01234567",
    "sha256": {"inputs/testbench/config.yaml": "ab" * 32},
    "executions": [{"started": "2026-01-01T12:00:01Z", "finished": "2026-01-01T12:00:09Z", "ended": "completed"}],
    "ended": "completed",
    "repeatable": {"case": 0, "identical": True},
}


def measured(case: Case) -> tuple[Measurement, ...]:
    """What case 0 to 5 measured, judged."""
    values = {"vout": VOUT[case.case_id], "iq": IQ[case.case_id], "gain": GAIN[case.case_id]}
    return tuple(
        judge(m, case, None, Outcome.NOT_MEASURED, "not measured on spice")
        if m.name == "noise"
        else judge(m, case, value, Outcome.VALUE)
        if (value := values[m.name]) is not None
        else judge(m, case, None, Outcome.FAILED, "meas dc vout find v(out) at=3 failed!")
        for m in MEASURES
    )


def record(case: Case) -> CaseRecord:
    """The record of one case."""
    if case.case_id == 4:
        message = "doAnalyses: iteration limit reached"
        return CaseRecord(4, Status.FAILED, error_kind=ErrorKind.NO_CONVERGENCE, error_message=message)
    retries = ({"gmin": "1e-10"},) if case.case_id == 5 else ()
    return CaseRecord(case.case_id, Status.COMPLETED, measurements=measured(case), retries=retries)


def waves(case_id: int) -> Waveforms:
    """An ac analysis of a low-pass: 1 kHz, gain 10; none of the failed case."""
    if case_id == 4:
        return Waveforms()
    frequency = np.logspace(0, 6, 25)
    response = 10.0 / (1 + 1j * frequency / 1e3)
    vectors = {"frequency": frequency + 0j, "v(out)": response}
    return Waveforms([Plot("AC Analysis", "ac", vectors, {"frequency": "Hz", "v(out)": "V"}, "frequency")])


@pytest.fixture
def report_data() -> Callable[..., ReportData]:
    """Makes the data of the fixed run; keywords replace parts of the plan or of the data."""

    def make(
        *,
        sweep: Sweep = SWEEP,
        measures: tuple[Measure, ...] = MEASURES,
        aggregates: tuple[Aggregate, ...] = AGGREGATES,
        plot_specs: tuple[PlotSpec, ...] = (),
        records: Callable[[Case], CaseRecord | None] = record,
        **others: Any,
    ) -> ReportData:
        plan = Plan(sweep, "ldo", "spice", "", "", "", measures=measures, aggregates=aggregates, plot_specs=plot_specs)
        cases = list(sweep.cases())
        made = {case.case_id: r for case in cases if (r := records(case)) is not None}
        results = compute(aggregates, cases, made, {m.name: m.spec.typ for m in measures})
        logs = {4: "results/4/ngspice.log"} if records is record else {}
        return ReportData(
            plan, cases, made, results, **{"manifest": MANIFEST, "logs": logs, "waveforms": waves} | others
        )

    return make


@pytest.fixture
def completed() -> Callable[..., Callable[[Case], CaseRecord]]:
    """Makes a function from cases to completed records, from a function from cases to values by measure name."""

    def make(
        values: Callable[[Case], dict[str, float | None]], measures: tuple[Measure, ...]
    ) -> Callable[[Case], CaseRecord]:
        def one(case: Case) -> CaseRecord:
            found = values(case)
            made = tuple(
                judge(m, case, found[m.name], Outcome.VALUE if found[m.name] is not None else Outcome.FAILED, "failed!")
                for m in measures
            )
            return CaseRecord(case.case_id, Status.COMPLETED, measurements=made)

        return one

    return make
