"""SCPI text: messages, header patterns, parameters, numbers; error queue and status registers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.core import scpi
from simorc.core.scpi import Range, Unit, format_number, match, parse_message, parse_number
from simorc.core.scpi_errors import ErrorQueue, ScpiError
from simorc.core.status_registers import StatusRegisters

finite = st.floats(allow_nan=False, allow_infinity=False)


def code(call: Callable[[], object]) -> int:
    with pytest.raises(ScpiError) as caught:
        call()
    return caught.value.code


def sent(message: str) -> list[str | int]:
    return [unit.text if isinstance(unit, Unit) else unit.code for unit in parse_message(message)]


@pytest.mark.req("DVT-04")
@pytest.mark.parametrize(
    ("message", "units"),
    [
        ("volt:lev 5;prot 6;*cls;prot 7", [":VOLT:LEV 5", ":VOLT:PROT 6", "*CLS", ":VOLT:PROT 7"]),
        ("VOLT:LEV 5;:OUTP ON", [":VOLT:LEV 5", ":OUTP ON"]),
        (" ; ;*IDN? ;", ["*IDN?"]),
        ("VOLT 5 , (@1,2);OUTP? (@1)", [":VOLT 5,(@1,2)", ":OUTP? (@1)"]),
        ("""DISP:TEXT "a;b,c";TEXT 'd;"e'""", [""":DISP:TEXT "a;b,c\"""", """:DISP:TEXT 'd;"e'"""]),
        ("%RM", ["%RM"]),
        ("", []),
        ("*CLS;5;*RST", ["*CLS", -102]),
        ("\x00", [-101]),
        ("VOLT\x07", [-101]),
        ("VOLT,5", [-111]),
        ("VOLT::LEV 5", [-102]),
        ("VOLT: 5", [-102]),
        ("VOLT 5,,6", [-102]),
        ('FUNC "VOLT', [-151]),
        ("OUTP? (@1", [-170]),
    ],
)
def test_a_message_is_taken_apart(message: str, units: list[str | int]) -> None:
    assert sent(message) == units


@pytest.mark.req("DVT-04")
@given(st.text(alphabet=st.sampled_from([*"AbV:;*?,()@'\"# 15.e-%\x00\tµ²٣"]), max_size=60) | st.text(max_size=60))
def test_no_message_raises_and_what_is_understood_means_the_same_when_sent_alone(message: str) -> None:
    for unit in parse_message(message):
        if isinstance(unit, Unit):
            assert parse_message(unit.text) == [unit]


PATTERN = "[SOURce:]VOLTage[:LEVel]"


@pytest.mark.req("DVT-04")
@pytest.mark.parametrize("header", ["VOLT", "VOLTAGE", "SOUR:VOLT", "SOURCE:VOLT:LEVEL", "VOLT:LEV", "SOUR1:VOLT1"])
def test_a_pattern_takes_short_and_long_forms_and_optional_nodes(header: str) -> None:
    assert match(PATTERN, header)


@pytest.mark.req("DVT-04")
@pytest.mark.parametrize("header", ["VOLTA", "VOL", "SOUR", "VOLT:PROT", "LEV", "VOLT2", "SOURC:VOLT", "*RST"])
def test_a_pattern_takes_nothing_between_the_forms(header: str) -> None:
    assert not match(PATTERN, header)


def test_a_common_command_is_its_own_pattern() -> None:
    assert match("*IDN", "*IDN")
    assert not match("*IDN", "*IDN1")


@pytest.mark.req("DVT-04")
@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("2.5 mV", "V", 2.5e-3),
        ("5MA", "A", 5e-3),
        (".5", "", 0.5),
        ("-1.e+2", "", -100.0),
        ("3 MHz", "HZ", 3e6),
        ("2MOHM", "OHM", 2e6),
        ("1 kohm", "OHM", 1e3),
        ("inf", "", 9.9e37),
        ("NINF", "", -9.9e37),
        ("#hff", "", 255.0),
        ("#Q17", "", 15.0),
        ("#B101", "", 5.0),
    ],
)
def test_numbers(text: str, unit: str, number: float) -> None:
    assert parse_number(text, unit) == pytest.approx(number, rel=1e-15)


@pytest.mark.req("DVT-04")
@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("5 A", -131),
        ("5 XV", -131),
        ("1e999", -123),
        ("#B12", -121),
        ("#H1_0", -121),
        ("#H" + "F" * 300, -123),
        ("FOO", -148),
        ("'5'", -158),
        ("(@1)", -178),
        ("#15hello", -168),
        ("1.5.2", -128),
        ("?", -104),
        ("", -104),
    ],
)
def test_what_is_no_number_is_named(text: str, error: int) -> None:
    assert code(lambda: parse_number(text, "V")) == error


def test_a_unit_where_none_belongs() -> None:
    assert code(lambda: parse_number("5 V")) == -138


@pytest.mark.req("DVT-04")
@given(finite)
def test_a_number_read_back_equals_what_was_set(value: float) -> None:
    assert float(format_number(value)) == value


@pytest.mark.req("DVT-04")
@given(st.text(max_size=20), st.sampled_from(["", "V", "HZ"]))
def test_parameters_raise_nothing_but_errors_of_scpi(text: str, unit: str) -> None:
    readers: list[Callable[[], object]] = [
        lambda: parse_number(text, unit),
        lambda: scpi.parse_boolean(text),
        lambda: scpi.parse_string(text),
        lambda: scpi.parse_channels(text, [1, 2]),
        lambda: Range(0, 1, 0, unit).read(text),
    ]
    for read in readers:
        with suppress(ScpiError):
            read()


@pytest.mark.req("DVT-04")
def test_a_range_knows_its_limits_by_name() -> None:
    limits = Range(-1, 6, 2, "V")
    assert [limits.read(word) for word in ("MIN", "maximum", "Def", "6V")] == [-1, 6, 2, 6]
    assert code(lambda: limits.read("6.1")) == -222
    assert code(lambda: limits.read("INF")) == -222


def test_choices_booleans_and_strings() -> None:
    assert scpi.choice("bus", ("IMMediate", "BUS")) == "BUS"
    assert code(lambda: scpi.choice("ext", ("IMMediate", "BUS"))) == -224
    assert [scpi.parse_boolean(text) for text in ("on", "OFF", "1", "0.4", "2")] == [True, False, True, False, True]
    assert code(lambda: scpi.parse_boolean("maybe")) == -224
    assert [scpi.parse_string(text) for text in ('"a""b"', "'a\"b'", '""')] == ['a"b', 'a"b', ""]
    assert [code(lambda t=text: scpi.parse_string(t)) for text in ("VOLT", "5", '"', '"a" "b"', "'a\"")] == [  # type: ignore[misc]
        -148,
        -128,
        -151,
        -151,
        -151,
    ]


@pytest.mark.req("DVT-04")
@pytest.mark.parametrize(
    ("text", "channels"), [("(@1)", [1]), (" (@1:3)", [1, 2, 3]), ("(@3:2, 1)", [3, 2, 1]), ("( @2 , 2)", [2, 2])]
)
def test_channel_lists(text: str, channels: list[int]) -> None:
    assert scpi.parse_channels(text, [1, 2, 3]) == channels


@pytest.mark.req("DVT-04")
@pytest.mark.parametrize(
    ("text", "error"),
    [("(1)", -171), ("@1", -171), ("(@1:2:3)", -171), ("(@1,)", -171), ("(@4)", -222), ("(@1:99999)", -222)],
)
def test_channel_lists_that_are_none(text: str, error: int) -> None:
    assert code(lambda: scpi.parse_channels(text, [1, 2, 3])) == error


def test_a_channel_list_over_a_gap() -> None:
    assert code(lambda: scpi.parse_channels("(@1:3)", [1, 3])) == -222


@pytest.mark.req("DVT-04")
def test_errors_come_out_first_in_first_out_and_the_last_says_that_more_were_lost() -> None:
    queue = ErrorQueue(2)
    for number in (-113, -222, -224):
        queue.push(ScpiError(number))
    assert len(queue) == 2
    assert [queue.pop() for _ in range(3)] == ['-113,"Undefined header"', '-350,"Queue overflow"', '+0,"No error"']
    queue.push(ScpiError(100))
    assert queue.pop() == '+100,"Device-specific error"'
    queue.push(ScpiError(-100))
    queue.clear()
    assert not len(queue)


def test_every_class_of_errors_has_its_event() -> None:
    numbers = (-113, -222, -350, -410, 100, -900)
    assert [ScpiError(number).event for number in numbers] == [0x20, 0x10, 0x08, 0x04, 0x08, 0x08]


@pytest.mark.req("DVT-04")
def test_the_status_byte_sums_up_what_is_enabled() -> None:
    status = StatusRegisters()
    assert status.take_events() == 0x80
    status.note(0x20)
    assert status.status_byte(errors=True, message=True) == 0x14
    status.event_enable, status.request_enable = 0x20, 0x20
    assert status.status_byte(errors=False, message=False) == 0x60
    assert status.take_events() == 0x20
    assert status.status_byte(errors=False, message=False) == 0
