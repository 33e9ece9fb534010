"""Case numbers as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.core.errors import UsageError
from simorc.core.ranges import format_ranges, parse_ranges


@given(st.sets(st.integers(0, 300), min_size=1))
def test_numbers_survive_the_trip_through_text(numbers: set[int]) -> None:
    assert parse_ranges(format_ranges(numbers)) == sorted(numbers)


def test_worked_ranges() -> None:
    assert parse_ranges(" 3, 7-9,8 ") == [3, 7, 8, 9]
    assert format_ranges([9, 3, 7, 8, 8]) == "3,7-9"
    assert format_ranges([]) == ""


@pytest.mark.parametrize("text", ["", "3,", "a", "9-7", "-3", "1-2-3", "٣", "99999999999"])
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a case number or a range"):
        parse_ranges(text)


def test_a_range_beyond_any_sweep_is_refused_before_it_is_made() -> None:
    with pytest.raises(UsageError, match="'0-999999999' is more than the 10,000,000 cases"):
        parse_ranges("0-999999999")
