"""Exclusive use of instruments on one host, with real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import simorc.instruments.bench_lock as bench_lock
from simorc.core.errors import ExitCode, ToolMissingError
from simorc.instruments.bench_lock import BenchLock

HOLD = """
import sys
from simorc.instruments.bench_lock import BenchLock
lock = BenchLock(sys.argv[1:])
print("held", flush=True)
sys.stdin.read()
"""
KEEP = "import sys; print('kept', flush=True); sys.stdin.read()"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks of this test alone."""
    monkeypatch.setattr(bench_lock, "_FOLDER", tmp_path / "locks")


@pytest.fixture
def resource() -> str:
    return f"TCPIP0::{uuid.uuid4().hex}::INSTR".upper()


@contextmanager
def process(code: str, *arguments: str, keep: tuple[int, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    """A process that has said its first word, ended when the body ends."""
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=keep) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline().strip() in ("held", "kept")
            yield running
        finally:
            running.kill()


def is_free(*resources: str) -> bool:
    try:
        BenchLock(resources).close()
    except ToolMissingError:
        return False
    return True


@pytest.mark.req("DVT-08")
def test_an_instrument_belongs_to_one_process_and_the_error_names_it(
    resource: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the other process uses the folder of this host
    with process(HOLD, resource) as other:
        with pytest.raises(ToolMissingError) as error:
            BenchLock(["TCPIP0::ELSEWHERE-" + resource, resource])
        assert f"in use by process {other.pid}" in error.value.what
        assert error.value.where == resource
        assert error.value.exit_code == ExitCode.MISSING
        assert is_free("TCPIP0::ELSEWHERE-" + resource)  # nothing is held of what was not had in full
        other.kill()
        other.wait()
        assert is_free(resource)  # however its holder ended


@pytest.mark.req("DVT-08")
def test_a_process_that_inherited_the_lock_still_holds_it(resource: str) -> None:
    lock = BenchLock([resource])
    with process(KEEP, keep=tuple(lock.descriptors)):
        lock.close()
        assert not is_free(resource)
    assert is_free(resource)


@pytest.mark.req("DVT-08")
def test_a_lock_waits_for_a_holder_that_lets_go(resource: str) -> None:
    lock = BenchLock([resource])
    with process("import sys; print('kept', flush=True); sys.stdin.readline()", keep=tuple(lock.descriptors)) as other:
        lock.close()
        assert other.stdin is not None
        other.stdin.write("\n")
        other.stdin.flush()
        BenchLock([resource], wait_s=30.0).close()


@pytest.mark.req("DVT-08")
@pytest.mark.parametrize("same", ["TCPIP::HOST::INSTR", "tcpip0::host::instr", " TCPIP0::host::INSTR"])
def test_spellings_of_one_resource_are_one_lock(same: str) -> None:
    lock = BenchLock([same, "TCPIP0::HOST::INSTR"])
    assert len(lock.descriptors) == 1
    assert not is_free("TCPIP0::HOST::INSTR")
    assert is_free("TCPIP1::HOST::INSTR", "TCPIP0::HOST::5025::SOCKET", "GPIB::22::INSTR")
    lock.close()
    lock.close()
    assert is_free("TCPIP0::HOST::INSTR")


@pytest.mark.req("DVT-08")
def test_locks_are_everybodys_whatever_the_umask(resource: str) -> None:
    before = os.umask(0o077)
    try:
        BenchLock([resource]).close()
    finally:
        os.umask(before)
    folder = bench_lock._FOLDER
    (file,) = folder.iterdir()
    assert folder.stat().st_mode & 0o7777 == 0o1777
    assert file.stat().st_mode & 0o777 == 0o666
    assert is_free(resource)


@pytest.mark.req("DVT-08")
def test_a_lock_that_cannot_be_had_is_told_apart_from_one_that_is_held(resource: str) -> None:
    bench_lock._FOLDER.write_text("no folder")
    with pytest.raises(ToolMissingError, match="its lock cannot be had"):
        BenchLock([resource])


@pytest.mark.req("DVT-08")
def test_a_simulated_bench_needs_no_lock() -> None:
    assert BenchLock([]).descriptors == []
    assert not bench_lock._FOLDER.exists()
