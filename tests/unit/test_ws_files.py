"""Writing whole files, and errors of the disk in words."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from simorc.core.errors import RunDirectoryError
from simorc.workspace import files
from simorc.workspace.files import (
    entries,
    is_alive,
    link_or_copy,
    make_folder,
    read_bytes,
    replace_file,
    storage_error,
    swap_folders,
    text_of,
)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_file(path, ["a", "b\n"])
    replace_file(path, iter(["ü", "\udcff"]), durable=False)
    assert path.read_text() == "ü\\udcff"
    replace_file(path, b"\x89PNG\r\n")
    assert path.read_bytes() == b"\x89PNG\r\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_made_with_those_around_it_and_may_be_there(tmp_path: Path) -> None:
    for path in (tmp_path / "5", tmp_path / "5", tmp_path / "a" / "b"):
        make_folder(os.fspath(path))
        assert path.is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        make_folder(os.fspath(tmp_path / "file"))


@pytest.mark.parametrize("size", [0, 1, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 300_000])
def test_a_file_is_read_whole_whatever_its_size(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    content = (b"0123456789" * (size // 10 + 1))[:size]
    path.write_bytes(content)
    assert read_bytes(os.fspath(path)) == content


def test_a_line_ends_the_same_way_on_every_system(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content, text in ((b"a\r\nb\rc\n", "a\nb\rc\n"), (b"a\nb", "a\nb"), (b"\xff", "\udcff")):
        path.write_bytes(content)
        assert text_of(os.fspath(path)) == text


def test_text_that_cannot_be_made_leaves_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("former")
    with pytest.raises(ZeroDivisionError):
        replace_file(path, (str(1 // number) for number in (1, 0)))
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]


def refuse(number: int) -> Callable[..., None]:
    def raise_it(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return raise_it


def test_a_second_name_leaves_the_first_and_takes_no_other_file_s_place(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_text("text")
    link_or_copy(source, target)
    assert (source.read_text(), target.read_text()) == ("text", "text")
    with pytest.raises(FileExistsError):
        link_or_copy(source, target)


def test_a_copy_on_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: BinaryIO, target: BinaryIO) -> None:
        target.write(source.read(2))
        refuse(errno.ENOSPC)()

    (tmp_path / "source").write_text("text")
    monkeypatch.setattr(os, "link", refuse(errno.EPERM))
    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        link_or_copy(tmp_path / "source", tmp_path / "target")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("exchange", [True, False])
def test_two_folders_change_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool) -> None:
    if not exchange:
        monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    new, old, aside = (tmp_path / name for name in ("new", "old", "aside"))
    for folder in (new, old):
        folder.mkdir()
        (folder / f"was {folder.name}").touch()
    swap_folders(new, old, aside)
    assert {path.name: [p.name for p in path.iterdir()] for path in tmp_path.iterdir()} == {
        "old": ["was new"],
        "new": ["was old"],
    }


def test_a_swap_that_fails_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with pytest.raises(FileNotFoundError):
        swap_folders(tmp_path / "new", tmp_path / "old", tmp_path / "aside")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


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


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 200_000, 262_144])
def test_a_file_is_read_whole_however_little_the_system_gives_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("simorc.workspace.files._MOST_A_READ", 100_000)
    content = os.urandom(size)
    (tmp_path / "file").write_bytes(content)
    assert files.read_bytes(str(tmp_path / "file")) == content
