"""The closing words of `simorc run`: what is worst comes first, as in the report."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from simorc.commands._summary import summary
from simorc.core.measurement import Measure, Outcome, judge
from simorc.core.plan import Plan
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Spec
from simorc.workspace.conclude import conclude
from simorc.workspace.layout import RunDirectory
from simorc.workspace.status_store import write_record

VOUT = Measure("vout", "V", Spec(3.25, 3.3, 3.35))
IQ = Measure("iq", "A", Spec(max=100e-6))


def test_the_worst_is_what_lies_farthest_outside_its_window(
    ws_build: Callable[..., RunDirectory], ws_plan: Plan
) -> None:
    """vout 3.353 V is 3 mV, 6 % of half its window, too high (0.09 % of its limit); iq 103 uA is 3 % too high."""
    run = ws_build(plan=replace(ws_plan, measures=(VOUT, IQ), aggregates=()))
    for case, (vout, iq) in zip(ws_plan.sweep.cases(), [(3.3, 103e-6), (3.353, 90e-6), (None, 90e-6)], strict=False):
        outcome = Outcome.VALUE if vout is not None else Outcome.FAILED
        measured = (judge(VOUT, case, vout, outcome), judge(IQ, case, iq, Outcome.VALUE))
        write_record(run, CaseRecord(case.case_id, Status.COMPLETED, measurements=measured))
    lines = [line for line in summary(run, conclude(run), 3).splitlines() if "out of spec: " in line]
    assert [line.split(" = ")[0].split()[-1] for line in lines] == ["vout", "vout", "iq"]
    assert "no value (failed)" in lines[0]
    assert "3.353 V" in lines[1]
