"""The served lab over HiSLIP: the messages of IVI-6.1 byte by byte, and as pyvisa-py sends them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any, NamedTuple

import pytest
import pyvisa

from simorc.core.bench import FaultSettings
from simorc.virtual_lab.limits import Limits
from simorc.virtual_lab.server import ServedLab
from simorc.virtual_lab.session import LONGEST_MESSAGE

pytestmark = pytest.mark.req("DVT-06")
ServeLab = Callable[..., ServedLab]
PATIENCE_S = 30.0
HEADER = struct.Struct("!2sBBIQ")
NO_ERROR = '+0,"No error"'
INTERRUPTED = '-410,"Query INTERRUPTED"'
SLOW = "CONF:VOLT:DC 10;:VOLT:DC:NPLC 100;:SAMP:COUN 1000;:READ?"
"""Takes an hour of bench time."""

INITIALIZE, INITIALIZE_RESPONSE, FATAL_ERROR, ERROR, LOCK, LOCK_RESPONSE, DATA, DATA_END = range(8)
CLEAR_COMPLETE, CLEAR_ACKNOWLEDGE, REMOTE, REMOTE_RESPONSE, TRIGGER = range(8, 13)
SIZE, SIZE_RESPONSE, ASYNC_INITIALIZE, ASYNC_INITIALIZE_RESPONSE, ASYNC_CLEAR = range(15, 20)
STATUS, STATUS_RESPONSE, ASYNC_CLEAR_ACKNOWLEDGE, LOCK_INFO, LOCK_INFO_RESPONSE = range(21, 26)


class Message(NamedTuple):
    kind: int
    control: int = 0
    parameter: int = 0
    payload: bytes = b""


CLOSED = None


class Channel:
    """One connection."""

    def __init__(self, lab: ServedLab, name: str = "dmm") -> None:
        port = int(lab.resources[name]["hislip"].split("::")[2].split(",")[1])
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.stream = self.socket.makefile("rb")

    def send(self, *fields: Any, length: int | None = None) -> None:
        m = Message(*fields)
        head = HEADER.pack(b"HS", m.kind, m.control, m.parameter, len(m.payload) if length is None else length)
        self.socket.sendall(head + m.payload)

    def receive(self) -> Message | None:
        """The next message; None when the server has closed."""
        head = self.stream.read(HEADER.size)
        if not head:
            return CLOSED
        prologue, kind, control, parameter, length = HEADER.unpack(head)
        assert prologue == b"HS"
        return Message(kind, control, parameter, self.stream.read(length))

    def exchange(self, *fields: Any) -> Message | None:
        self.send(*fields)
        return self.receive()

    def close(self) -> None:
        self.stream.close()
        self.socket.close()


class Client:
    """Both connections of one client that has introduced itself."""

    def __init__(self, lab: ServedLab, name: str, keep: Callable[[Channel], Channel]) -> None:
        self.sync = keep(Channel(lab, name))
        hello = self.sync.exchange(INITIALIZE, 0, 0x0100_7878, b"hislip0")
        assert hello is not None
        self.hello = hello
        self.asynchronous = keep(Channel(lab, name))
        self.paired = self.asynchronous.exchange(ASYNC_INITIALIZE, 0, hello.parameter & 0xFFFF)
        self.number = 0xFFFF_FF00
        self.delivered = 0

    def write(self, text: str) -> None:
        self.sync.send(DATA_END, self.delivered, self.number, text.encode("latin-1"))
        self.number += 2
        self.delivered = 0

    def read(self) -> str:
        reply = self.sync.receive()
        assert reply is not None
        assert (reply.kind, reply.control, reply.parameter) == (DATA_END, 0, self.number - 2)
        assert reply.payload.endswith(b"\n")
        self.delivered = 1
        return reply.payload.decode("latin-1").removesuffix("\n")

    def ask(self, text: str) -> str:
        self.write(text)
        return self.read()

    def status(self) -> int:
        answer = self.asynchronous.exchange(STATUS, self.delivered, self.number)
        self.delivered = 0
        assert answer is not None
        assert answer.kind == STATUS_RESPONSE
        return answer.control


@pytest.fixture
def channel() -> Iterator[Callable[..., Channel]]:
    """A connection that has not said anything yet."""
    with ExitStack() as stack:

        def keep(made: Channel) -> Channel:
            stack.callback(made.close)
            return made

        def make(lab: ServedLab, name: str = "dmm") -> Channel:
            return keep(Channel(lab, name))

        make.keep = keep  # type: ignore[attr-defined]
        yield make


@pytest.fixture
def connect(channel: Any) -> Callable[..., Client]:
    return lambda lab, name="dmm": Client(lab, name, channel.keep)


Connect = Callable[..., Client]
Open = Callable[..., Channel]


def test_the_handshake_names_version_session_and_synchronized_mode(serve_lab: ServeLab, connect: Connect) -> None:
    lab = serve_lab()
    one, two = connect(lab), connect(lab)
    assert (one.hello.kind, one.hello.control, one.hello.parameter >> 16) == (INITIALIZE_RESPONSE, 0, 0x0100)
    assert one.hello.parameter != two.hello.parameter
    assert one.paired is not None
    assert one.paired.kind == ASYNC_INITIALIZE_RESPONSE
    answer = one.asynchronous.exchange(SIZE, 0, 0, struct.pack("!Q", 1 << 20))
    assert answer is not None
    assert (answer.kind, len(answer.payload)) == (SIZE_RESPONSE, 8)


def test_every_instrument_answers_with_the_number_of_the_question(serve_lab: ServeLab, connect: Connect) -> None:
    lab = serve_lab()
    models = {"psu": "E36312A", "load": "LD400P", "dmm": "34461A", "chamber": "ATS-545", "switch": "Switch8"}
    for name, model in models.items():
        client = connect(lab, name)
        assert model in client.ask("*IDN?")
        assert model in client.ask("*IDN?\n")


def test_a_message_may_come_in_pieces(serve_lab: ServeLab, connect: Connect) -> None:
    client = connect(serve_lab())
    for piece in (b"*ESE", b" 5;", b"", b"*ES"):
        client.sync.send(DATA, 0, client.number, piece)
    assert client.ask("E?") == "+5"


def test_a_query_before_the_reply_was_delivered_is_interrupted(serve_lab: ServeLab, connect: Connect) -> None:
    client = connect(serve_lab())
    assert client.ask("*ESE?") == "+0"
    assert client.ask("SYST:ERR?") == NO_ERROR
    client.delivered = 0
    assert client.ask("SYST:ERR?") == INTERRUPTED
    assert client.ask("SYST:ERR?") == NO_ERROR


def test_a_status_query_may_tell_that_the_reply_was_delivered(serve_lab: ServeLab, connect: Connect) -> None:
    client = connect(serve_lab())
    client.write("*ESE?")
    reply = client.sync.receive()
    assert reply is not None
    assert client.status() & 0x10  # it is there, and nobody has read it yet
    client.delivered = 1
    assert not client.status() & 0x10
    assert client.ask("SYST:ERR?") == NO_ERROR


def test_the_status_byte_tells_of_errors(serve_lab: ServeLab, connect: Connect) -> None:
    client = connect(serve_lab())
    client.write("FOO")
    assert client.ask("*ESE?") == "+0"
    assert client.status() == 0x04


def clear(client: Client) -> None:
    answer = client.asynchronous.exchange(ASYNC_CLEAR)
    assert answer is not None
    assert (answer.kind, answer.control) == (ASYNC_CLEAR_ACKNOWLEDGE, 0)
    done = client.sync.exchange(CLEAR_COMPLETE)
    assert done is not None
    assert (done.kind, done.control) == (CLEAR_ACKNOWLEDGE, 0)
    client.number, client.delivered = 0xFFFF_FF00, 0


def test_device_clear_ends_the_wait_for_a_slow_reply(serve_lab: ServeLab, connect: Connect) -> None:
    client = connect(serve_lab(rate=1))
    client.write(SLOW)
    clear(client)
    assert "34461A" in client.ask("*IDN?")
    assert client.ask("SYST:ERR?") == NO_ERROR


def test_device_clear_forgets_half_a_message_and_what_was_on_its_way(serve_lab: ServeLab, connect: Connect) -> None:
    client = connect(serve_lab())
    client.sync.send(DATA, 0, client.number, b"*ESE 1;")
    assert client.asynchronous.exchange(ASYNC_CLEAR) is not None
    client.write("*ESE 2;*ESE?")
    client.sync.send(TRIGGER, 0, client.number)
    done = client.sync.exchange(CLEAR_COMPLETE)
    assert done is not None
    assert done.kind == CLEAR_ACKNOWLEDGE
    assert client.ask("*ESE?") == "+0"
    assert client.ask("SYST:ERR?") == NO_ERROR


def test_a_trigger_is_one(serve_lab: ServeLab, connect: Connect) -> None:
    client = connect(serve_lab())
    client.write("CONF:VOLT:DC;:TRIG:SOUR BUS;:INIT")
    client.sync.send(TRIGGER, 0, client.number)
    client.number += 2
    float(client.ask("FETC?"))


def test_a_client_gets_pieces_no_larger_than_it_takes(serve_lab: ServeLab, connect: Connect) -> None:
    client = connect(serve_lab())
    assert client.asynchronous.exchange(SIZE, 0, 0, struct.pack("!Q", HEADER.size + 10)) is not None
    client.write("*IDN?")
    pieces = [client.sync.receive()]
    while pieces[-1] is not None and pieces[-1].kind == DATA:
        pieces.append(client.sync.receive())
    assert all(piece is not None and len(piece.payload) <= 10 for piece in pieces)
    assert b"34461A" in b"".join(piece.payload for piece in pieces if piece is not None)


def test_one_client_at_a_time_holds_the_lock(serve_lab: ServeLab, connect: Connect) -> None:
    lab = serve_lab()
    one, two = connect(lab), connect(lab)

    def lock(client: Client, control: int) -> int:
        answer = client.asynchronous.exchange(LOCK, control, 1000)
        assert answer is not None
        assert answer.kind == LOCK_RESPONSE
        return answer.control

    def held() -> int:
        answer = two.asynchronous.exchange(LOCK_INFO)
        assert answer is not None
        assert answer.kind == LOCK_INFO_RESPONSE
        return answer.control

    assert lock(one, 0) == 3
    assert (lock(one, 1), lock(two, 1), held()) == (1, 0, 1)
    assert (lock(two, 0), lock(one, 0), lock(two, 1)) == (3, 1, 1)
    assert lock(one, 1) == 0
    two.sync.close()
    assert two.asynchronous.receive() is CLOSED
    assert lock(one, 1) == 1


def test_remote_and_local_are_acknowledged(serve_lab: ServeLab, connect: Connect) -> None:
    answer = connect(serve_lab()).asynchronous.exchange(REMOTE, 1)
    assert answer is not None
    assert answer.kind == REMOTE_RESPONSE


def is_fatal(channel: Channel, code: int) -> bool:
    """Whether a fatal error of this code comes, and then the end."""
    message = channel.receive()
    assert message is not None, "closed without a word"
    assert (message.kind, message.control) == (FATAL_ERROR, code), message
    return channel.receive() is CLOSED


@pytest.mark.parametrize("first", [b"*IDN?\n" * 3, b"GET / HTTP/1.1\r\n\r\n", bytes(16), b"HX" + bytes(14)])
def test_what_is_no_hislip_is_told_so(serve_lab: ServeLab, channel: Open, first: bytes) -> None:
    stranger = channel(serve_lab())
    stranger.socket.sendall(first[:16])
    assert is_fatal(stranger, 1)


@pytest.mark.parametrize("kind", [DATA_END, STATUS, CLEAR_COMPLETE, TRIGGER, 200])
def test_who_does_not_introduce_itself_is_told_so(serve_lab: ServeLab, channel: Open, kind: int) -> None:
    stranger = channel(serve_lab())
    stranger.send(kind)
    assert is_fatal(stranger, 3)


def test_the_asynchronous_connection_belongs_to_one_client(
    serve_lab: ServeLab, channel: Open, connect: Connect
) -> None:
    lab = serve_lab()
    client = connect(lab)
    for number in (client.hello.parameter & 0xFFFF, 4711):
        stranger = channel(lab)
        stranger.send(ASYNC_INITIALIZE, 0, number)
        assert is_fatal(stranger, 3)
    assert "34461A" in client.ask("*IDN?")
    assert client.status() == 0


def test_nothing_goes_with_one_connection_alone(serve_lab: ServeLab, channel: Open) -> None:
    half = channel(serve_lab())
    half.exchange(INITIALIZE, 0, 0x0100_7878, b"hislip0")
    half.send(DATA_END, 0, 0xFFFF_FF00, b"*IDN?")
    assert is_fatal(half, 2)


def test_half_open_handshakes_end(serve_lab: ServeLab, channel: Open) -> None:
    lab = serve_lab(limits=Limits(handshake_s=1.0))
    silent, half, torn = channel(lab), channel(lab), channel(lab)
    half.exchange(INITIALIZE, 0, 0x0100_7878, b"hislip0")
    torn.socket.sendall(b"HS\0\0")
    assert is_fatal(silent, 3)
    assert is_fatal(half, 2)
    assert is_fatal(torn, 3)


def test_a_client_in_time_stays_beyond_the_handshake(serve_lab: ServeLab, channel: Open, connect: Connect) -> None:
    lab = serve_lab(limits=Limits(handshake_s=1.0))
    client, half = connect(lab), channel(lab)
    half.exchange(INITIALIZE, 0, 0x0100_7878, b"hislip0")
    assert is_fatal(half, 2)  # its time is over, and so would be the other one's
    assert "34461A" in client.ask("*IDN?")


@pytest.mark.parametrize("asynchronous", [False, True], ids=["synchronous", "asynchronous"])
@pytest.mark.parametrize(("kind", "code"), [(99, 1), (INITIALIZE_RESPONSE, 1), (128, 3), (255, 3)])
def test_unknown_messages_are_told_so_and_all_goes_on(
    serve_lab: ServeLab, connect: Connect, kind: int, code: int, asynchronous: bool
) -> None:
    client = connect(serve_lab())
    answer = (client.asynchronous if asynchronous else client.sync).exchange(kind, 1, 2, b"what is this?")
    assert answer is not None
    assert (answer.kind, answer.control) == (ERROR, code)
    assert "34461A" in client.ask("*IDN?")
    assert client.status() == 0


@pytest.mark.parametrize("asynchronous", [False, True], ids=["synchronous", "asynchronous"])
def test_the_clients_own_errors_need_no_answer(serve_lab: ServeLab, connect: Connect, asynchronous: bool) -> None:
    client = connect(serve_lab())
    side = client.asynchronous if asynchronous else client.sync
    side.send(ERROR, 1, 0, b"what was that?")
    assert "34461A" in client.ask("*IDN?")
    assert client.status() == 0
    side.send(FATAL_ERROR, 0, 0, b"I give up")
    assert client.sync.receive() is CLOSED
    assert client.asynchronous.receive() is CLOSED


@pytest.mark.parametrize("asynchronous", [False, True], ids=["synchronous", "asynchronous"])
def test_nobody_introduces_itself_twice(serve_lab: ServeLab, connect: Connect, asynchronous: bool) -> None:
    client = connect(serve_lab())
    side, kind = (client.asynchronous, ASYNC_INITIALIZE) if asynchronous else (client.sync, INITIALIZE)
    side.send(kind, 0, 0x0100_7878)
    assert is_fatal(side, 3)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["synchronous", "asynchronous"])
def test_with_one_connection_the_other_ends(serve_lab: ServeLab, connect: Connect, asynchronous: bool) -> None:
    client = connect(serve_lab(rate=1))
    client.write(SLOW)
    ending, other = client.sync, client.asynchronous
    if asynchronous:
        ending, other = other, ending
    else:
        assert client.asynchronous.exchange(ASYNC_CLEAR) is not None  # else it would wait for the reply first
    ending.close()
    with suppress(ConnectionError):
        assert other.receive() is CLOSED


@pytest.mark.parametrize("length", [LONGEST_MESSAGE + 3, 1_000_000])
def test_a_message_too_large_is_refused_and_all_goes_on(serve_lab: ServeLab, connect: Connect, length: int) -> None:
    client = connect(serve_lab())
    client.write("*ESE 1".ljust(length))
    answer = client.sync.receive()
    assert answer is not None
    assert (answer.kind, answer.control) == (ERROR, 4)
    assert client.ask("*ESE?") == "+0"
    assert client.ask("SYST:ERR?") == '-363,"Input buffer overrun"'
    answer = client.asynchronous.exchange(SIZE, 0, 0, bytes(length))
    assert answer is not None
    assert (answer.kind, answer.control) == (ERROR, 4)
    assert client.status() == 0


def test_pieces_that_are_too_large_together_are_an_overrun(serve_lab: ServeLab, connect: Connect) -> None:
    client = connect(serve_lab())
    client.sync.send(DATA, 0, client.number, b"*ESE 1")
    for _ in range(1000):
        client.sync.send(DATA, 0, client.number, b" " * 1000)
    client.write("*ESE 1")
    assert client.ask("*ESE?") == "+0"
    assert client.ask("SYST:ERR?") == '-363,"Input buffer overrun"'
    assert client.ask("SYST:ERR?") == NO_ERROR


def test_a_client_too_many_is_told_so(serve_lab: ServeLab, channel: Open, connect: Connect) -> None:
    lab = serve_lab(limits=Limits(clients=2))
    one, two = connect(lab), connect(lab)
    late = channel(lab)
    late.send(INITIALIZE, 0, 0x0100_7878, b"hislip0")
    assert is_fatal(late, 4)
    one.sync.close()
    assert one.asynchronous.receive() is CLOSED
    assert "34461A" in connect(lab).ask("*IDN?")
    assert "34461A" in two.ask("*IDN?")


def test_who_waits_for_a_slow_reply_holds_up_nobody(serve_lab: ServeLab, connect: Connect) -> None:
    lab = serve_lab(rate=1)
    waiting, other = connect(lab), connect(lab)
    waiting.write(SLOW)
    assert "34461A" in other.ask("*IDN?")
    assert waiting.status() == 0  # its own other connection answers too, and no reply waits yet


def test_many_clients_at_once_get_their_own_answers(serve_lab: ServeLab, connect: Connect) -> None:
    lab = serve_lab()
    clients = [connect(lab) for _ in range(64)]
    for turn in range(3):
        for index, client in enumerate(clients):
            client.write(f"*ESE {index + turn};*ESE?")
        assert [client.read() for client in clients] == [f"+{index + turn}" for index in range(64)]


def test_a_lost_link_ends_both_connections_and_refuses_new_ones(
    serve_lab: ServeLab, channel: Open, connect: Connect
) -> None:
    lab = serve_lab(FaultSettings("link_lost", "dmm", after_s=300), rate=1000)
    client = connect(lab)
    client.write(SLOW.replace("1000", "100"))
    assert client.sync.receive() is CLOSED
    assert client.asynchronous.receive() is CLOSED
    with suppress(ConnectionError):
        late = channel(lab)
        assert late.exchange(INITIALIZE, 0, 0x0100_7878, b"hislip0") is CLOSED
    assert "E36312A" in connect(lab, "psu").ask("*IDN?")


@pytest.fixture
def visa() -> Iterator[pyvisa.ResourceManager]:
    manager = pyvisa.ResourceManager("@py")
    yield manager
    manager.close()


def test_pyvisa_asks_polls_and_clears(serve_lab: ServeLab, visa: pyvisa.ResourceManager) -> None:
    lab = serve_lab()
    for name in lab.resources:
        instrument: Any = visa.open_resource(lab.resources[name]["hislip"], timeout=PATIENCE_S * 1000)
        identity = instrument.query("*IDN?")
        assert instrument.read_stb() == 0
        instrument.clear()
        assert instrument.query("*IDN?") == identity


def test_pyvisa_is_interrupted_when_it_does_not_read(serve_lab: ServeLab, visa: pyvisa.ResourceManager) -> None:
    instrument: Any = visa.open_resource(serve_lab().resources["dmm"]["hislip"], timeout=PATIENCE_S * 1000)
    instrument.write("*IDN?")
    assert instrument.query("*ESE?").strip() == "+0"  # not the stale identity
    assert instrument.query("SYST:ERR?").strip() == INTERRUPTED


def test_pyvisa_clears_while_a_reply_is_far_away(serve_lab: ServeLab, visa: pyvisa.ResourceManager) -> None:
    instrument: Any = visa.open_resource(serve_lab(rate=1).resources["dmm"]["hislip"], timeout=PATIENCE_S * 1000)
    instrument.write(SLOW)
    instrument.clear()
    assert "34461A" in instrument.query("*IDN?")


def test_pyvisa_sends_what_is_too_long_in_pieces(serve_lab: ServeLab, visa: pyvisa.ResourceManager) -> None:
    instrument: Any = visa.open_resource(serve_lab().resources["dmm"]["hislip"], timeout=PATIENCE_S * 1000)
    instrument.write("*ESE 1".ljust(20_000))
    assert instrument.query("SYST:ERR?").strip() == '-363,"Input buffer overrun"'
