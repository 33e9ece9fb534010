"""The lock of a run, with real processes."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from simorc.core.errors import RunDirectoryError
from simorc.workspace.layout import RunDirectory
from simorc.workspace.lock import adopt_lock, holder, is_active, run_lock

HOLD = """
import sys, time
from pathlib import Path
from simorc.workspace.layout import RunDirectory
from simorc.workspace.lock import run_lock
with run_lock(RunDirectory(Path(sys.argv[1]))) as fd:
    print("held", flush=True)
    {body}
"""
WAIT = "sys.stdin.read()"


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    path = tmp_path / "pvt_1"
    path.mkdir()
    return RunDirectory(path)


@contextmanager
def other_process(run: RunDirectory, body: str = WAIT) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock until its stdin closes."""
    command = [sys.executable, "-c", HOLD.format(body=body), str(run.path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)


def test_a_second_process_is_refused_and_told_who_holds_it(run: RunDirectory) -> None:
    assert not is_active(run)
    with other_process(run) as process:
        assert is_active(run)
        with pytest.raises(RunDirectoryError) as caught, run_lock(run):
            pass
        assert f"process {process.pid} on " in caught.value.what
        assert "pvt_1 is in use" in caught.value.what
        assert caught.value.exit_code == 2
    assert not is_active(run)
    with run_lock(run):
        assert is_active(run)
        assert holder(run)["pid"] == os.getpid()


def test_one_process_excludes_itself_too(run: RunDirectory) -> None:
    with run_lock(run), pytest.raises(RunDirectoryError, match="in use"), run_lock(run):
        pass
    with run_lock(run):
        pass


def test_kill_9_releases_it(run: RunDirectory) -> None:
    with other_process(run) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        assert not is_active(run)
        with run_lock(run):
            pass


def test_an_exception_releases_it(run: RunDirectory) -> None:
    with pytest.raises(ZeroDivisionError), run_lock(run):
        _ = 1 / 0
    assert not is_active(run)


def test_a_child_does_not_inherit_it_by_accident(run: RunDirectory) -> None:
    child = "__import__('subprocess').Popen(['sleep', '60'], close_fds=False); "
    with other_process(run, child + WAIT) as process:
        child_pid = int(_children(process.pid)[0])
        while not Path(f"/proc/{child_pid}/cmdline").read_bytes().startswith(b"sleep"):  # until it is that
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        try:
            assert not is_active(run)
        finally:
            os.kill(child_pid, signal.SIGKILL)


ADOPT = """
import subprocess, sys
from simorc.workspace.lock import adopt_lock
adopt_lock(int(sys.argv[1]))
subprocess.Popen(["sleep", "60"], close_fds=False)
print("adopted", flush=True)
sys.stdin.read()
"""


def test_a_child_that_adopts_it_holds_on_after_the_parent_but_hands_it_no_further(run: RunDirectory) -> None:
    with ExitStack() as stack:
        fd = stack.enter_context(run_lock(run))
        child = subprocess.Popen(
            [sys.executable, "-c", ADOPT, str(fd)],
            pass_fds=[fd],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "adopted\n"
        grandchild = int(_children(child.pid)[0])
    try:
        assert is_active(run)
        with pytest.raises(RunDirectoryError), run_lock(run):
            pass
        child.kill()
        child.wait(10)
        assert not is_active(run)
    finally:
        os.kill(grandchild, signal.SIGKILL)
        child.stdin.close()
        child.stdout.close()


def test_adopting_what_is_not_open_is_a_clear_error(run: RunDirectory) -> None:
    with pytest.raises(RunDirectoryError, match="adopt"):
        adopt_lock(987)


def test_adopting_another_process_s_lock_is_refused(run: RunDirectory) -> None:
    with other_process(run):
        fd = os.open(run.lock, os.O_RDWR)
        try:
            with pytest.raises(RunDirectoryError, match="adopt"):
                adopt_lock(fd)
        finally:
            os.close(fd)


def test_looking_at_a_run_does_not_keep_it_from_starting(run: RunDirectory) -> None:
    with run_lock(run):
        pass
    look = """
import fcntl, sys, time
file = open(sys.argv[1])
fcntl.flock(file, fcntl.LOCK_SH)
print("looking", flush=True)
time.sleep(0.05)
"""
    with subprocess.Popen([sys.executable, "-c", look, str(run.lock)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "looking\n"
        with run_lock(run):
            pass


def test_a_file_system_without_locks_is_said_so(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(RunDirectoryError, match="No locks available"), run_lock(run):
        pass


def before_flock(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], object]) -> None:
    """Between the opening of the lock file and its locking something happens to it, counted from 0."""
    real, calls = fcntl.flock, iter(range(100))

    def flock(fd: int, operation: int) -> None:
        act(next(calls))
        real(fd, operation)

    monkeypatch.setattr(fcntl, "flock", flock)


def test_a_lock_file_that_was_deleted_before_it_was_locked_excludes_others_all_the_same(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_flock(monkeypatch, lambda number: number == 0 and shutil.rmtree(run.status_dir))
    with run_lock(run) as fd:
        assert os.path.samestat(os.fstat(fd), run.lock.stat())
        with pytest.raises(RunDirectoryError, match="in use"), run_lock(run):
            pass


def test_a_run_that_was_replaced_before_it_was_locked_is_locked_in_its_new_shape(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(number: int) -> None:
        if number == 0:
            run.path.rename(run.path.with_name("old"))
            run.path.mkdir()

    before_flock(monkeypatch, replace)
    with run_lock(run):
        assert is_active(run)


def test_a_run_that_was_deleted_before_it_was_locked_is_a_clear_error(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_flock(monkeypatch, lambda number: shutil.rmtree(run.path))
    with pytest.raises(RunDirectoryError, match="cannot lock the run") as caught, run_lock(run):
        pass
    assert "deleted meanwhile" in caught.value.hint


def test_a_lock_file_that_vanishes_again_and_again_is_a_clear_error(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_flock(monkeypatch, lambda number: run.lock.unlink())
    open_before = os.listdir("/proc/self/fd")  # noqa: PTH208
    with pytest.raises(RunDirectoryError, match="again and again"), run_lock(run):
        pass
    assert len(os.listdir("/proc/self/fd")) == len(open_before)  # noqa: PTH208


def test_a_lock_file_that_cannot_be_made_is_a_clear_error(run: RunDirectory) -> None:
    (run.path / ".status").write_text("")
    with pytest.raises(RunDirectoryError, match="cannot lock the run"), run_lock(run):
        pass


def test_what_the_lock_file_says_is_of_no_importance(run: RunDirectory) -> None:
    run.status_dir.mkdir()
    run.lock.write_text("[]")
    assert holder(run) == {}
    with run_lock(run):
        assert json.loads(run.lock.read_text())["pid"] == os.getpid()
        run.lock.write_text("{")
        with pytest.raises(RunDirectoryError, match="in use by a process"), run_lock(run):
            pass


def _children(pid: int) -> list[str]:
    """Ids of the children of a process."""
    for _ in range(100):
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("no child")
