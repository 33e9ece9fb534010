"""Execute the chosen cases of a run on this machine: one pytest session with pytest-xdist."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType

from msgspec import Struct

from simorc.core.errors import RunDirectoryError, UsageError
from simorc.simulators.process import kill_orphans
from simorc.workspace.child import ONE_THREAD, Child
from simorc.workspace.layout import RunDirectory
from simorc.workspace.selection import request_stop

_SETTINGS = Path(__file__).with_name("pytest.ini")
_LOOK_EVERY_S = 0.1
_NOT_LOADED = ("logging", "warnings", "unraisableexception", "threadexception")
"""Parts of pytest that cost every case time and tell nothing about it."""
_FOR_TESTS = (
    *("cacheprovider", "doctest", "junitxml", "nose", "pastebin", "stepwise", "setuponly", "setupplan", "debugging"),
    *("unittest", "recwarn", "monkeypatch", "tmpdir", "legacypath", "subtests", "skipping", "capture"),
)
"""Parts of pytest that blocks of cases have no use for."""
_Process = Child | subprocess.Popen[bytes]
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Execution(Struct, frozen=True):
    """How a pytest session ended.

    Parameters
    ----------
    exit_code: pytest's own; it counts out-of-spec cases as failed tests
    log: the session's output
    """

    exit_code: int
    log: Path


def execute(
    run: RunDirectory,
    workers: int,
    lock_fd: int,
    pytest_args: Sequence[str] = (),
    *,
    html: bool = False,
    in_blocks: bool = False,
    goes_on: bool = False,
    interrupts: Interrupts,
    watch: Callable[[int], None],
    meanwhile: Callable[[], None] = lambda: None,
) -> Execution:
    """Run the selection that stands in the run directory and wait for its end.

    Parameters
    ----------
    in_blocks: whether the selection is for blocks of cases: what of pytest serves tests alone is not loaded
    goes_on: whether the session continues an execution; its output is appended to that of the former ones

    The first interrupt asks the workers to start no further case, the second kills them and whatever they started.
    `meanwhile` is called once, while the session starts and leaves a core idle; `watch` about ten times a second with
    the number of interrupts so far.
    """
    log = run.status_dir / "pytest.log"
    arguments = _arguments(run, workers, pytest_args, html, in_blocks)
    with log.open("ab" if goes_on else "wb") as output:
        session = _started(arguments, _environment(lock_fd), output.fileno(), lock_fd, forked=in_blocks)
        try:
            meanwhile()
            _wait(run, session, interrupts, watch)
        finally:
            if session.poll() is None:
                with suppress(ProcessLookupError):  # a forked one may not lead its group yet
                    os.killpg(session.pid, signal.SIGKILL)
                session.kill()
            code = session.wait()
            kill_orphans(run.path)
    return Execution(code, log)


def worker_count(wanted: str, cases: int) -> int:
    """Number of workers for `-n`: a number, or `auto` for one a usable core; never more than there are cases.

    Raises
    ------
    UsageError: neither
    """
    if wanted != "auto" and not (wanted.isascii() and wanted.isdigit() and int(wanted)):
        raise UsageError(f"-n: found {wanted!r}, expected a number of at least 1, or auto")
    count = len(os.sched_getaffinity(0)) if wanted == "auto" else int(wanted)
    return max(1, min(count, cases))


class Interrupts(Struct):
    """How often somebody asked to stop: SIGINT counts as one, SIGTERM and a closed terminal (SIGHUP) as two."""

    count: int = 0


@contextmanager
def counted_interrupts() -> Iterator[Interrupts]:
    """Only count interrupts while the body runs, so that it ends what it has begun."""
    interrupts = Interrupts()

    def note(number: int, frame: FrameType | None) -> None:
        interrupts.count += 1 if number == signal.SIGINT else 2

    former = {number: signal.signal(number, note) for number in _SIGNALS}
    try:
        yield interrupts
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _started(
    arguments: Sequence[str], environment: Mapping[str, str], output: int, lock_fd: int, *, forked: bool
) -> _Process:
    """A process of its own for a session, which the terminal's Ctrl-C does not reach.

    Parameters
    ----------
    arguments: for pytest
    output: descriptor that gets what it prints
    forked: whether it may take along what is loaded here
    """
    if forked and sys.getfilesystemencoding() == "utf-8":  # paths go to the workers as text, whatever the locale
        with suppress(OSError):  # no room for a second process of this size
            session = partial(_session, arguments, environment)
            return Child(session, stdout=output, stderr=output, kept=[lock_fd])
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "pytest", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
        pass_fds=[lock_fd],
        start_new_session=True,
    )


def _session(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """A pytest session in this process; its exit code."""
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["pytest", *arguments]
    import pytest  # for which `simorc run` itself has no use

    return int(pytest.main([*arguments]))


def _wait(run: RunDirectory, session: _Process, interrupts: Interrupts, watch: Callable[[int], None]) -> None:
    asked = False
    for ended in _looks(session.pid):
        if ended:
            session.wait()
            return
        if interrupts.count and not asked:
            asked = True
            with suppress(RunDirectoryError):  # on a full disk only the second interrupt helps
                request_stop(run)
        if interrupts.count >= 2:
            return
        watch(interrupts.count)


def _looks(pid: int) -> Iterator[bool]:
    """Whether a process has ended, ten times a second, and at once when it does."""
    descriptor = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while True:
            yield bool(poll.poll(_LOOK_EVERY_S * 1000))
    finally:
        os.close(descriptor)


def _arguments(run: RunDirectory, workers: int, pytest_args: Sequence[str], html: bool, in_blocks: bool) -> list[str]:
    arguments = ["-c", str(_SETTINGS), "--rootdir", str(run.path), "--confcutdir", str(run.path)]
    arguments += ["-o", f"cache_dir={run.path / '.pytest_cache'}"]
    arguments += ["-p", "simorc.plugin.plugin", "-p", "xdist.plugin", "--simorc-selected"]
    arguments += ["-n", str(workers), "--dist", "worksteal", "--max-worker-restart", "1000"]
    for plugin in (*_NOT_LOADED, *_FOR_TESTS) if in_blocks else _NOT_LOADED:
        arguments += ["-p", f"no:{plugin}"]
    if html:
        arguments += ["-p", "pytest_html.plugin", "-p", "pytest_metadata.plugin"]
        arguments += [f"--html={run.report / 'tests.html'}", "--self-contained-html"]
    return [*arguments, str(run.test_module), *pytest_args]


def _environment(lock_fd: int) -> dict[str, str]:
    """The environment of a session: without the project's pytest settings."""
    dropped = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    environment.update(
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
        SIMORC_LOCK_FD=str(lock_fd),
        SIMORC_PARENT=str(os.getpid()),
        **ONE_THREAD,
        PYTHONUTF8="1",
    )
    return environment
