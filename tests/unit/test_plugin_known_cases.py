"""Numbers that processes take out of one queue: each once."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

from simorc.plugin.known_cases import _numbers, _queue
from simorc.workspace.child import Child


def take(queue: int, into: Path) -> None:
    into.write_text("".join(f"{number}\n" for number in _numbers(queue)))


def test_several_processes_take_every_number_once(tmp_path: Path) -> None:
    for _ in range(20):
        with _queue(range(0, 50_000, 50)) as queue:
            paths = [tmp_path / str(k) for k in range(3)]
            processes = [Child(partial(take, queue, path), kept=[queue]) for path in paths]
        assert [process.wait() for process in processes] == [0, 0, 0]
        taken = Counter(int(line) for path in paths for line in path.read_text().splitlines())
        assert taken == Counter(range(0, 50_000, 50))
