"""How the command's process ends."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time

import pytest

START = "import atexit, sys, simorc.cli\nfrom simorc.__main__ import main\n"
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def ended(code: str) -> subprocess.CompletedProcess[str]:
    """A process whose command line is a piece of code, what it prints going through a pipe."""
    script = f"{START}def command(): {code}\nsimorc.cli.main = command\nmain()"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=BUFFERED)


@pytest.mark.parametrize(
    ("code", "status"), [("sys.exit()", 0), ("sys.exit(2)", 2), ("sys.exit('why')", 1), ("None", 0)]
)
def test_all_is_printed_and_functions_at_exit_are_called(code: str, status: int) -> None:
    done = ended(f"print('said'); atexit.register(print, 'bye'); {code}")
    assert (done.returncode, done.stdout, done.stderr) == (status, "said\nbye\n", "why\n" * (status == 1))


def test_a_thread_that_works_is_waited_for() -> None:
    code = (
        "import threading, time; threading.Thread(target=lambda: (time.sleep(0.3), print('done'))).start(); sys.exit(3)"
    )
    done = ended(code)
    assert (done.returncode, done.stdout) == (3, "done\n")


def test_an_interrupt_while_nobody_takes_the_last_lines_shows_no_traceback() -> None:
    taken, given = os.pipe()
    size = fcntl.fcntl(given, fcntl.F_SETPIPE_SZ, 4096)
    os.write(given, b"x" * size)
    script = (
        f"{START}simorc.cli.main = lambda: (print('y' * 3000), print('ready', file=sys.stderr), sys.exit())\nmain()"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=given, stderr=subprocess.PIPE, env=BUFFERED)
    os.close(given)
    assert process.stderr is not None
    assert process.stderr.readline() == b"ready\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    with os.fdopen(taken, "rb") as reader:
        reader.read()
    assert process.wait(timeout=10) == 130
    assert process.stderr.read() == b""
    process.stderr.close()
