"""Results of simulations by the content that they came from, in `.cache/results/` beside the runs.

One file a result: a line with a checksum, a line of JSON, then the bytes of the simulator's files. It is written whole
and never changed, so that several runs and workers may use it at once; what is damaged is passed over and replaced.
The cache belongs to no run: deleting one, or changing files in its results, changes nothing here.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from simorc.core.errors import RunDirectoryError
from simorc.core.protocols import Content
from simorc.workspace.files import read_with_state, replace_file
from simorc.workspace.layout import RunDirectory

_PLACE = Path(".cache", "results")
_MAGIC = b"simorc result 1"
LIMIT = 4 << 30
"""Bytes that the cache may take; beyond it what was not used for longest goes."""
_USED_LATELY_S = 600.0
"""So exactly is known when a result was used."""
_PARTS = 16
_BLOCK = 4096
_RESERVE = 1 << 30


class CachedResult(Struct, frozen=True):
    """What a simulation left.

    Parameters
    ----------
    origin: run and case that it was simulated for, `pvt_20260101120000/3`
    files: name -> content, of the files that the simulator reads its results from
    fast: whether the simulator took its fast way
    how: with what slower way results of its kind were compared, as `Verify.how`
    proof: key of that comparison (`simorc.workspace.proof`)
    """

    origin: str
    files: Mapping[str, Content]
    fast: bool = False
    how: str = ""
    proof: str = ""


class _Head(Struct):
    """The line of JSON: as in a result, save that of each file only name and size stand there."""

    key: str
    origin: str
    fast: bool
    how: str
    proof: str
    files: list[tuple[str, int]]


_decode = msgspec.json.Decoder(_Head).decode


class ResultCache:
    """The results beside the runs of one folder.

    Parameters
    ----------
    folder: where they lie; made when the first is stored
    reads: whether `get` looks for any
    limit: bytes that all may take together
    """

    def __init__(self, folder: Path, *, reads: bool = True, limit: int = LIMIT) -> None:
        self._folder, self._place = folder, os.fspath(folder)
        self._reads = reads
        self._share = limit // _PARTS
        self._sizes: dict[Path, int] = {}

    @classmethod
    def beside(cls, run: RunDirectory, *, reads: bool = True) -> ResultCache:
        """The cache that a run shares with those that lie beside it."""
        return cls(run.path.parent / _PLACE, reads=reads)

    def get(self, key: str) -> CachedResult | None:
        """The result of that key, or None; one that is damaged is none."""
        if not self._reads:
            return None
        path = f"{self._place}/{key[0]}/{key[1:]}"
        try:
            state, data = read_with_state(path)
            found = _parsed(data, key)
        except (OSError, ValueError, msgspec.MsgspecError):
            return None
        if state.st_mtime < time.time() - _USED_LATELY_S:
            with suppress(OSError):  # somebody else's cache, or gone meanwhile
                os.utime(path)
        return found

    def put(self, key: str, result: CachedResult) -> None:
        """Store a result; where it cannot be (disk full, read-only …) it is simulated again next time.

        It is not stored where little space would be left, which the runs need more.
        """
        try:
            data = _packed(key, result)
        except UnicodeEncodeError:  # half a character, in the name of a run or a file
            return
        part = self._folder / key[0]
        path = part / key[1:]
        size = max(len(data), _BLOCK)
        try:
            if size > self._share or not self._room(part, size):
                return
            replace_file(path, data, durable=False)
        except (OSError, RunDirectoryError):
            self._sizes.pop(part, None)  # perhaps the folder was deleted
            return
        self._sizes[part] += size
        if self._sizes[part] > self._share:
            self._trim(part)

    def _room(self, part: Path, size: int) -> bool:
        """Whether there is space left, on the disk; the first time the folder is made."""
        if part not in self._sizes:
            part.mkdir(parents=True, exist_ok=True)
            self._sizes[part] = sum(taken for _, taken, _ in _entries(part))
        state = os.statvfs(part)
        reserve = min(state.f_blocks * state.f_frsize // 10, _RESERVE)
        return state.f_bavail * state.f_frsize - size > reserve

    def _trim(self, part: Path) -> None:
        """Delete what was not used for longest until a fifth of the share is free."""
        found = sorted(_entries(part))
        left = sum(taken for _, taken, _ in found)
        for _, taken, path in found:
            if left <= self._share * 4 // 5:
                break
            with suppress(OSError):
                path.unlink()
                left -= taken
        self._sizes[part] = left


def has_results(run: RunDirectory) -> bool:
    """Whether there is a cache beside a run."""
    return (run.path.parent / _PLACE).is_dir()


def _entries(part: Path) -> Iterator[tuple[int, int, Path]]:
    """When used last (ns), bytes taken, and path of everything in a folder."""
    with os.scandir(part) as found:
        for entry in found:
            with suppress(OSError):
                state = entry.stat(follow_symlinks=False)
                yield state.st_mtime_ns, max(state.st_size, _BLOCK), Path(entry.path)


def _packed(key: str, result: CachedResult) -> bytes:
    sizes = [(name, len(content)) for name, content in result.files.items()]
    head = msgspec.json.encode(_Head(key, result.origin, result.fast, result.how, result.proof, sizes))
    body = b"".join((head, b"\n", *result.files.values()))
    return b"%s %08x\n%s" % (_MAGIC, zlib.crc32(body), body)


def _parsed(data: bytes, key: str) -> CachedResult:
    """The result in a file (ValueError, msgspec.MsgspecError: it is damaged)."""
    begin = data.index(b"\n") + 1
    if data[:begin] != b"%s %08x\n" % (_MAGIC, zlib.crc32(memoryview(data)[begin:])):
        raise ValueError("not a result, or a damaged one")
    position = data.index(b"\n", begin) + 1
    head = _decode(data[begin:position])
    if head.key != key:
        raise ValueError("the result of something else")
    files: dict[str, Content] = {}
    view = memoryview(data)
    for name, size in head.files:
        files[name] = view[position : position + size]
        position += size
    return CachedResult(head.origin, files, head.fast, head.how, head.proof)
