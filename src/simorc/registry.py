"""Name -> class, through entry points; the one place where a simulator or PDK is chosen by name."""

from __future__ import annotations

from importlib.metadata import EntryPoints, PackageNotFoundError, distribution, entry_points
from typing import TYPE_CHECKING, Any, cast

from simorc.core.errors import UsageError
from simorc.core.wording import suggestion

if TYPE_CHECKING:
    from simorc.core.netlister import Netlister
    from simorc.core.protocols import Simulator


def names(family: str) -> list[str]:
    """The names registered in a family such as `simulators`, sorted."""
    return sorted(point.name for point in entry_points(group=f"simorc.{family}"))


def load(family: str, name: str) -> Any:
    """The object registered under a name; of simorc's own names no other package can have one.

    Raises
    ------
    UsageError: no such name in the family; lists what there is
    """
    group = f"simorc.{family}"
    for point in _own().select(group=group, name=name) or entry_points(group=group, name=name):
        return point.load()
    what = family.rstrip("s").replace("_", " ")
    raise UsageError(f"no {what} named {name!r}", hint=suggestion(name, names(family)))


def _own() -> EntryPoints:
    """What simorc itself registers, at a twentieth of the time that a look into every package takes."""
    try:
        return distribution("simorc").entry_points
    except PackageNotFoundError:  # a folder of sources
        return EntryPoints()


def simulator_class(name: str) -> type[Simulator]:
    """The simulator registered under a name."""
    return cast("type[Simulator]", load("simulators", name))


def netlister_class(name: str) -> type[Netlister]:
    """The netlister registered under a name."""
    return cast("type[Netlister]", load("netlisters", name))
