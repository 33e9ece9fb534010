"""The store of results: whole or not at all, bounded, no trouble to anybody when it cannot be used."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from simorc.workspace import result_cache
from simorc.workspace.result_cache import CachedResult, ResultCache

KEY = "0123456789abcdef"
RESULT = CachedResult("run/3", {"ngspice.log": b"log\n", "results.raw": bytes(range(256)) * 40}, True, "models", "p")


@pytest.fixture
def cache(tmp_path: Path) -> ResultCache:
    return ResultCache(tmp_path / "cache")


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_what_is_stored_comes_back(cache: ResultCache, tmp_path: Path) -> None:
    assert cache.get(KEY) is None
    cache.put(KEY, RESULT)
    assert cache.get(KEY) == RESULT
    assert ResultCache(tmp_path / "cache").get(KEY) == RESULT
    assert ResultCache(tmp_path / "cache", reads=False).get(KEY) is None
    cache.put(KEY, CachedResult("run/4", {"a": b""}))
    assert cache.get(KEY) == CachedResult("run/4", {"a": b""})
    assert len(files(tmp_path)) == 1


def test_no_damage_goes_unnoticed(cache: ResultCache, tmp_path: Path) -> None:
    cache.put(KEY, RESULT)
    (file,) = files(tmp_path)
    whole = file.read_bytes()
    for position in [*range(200), *range(200, len(whole), 97)]:
        file.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        assert cache.get(KEY) is None, position
        file.write_bytes(whole[:position])
        assert cache.get(KEY) is None, position
    file.write_bytes(whole)
    assert cache.get(KEY) == RESULT


def test_a_result_under_another_ones_name_is_none(cache: ResultCache, tmp_path: Path) -> None:
    cache.put(KEY, RESULT)
    (file,) = files(tmp_path)
    shutil.copy(file, file.with_name("f" * 15))
    assert cache.get("0" + "f" * 15) is None


def test_many_at_once(cache: ResultCache, tmp_path: Path) -> None:
    def work(number: int) -> None:
        for _ in range(50):
            mine.put(KEY, RESULT)
            seen.append(mine.get(KEY))

    seen: list[CachedResult | None] = []
    mine = cache
    pid = os.fork()
    if not pid:
        work(0)
        os._exit(0 if all(found == RESULT for found in seen) else 1)
    work(1)
    assert os.waitpid(pid, 0)[1] == 0
    assert all(found == RESULT for found in seen)
    assert len(files(tmp_path)) == 1
    assert threading.active_count() == 1


def test_the_least_recently_used_go_when_it_is_full(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path, limit=16 * 20_000)
    result = CachedResult("run/1", {"raw": bytes(6_000)})
    keys = [f"0{number:02}" for number in range(3)]
    for number, key in enumerate(keys):
        cache.put(key, result)
        os.utime(files(tmp_path)[number], (number, number))
    assert cache.get(keys[0]) == result
    cache.put("099", result)
    assert [bool(cache.get(key)) for key in (*keys, "099")] == [True, False, False, True] or [
        bool(cache.get(key)) for key in (*keys, "099")
    ] == [True, False, True, True]
    assert sum(file.stat().st_size for file in files(tmp_path)) <= 20_000
    cache.put("0ff", CachedResult("run/2", {"raw": bytes(30_000)}))
    assert cache.get("0ff") is None


def test_no_space_or_no_permission_is_no_trouble(
    cache: ResultCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_cache, "_RESERVE", 1 << 62)
    state = os.statvfs(tmp_path)
    full = os.statvfs_result((*state[:4], 1, *state[5:]))
    monkeypatch.setattr(os, "statvfs", lambda path: full)
    cache.put(KEY, RESULT)
    assert not files(tmp_path)
    monkeypatch.undo()
    (tmp_path / "cache").rename(tmp_path / "moved")
    (tmp_path / "cache").write_text("a file where the folder should be")
    ResultCache(tmp_path / "cache").put(KEY, RESULT)
    assert ResultCache(tmp_path / "cache").get(KEY) is None


def test_deleted_while_in_use_it_is_made_again(cache: ResultCache, tmp_path: Path) -> None:
    cache.put(KEY, RESULT)
    shutil.rmtree(tmp_path / "cache")
    cache.put(KEY, RESULT)
    cache.put(KEY, RESULT)
    assert cache.get(KEY) == RESULT


def test_a_name_that_json_cannot_hold_is_no_trouble(cache: ResultCache, tmp_path: Path) -> None:
    cache.put(KEY, CachedResult("run/3", {"half a character \udcff": b""}))
    assert cache.get(KEY) is None
    assert not files(tmp_path)
