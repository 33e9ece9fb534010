"""Numbers with scale factors, values that survive a trip through text, numbers for people."""

from __future__ import annotations

import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.core.units import (
    SCALE_FACTORS,
    Quantity,
    as_number,
    format_quantity,
    parse_number,
    value_from_text,
    value_to_text,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
written_numbers = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "-", "+"]),
    st.from_regex(r"[0-9]{1,6}(\.[0-9]{0,6})?|\.[0-9]{1,6}", fullmatch=True),
    st.sampled_from([*SCALE_FACTORS, "e3", "E-12", "e+2"]),
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10u", 1e-05),
        ("10µ", 1e-05),
        ("2.5meg", 2.5e6),
        ("1e-3k", 1.0),
        (".5", 0.5),
        ("5.", 5.0),
        (" 7 ", 7.0),
        ("-3n", -3e-9),
        ("1M", None),
        ("10 u", None),
        ("tt", None),
        ("", None),
        ("inf", None),
        ("nan", None),
        ("1e400", None),
        ("1e-400", 0.0),
        ("0x10", None),
        ("1_000", None),
        ("٣", None),
        ("1e" + "9" * 5000, None),
    ],
)
def test_a_number_is_what_spice_and_people_both_read(text: str, number: float | None) -> None:
    assert parse_number(text) == number


@given(finite)
def test_every_float_comes_back_from_its_own_text(number: float) -> None:
    value = value_from_text(value_to_text(number))
    assert isinstance(value, float)
    assert value == number
    assert math.copysign(1, value) == math.copysign(1, number)


@given(st.one_of(written_numbers, st.text(max_size=12)))
def test_a_value_prints_as_it_was_written(text: str) -> None:
    assert value_to_text(value_from_text(text)) == text


@given(written_numbers)
def test_written_numbers_are_numbers(text: str) -> None:
    value = value_from_text(text)
    number = as_number(value)
    assert number is not None
    assert number == pytest.approx(parse_number(text), rel=1e-15)


@pytest.mark.parametrize("text", ["5.0", "27", "-0", "0", "1e-05", "007", "123456789012345678", "true"])
def test_plain_forms_keep_type_and_text(text: str) -> None:
    value = value_from_text(text)
    assert value_to_text(value) == text
    assert isinstance(value, {"27": int, "0": int, "true": bool}.get(text, float))


def test_a_quantity_computes_as_a_number_and_prints_as_written() -> None:
    quantity = Quantity("4.7k")
    assert quantity == 4700.0
    assert f"{quantity}" == "4.7k"
    assert f"{quantity:.1f}" == "4700.0"
    assert repr(quantity) == "Quantity('4.7k')"
    copy = pickle.loads(pickle.dumps(quantity))
    assert (copy, str(copy)) == (4700.0, "4.7k")


def test_a_quantity_of_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number: 'tt'"):
        Quantity("tt")


@pytest.mark.parametrize(("value", "number"), [(3, 3.0), (Quantity("3m"), 0.003), ("tt", None), (True, None)])
def test_texts_and_switches_are_no_numbers(value: object, number: float | None) -> None:
    assert as_number(value) == number  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "unit", "digits", "text"),
    [
        (None, "V", 4, "-"),
        (math.nan, "V", 4, "nan"),
        (math.inf, "", 4, "inf"),
        (3.29912, "V", 4, "3.299 V"),
        (999.96, "Hz", 4, "1 kHz"),
        (999.94, "Hz", 4, "999.9 Hz"),
        (1e-3, "A", 4, "1 mA"),
        (9.9996e-7, "A", 4, "1 uA"),
        (-1.2e-4, "A", 4, "-120 uA"),
        (120.0, "V", 2, "120 V"),
        (0.0, "V", 4, "0 V"),
        (-0.0, "V", 4, "0 V"),
        (5e-324, "V", 4, "4.941e-309 fV"),
        (1.7976931348623157e308, "V", 4, "1.798e+296 TV"),
        (1e15, "Hz", 4, "1000 THz"),
        (61.234567, "dB", 4, "61.23 dB"),
        (12.5, "ppm/degC", 3, "12.5 ppm/degC"),
        (0.5, "", 4, "0.5"),
    ],
)
def test_numbers_for_people(value: float | None, unit: str, digits: int, text: str) -> None:
    assert format_quantity(value, unit, digits) == text


@given(finite, st.sampled_from(["V", "dB", ""]), st.integers(3, 9))
def test_a_number_for_people_is_never_far_from_the_number(value: float, unit: str, digits: int) -> None:
    shown = format_quantity(value, unit, digits)
    number, _, prefixed = shown.partition(" ")
    factor = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
    scale = factor.get(prefixed.removesuffix("V"), 1.0) if unit == "V" else 1.0
    if abs(value) < 1e300 and abs(value) > 1e-290:
        assert float(number) * scale == pytest.approx(value, rel=10.0 ** (1 - digits))
