"""What is said of a name that does not exist."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simorc.core.wording import did_you_mean, listed, suggestion


def test_a_misspelt_name_gets_the_nearest_in_its_own_spelling() -> None:
    assert suggestion("TMEP", ["Temp", "vin"]) == "did you mean 'Temp'?"
    assert did_you_mean("x", ["Temp", "vin"]) == ""


def test_else_what_there_is_each_once_and_not_without_end() -> None:
    assert suggestion("dc", ["tran", "ac", "ac"]) == "there are: tran, ac"
    assert suggestion("dc", []) == "there are none"
    assert listed(map(str, range(12))) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"
    assert suggestion("x", [f"v{i}" for i in range(100)]).endswith(", v11, … (100 in all)")


@given(st.text(), st.lists(st.text()))
def test_any_name_gets_one_line_of_help(name: str, known: list[str]) -> None:
    said = suggestion(name, known)
    assert said.startswith(("did you mean ", "there are"))
