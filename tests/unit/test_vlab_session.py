"""One client's conversation: message exchange, input buffer, device clear, a link that is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.core.bench import BenchSettings, InstrumentSettings, PartSettings, SimulatedLab
from simorc.core.equipment import Reply
from simorc.registry import names
from simorc.virtual_lab.assembly import build_lab
from simorc.virtual_lab.clock import AutojumpClock
from simorc.virtual_lab.session import LONGEST_MESSAGE, LinkLostError, Session


class Parrot:
    """Answers what ends in a question mark with itself, and keeps what it was told."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.errors: list[int] = []
        self.clears = 0

    def execute(self, message: str) -> Reply | None:
        self.heard.append(message)
        return Reply(message, 0.0) if message.endswith("?") else None

    def clear(self) -> None:
        self.clears += 1

    def status_byte(self) -> int:
        return 0x04

    def report(self, code: int) -> None:
        self.errors.append(code)


class Ports:
    """A lab of which only its faults are asked."""

    def __init__(self) -> None:
        self.lost = False

    def fault(self, instrument: str, kind: str) -> float | None:
        return 0.0 if self.lost and (instrument, kind) == ("dmm", "link_lost") else None


class Talk:
    """A session, and what stands behind it."""

    def __init__(self, *, bounded: bool) -> None:
        self.instrument, self.ports = Parrot(), Ports()
        self.session = Session("dmm", self.instrument, self.ports, bounded=bounded)  # type: ignore[arg-type]

    def read(self) -> str | None:
        reply = self.session.read()
        return None if reply is None else reply.text


@pytest.fixture(params=[True, False], ids=["bounded", "raw"])
def either(request: pytest.FixtureRequest) -> Talk:
    return Talk(bounded=request.param)


@pytest.mark.req("DVT-04")
def test_a_new_message_interrupts_an_unread_reply() -> None:
    talk = Talk(bounded=True)
    talk.session.write("A?")
    talk.session.write("B?")
    assert talk.instrument.errors == [-410]
    assert talk.read() == "B?"


@pytest.mark.req("DVT-04")
def test_reading_without_having_asked_is_unterminated() -> None:
    talk = Talk(bounded=True)
    talk.session.write("VOLT 1")
    assert talk.read() is None
    assert talk.instrument.errors == [-420]


@pytest.mark.req("DVT-04")
def test_a_query_and_its_read_leave_no_error() -> None:
    talk = Talk(bounded=True)
    for text in ("A?", "B?"):
        talk.session.write(text)
        assert talk.read() == text
    assert talk.instrument.errors == []


@pytest.mark.req("DVT-06")
def test_on_a_raw_socket_replies_follow_each_other_and_nothing_is_interrupted() -> None:
    talk = Talk(bounded=False)
    for text in ("A?", "B?", "C?"):
        talk.session.write(text)
    assert [talk.read() for _ in range(4)] == ["A?", "B?", "C?", None]
    assert talk.instrument.errors == []


@pytest.mark.req("DVT-06")
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r"])
def test_one_terminator_is_taken_off_and_nothing_else(either: Talk, end: str) -> None:
    either.session.write(" volt 1 \t" + end)
    assert either.instrument.heard == [" volt 1 \t"]


@pytest.mark.req("DVT-06")
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_message_as_long_as_the_buffer_is_carried_out(either: Talk, end: str) -> None:
    either.session.write("x" * LONGEST_MESSAGE + end)
    assert len(either.instrument.heard) == 1
    assert either.instrument.errors == []


@pytest.mark.req("DVT-06")
def test_a_longer_one_is_thrown_away_with_an_input_buffer_overrun(either: Talk) -> None:
    either.session.write("x" * (LONGEST_MESSAGE + 1))
    either.session.overrun()
    either.session.write("A?")
    assert either.instrument.errors == [-363, -363]
    assert either.instrument.heard == ["A?"]
    assert either.read() == "A?"


@pytest.mark.req("DVT-04")
def test_device_clear_forgets_the_reply_and_tells_the_instrument(either: Talk) -> None:
    either.session.write("A?")
    either.session.clear()
    assert either.instrument.clears == 1
    either.session.write("B?")
    assert either.read() == "B?"
    assert either.instrument.errors == []


@pytest.mark.req("DVT-04")
def test_the_status_byte_says_that_a_reply_waits(either: Talk) -> None:
    assert either.session.status_byte() == 0x04
    assert either.session.status_byte(waiting=True) == 0x14
    either.session.write("A?")
    assert either.session.status_byte() == 0x14
    either.read()
    assert either.session.status_byte() == 0x04


CALLS: dict[str, Callable[[Session], object]] = {
    "write": lambda s: s.write("B?"),
    "overrun": lambda s: s.overrun(),
    "interrupted": lambda s: s.interrupted(),
    "read": lambda s: s.read(),
    "take": lambda s: s.take(),
    "clear": lambda s: s.clear(),
    "status_byte": lambda s: s.status_byte(),
}


@pytest.mark.req("DVT-06")
@pytest.mark.parametrize("call", CALLS)
def test_nothing_is_answered_and_nothing_done_once_the_link_is_lost(either: Talk, call: str) -> None:
    either.session.write("A?")
    either.ports.lost = True
    with pytest.raises(LinkLostError, match="dmm"):
        CALLS[call](either.session)
    assert either.instrument.heard == ["A?"]
    assert (either.instrument.errors, either.instrument.clears) == ([], 0)


@pytest.fixture(scope="module")
def all_equipment() -> dict[str, Session]:
    """A session with everything that can play an instrument."""
    models = names("equipment")
    simulated = SimulatedLab(parts={"dut": PartSettings("ldo", "lp2985_33")})
    bench = BenchSettings("all", tuple(InstrumentSettings(m, m) for m in models), simulated=simulated)
    built = build_lab(bench, AutojumpClock())
    return {m: Session(m, built.instruments[m], built.lab, bounded=True) for m in models}


WORDS = (
    "*IDN?",
    "*RST",
    "MEAS",
    "VOLT",
    "?",
    ":",
    ";",
    ",",
    " ",
    "(@1:2)",
    "1e400",
    "#H",
    "F" * 400,
    '"',
    "'",
    "SETP",
    "A",
)
SCRAPS = st.lists(st.one_of(st.sampled_from(WORDS), st.text(st.characters(max_codepoint=255), max_size=8)), max_size=12)


@pytest.mark.req("DVT-04", "DVT-05")
@given(messages=st.lists(SCRAPS.map("".join), max_size=4))
def test_no_text_raises_out_of_any_instrument_and_it_still_says_who_it_is(
    all_equipment: dict[str, Session], messages: list[str]
) -> None:
    for session in all_equipment.values():
        for message in messages:
            session.write(message)
            session.status_byte()
        session.clear()
        session.write("*IDN?")
        reply = session.read()
        assert reply is not None
        assert reply.text.count(",") >= 3
