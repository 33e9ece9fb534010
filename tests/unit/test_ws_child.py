"""Forked processes: a session of their own, with an exit code, a log and an end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from simorc.workspace.child import Child


@pytest.fixture
def log(tmp_path: Path) -> Iterator[int]:
    with (tmp_path / "log").open("wb") as file:
        yield file.fileno()


def refused() -> int:
    raise ValueError("not today")


@pytest.mark.parametrize(
    ("work", "code"),
    [(lambda: None, 0), (lambda: 3, 3), (refused, 1), (lambda: os.kill(os.getpid(), signal.SIGKILL), -9)],
    ids=["done", "its own", "raises", "killed"],
)
def test_exit_codes(work: Callable[[], int | None], code: int, log: int) -> None:
    child = Child(work, stdout=log, stderr=log)
    assert child.wait() == code
    child.kill()
    assert child.wait() == code


def test_the_log_has_both_streams_and_why_it_failed(log: int, tmp_path: Path) -> None:
    def work() -> int:
        print("told")
        os.system("echo by another program >&2")
        print("in vain", file=sys.stderr)
        return refused()

    Child(work, stdout=log, stderr=log).wait()
    text = (tmp_path / "log").read_text()
    assert text.startswith("told\nby another program\nin vain\nTraceback")
    assert text.endswith("ValueError: not today\n")


def test_its_signals_are_the_usual_ones_in_a_session_of_its_own() -> None:
    reader, writer = os.pipe()

    def work() -> None:
        at_end = not os.read(0, 1)
        os.write(writer, f"{os.getsid(0) == os.getpid()} {at_end}".encode())
        time.sleep(600.0)

    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        child = Child(work, kept=[writer])
        assert os.read(reader, 20) == b"True True"
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait() == -signal.SIGTERM
    finally:
        signal.signal(signal.SIGTERM, before)
        os.close(reader)
        os.close(writer)


def test_what_it_started_is_killed_with_it() -> None:
    reader, writer = os.pipe()

    def work() -> None:
        if os.fork():
            os.write(writer, b"both")
        time.sleep(600.0)

    child = Child(work, kept=[writer])
    assert os.read(reader, 4) == b"both"
    child.kill()
    os.close(writer)
    assert os.read(reader, 1) == b"", "nobody is left who could write"
    os.close(reader)
    assert child.wait() == -signal.SIGKILL


def test_of_its_parents_descriptors_it_has_those_it_is_to_keep(tmp_path: Path) -> None:
    shared, closed = (os.open(tmp_path, os.O_RDONLY) for _ in range(2))

    def work() -> None:
        os.fstat(shared)
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(closed)

    assert Child(work, kept=[shared]).wait() == 0
    for descriptor in (shared, closed):
        os.close(descriptor)


def test_what_its_parent_had_not_written_is_written_once() -> None:
    program = (
        "from simorc.workspace.child import Child\n"
        "print('of the parent', end=' ')\n"
        "Child(lambda: print('of the child', end=' ')).wait()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == ["child", "of", "of", "parent", "the", "the"]


def test_it_ends_with_its_parent() -> None:
    program = (
        "import os, time\nfrom simorc.workspace.child import Child\n"
        "Child(lambda: time.sleep(60))\nos.kill(os.getpid(), 9)\n"
    )
    # Its output has an end only once nobody holds it any more, the child neither.
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30, check=False)
    assert done.returncode == -signal.SIGKILL


def test_it_says_whether_it_runs() -> None:
    child = Child(lambda: time.sleep(600.0))
    assert child.poll() is None
    child.kill()
    assert child.poll() == -signal.SIGKILL


def test_its_own_functions_at_exit_are_called_and_none_of_its_parents() -> None:
    program = (
        "import atexit\nfrom simorc.workspace.child import Child\n"
        "atexit.register(print, 'parent')\n"
        "Child(lambda: atexit.register(print, 'child') and None).wait()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["child", "parent"]


def test_two_draw_different_numbers_from_numpys_global_generator(tmp_path: Path) -> None:
    def draw() -> None:
        print(np.random.random())

    np.random.seed(1)
    for name in ("one", "two"):
        with (tmp_path / name).open("wb") as log:
            assert Child(draw, stdout=log.fileno()).wait() == 0
    assert (tmp_path / "one").read_text() != (tmp_path / "two").read_text()


def test_one_that_does_not_lead_is_in_its_parents_group() -> None:
    parent = os.getpgid(0)
    assert Child(lambda: os.getpgid(0) != parent, leads=False).wait() == 0
    assert Child(lambda: os.getpgid(0) == parent).wait() == 0
