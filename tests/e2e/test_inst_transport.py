"""VISA transports on real sockets: nothing stale is ever returned, and what cannot be reached is said so."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from simorc.core.bench import BenchSettings, InstrumentSettings
from simorc.core.errors import ExitCode, InstrumentError, ToolMissingError
from simorc.instruments.transport import VisaLink, WallClock

Answer = Callable[[str], "str | None"]


class Device:
    """Something on a socket that answers lines; `answer` may wait, and keeps its word however late."""

    def __init__(self, answer: Answer, end: str = "\n") -> None:
        self.answer, self.end = answer, end
        self.heard: list[str] = []
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.resource = f"TCPIP::127.0.0.1::{self._listening.getsockname()[1]}::SOCKET"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self._open.append(client)
                self.connections += 1
                self._threads.append(threading.Thread(target=self._talk, args=(client,)))
                self._threads[-1].start()

    def _talk(self, client: socket.socket) -> None:
        with suppress(OSError), client.makefile("rb") as lines:
            for line in lines:
                text = line.decode().removesuffix(self.end)
                self.heard.append(text)
                reply = self.answer(text)
                if reply is not None:
                    client.sendall((reply + self.end).encode())

    def hang_up(self) -> None:
        """End every connection."""
        for client in self._open:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
            client.close()
        self._open.clear()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.hang_up()
        for thread in self._threads:
            thread.join()


@contextmanager
def device(answer: Answer, end: str = "\n") -> Iterator[Device]:
    played = Device(answer, end)
    try:
        yield played
    finally:
        played.close()


@contextmanager
def transport(resource: str, timeout_s: float = 5.0, **keys: Any) -> Iterator[Any]:
    settings = InstrumentSettings("dmm", "scpi_dmm", resource=resource, timeout_s=timeout_s, **keys)
    link = VisaLink(BenchSettings("real", (settings,)))
    try:
        yield link.open(settings)
    finally:
        link.close()


@pytest.mark.req("DVT-07")
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_terminators_are_set_on_sockets_in_both_directions(end: str) -> None:
    with device(lambda text: f"said {text}" if "?" in text else None, end) as it:
        with transport(it.resource, terminator=end) as wire:
            wire.write("VOLT 5")
            assert wire.query("VOLT?") == "said VOLT?"
        assert it.heard == ["VOLT 5", "VOLT?"]


@pytest.mark.req("DVT-07")
def test_after_a_timeout_the_late_reply_never_answers_the_next_question() -> None:
    late = threading.Event()

    def answer(text: str) -> str:
        if text == "SLOW?":
            late.wait(30)
            return "stale"
        return "ACME,1" if text == "*IDN?" else "fresh"

    with device(answer) as it, transport(it.resource, timeout_s=0.3) as wire:
        assert wire.query("*IDN?") == "ACME,1"
        with pytest.raises(InstrumentError) as error:
            wire.query("SLOW?")
        late.set()
        assert not error.value.out_of_reach
        assert "'SLOW?'" in error.value.what
        assert it.resource in error.value.where
        assert [wire.query("OTHER?") for _ in range(3)] == ["fresh"] * 3
        assert it.heard.count("*IDN?") == 2  # it had to say again who it is


@pytest.mark.req("DVT-07")
def test_another_instrument_after_a_timeout_is_out_of_reach() -> None:
    identities = iter(["ACME,1", "ACME,2", "ACME,2"])

    def answer(text: str) -> str | None:
        return next(identities) if text == "*IDN?" else None

    with device(answer) as it, transport(it.resource, timeout_s=0.3) as wire:
        wire.query("*IDN?")
        with pytest.raises(InstrumentError, match="it now says 'ACME,2'") as error:
            wire.query("READ?")
        assert error.value.out_of_reach
        with pytest.raises(InstrumentError) as again:
            wire.query("READ?")
        assert again.value.out_of_reach


@pytest.mark.req("DVT-07")
def test_an_instrument_that_is_gone_is_out_of_reach_and_back_when_it_is_back() -> None:
    with device(lambda text: "ACME,1" if "?" in text else None) as it, transport(it.resource, timeout_s=1.0) as wire:
        wire.query("*IDN?")
        port = it.resource
        it.close()
        with pytest.raises(InstrumentError) as error:
            wire.query("READ?")
        assert error.value.out_of_reach
        it._listening = socket.create_server(("127.0.0.1", int(port.split("::")[2])))
        it._threads = [threading.Thread(target=it._accept)]
        it._threads[0].start()
        assert wire.query("READ?") == "ACME,1"


@pytest.mark.req("DVT-07")
def test_a_connection_that_ends_is_made_anew_for_the_next_text() -> None:
    with device(lambda text: "ACME,1" if "?" in text else None) as it, transport(it.resource, timeout_s=0.5) as wire:
        wire.query("*IDN?")
        it.hang_up()
        with pytest.raises(InstrumentError) as error:
            wire.query("READ?")
        assert not error.value.out_of_reach
        assert wire.query("READ?") == "ACME,1"
        assert it.connections == 2


@pytest.mark.req("DVT-07")
def test_an_exchange_broken_off_by_ctrl_c_leaves_nothing_behind() -> None:
    with device(lambda text: "ACME,1" if text == "*IDN?" else f"to {text}") as it, transport(it.resource) as wire:
        wire.query("*IDN?")
        read = wire.read

        def interrupted() -> str:
            raise KeyboardInterrupt

        wire.read = interrupted
        with pytest.raises(KeyboardInterrupt):
            wire.query("SLOW?")
        wire.read = read
        assert wire.query("OUTP?") == "to OUTP?"


@pytest.mark.req("DVT-07")
def test_a_cleared_link_answers_what_is_asked_next() -> None:
    with device(lambda text: "ACME,1" if text == "*IDN?" else f"to {text}") as it, transport(it.resource) as wire:
        wire.query("*IDN?")
        wire.write("A?")
        wire.clear()
        assert wire.query("B?") == "to B?"
        wire.close()
        wire.close()


@pytest.mark.req("DVT-07")
@pytest.mark.parametrize("resource", ["nonsense", "ASRL/dev/nothing_here::INSTR"])
def test_what_cannot_be_opened_is_missing_with_a_hint(resource: str) -> None:
    with pytest.raises(ToolMissingError) as error, transport(resource, timeout_s=0.5):
        pass
    assert error.value.exit_code == ExitCode.MISSING
    assert error.value.where == resource
    assert "dmm cannot be reached" in error.value.what
    assert "resource:" in error.value.hint


@pytest.mark.req("DVT-07")
def test_a_socket_where_nobody_listens_answers_nothing() -> None:
    """pyvisa-py notices a refused connection with the first text only."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with transport(f"TCPIP::127.0.0.1::{port}::SOCKET", timeout_s=0.3) as wire, pytest.raises(InstrumentError):
        wire.query("*IDN?")


@pytest.mark.req("DVT-07")
def test_options_are_visa_attributes_and_unknown_ones_are_told() -> None:
    with device(lambda text: text) as it:
        with transport(it.resource, options={"chunk_size": 512, "query_delay": 0.01}) as wire:
            assert wire.query("X?") == "X?"
        with (
            pytest.raises(ToolMissingError, match="pyvisa knows no 'baud_rat'"),
            transport(it.resource, options={"baud_rat": 9600}),
        ):
            pass


@pytest.mark.req("DVT-07")
def test_a_visa_library_that_is_not_there_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYVISA_LIBRARY", "/nowhere/libvisa.so")
    with pytest.raises(ToolMissingError, match=r"libvisa\.so.* cannot be used"):
        VisaLink(BenchSettings("real", ()))


@pytest.mark.req("DVT-07")
def test_two_benches_in_one_process_do_not_close_each_other() -> None:
    with device(lambda text: "one") as first, device(lambda text: "two") as second, transport(second.resource) as other:
        with transport(first.resource) as wire:
            assert wire.query("X?") == "one"
        assert other.query("X?") == "two"


@pytest.mark.req("DVT-07")
def test_bench_time_runs_at_its_rate() -> None:
    clock = WallClock(rate=1000.0)
    before, begin = clock.now(), time.monotonic()
    clock.sleep(50.0)
    assert clock.now() - before >= 50.0
    clock.sleep(-1.0)
    assert time.monotonic() - begin >= 0.05
