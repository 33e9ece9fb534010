"""Conditions: the grammar against Python's own meaning, and that nothing but the grammar gets through."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.core.errors import UsageError
from simorc.core.expression import compile_condition, names_in
from simorc.core.units import Quantity, Value

VALUES: dict[str, Value] = {"temp": 85, "vin": 4.5, "iload": Quantity("10m"), "corner": "ss", "fast": True}

numbers = st.one_of(
    st.sampled_from(["temp", "vin", "iload"]), st.integers(0, 99).map(str), st.sampled_from(["0.5", "4.5", "1e-3"])
)


def _arithmetic(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from("+-*"), inner),
        st.builds("({})".format, inner),
        st.builds("-{}".format, inner),
    )


sums = st.recursive(numbers, _arithmetic, max_leaves=6)
signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
comparisons = st.one_of(
    st.builds("{} {} {}".format, sums, signs, sums),
    st.builds("{} {} {} {} {}".format, sums, signs, sums, signs, sums),
    st.builds("corner {} 'ss'".format, st.sampled_from(["==", "!="])),
    st.builds("{} {} [{}, {}]".format, sums, st.sampled_from(["in", "not in"]), sums, sums),
    st.just("fast"),
)


def _logic(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{} {} {}".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("not {}".format, inner),
        st.builds("({})".format, inner),
    )


conditions = st.recursive(comparisons, _logic, max_leaves=8)


@given(conditions)
def test_a_condition_means_what_it_means_in_python(text: str) -> None:
    plain: dict[str, Any] = {k: float(v) if isinstance(v, Quantity) else v for k, v in VALUES.items()}
    oracle = eval(text, {"__builtins__": {}}, plain)
    assert compile_condition(text)(VALUES) is oracle


@given(st.text(alphabet="tempvin0189.eu+-*/()[]<>=!,'\"andornotinµ \t", max_size=40))
def test_any_text_is_a_condition_or_a_usage_error(text: str) -> None:
    try:
        names_in(text)
        result = compile_condition(text)(VALUES)
    except UsageError:
        return
    assert isinstance(result, bool)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("temp > 80 and corner == 'ss'", True),
        ('corner in ["tt", "ff"]', False),
        ("corner not in ['tt']", True),
        ("iload < 20m", True),
        ("iload == 10m", True),
        ("4 < vin <= 4.5 < 5", True),
        ("not fast or temp / 5 == 17", True),
        ("fast == true and not (fast == false)", True),
        ("temp - 80 - 5 == 0", True),
        ("2 + 3 * 4 == 14", True),
        ("-temp < -84.5", True),
    ],
)
def test_worked_conditions(text: str, result: bool) -> None:
    assert compile_condition(text)(VALUES) is result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a value expected at column 1"),
        ("temp >", "a value expected at column 7"),
        ("temp > 85)", "unexpected ')' at column 10"),
        ("(temp > 85", "')' expected at column 11"),
        ("temp ; 3", "a character that means nothing here at column 5"),
        ("temp in 3", "'[' expected"),
        ("temp in [3", "']' expected"),
        ("temp not 3", "'in' expected"),
        ("temp > 85deg", "'85deg' is not a number"),
        ("and temp", "unexpected 'and'"),
        ("temp > ]", "unexpected ']'"),
        ("(" * 60 + "temp", "nested too deeply"),
        ("not " * 60 + "fast", "nested too deeply"),
        ("- " * 60 + "temp", "nested too deeply"),
        ("__import__('os')", "unexpected '('"),
        ("temp.real > 3", "a character that means nothing here"),
        ("lambda: 3", "a character that means nothing here"),
        ("temp > ٣", "a character that means nothing here"),
    ],
)
def test_what_is_not_of_the_grammar_is_refused_at_once(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        compile_condition(text)
    assert message in caught.value.what


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("temp", "gives 85, not true or false"),
        ("corner > 3", "compares the text 'ss' with the number 3"),
        ("temp == '85'", "compares the number 85 with the text '85'"),
        ("corner != 3", "compares the text 'ss' with the number 3"),
        ("corner in ['ss', 3]", "compares the text 'ss' with the number 3"),
        ("temp not in ['85']", "compares the number 85 with the text '85'"),
        ("fast == 1", "compares the switch true with the number 1"),
        ("fast != 'true'", "compares the switch true with the text 'true'"),
        ("iload < 'x'", "compares the number 10m with the text 'x'"),
        ("fast < 2", "compares the switch true with the number 2"),
        ("temp / 0 > 1", "divides by zero"),
        ("temp and fast", "85 is neither true nor false"),
        ("not vin", "4.5 is neither true nor false"),
        ("corner * 1000000000 == 'x'", "'ss' is not a number"),
        ("-corner == 'x'", "'ss' is not a number"),
        ("fast + 1 == 2", "True is not a number"),
    ],
)
def test_what_does_not_fit_the_values_is_told(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        compile_condition(text)(VALUES)
    assert message in caught.value.what


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match="'tmep' is not a parameter") as caught:
        compile_condition("tmep > 3")(VALUES)
    assert caught.value.hint == "did you mean 'temp'?"
    with pytest.raises(UsageError) as caught:
        compile_condition("corner == zz")(VALUES)
    assert caught.value.hint == "texts stand in quotes: 'zz'"


def test_names_come_in_order_and_once() -> None:
    assert names_in("vin > 3 and not temp < 4 or corner in ['vin', 'x'] and temp == 5 or true") == [
        "vin",
        "temp",
        "corner",
    ]


def test_a_long_sum_is_no_matter() -> None:
    assert compile_condition(" + ".join(["1"] * 20_000) + " == 20k")(VALUES)
