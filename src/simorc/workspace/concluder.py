"""A process that loads what the end of a run needs while `simorc run` itself starts, and leaves a processor idle.

To load numpy and pyarrow takes a fifth of a second, as long as four hundred results from the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from simorc.workspace.beside import Ahead

if TYPE_CHECKING:
    from simorc.workspace.conclude import Derived, Progress

Concluder = Ahead["Progress", "Derived | None"]

_started: list[Concluder] = []


def start() -> None:
    """Start it, before anything else is loaded; where the system has no room, a run ends without."""
    with suppress(OSError):
        _started.append(Ahead(_load))


@contextmanager
def concluder(*, wanted: bool) -> Iterator[Concluder | None]:
    """The process, if there is one and it is wanted; it ends with the body, or at once."""
    if not _started:
        yield None
        return
    with _started.pop() as process:
        if wanted:
            yield process
            return
    yield None


def _load() -> Callable[[Progress], Derived | None]:
    import simorc.workspace.catalogue  # noqa: F401
    from simorc.workspace.conclude import derive_beside
    from simorc.workspace.measurement_store import load

    load()
    return derive_beside()
