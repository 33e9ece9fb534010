"""What a test's report carries about its case: for the controller, junitxml and pytest-html."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simorc.core.spec import Verdict
from simorc.core.units import value_to_text

if TYPE_CHECKING:
    from simorc.core.case import Case
    from simorc.core.record import CaseRecord
    from simorc.plugin.run_context import RunContext  # brings numpy along, which the controller has no use for

OUTCOME = "simorc_outcome"
COUNTS = "simorc_counts"
"""Property of a block's report: how many cases ended how since the report before."""
SPARKLINES = pytest.StashKey[list[str]]()


def counted(record: CaseRecord) -> list[str]:
    """Under what a case counts: its status, and `out_of_spec`."""
    return [record.status.value, "out_of_spec"] if record.verdict is Verdict.FAIL else [record.status.value]


def attach(item: pytest.Item, case: Case, record: CaseRecord, context: RunContext) -> None:
    """Put a case's outcome into its test's report.

    The property `simorc_outcome` is for the controller: `<case id> <status> <verdict>`. For junitxml and pytest-html
    each parameter and measure is a property of its own; elsewhere they would only travel from worker to controller.
    """
    add = item.user_properties.append
    add((OUTCOME, f"{case.case_id} {record.status} {record.verdict}"))
    wants_html = item.config.getoption("htmlpath", None)
    if not (wants_html or item.config.getoption("xmlpath", None)):
        return
    for name, value in case.conditions.items():
        add((f"parameter.{name}", value_to_text(value)))
    for m in record.measurements:
        text = m.outcome if m.value is None else f"{m.value!r} {m.unit}".strip()
        add((f"measure.{m.name}", str(text)))
    if wants_html:
        from simorc.plugin.sparkline import sparklines

        item.stash[SPARKLINES] = sparklines(context.plan.plot_specs, context.runner.waves, case)
