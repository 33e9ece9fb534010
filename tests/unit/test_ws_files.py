"""Writing whole files, and errors of the disk in words."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from simorc.core.errors import RunDirectoryError
from simorc.workspace.files import entries, is_alive, replace_file, storage_error


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_file(path, ["a", "b\n"])
    replace_file(path, iter(["ü", "\udcff"]), durable=False)
    assert path.read_text() == "ü\\udcff"
    assert list(tmp_path.iterdir()) == [path]


def test_text_that_cannot_be_made_leaves_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("former")
    with pytest.raises(ZeroDivisionError):
        replace_file(path, (str(1 // number) for number in (1, 0)))
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permissions"),
        (errno.EIO, ""),
    ],
)
def test_an_error_of_the_disk_says_what_where_and_what_to_do(number: int, hint: str) -> None:
    error = storage_error(OSError(number, os.strerror(number)), "/some/file")
    assert error.what == f"cannot write: {os.strerror(number)}"
    assert error.where == "/some/file"
    assert hint in error.hint
    assert error.exit_code == 2
    assert storage_error(OSError(number, "x", b"/other"), "/some/file").where == "/other"
    assert storage_error(OSError(number, "x", "/from", None, "/to"), "/some/file").where == "/to"
    assert storage_error(OSError("odd"), "/some/file").what == "cannot write: odd"


def test_what_cannot_be_listed_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(entries(tmp_path / "none")) == []

    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(RunDirectoryError, match="cannot read: Permission denied"):
        list(entries(tmp_path))


@pytest.mark.parametrize(
    ("pid", "alive"),
    [
        pytest.param(os.getpid(), True, id="own"),  # a fixed name: xdist compares the names of its workers' tests
        (1, True),
        (0, False),
        (-1, False),
        (10**20, False),
    ],
)
def test_a_process_is_alive_or_not(pid: int, alive: bool) -> None:
    assert is_alive(pid) is alive


def test_another_user_s_process_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert is_alive(5)
