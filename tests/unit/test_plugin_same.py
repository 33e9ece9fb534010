"""Whether two simulations gave the same: whatever their results came from."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from simorc.core.protocols import SimulationResult
from simorc.core.waveforms import Plot, Waveforms
from simorc.plugin.verification import same


def result(value: float, *, content: bool, measure: float = 1.0) -> SimulationResult:
    vectors = {"v(out)": np.array([1.0, value])}
    plots = [Plot("Operating Point", "op", vectors, {}, "v(out)")]
    raw = vectors["v(out)"].tobytes()
    return SimulationResult({"m": measure}, Waveforms(plots, (lambda: raw) if content else None), Path("log"))


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("value", [2.0, math.nan])
def test_the_same_values_are_the_same_wherever_they_come_from(value: float, first: bool, second: bool) -> None:
    assert same(result(value, content=first), result(value, content=second))
    assert not same(result(value, content=first), result(3.0, content=second))
    assert not same(result(value, content=first), result(value, content=second, measure=1.1))
