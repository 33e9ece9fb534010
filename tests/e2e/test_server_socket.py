"""The served lab over raw sockets: lines in, lines out, and no client that costs another one anything."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
import pyvisa

from simorc.core.bench import BenchSettings, FaultSettings
from simorc.core.errors import ExitCode, ToolMissingError
from simorc.virtual_lab.limits import Limits
from simorc.virtual_lab.server import ServedLab, serve, served_lab
from simorc.virtual_lab.session import LONGEST_MESSAGE

pytestmark = pytest.mark.req("DVT-06")
ServeLab = Callable[..., ServedLab]
NO_ERROR = '+0,"No error"'
PATIENCE_S = 30.0


class Client:
    """One connection; what does not come within a time that no reply needs fails the test."""

    def __init__(self, lab: ServedLab, name: str = "dmm") -> None:
        _, host, port, _ = lab.resources[name]["socket"].split("::")
        self.socket = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
        self.lines = self.socket.makefile("rb")

    def send(self, text: str) -> None:
        self.socket.sendall(text.encode("latin-1"))

    def line(self) -> str:
        """One reply; empty when the server has closed."""
        return self.lines.readline().decode("latin-1").removesuffix("\n")

    def ask(self, text: str) -> str:
        self.send(text + "\n")
        return self.line()

    def is_closed(self) -> bool:
        """Wait until the server has closed, whatever it still says."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            return True
        return True

    def has_nothing(self) -> bool:
        """Whether nothing has come up to now."""
        self.socket.setblocking(False)
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(PATIENCE_S)
        return False

    def close(self) -> None:
        self.lines.close()
        self.socket.close()


Connect = Callable[..., Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    with ExitStack() as stack:

        def make(lab: ServedLab, name: str = "dmm") -> Client:
            client = Client(lab, name)
            stack.callback(client.close)
            return client

        yield make


def placed(lab: ServedLab, connect: Connect) -> Client:
    """A client that is served, as soon as there is a place for it."""
    while True:
        client = connect(lab)
        with suppress(ConnectionError):
            if client.ask("*IDN?"):
                return client
        client.close()


def test_every_instrument_says_who_it_is_at_a_port_of_its_own(serve_lab: ServeLab, connect: Connect) -> None:
    lab = serve_lab()
    models = {"psu": "E36312A", "load": "LD400P", "dmm": "34461A", "chamber": "ATS-545", "switch": "Switch8"}
    assert set(lab.resources) == set(models)
    for name, model in models.items():
        assert model in connect(lab, name).ask("*IDN?")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_end_with_lf_or_crlf_and_replies_with_lf(serve_lab: ServeLab, connect: Connect, end: str) -> None:
    client = connect(serve_lab())
    client.send(f"*ESE 5{end}*ESE?{end}")
    assert client.line() == "+5"


def test_a_line_may_come_in_pieces_and_many_in_one(serve_lab: ServeLab, connect: Connect) -> None:
    client = connect(serve_lab())
    for sign in "*ESE 7\n*ESE?":
        client.send(sign)
    client.send("\n*ESE 8\n*ESE?\n\n*ESE 9\n*ESE?\n")
    assert [client.line() for _ in range(3)] == ["+7", "+8", "+9"]


def test_replies_follow_each_other_and_nothing_is_interrupted(serve_lab: ServeLab, connect: Connect) -> None:
    client = connect(serve_lab())
    client.send("READ?\n*ESE?\nSYST:ERR?\n")
    float(client.line())
    assert [client.line(), client.line()] == ["+0", NO_ERROR]


def test_clients_share_the_instrument_but_not_the_replies(serve_lab: ServeLab, connect: Connect) -> None:
    lab = serve_lab()
    one, two = connect(lab, "psu"), connect(lab, "psu")
    one.ask("VOLT 5,(@2);:VOLT? (@2)")
    assert float(two.ask("VOLT? (@2)")) == 5
    one.send("*IDN?\n")
    assert two.ask("*ESE?") == "+0"
    assert "E36312A" in one.line()


@pytest.mark.parametrize("length", [LONGEST_MESSAGE + 1, 10 * LONGEST_MESSAGE, 3_000_000])
def test_a_line_too_long_for_the_input_buffer_is_thrown_away(
    serve_lab: ServeLab, connect: Connect, length: int
) -> None:
    client = connect(serve_lab())
    client.send("*ESE 1" + " " * (length - 6) + "\n*ESE?\n")
    assert client.line() == "+0"
    assert client.ask("SYST:ERR?") == '-363,"Input buffer overrun"'
    assert client.ask("SYST:ERR?") == NO_ERROR


def test_the_longest_line_is_carried_out(serve_lab: ServeLab, connect: Connect) -> None:
    client = connect(serve_lab())
    client.send("*ESE 1" + " " * (LONGEST_MESSAGE - 6) + "\r\n")
    assert client.ask("*ESE?;:SYST:ERR?") == f"+1;{NO_ERROR}"


def test_what_was_never_ended_is_never_carried_out(serve_lab: ServeLab, connect: Connect) -> None:
    lab = serve_lab()
    leaving = connect(lab)
    leaving.send("*ESE 3\n*ESE?\n*ESE 4")
    assert leaving.line() == "+3"
    leaving.close()
    assert connect(lab).ask("*ESE?") == "+3"


def test_a_client_that_has_said_all_still_gets_its_reply(serve_lab: ServeLab, connect: Connect) -> None:
    client = connect(serve_lab())
    client.send("READ?\n*IDN?\n")
    client.socket.shutdown(socket.SHUT_WR)
    float(client.line())
    assert "34461A" in client.line()
    assert client.is_closed()


def test_who_waits_for_a_slow_reply_holds_up_nobody(serve_lab: ServeLab, connect: Connect) -> None:
    lab = serve_lab(rate=1)
    waiting, other = connect(lab), connect(lab)
    waiting.send("CONF:VOLT:DC 10;:VOLT:DC:NPLC 100;:SAMP:COUN 1000;:READ?\n")
    assert [other.ask("*ESE?") for _ in range(5)] == ["+0"] * 5
    assert waiting.has_nothing()


def test_who_goes_away_without_its_slow_reply_frees_its_place(serve_lab: ServeLab, connect: Connect) -> None:
    lab = serve_lab(rate=1, limits=Limits(clients=1, linger_s=0.01))
    for _ in range(3):
        client = placed(lab, connect)
        client.send("CONF:VOLT:DC 10;:VOLT:DC:NPLC 100;:SAMP:COUN 100;:READ?\n")
        client.close()


def test_a_connection_too_many_is_closed_and_the_others_stay(serve_lab: ServeLab, connect: Connect) -> None:
    lab = serve_lab(limits=Limits(clients=2))
    first, second = placed(lab, connect), placed(lab, connect)
    assert connect(lab).is_closed()
    assert "34461A" in first.ask("*IDN?")
    first.close()
    assert placed(lab, connect).ask("*ESE?") == second.ask("*ESE?") == "+0"


async def answers_during_a_flood(bench: BenchSettings, flood: bytes, asks: int) -> list[bytes]:
    """Server and clients in one thread, so that what comes first is nobody's luck."""
    lab = await serve(bench, rate=1000)
    host, port = lab.resources["dmm"]["socket"].split("::")[1:3]
    (flooded, flooding), (answered, asking) = [await asyncio.open_connection(host, int(port)) for _ in range(2)]
    flooding.write(flood + b"*IDN?\n")
    through = asyncio.ensure_future(flooded.readline())
    answers = []
    for _ in range(asks):
        asking.write(b"*ESE?\n")
        answers.append(await answered.readline())
        assert not through.done(), "the flood was through before the other client was answered"
    assert b"34461A" in await through
    for writer in (flooding, asking):
        writer.close()
        await writer.wait_closed()
    await lab.close()
    return answers


@pytest.mark.parametrize("piece", [b"*ESE 1\n", b"\n", b"*ESE 1;" * 500 + b"\n", b"x" * 5000 + b"\n"])
def test_who_floods_does_not_hold_up_the_others(lab_bench: Callable[..., BenchSettings], piece: bytes) -> None:
    flood = piece * (300_000 // len(piece))
    answers = asyncio.run(answers_during_a_flood(lab_bench(), flood, asks=3))
    assert set(answers) <= {b"+0\n", b"+1\n"}


def test_who_never_reads_is_put_off_and_holds_up_nobody(serve_lab: ServeLab, connect: Connect) -> None:
    lab = serve_lab(limits=Limits(unread_s=0.05))
    stubborn, other = connect(lab), connect(lab)
    stubborn.ask("CONF:VOLT:DC 10;:VOLT:DC:NPLC 0.02;:SAMP:COUN 10000;:READ?")

    def ask_on_without_reading() -> None:
        for _ in range(10_000):
            stubborn.send("FETC?\n" * 10)
            assert "34461A" in other.ask("*IDN?")

    with pytest.raises(ConnectionError):
        ask_on_without_reading()
    assert "34461A" in other.ask("*IDN?")


def test_many_clients_at_once_get_their_own_answers(serve_lab: ServeLab, connect: Connect) -> None:
    lab = serve_lab()
    clients = [connect(lab, name) for name in ("dmm", "psu", "chamber") for _ in range(60)]
    for turn in range(3):
        for index, client in enumerate(clients):
            client.send(f"*ESE {(index + turn) % 256};*ESE?\n")
        assert [client.line() for client in clients] == [f"+{(i + turn) % 256}" for i in range(len(clients))]


def test_a_lost_link_drops_the_connection_and_every_new_one(serve_lab: ServeLab, connect: Connect) -> None:
    lab = serve_lab(FaultSettings("link_lost", "dmm", after_s=300), rate=1000)
    client, other = connect(lab), connect(lab, "psu")
    assert "34461A" in client.ask("*IDN?")
    client.send("SAMP:COUN 1000;:READ?\n")
    assert client.is_closed()
    late = connect(lab)
    with suppress(ConnectionError):
        assert late.ask("*IDN?") == ""
    assert "E36312A" in other.ask("*IDN?")


def test_the_lab_closes_whatever_its_clients_do(lab_bench: Callable[..., BenchSettings], connect: Connect) -> None:
    with served_lab(lab_bench(), rate=1) as lab:
        idle, waiting, half, stubborn = (connect(lab) for _ in range(4))
        stubborn.ask("CONF:VOLT:DC 10;:VOLT:DC:NPLC 0.02;:SAMP:COUN 1000;:READ?")
        stubborn.send("FETC?\n" * 500)
        waiting.send("SAMP:COUN 1000;:READ?\n")
        half.send("*ID")
        assert idle.ask("*ESE?") == "+0"
    for client in (idle, waiting, half, stubborn):
        assert client.is_closed()


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [s.getsockname()[1] for s in sockets]


def test_ports_can_be_chosen(serve_lab: ServeLab) -> None:
    ports = free_ports(10)
    lab = serve_lab(ports=ports)
    found = [int(r["socket"].split("::")[2]) for r in lab.resources.values()]
    hislip = [int(r["hislip"].split("::")[2].split(",")[1]) for r in lab.resources.values()]
    assert [port for pair in zip(found, hislip, strict=True) for port in pair] == ports


def test_a_port_in_use_is_an_error_that_names_it_and_leaves_no_port_open(serve_lab: ServeLab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        free = free_ports(9)
        with pytest.raises(ToolMissingError, match=f"port {port} cannot be had") as caught:
            serve_lab(ports=[*free, port])
    assert caught.value.exit_code == ExitCode.MISSING
    serve_lab(ports=[*free, *free_ports(1)])


def test_pyvisa_with_terminators_set(serve_lab: ServeLab) -> None:
    lab = serve_lab()
    manager = pyvisa.ResourceManager("@py")
    try:
        psu = manager.open_resource(
            lab.resources["psu"]["socket"], read_termination="\n", write_termination="\n", timeout=PATIENCE_S * 1000
        )
        assert "E36312A" in psu.query("*IDN?")  # type: ignore[attr-defined]
        assert psu.query_ascii_values("VOLT? (@1:3)") == [0, 0, 0]  # type: ignore[attr-defined]
    finally:
        manager.close()
