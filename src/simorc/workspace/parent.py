"""Processes that end with their parent, so that whoever is killed leaves nothing running behind."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from functools import partial

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends (Linux; elsewhere nothing happens).

    Parameters
    ----------
    parent: process id of the parent, as the parent itself told it: one that has ended already is noticed too
    """
    bound_to(parent)()


def bound_to(parent: int) -> Callable[[], None]:
    """The same as a function for a child between fork and exec: whatever it needs is loaded beforehand."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    return partial(_bind, ctypes.CDLL(None).prctl, parent)


def _bind(prctl: Callable[[int, int], int], parent: int) -> None:
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
