"""Work in a forked process: done once, told of when it fails, and never left behind."""

from __future__ import annotations

import atexit
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from simorc.workspace.beside import Ahead, beside


def test_it_is_done_once_in_another_process_while_the_body_goes_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with beside(lambda: (tmp_path / "fifo").write_text(f"{os.getpid()}\n")) as done:
        assert (tmp_path / "fifo").read_text() != f"{os.getpid()}\n", "both ends of the pipe are open at a time"
        done()


def interrupted() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda: 1 / 0, "division by zero"),
        (interrupted, "KeyboardInterrupt"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "was killed"),
    ],
    ids=["failed", "interrupted", "killed"],
)
def test_what_became_of_work_that_is_not_done(work: Callable[[], None], said: str) -> None:
    with pytest.raises(ChildProcessError, match=said), beside(work) as done:
        done()


def test_it_gives_what_the_work_comes_to() -> None:
    large = [{"x": 1.5, "y": "z" * 1000}] * 1000
    with beside(lambda: large) as done:
        assert done() == large


def test_a_process_started_ahead_loads_at_once_and_works_when_it_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    def load() -> Callable[[str], tuple[str, int]]:
        (tmp_path / "fifo").write_text("loaded")
        return lambda told: (told.upper(), os.getpid())

    with Ahead(load) as process:
        assert (tmp_path / "fifo").read_text() == "loaded"
        word, pid = process.asked("line\nand half a character \udcff")()
    assert word == "LINE\nAND HALF A CHARACTER \udcff"
    assert pid != os.getpid()


def left(gate: Path) -> int:
    """A process that has answered and does not end before somebody opens the gate; its id."""
    os.mkfifo(gate)

    def work(told: str) -> str:
        atexit.register(gate.read_text)
        return told

    with Ahead[str, str](lambda: work) as process:
        assert process.asked("x")() == "x"
    return process._process.pid


def open_gate(gate: Path) -> None:
    deadline = time.monotonic() + 30.0
    while True:
        try:
            os.close(os.open(gate, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            assert time.monotonic() < deadline, "nobody stands before it"
            time.sleep(0.01)
        else:
            return


def test_nobody_waits_for_one_that_has_answered_and_it_does_not_stay(tmp_path: Path) -> None:
    pid = left(tmp_path / "gate")
    open_gate(tmp_path / "gate")
    deadline = time.monotonic() + 60.0
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline, "it has ended, and nobody has looked"
        with beside(lambda: None) as done:
            done()


def test_one_that_somebody_else_has_waited_for_stands_in_nobodys_way(tmp_path: Path) -> None:
    pid = left(tmp_path / "gate")
    open_gate(tmp_path / "gate")
    os.waitpid(pid, 0)
    with beside(os.getpid) as done:
        assert done() != os.getpid()


def test_one_that_is_told_several_times_answers_once() -> None:
    seen: list[str] = []

    def work(told: str) -> list[str]:
        seen.append(told)
        return seen

    with Ahead[str, list[str]](lambda: work) as process:
        process.told("a")
        process.told("b")
        assert process.asked("c")() == ["a", "b", "c"]
    assert not seen


def test_one_that_is_never_told_ends_with_the_body() -> None:
    def load() -> Callable[[str], None]:
        time.sleep(600.0)
        raise AssertionError

    before = open_files()
    with Ahead(load) as process:
        pid = process._process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert open_files() == before


def killed() -> Callable[[str], None]:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def unable() -> Callable[[str], None]:
    raise ImportError("no such library")


@pytest.mark.parametrize(("load", "said"), [(killed, "was killed"), (unable, "no such library")])
def test_one_that_cannot_load_says_so_when_it_is_asked(load: Callable[[], Callable[[str], None]], said: str) -> None:
    with Ahead(load) as process:
        time.sleep(0.2)  # so that it has ended when it is told
        answer = process.asked("x")
        with pytest.raises(ChildProcessError, match=said):
            answer()


def at_the_end() -> None:
    raise EOFError("end of the file")


def nothing_to_pickle() -> Callable[[], None]:
    return lambda: None


@pytest.mark.parametrize(("work", "said"), [(at_the_end, "end of the file"), (nothing_to_pickle, "pickle")])
def test_words_of_its_own_are_told_whatever_the_error(work: Callable[[], object], said: str) -> None:
    with pytest.raises(ChildProcessError, match=said), beside(work) as done:
        done()


def test_killed_in_the_middle_of_its_answer_it_has_said_nothing() -> None:
    with Ahead[str, bytes](lambda: lambda told: bytes(10_000_000)) as process:
        answer = process.asked("x")
        assert process._line.recv(1000)  # it has begun
        os.kill(process._process.pid, signal.SIGKILL)
        with pytest.raises(ChildProcessError, match="was killed"):
            answer()


def open_files() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_without_room_for_a_process_it_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> int:
        raise OSError(errno.EAGAIN, "no more processes")

    monkeypatch.setattr(os, "fork", full)
    before = open_files()
    who: list[int] = []
    with beside(lambda: who.append(os.getpid())) as done:
        done()
    assert who == [os.getpid()]
    assert open_files() == before


def test_a_body_that_breaks_off_leaves_no_process(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")

    def work() -> None:
        (tmp_path / "fifo").write_text(str(os.getpid()))
        time.sleep(600.0)

    def breaks_off() -> None:
        with beside(work):
            raise ZeroDivisionError(int((tmp_path / "fifo").read_text()))

    with pytest.raises(ZeroDivisionError) as told:
        breaks_off()
    with pytest.raises(ProcessLookupError):
        os.kill(told.value.args[0], 0)


KILLED = """
import time
from simorc.workspace.beside import beside
def work():
    print("at it", flush=True)
    time.sleep(600.0)
with beside(work) as done:
    done()
"""


def test_it_ends_with_its_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "at it\n"
        parent.kill()
        rest, _ = parent.communicate(timeout=60.0)  # to the end of what both may write
        assert rest == ""


AT_EXIT = """
import atexit
from simorc.workspace.beside import beside
atexit.register(lambda: print("at exit"))
print("once", end=" ")
with beside(lambda: None) as done:
    done()
"""


def test_nothing_of_the_process_itself_happens_twice() -> None:
    done = subprocess.run([sys.executable, "-c", AT_EXIT], capture_output=True, text=True, check=True)
    assert done.stdout == "once at exit\n"
