"""The last bits: which numbers are one condition, what lies exactly at a tolerance, whose row is the nearest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simorc.core.tolerance import Tolerance, agreements
from simorc.report.compare_join import join, rounded

NAN = float("nan")


@pytest.mark.parametrize("power", range(-30, 31))
def test_a_number_just_below_a_decade_is_the_decade(power: int) -> None:
    decade = float(f"1e{power}")
    assert rounded(np.array([decade, decade * (1 - 1e-14), -decade])).tolist() == [decade, decade, -decade]


@pytest.mark.parametrize(
    ("reference", "value", "tolerance", "verdict"),
    [
        (9999.8, 10000.1, Tolerance(absolute=0.3), "agrees"),
        (1e6, 1e6 + 1, Tolerance(absolute=1.0), "agrees"),
        (9999.8, 10000.1001, Tolerance(absolute=0.3), "differs"),
        (-2.0, -2.04, Tolerance(relative=0.02), "agrees"),
        (-2.0, -2.05, Tolerance(relative=0.02), "differs"),
    ],
)
def test_what_is_exactly_at_the_tolerance_is_inside(
    reference: float, value: float, tolerance: Tolerance, verdict: str
) -> None:
    first, other = np.array([reference]), np.array([value])
    largest = np.maximum(np.abs(first), np.abs(other))
    assert agreements(other - first, tolerance.allowed(first), np.array([NAN]), largest).tolist() == [verdict]


def test_a_difference_of_exactly_the_error_agrees() -> None:
    assert agreements(np.array([0.5, -0.5, 0.51]), None, np.full(3, 0.5)).tolist() == ["agrees", "agrees", "differs"]


places = st.lists(st.integers(-2000, 2000), max_size=12, unique=True)


@settings(max_examples=60, deadline=None)
@given(places, places)
@example([-204, -256], [-230])  # as far apart, save for the last bits
def test_the_nearest_of_several_rows_has_a_condition(first: list[int], second: list[int]) -> None:
    """Pairs are made in order of their distance, as one would by hand; of equal ones the earlier condition is first."""
    a, b = np.array(first) / 1000, np.array(second) / 1000
    index = join([[rounded(a)], [rounded(b)]], [0.5])
    near = [(abs(x - y), i, j) for i, x in enumerate(first) for j, y in enumerate(second) if abs(x - y) <= 500]
    best = {}  # each row wants the nearest condition; a condition takes the nearest of those that want it
    for apart, i, j in sorted(near):
        best.setdefault(j, (apart, i))
    taken: dict[int, int] = {}
    for j, (_, i) in sorted(best.items(), key=lambda item: (item[1][0], item[0])):
        taken.setdefault(i, j)
    assert {(int(i), int(j)) for i, j in index.T if i >= 0 and j >= 0} == set(taken.items())
