"""Waveforms by name."""

from __future__ import annotations

import numpy as np
import pytest

from simorc.core.errors import UsageError
from simorc.core.waveforms import Plot, Waveforms


def plot(kind: str, scale: str, **vectors: list[complex]) -> Plot:
    named = {name.replace("_", "(") + (")" if "_" in name else ""): np.array(v) for name, v in vectors.items()}
    return Plot(f"{kind} analysis", kind, named, {}, scale)


@pytest.fixture
def waves() -> Waveforms:
    tran = plot("tran", "time", time=[0, 1], v_out=[1, 2], i_vdd=[3, 4])
    ac = plot("ac", "frequency", frequency=[1, 10, 100], v_out=[1j, 2j, 3j])
    return Waveforms([tran, ac, plot("ac", "frequency", frequency=[5.0])])


@pytest.mark.parametrize("name", ["v(out)", "V(OUT)", "out", "OUT"])
def test_a_vector_is_found_in_the_last_plot_that_has_it(waves: Waveforms, name: str) -> None:
    assert name in waves
    assert waves[name].tolist() == [1j, 2j, 3j]


def test_a_current_is_found_by_the_name_of_its_source(waves: Waveforms) -> None:
    assert "vdd" in waves
    assert waves["vdd"].tolist() == [3, 4]
    assert waves["i(vdd)"] is waves["vdd"]


def test_plots_by_position_and_by_kind(waves: Waveforms) -> None:
    assert len(waves) == 3
    assert waves[0] is next(iter(waves))
    assert waves[1:] == (waves[1], waves[2])
    assert waves.plot("ac") is waves[2]
    assert waves[0] in waves
    assert plot("tran", "time") not in waves
    assert waves.index(waves[2]) == 2


def test_a_plot_knows_its_scale_and_its_length(waves: Waveforms) -> None:
    assert (len(waves[0]), waves[0].x.tolist()) == (2, [0, 1])
    assert ("out" in waves[0], "frequency" in waves[0], 3 in waves[0]) == (True, False, False)


def test_a_plot_without_its_scale_is_empty() -> None:
    empty = plot("op", "index")
    assert len(empty) == 0
    with pytest.raises(UsageError, match="no vector 'index'"):
        _ = empty.x


def test_what_is_not_there_is_told_with_what_is(waves: Waveforms) -> None:
    assert "gain" not in waves
    with pytest.raises(UsageError) as caught:
        waves["gain"]
    assert caught.value.hint.startswith("there are: tran: time v(out) i(vdd), ac: frequency v(out)")
    with pytest.raises(UsageError) as caught:
        waves[0]["gain"]
    assert caught.value.hint == "it has: time, v(out), i(vdd)"
    with pytest.raises(UsageError) as caught:
        waves.plot("dc")
    assert caught.value.hint == "there are: tran, ac, ac"
    with pytest.raises(UsageError, match="no vector"):
        Waveforms()["out"]
