"""Distribution of a simulated run's cases: as xdist's `worksteal`, where the death of a worker ends no session."""

from __future__ import annotations

from contextlib import suppress

from xdist.scheduler import WorkStealingScheduling


class Stealing(WorkStealingScheduling):  # type: ignore[misc]  # xdist has no types
    """A worker that has died, and is not yet known to be dead, takes no message: that ends xdist's whole session.

    What was meant for it, or was to be taken from it, is distributed once its death is known.
    """

    def check_schedule(self) -> None:
        """As xdist does."""
        with suppress(OSError):
            super().check_schedule()
