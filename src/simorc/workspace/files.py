"""Writing and reading whole files: all or nothing, and errors that say what to do."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from simorc.core.errors import RunDirectoryError

_MOST_A_READ = 1 << 30
"""Linux gives a little less than 2 GiB at once, whatever is asked for."""
_SMALL = 130_000
"""Bytes of a file; most have less. Just below 128 KiB, beyond which the C library asks the system for memory."""
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_HINTS = {
    errno.ENOSPC: "the disk is full: free some space and run the same command again; what is recorded stays",
    errno.EDQUOT: "your disk quota is used up: free some space and run the same command again; what is recorded stays",
    errno.EFBIG: "a file may not grow that large here: see `ulimit -f`",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "you may not write there: check owner and permissions",
    errno.EPERM: "you may not write there: check owner and permissions",
    errno.ENOTDIR: "a file stands where a folder is expected",
    errno.ENOENT: "a folder is missing there; was the run directory moved or deleted meanwhile?",
}


def storage_error(error: OSError, path: str | Path, doing: str = "write") -> RunDirectoryError:
    """The error for people behind an OSError; `path` is named where the error itself names nothing."""
    named = error.filename2 or error.filename
    where = os.fsdecode(named) if isinstance(named, (str, bytes)) else str(path)
    what = f"cannot {doing}: {error.strerror or error}"
    return RunDirectoryError(what, where=where, hint=_HINTS.get(error.errno or 0, ""))


def text_of(path: str) -> str:
    """The text of somebody's file: unlike `read_text` a carriage return alone stays, for it ends no line.

    Raises
    ------
    OSError: it cannot be read
    """
    return as_text(read_bytes(path))


def as_text(data: bytes) -> str:
    """The text in such a file's content."""
    text = data.decode("utf-8", "surrogateescape")
    return text.replace("\r\n", "\n") if "\r" in text else text  # a tenth of the time where there is none


def replace_file(path: Path, content: bytes | Iterable[str], *, durable: bool = True) -> None:
    """Write a file whole, or leave the old one as it is: a temporary sibling takes its place in one step.

    Parameters
    ----------
    content: bytes, or a text in pieces; characters that UTF-8 does not know are written as escapes
    durable: wait until the disk has it, so that a power loss leaves the old file or the new one, never an empty one

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …; nothing is left behind
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.writelines([content] if isinstance(content, bytes) else map(_utf8, content))
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise storage_error(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def new_file(path: Path, content: Iterable[str]) -> None:
    """Write a file whole, unless there is one already, also one that appears at the same moment.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …; nothing is left behind
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    replace_file(temporary, content, durable=False)
    try:
        link_or_copy(temporary, path)
    except FileExistsError:
        pass
    except OSError as error:
        raise storage_error(error, path) from error
    finally:
        temporary.unlink(missing_ok=True)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or a copy where the file system has no such links; the source stays in its place.

    Raises
    ------
    OSError: the target exists, disk full, …; nothing is left behind
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # each file system has its own way of saying that it has none
        with source.open("rb") as old, target.open("xb") as new:
            try:
                shutil.copyfileobj(old, new)
            except OSError:
                target.unlink(missing_ok=True)
                raise


def swap_folders(new: Path, old: Path, aside: Path) -> None:
    """Let two folders of one file system change places, in one step where the kernel can.

    Elsewhere it takes three renames: a kill after the first leaves the old one whole as `aside`, and none in its place.

    Raises
    ------
    OSError: they are as they were
    """
    if _exchanged(new, old):
        return
    old.rename(aside)
    try:
        new.rename(old)
    except OSError:
        with contextlib.suppress(OSError):
            aside.rename(old)
        raise
    aside.rename(new)


def read_json(path: Path, what: str) -> dict[str, Any]:
    """The JSON object in a file.

    Parameters
    ----------
    what: what the file should be, for the error, e.g. `the manifest of a run`

    Raises
    ------
    RunDirectoryError: missing, truncated, or not a JSON object
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise storage_error(error, path, f"read {what}") from error
    except (ValueError, RecursionError) as error:
        raise RunDirectoryError(f"not {what}: {error}", where=str(path), hint="is the file truncated?") from error
    if not isinstance(data, dict):
        raise RunDirectoryError(f"not {what}: found {type(data).__name__}, expected an object", where=str(path))
    return data


def is_alive(pid: int) -> bool:
    """Whether a process of that id exists on this machine."""
    if pid <= 0:  # for the kernel these are groups of processes
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What a folder holds, nothing where it does not exist.

    Raises
    ------
    RunDirectoryError: it may not be read
    """
    try:
        found = os.scandir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise storage_error(error, folder, "read") from error
    with found:
        yield from found


def write_bytes(path: str, data: bytes | memoryview) -> None:
    """Write a file in its place with as few calls as there can be: this stands between one case and the next."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        while data:  # a nearly full disk takes a part
            data = data[os.write(fd, data) :]
    finally:
        os.close(fd)


def is_there(path: str) -> bool:
    """Whether a file or folder exists, likewise: where there is none `exists` takes twice as long."""
    return os.access(path, os.F_OK)


def make_folder(path: str) -> None:
    """Make a folder where there is none, and those around it, likewise."""
    try:
        os.mkdir(path)  # noqa: PTH102
    except OSError:
        os.makedirs(path, exist_ok=True)  # noqa: PTH103


def file_state(found: os.stat_result) -> tuple[int, ...]:
    """What of a file changes with its content."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def read_bytes(path: str) -> bytes:
    """The content of a file, likewise."""
    return read_with_state(path)[1]


def read_with_state(path: str) -> tuple[os.stat_result, bytes]:
    """What `stat` says of a file, and the content that it had then or got since, likewise."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.fstat(fd), read_open(fd)
    finally:
        os.close(fd)


def read_open(fd: int) -> bytes:
    """The content of an open file from where it stands, likewise."""
    asked = _SMALL
    chunks = [os.read(fd, asked)]
    while len(chunks[-1]) == asked:
        asked = min(max(os.fstat(fd).st_size, _SMALL), _MOST_A_READ)
        chunks.append(os.read(fd, asked))
    return b"".join(chunks)


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _exchanged(first: Path, second: Path) -> bool:
    """Whether the kernel exchanged two names (Linux: renameat2); NFS and some others cannot."""
    import ctypes

    try:
        rename = ctypes.CDLL(None).renameat2
    except AttributeError:  # another C library
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE) == 0)
