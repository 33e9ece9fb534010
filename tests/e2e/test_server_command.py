"""`simorc bench serve` as a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from contextlib import closing

import pytest

pytestmark = pytest.mark.req("DVT-06", "DVT-13")
BENCH = """
instruments:
  psu: {driver: keysight_e36312a}
  dmm: {driver: keysight_34461a}
simulated:
  parts: {dut: {model: ldo, set: lp2985_33}}
  wiring: {psu.2: vin, dmm: vout}
"""
PATIENCE_S = 60


@pytest.fixture
def bench(project):  # type: ignore[no-untyped-def]
    """The project of the neighbours, with two benches."""
    project.write("benches/mini.yaml", BENCH)
    project.write("benches/fast.yaml", BENCH + "  clock: rate\n  rate: 250\n")
    project.write("benches/real.yaml", "instruments: {dmm: {driver: keysight_34461a, resource: 'GPIB::22::INSTR'}}\n")
    names = ", ".join(f"{name}: ./benches/{name}.yaml" for name in ("mini", "fast", "real"))
    setup = project.write("sim_setup.yaml", "testbenches: {divider: ./tb}\nsweeps: {divider: ./sweep.yaml}\n")
    setup.write_text(setup.read_text() + f"benches: {{{names}}}\n")
    return project


class Served:
    """A server process whose first line of output has been read."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.line = process.stdout.readline()

    def end(self, number: int) -> tuple[int, str, str]:
        """Exit code, and what else it wrote."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=PATIENCE_S)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        # Not `communicate`: it reads past the lines that `readline` has already taken in.
        with self.process.stdout as out, self.process.stderr as err:
            return code, out.read(), err.read()


@pytest.fixture
def start(bench):  # type: ignore[no-untyped-def]
    started: list[subprocess.Popen[str]] = []

    def serve(*arguments: str) -> Served:
        started.append(bench.start("bench", "serve", *arguments))
        return Served(started[-1])

    yield serve
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def ask(resource: str, text: str) -> str:
    _, host, port, _ = resource.split("::")
    with closing(socket.create_connection((host, int(port)), timeout=PATIENCE_S)) as s, s.makefile("rb") as lines:
        s.sendall(text.encode() + b"\n")
        reply: bytes = lines.readline()
        return reply.decode().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_json_is_one_line_when_ready_and_a_signal_ends_it_well(start, number) -> None:  # type: ignore[no-untyped-def]
    served = start("--bench", "mini", "--json")
    found = json.loads(served.line)
    assert list(found) == ["instruments"]
    assert list(found["instruments"]) == ["psu", "dmm"]
    for kinds in found["instruments"].values():
        assert kinds["socket"].startswith("TCPIP::127.0.0.1::")
        assert kinds["socket"].endswith("::SOCKET")
        assert kinds["hislip"].startswith("TCPIP::127.0.0.1::hislip0,")
        assert kinds["hislip"].endswith("::INSTR")
    assert "34461A" in ask(found["instruments"]["dmm"]["socket"], "*IDN?")
    assert served.end(number) == (0, "", "")


def test_without_json_it_is_a_table(start) -> None:  # type: ignore[no-untyped-def]
    served = start("--bench", "mini")
    name, resource, hislip = served.line.split()
    assert name == "psu"
    assert hislip.startswith("TCPIP::127.0.0.1::hislip0,")
    assert "E36312A" in ask(resource, "*IDN?")
    code, out, err = served.end(signal.SIGINT)
    assert code == 0
    assert out.split()[0] == "dmm"
    assert "'mini' at 1 bench seconds" in err


@pytest.mark.parametrize(("arguments", "rate"), [((), "250"), (("--rate", "40"), "40")])
def test_the_rate_is_the_one_asked_for_else_the_benchs(start, arguments, rate) -> None:  # type: ignore[no-untyped-def]
    served = start("--bench", "fast", *arguments)
    assert f"at {rate} bench seconds" in served.end(signal.SIGTERM)[2]


def row(count: int) -> int:
    """A port that begins a row of free ones."""
    for first in range(20_000, 60_000, count):
        sockets = []
        try:
            sockets = [socket.create_server(("127.0.0.1", first + n)) for n in range(count)]
        except OSError:
            continue
        finally:
            for s in sockets:
                s.close()
        if len(sockets) == count:
            return first
    raise AssertionError("no free ports")


@pytest.mark.parametrize("each", [True, False], ids=["each", "row"])
def test_ports_can_be_chosen(start, each: bool) -> None:  # type: ignore[no-untyped-def]
    first = row(4)
    ports = ",".join(str(first + n) for n in range(4)) if each else str(first)
    served = start("--bench", "mini", "--ports", ports, "--json")
    assert json.loads(served.line)["instruments"] == {
        "psu": {
            "socket": f"TCPIP::127.0.0.1::{first}::SOCKET",
            "hislip": f"TCPIP::127.0.0.1::hislip0,{first + 1}::INSTR",
        },
        "dmm": {
            "socket": f"TCPIP::127.0.0.1::{first + 2}::SOCKET",
            "hislip": f"TCPIP::127.0.0.1::hislip0,{first + 3}::INSTR",
        },
    }
    assert served.end(signal.SIGTERM)[0] == 0


def test_a_port_in_use_is_said_by_name(bench) -> None:  # type: ignore[no-untyped-def]
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        first = row(3)
        ports = f"{first},{first + 1},{first + 2},{port}"
        done = bench.simorc("bench", "serve", "--bench", "mini", "--ports", ports, code=3)
    assert done.stdout == ""
    assert f"port {port} cannot be had" in done.stderr
    assert "--ports" in done.stderr


@pytest.mark.parametrize("ports", ["5025,5026", "x", "0", "65534", "5025,5025,5026,5027", "99999999", "", "-1"])
def test_ports_that_are_none_are_refused(bench, ports: str) -> None:  # type: ignore[no-untyped-def]
    done = bench.simorc("bench", "serve", "--bench", "mini", f"--ports={ports}", code=2)
    assert done.stdout == ""
    assert "--ports" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--bench", "mni"), "mini"),
        (("--bench", "real"), "not simulated"),
        ((), "mini, fast, real"),
        (("--bench", "mini", "--rate", "nan"), "--rate"),
        (("--bench", "mini", "--rate", "inf"), "--rate"),
        (("--bench", "mini", "--rate", "0"), "--rate"),
    ],
)
def test_what_cannot_be_served_is_refused(bench, arguments, told: str) -> None:  # type: ignore[no-untyped-def]
    done = bench.simorc("bench", "serve", *arguments, code=2)
    assert done.stdout == ""
    assert told in done.stderr
