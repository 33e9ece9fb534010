"""Whatever a client sends to a served lab: the next client is answered, and nothing is left behind."""

from __future__ import annotations

import gc
import random
import socket
import struct
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simorc.virtual_lab.limits import Limits
from simorc.virtual_lab.server import ServedLab
from simorc.virtual_lab.session import Session

pytestmark = pytest.mark.req("DVT-04", "DVT-06")
PATIENCE_S = 30.0
HEADER = struct.Struct("!2sBBIQ")
INITIALIZE, DATA, DATA_END, ASYNC_INITIALIZE = 0, 6, 7, 17
NAMES = ("psu", "load", "dmm", "chamber", "switch")
RESET = struct.pack("ii", 1, 0)


def port(lab: ServedLab, name: str, kind: str) -> int:
    parts = lab.resources[name][kind].split("::")
    return int(parts[2].rpartition(",")[2])


def connect(lab: ServedLab, name: str, kind: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port(lab, name, kind)), timeout=PATIENCE_S)


def message(kind: int, control: int = 0, parameter: int = 0, payload: bytes = b"") -> bytes:
    return HEADER.pack(b"HS", kind, control, parameter, len(payload)) + payload


def exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = source.recv(count - len(data))
        if not more:
            raise ConnectionError("closed")
        data += more
    return data


def receive(source: socket.socket) -> tuple[int, int, bytes]:
    """Kind, parameter and payload of the next HiSLIP message."""
    _, kind, _, parameter, length = HEADER.unpack(exactly(source, HEADER.size))
    return kind, parameter, exactly(source, length)


def pair(lab: ServedLab, name: str) -> tuple[socket.socket, socket.socket]:
    """Both connections of a HiSLIP client."""
    first, second = connect(lab, name, "hislip"), connect(lab, name, "hislip")
    first.sendall(message(INITIALIZE, 0, 0x0100_7878, b"hislip0"))
    second.sendall(message(ASYNC_INITIALIZE, 0, receive(first)[1] & 0xFFFF))
    receive(second)
    return first, second


def answers(lab: ServedLab, name: str) -> bool:
    """Whether a client that behaves is told by both servers who that is."""
    with connect(lab, name, "socket") as wire, wire.makefile("rb") as lines:
        wire.sendall(b"\n*IDN?\n")
        by_socket = lines.readline().strip()
    first, second = pair(lab, name)
    with first, second:
        first.sendall(message(DATA_END, 0, 4, b"*IDN?"))
        by_hislip = receive(first)[2].strip()
    return by_socket == by_hislip != b""


def throw(target: socket.socket, pieces: list[bytes], ending: str) -> None:
    """Send, read a little, and go away in one of several manners; the server may have closed at any time."""
    with target, suppress(OSError):
        for piece in pieces:
            target.sendall(piece)
        if ending == "reset":
            target.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        elif ending == "half":
            target.shutdown(socket.SHUT_WR)
            target.settimeout(0.01)
            target.recv(65536)


def kept(lab: ServedLab) -> int:
    """Conversations with this lab that are still kept anywhere."""
    gc.collect()
    return sum(isinstance(thing, Session) and thing._lab is lab.built.lab for thing in gc.get_objects())


def wait_until_forgotten(lab: ServedLab) -> None:
    """Wait until nothing is left of clients that have gone."""
    for _ in range(300):
        if not lab.tasks and not kept(lab):
            return
        time.sleep(0.01)
    raise AssertionError(f"{len(lab.tasks)} connections and {kept(lab)} conversations are still there")


@pytest.fixture
def lab(serve_lab: Callable[..., ServedLab], caplog: pytest.LogCaptureFixture) -> Iterator[ServedLab]:
    """A lab in which nothing is left of any client in the end, and whose server met nothing that it did not expect."""
    served = serve_lab(limits=Limits(handshake_s=1.0, linger_s=0.1, unread_s=0.5))
    yield served
    wait_until_forgotten(served)
    assert [*caplog.get_records("call"), *caplog.get_records("teardown")] == []


ENDINGS = st.sampled_from(["close", "reset", "half"])
WORDS = (
    b"*IDN?",
    b"READ?",
    b"MEAS:VOLT?",
    b"SETP ",
    b"VOLT ",
    b"(@1:3)",
    b"9" * 400,
    b"\n",
    b"\r\n",
    b";",
    b":",
    b"?",
    b"#",
    b'"',
)
TEXT = st.lists(st.one_of(st.sampled_from(WORDS), st.binary(max_size=40)), max_size=20).map(b"".join)
KINDS = st.one_of(st.integers(0, 40), st.integers(0, 255))
NUMBERS = st.one_of(st.sampled_from([0, 1, 0xFFFF_FF00, 0xFFFF_FFFF]), st.integers(0, 2**32 - 1))
MESSAGES = st.builds(message, KINDS, st.integers(0, 255), NUMBERS, TEXT)
LIES = st.builds(
    lambda kind, length, payload: HEADER.pack(b"HS", kind, 0, 0, length) + payload,
    KINDS,
    st.one_of(st.integers(0, 100_000), st.integers(2**62, 2**64 - 1)),
    TEXT,
)
FRAMES = st.lists(st.one_of(MESSAGES, LIES, TEXT), max_size=8)
fuzz = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@fuzz
@given(name=st.sampled_from(NAMES), pieces=st.lists(TEXT, max_size=8), ending=ENDINGS)
def test_any_text_on_a_socket(lab: ServedLab, name: str, pieces: list[bytes], ending: str) -> None:
    throw(connect(lab, name, "socket"), pieces, ending)
    assert answers(lab, name)


@fuzz
@given(name=st.sampled_from(NAMES), pieces=FRAMES, ending=ENDINGS)
def test_any_frames_from_a_stranger(lab: ServedLab, name: str, pieces: list[bytes], ending: str) -> None:
    throw(connect(lab, name, "hislip"), pieces, ending)
    assert answers(lab, name)


@fuzz
@given(name=st.sampled_from(NAMES), one=FRAMES, two=FRAMES, ending=ENDINGS)
def test_any_frames_after_the_handshake(
    lab: ServedLab, name: str, one: list[bytes], two: list[bytes], ending: str
) -> None:
    first, second = pair(lab, name)
    throw(second, two, ending)
    throw(first, one, ending)
    assert answers(lab, name)


def noise(random_: random.Random) -> list[bytes]:
    """Bytes of all kinds, in pieces that respect no boundary."""
    if random_.random() < 0.5:
        data = random_.randbytes(random_.randrange(2000))
    else:
        data = b"".join(
            message(random_.randrange(30), random_.randrange(3), random_.choice([0, 1, 2**32 - 1]), b"*IDN?\nREAD?\n")
            for _ in range(20)
        )
        if random_.random() < 0.5:
            data = data[random_.randrange(len(data)) :]
    cuts = sorted(random_.randrange(len(data) + 1) for _ in range(5))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def storm(lab: ServedLab, random_: random.Random, rounds: int) -> None:
    """Several broken clients at once, again and again; some stay open for a while."""
    staying: list[socket.socket] = []
    for _ in range(rounds):
        name = random_.choice(NAMES)
        if random_.random() < 0.3:
            staying += pair(lab, name)
            with suppress(OSError):
                for piece in noise(random_):
                    random_.choice(staying[-2:]).sendall(piece)
        else:
            target = connect(lab, name, random_.choice(["socket", "hislip"]))
            throw(target, noise(random_), random_.choice(["close", "reset", "half"]))
        while len(staying) > 10:
            staying.pop(random_.randrange(len(staying))).close()
    for left in staying:
        left.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_random_bytes_from_many_clients(lab: ServedLab, seed: int) -> None:
    random_ = random.Random(seed)
    for _ in range(8):
        storm(lab, random_, 10)
        assert all(answers(lab, name) for name in NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 20))
def test_random_bytes_from_many_clients_for_long(lab: ServedLab, seed: int) -> None:
    random_ = random.Random(seed)
    for _ in range(40):
        storm(lab, random_, 20)
        assert all(answers(lab, name) for name in NAMES)


def test_nothing_of_a_client_stays_when_it_has_gone(lab: ServedLab) -> None:
    staying = pair(lab, "dmm")
    storm(lab, random.Random(5), 20)
    assert kept(lab)
    for connection in staying:
        connection.close()
    wait_until_forgotten(lab)


def test_memory_does_not_grow_with_the_number_of_clients(lab: ServedLab) -> None:
    tracemalloc.start()
    try:
        sizes = []
        for seed in range(4):
            storm(lab, random.Random(7), 25)
            assert answers(lab, NAMES[seed])
            wait_until_forgotten(lab)
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert sizes[-1] - sizes[1] < 200_000


ENDLESS = {
    "line": [b"x" * 65_536] * 128,
    "queries, no reply read": [b"*IDN?\n" * 10_000] * 128,
    "pieces": [message(DATA, 0, 0, b"x" * 4000) * 16] * 128,
    "empty pieces": [message(DATA) * 4000] * 16,
    "one piece": [HEADER.pack(b"HS", DATA, 0, 0, 2**40), *[b"x" * 65_536] * 128],
    "queries, no reply read, in frames": [message(DATA_END, 0, 0, b"*IDN?") * 2000] * 128,
}


@pytest.mark.parametrize("what", ENDLESS)
def test_no_client_makes_the_server_keep_much(lab: ServedLab, what: str) -> None:
    """Each sends megabytes of what has no end, or says so."""
    by_socket = what in list(ENDLESS)[:2]
    with ExitStack() as stack:
        wires = [connect(lab, "dmm", "socket")] if by_socket else pair(lab, "dmm")
        for wire in wires:
            stack.enter_context(wire)
        wires[0].settimeout(0.5)
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        before = tracemalloc.get_traced_memory()[0]
        with suppress(OSError):  # the server reads no further, or closes
            for block in ENDLESS[what]:
                wires[0].sendall(block)
        assert tracemalloc.get_traced_memory()[1] - before < 2_000_000
    assert answers(lab, "dmm")
