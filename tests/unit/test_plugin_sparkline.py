"""The small curves in the rows of pytest-html: the same numbers as in the report."""

from __future__ import annotations

import re

import numpy as np
import pytest

from simorc.core.case import Case
from simorc.core.errors import CaseError, ErrorKind
from simorc.core.plan import PlotSpec
from simorc.core.waveforms import Plot, Waveforms
from simorc.plugin.sparkline import sparklines

CASE = Case(0, {}, ())
AC = Plot(
    "AC Analysis",
    "ac",
    {"frequency": np.array([1.0, 10.0, 100.0]) + 0j, "v(out)": np.array([4.0 + 3j, 3j, 0j])},
    {"frequency": "Hz", "v(out)": "V"},
    "frequency",
)


def drawn(**keys: str) -> list[str]:
    spec = PlotSpec("p", "waveform", y=("out", "absent"), **keys)  # type: ignore[arg-type]
    return sparklines([spec, PlotSpec("l", "line", y=("out",))], lambda case: Waveforms([AC]), CASE)


@pytest.mark.parametrize(
    ("transform", "text"),
    [
        ("none", "|out|: 0 … 5 V"),
        ("magnitude", "|out|: 0 … 5 V"),
        ("real", "Re out: 0 … 4 V"),
        ("imag", "Im out: 0 … 3 V"),
        ("db", "out: 9.542 … 13.98 dB"),
    ],
)
def test_a_curve_says_what_it_shows_and_its_range(transform: str, text: str) -> None:
    (svg,) = drawn(transform=transform, x_scale="log")
    assert f">{text}</text>" in svg
    assert len(re.findall(r"[\d.]+,[\d.]+", svg)) == (2 if transform == "db" else 3)


def test_nothing_is_drawn_of_another_analysis_or_of_files_that_are_gone() -> None:
    def gone(case: Case) -> Waveforms:
        raise CaseError(ErrorKind.LOST, "there is no log")

    assert drawn(analysis="tran") == []
    assert sparklines([PlotSpec("p", "waveform", y=("out",))], gone, CASE) == []
