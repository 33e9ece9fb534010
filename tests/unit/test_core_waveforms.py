"""Waveforms by name."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simorc.core.errors import UsageError
from simorc.core.transforms import transformed, transformed_name
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
    assert caught.value.hint == "there are: time, v(out), i(vdd), frequency"
    with pytest.raises(UsageError) as caught:
        waves["v(uot)"]
    assert caught.value.hint == "did you mean 'v(out)'?"
    with pytest.raises(UsageError) as caught:
        waves[0]["gain"]
    assert caught.value.hint == "there are: time, v(out), i(vdd)"
    with pytest.raises(UsageError) as caught:
        waves.plot("dc")
    assert caught.value.hint == "there are: tran, ac"
    with pytest.raises(UsageError, match="no vector"):
        Waveforms()["out"]


def test_the_unit_of_a_vector_is_found_by_the_names_that_find_the_vector() -> None:
    units = {"time": "s", "v(out)": "V", "i(vdd)": "A"}
    vectors = {name: np.zeros(2) for name in [*units, "gain"]}
    tran = Plot("tran", "tran", vectors, units, "time")
    assert [tran.unit(name) for name in ("V(OUT)", "out", "vdd", "time", "gain", "nothing")] == [
        "V",
        "V",
        "A",
        "s",
        "",
        "",
    ]


def test_a_label_says_what_is_drawn() -> None:
    shown = {t: transformed_name(np.array([1j]), t, "v(out)") for t in ("none", "magnitude", "real", "imag", "phase")}
    assert list(shown.values()) == ["|v(out)|", "|v(out)|", "Re v(out)", "Im v(out)", "phase of v(out)"]
    assert transformed_name(np.array([1.0]), "none", "v(out)") == transformed_name(np.array([1j]), "db", "v(out)")


@pytest.mark.parametrize(
    ("transform", "expected", "unit"),
    [
        ("db", [20.0, 40.0], "dB"),
        ("phase", [0.0, 90.0], "deg"),
        ("magnitude", [10.0, 100.0], "V"),
        ("none", [10.0, 100.0], "V"),
        ("real", [10.0, 0.0], "V"),
        ("imag", [0.0, 100.0], "V"),
    ],
)
def test_transforms_of_complex_vectors(transform: str, expected: list[float], unit: str) -> None:
    values, shown = transformed(np.array([10.0 + 0j, 100.0j]), transform, "V")
    assert values == pytest.approx(expected)
    assert shown == unit


def test_decibels_of_zero_are_a_gap() -> None:
    values, _ = transformed(np.array([0.0, 1.0]), "db", "V")
    assert math.isnan(values[0])
    assert values[1] == 0.0


def test_phase_is_unwrapped() -> None:
    turning = np.exp(-1j * np.linspace(0, 4 * np.pi, 50))
    assert transformed(turning, "phase", "V")[0][-1] == pytest.approx(-720.0)


def test_a_real_vector_is_drawn_as_it_is() -> None:
    values, unit = transformed(np.array([-1.0, 2.0]), "none", "A")
    assert (values.tolist(), unit) == ([-1.0, 2.0], "A")


@pytest.mark.parametrize(
    ("one", "other", "same"), [(b"a", b"a", True), (b"a", b"b", False), (b"a", None, False), (None, None, False)]
)
def test_copies_are_known_by_what_the_simulator_wrote(one: bytes | None, other: bytes | None, same: bool) -> None:
    def unread() -> list[Plot]:
        raise AssertionError

    def waves(content: bytes | None) -> Waveforms:
        return Waveforms(unread, None if content is None else lambda: content)

    assert waves(one).is_copy_of(waves(other)) is same
