"""How far a run is, on stderr: a bar on a terminal, now and then a plain line otherwise."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, TextIO

from simorc.core.units import format_duration
from simorc.workspace.layout import RunDirectory
from simorc.workspace.status_store import read_progress

_LINE_EVERY_S = 10.0


class ProgressView:
    """Shows progress.json while a session runs."""

    def __init__(self, run: RunDirectory, total: int, workers: int, stream: TextIO) -> None:
        self.run = run
        self.total = total
        self.stream = stream
        self.next_line = time.monotonic() + _LINE_EVERY_S
        self.bar: Any = None
        self.said_stop = False
        print(f"{run.run_id}: {_count(total, 'case')} on {_count(workers, 'worker')}", file=stream)

    def __enter__(self) -> ProgressView:
        if self.stream.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            columns = (BarColumn(), TextColumn("{task.completed}/{task.total} {task.fields[rest]}"))
            # Drawn by `refresh`, not by a thread of its own: sessions are forked from this process.
            self.bar = Progress(*columns, console=Console(file=self.stream), transient=True, auto_refresh=False)
            self.task = self.bar.add_task("", total=self.total, rest="starting")
            self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def refresh(self, interrupts: int) -> None:
        """Show what is there now; called about ten times a second."""
        if interrupts and not self.said_stop:
            self.said_stop = True
            self._say("stopping: running cases finish; Ctrl-C again kills them")
        progress = read_progress(self.run)
        if progress is None:
            return
        done = progress["done"]
        if self.bar is not None:
            self.bar.update(self.task, completed=done, rest=_rest(progress), refresh=True)
        elif time.monotonic() >= self.next_line:
            self.next_line = time.monotonic() + _LINE_EVERY_S
            self._say(f"{done}/{self.total} {_rest(progress)}")

    def _say(self, text: str) -> None:
        if self.bar is not None:
            self.bar.console.print(text)
        else:
            print(text, file=self.stream, flush=True)


def _rest(progress: dict[str, Any]) -> str:
    parts = []
    if progress.get("rate_per_s"):
        parts.append(f"{progress['rate_per_s']:.3g}/s")
    if progress.get("remaining_s") is not None:
        parts.append(f"{format_duration(progress['remaining_s'])} left")
    if progress["failed"]:
        parts.append(f"{progress['failed']} failed")
    if progress["out_of_spec"]:
        parts.append(f"{progress['out_of_spec']} out of spec")
    return ", ".join(parts)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
