"""The `simorc` command, also as `python -m simorc`."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import threading


def main() -> None:
    """Run the command line; Ctrl-C ends it without a traceback, also while it loads or writes its last lines."""
    try:
        _set_right()
        gc.disable()  # until a command is loaded, which goes on from there
        try:
            if sys.argv[1:2] == ["run"]:
                from simorc.workspace import concluder
                from simorc.workspace.child import ONE_THREAD

                os.environ.update(ONE_THREAD)  # before numpy is loaded, which workers take along
                concluder.start()
            from simorc.cli import main as command_line

            command_line()
        except SystemExit as ended:
            _end_at_once(ended.code)
            raise
    except KeyboardInterrupt:
        sys.exit(130)


def _set_right() -> None:
    """What a launcher may have left odd: closed standard streams, whose place a file would get, and SIGCHLD ignored."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _end_at_once(code: object) -> None:
    """End this process without taking apart all that it has loaded, which takes as long as a hundred cases.

    Comes back where there is more to be done: threads that still run, a text to print, output that cannot be written;
    and with `--debug`, for a profiler around the command writes at the interpreter's own end.
    """
    if threading.active_count() > 1 or not isinstance(code, int | None) or "--debug" in sys.argv:
        return
    if _flushed():
        atexit._run_exitfuncs()
        _flushed()
        os._exit(code or 0)


def _flushed() -> bool:
    """Whether everything printed has been written."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return False
    return True


if __name__ == "__main__":
    main()
