"""Pure: the worst cases of a run as named corners, which another sweep takes by `corners: <path of the file>`."""

from __future__ import annotations

import json
from collections.abc import Mapping

from simorc.core.case import Case
from simorc.core.units import Value, value_to_text
from simorc.report.data import ReportData
from simorc.report.spec_table import spec_rows, worst_rows

CORNERS_FILE = "corners.yaml"
_NO_PARAMETERS = ("corner_name", "mc_sample")


def corners_file(data: ReportData) -> dict[str, bytes]:
    """`corners.yaml` with a corner `<measure>_worst` for each measure with limits; nothing where there is none.

    A corner binds every swept parameter of its case and, where samples were drawn, the seed.
    """
    rows = worst_rows(spec_rows(data))
    if not rows:
        return {}
    lines = [f"# Worst cases of {data.run_id}. A sweep of the same testbench takes them by `corners:` and this path."]
    for row, worst in rows:
        lines.append(f"{_scalar_key(f'{row.measure}_worst')}: {_flow(_bound(worst.case))}  # case {worst.case.case_id}")
    return {CORNERS_FILE: ("\n".join(lines) + "\n").encode()}


def _bound(case: Case) -> dict[str, Value]:
    return {name: value for name, value in case.conditions.items() if name not in _NO_PARAMETERS}


def _flow(values: Mapping[str, Value]) -> str:
    """A YAML mapping in one line."""
    return "{" + ", ".join(f"{_scalar_key(name)}: {_scalar(value)}" for name, value in values.items()) + "}"


def _scalar_key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name, ensure_ascii=False)


def _scalar(value: Value) -> str:
    """A value that is read back as it is: texts in quotes, numbers as they were written."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else value_to_text(value)
