"""The `simorc` command, also as `python -m simorc`."""

from __future__ import annotations

import atexit
import os
import sys
import threading


def main() -> None:
    """Run the command line; Ctrl-C ends it without a traceback, also while it loads."""
    try:
        from simorc.cli import main as command_line

        command_line()
    except KeyboardInterrupt:
        sys.exit(130)
    except SystemExit as ended:
        _end_at_once(ended.code)
        raise


def _end_at_once(code: object) -> None:
    """End this process without taking apart all that it has loaded, which takes as long as a hundred cases.

    Comes back where there is more to be done: threads that still run, a text to print, output that cannot be written.
    """
    if threading.active_count() > 1 or not isinstance(code, int | None):
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return
    atexit._run_exitfuncs()
    os._exit(code or 0)


if __name__ == "__main__":
    main()
