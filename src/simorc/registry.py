"""Name -> class, through entry points; the one place where a simulator or PDK is chosen by name."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Any, cast

from simorc.core.errors import UsageError
from simorc.core.protocols import Simulator


def names(family: str) -> list[str]:
    """The names registered in a family such as `simulators`, sorted."""
    return sorted(point.name for point in entry_points(group=f"simorc.{family}"))


def load(family: str, name: str) -> Any:
    """The object registered under a name.

    Raises
    ------
    UsageError: no such name in the family; lists what there is
    """
    for point in entry_points(group=f"simorc.{family}", name=name):
        return point.load()
    known = names(family)
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known) or 'none'}"
    raise UsageError(f"no {family.rstrip('s').replace('_', ' ')} named {name!r}", hint=hint)


def simulator_class(name: str) -> type[Simulator]:
    """The simulator registered under a name."""
    return cast("type[Simulator]", load("simulators", name))
