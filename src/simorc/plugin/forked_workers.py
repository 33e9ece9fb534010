"""Workers of a session forked from its controller, once that has loaded what each of them needs (ADR 15)."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from subprocess import PIPE, Popen
from types import SimpleNamespace
from typing import IO, Any

import pytest
from execnet.gateway_base import MainThreadOnlyExecModel

from simorc.core.errors import SimorcError
from simorc.plugin.run_context import RunContext
from simorc.workspace.child import Child
from simorc.workspace.layout import RunDirectory


def fork_workers(config: pytest.Config, run: RunDirectory, count: int) -> None:
    """Have xdist's workers forked, before it has made any; those that replace workers that died start as usual."""
    # For them, as what a case runner brings along.
    import numpy  # noqa: F401
    import xdist.remote  # noqa: F401

    with suppress(SimorcError):  # each of them tells
        context = RunContext(run, "", config.hook, since="", selected=True, rerun=False)
        context.runner.close()
    group = config.pluginmanager.getplugin("dsession").nodemanager.group
    group.set_execmodel(_ForkingModel(count), group.remote_execmodel.backend)


class _ForkingModel(MainThreadOnlyExecModel):
    """What execnet starts processes by: the first ones are there already, for no thread may be when they are forked."""

    def __init__(self, count: int) -> None:
        self._ahead: list[_Worker] = []
        with suppress(OSError):  # no room for so many: the others are started, or that tells
            for _ in range(count):
                self._ahead.append(_Worker())

    @property
    def subprocess(self) -> SimpleNamespace:
        return SimpleNamespace(PIPE=PIPE, Popen=self._process)

    def _process(self, args: list[str], **files: Any) -> _Worker | Popen[bytes]:
        return self._ahead.pop(0) if self._ahead else Popen(args, **files)


class _Worker(Child):
    """A process that does what the Python that execnet would have started does: execute what it is told first."""

    stdin: IO[bytes]
    stdout: IO[bytes]

    def __init__(self) -> None:
        told, tell = os.pipe()
        answered, answer = os.pipe()
        try:
            super().__init__(_obey, stdin=told, stdout=answer, leads=False)  # it is killed with its session
        except OSError:
            os.close(tell)
            os.close(answered)
            raise
        finally:
            os.close(told)
            os.close(answer)
        self.stdin, self.stdout = os.fdopen(tell, "wb"), os.fdopen(answered, "rb")


def _obey() -> None:
    if line := sys.stdin.readline():  # nothing comes where the session ends before
        exec(eval(line), {"__name__": "__main__"})  # execnet's own first line, from the controller
