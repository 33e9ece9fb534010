"""What of a session's answer counts: not a vector with a number that is none, wherever in its raw file it stands."""

from __future__ import annotations

import math
import struct

import pytest

from simorc.simulators.fast_ngspice import _checked
from simorc.simulators.ngspice_deck import Script
from simorc.simulators.ngspice_log import parse_log
from simorc.simulators.ngspice_session import Output

LOG = "\nCircuit: * a\n"
SCRIPT = Script("* a\n.op\n.ac lin 2 1 2\n.end\n", ("op", "ac lin 2 1 2"), ("op1", "ac1"), ("op", "ac"))
OP = (
    "Title: a\nPlotname: Operating Point\nFlags: real\nNo. Variables: 1\nNo. Points: 1\nVariables:\n"
    "\t0\tv(out)\tvoltage\n"
)
AC = (
    "Title: a\nPlotname: AC Analysis\nFlags: complex\nNo. Variables: 2\nNo. Points: 2\nVariables:\n"
    "\t0\tfrequency\tfrequency\n\t1\tv(out)\tvoltage\n"
)


def raw(op: list[float], ac: list[float]) -> bytes:
    parts = [(OP, op), (AC, ac)]
    return b"".join(f"{head}Binary:\n".encode() + struct.pack(f"<{len(data)}d", *data) for head, data in parts)


@pytest.mark.parametrize("bad", [None, *range(9)])
def test_every_number_of_every_plot_must_be_finite(bad: int | None) -> None:
    numbers = [1.5, 1.0, 0.0, 0.5, 0.25, 2.0, 0.0, 0.75, -0.5]
    if bad is not None:
        numbers[bad] = math.nan if bad % 2 else math.inf
    output = Output(LOG.encode(), raw(numbers[:1], numbers[1:]))
    plots, doubt = _checked(SCRIPT, output, LOG, parse_log(LOG))
    assert doubt == ("" if bad is None else "a vector is not finite")
    assert [plot.kind for plot in plots] == (["op", "ac"] if bad is None else [])
