"""Numbers, units and names as people read them."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.core.case import Case
from simorc.core.spec import Spec
from simorc.report import display
from simorc.report.case_table import selection
from simorc.report.display import axis_values, digits_for, limits_text, quantity, scale_for, value_text
from simorc.report.plot_waveform import MOST_CASES
from simorc.report.strip import strip

finite = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False)


def test_units_have_their_signs_and_prefixes() -> None:
    assert quantity(4.7e-6, "F") == "4.7 µF"
    assert quantity(1e4, "Ohm") == "10 kΩ"
    assert quantity(25.0, "degC") == "25 °C"
    assert quantity(0.0, "V") == "0 V"
    assert quantity(3.0, "um") == "3 um"
    assert quantity(3.0) == "3"


def test_limits_in_words() -> None:
    assert limits_text(3.25, 3.35, "V") == "3.25 V to 3.35 V"
    assert limits_text(60.0, None, "dB") == "at least 60 dB"
    assert limits_text(None, 1e-4, "A") == "at most 100 µA"
    assert limits_text(None, None, "A") == ""


@given(st.lists(finite, min_size=1), st.sampled_from(["V", "A", "Hz", "dB", "", "%", "Ohm"]))
def test_a_scaled_column_shows_its_values(values: list[float], unit: str) -> None:
    scale = scale_for(values, unit)
    largest = max(abs(value) for value in values)
    for value in values:
        shown = float(scale.text(value)) * scale.factor
        assert shown == pytest.approx(value, rel=1e-3, abs=max(1e-3 * largest, 1e-300))


@given(st.lists(finite))
def test_digits_tell_the_ends_apart(values: list[float]) -> None:
    digits = digits_for(values)
    assert 4 <= digits <= 7


@given(st.lists(st.one_of(st.integers(-1000, 1000), finite, st.sampled_from(["tt", "ff"]), st.booleans())))
def test_axis_values_are_unique_and_numbers_are_sorted(values: list[int | float | str | bool]) -> None:
    found = axis_values(values)
    assert len({display.axis_key(value) for value in found}) == len(found)
    assert {display.axis_key(value) for value in found} == {display.axis_key(value) for value in values}
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        assert found == sorted(found, key=float)


@given(finite)
def test_long_numbers_are_short_and_near(number: float) -> None:
    text = value_text(number)
    assert len(text) <= 12
    assert float(text) == pytest.approx(number, rel=1e-4, abs=1e-300)


@given(st.lists(finite, min_size=1), finite, finite)
def test_a_strip_stays_inside_its_frame(values: list[float], one: float, other: float) -> None:
    spec = Spec(min(one, other), None, max(one, other))
    svg = strip(min(values), sorted(values)[len(values) // 2], max(values), spec)
    assert "nan" not in svg
    assert "inf" not in svg
    for place in re.findall(r' c?x="([^"]*)"', svg):
        assert 0.0 <= float(place) <= 148.0


def test_a_strip_marks_what_lies_beyond_the_limits() -> None:
    assert "beyond" not in strip(1.0, 1.5, 2.0, Spec(0.0, None, 3.0))
    assert strip(-1.0, 1.5, 4.0, Spec(0.0, None, 3.0)).count("beyond") == 2
    assert strip(None, None, None, Spec(0.0, None, 3.0)) == ""
    assert "window" not in strip(1.0, 1.0, 1.0, Spec())


@given(st.integers(0, 3000))
def test_a_selection_of_cases_is_even_and_in_order(count: int) -> None:
    cases = [Case(i, {}, ()) for i in range(count)]
    ids = [case.case_id for case in selection(cases, MOST_CASES)]
    assert len(ids) == min(count, MOST_CASES)
    assert ids == sorted(set(ids))
    if count > MOST_CASES:
        assert max(after - before for before, after in itertools.pairwise(ids)) <= 2 * count / MOST_CASES + 2
