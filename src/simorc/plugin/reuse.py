"""Results of this and earlier runs, used again where the same deck on the same models would give them anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import structs

from simorc.core.case import Case
from simorc.core.protocols import CachingSimulator, Deck, SimulationResult
from simorc.plugin.verification import Verification
from simorc.workspace.layout import RunDirectory
from simorc.workspace.result_cache import CachedResult, ResultCache


class Reuse:
    """What one worker takes from the cache of results, and puts into it.

    A result that came in a fast way counts only as long as its kind has been compared with the slow way, as the run
    wants it, and found identical.

    Parameters
    ----------
    verification: of the simulator's fast way; None where it has none
    """

    def __init__(
        self, run: RunDirectory, simulator: CachingSimulator, cache: ResultCache, verification: Verification | None
    ) -> None:
        self.run = run
        self.simulator = simulator
        self.cache = cache
        self.verification = verification
        simulator.keep_notes(run.path.parent)
        self._key = ""
        self._asked: tuple[str, Case, Mapping[str, str], Path] | None = None
        self._ahead: CachedResult | None = None

    def knows(self, text: str, case: Case, options: Mapping[str, str], folder: Path) -> bool:
        """Whether `find`, with the same arguments, will give a result; what was read for that is not read again."""
        self._asked = (text, case, options, folder)
        self._ahead = self._read()
        return self._ahead is not None

    def find(
        self, text: str, case: Case, options: Mapping[str, str], folder: Path
    ) -> tuple[SimulationResult, str] | None:
        """The result of a deck, with the run and case that it was simulated for; the folder is as after a simulation.

        Parameters
        ----------
        text: the rendered template
        options: further ones for the simulator
        """
        asked = (text, case, options, folder)
        found, self._ahead = (self._ahead if asked == self._asked else None), None
        self._asked = asked
        if found is None:
            found = self._read()
        if found is None:
            return None
        return structs.replace(self.simulator.restore(folder, found.files), fast=found.fast), found.origin

    def keep(self, deck: Deck, result: SimulationResult) -> None:
        """Store the result that was not found, unless it failed, or a file that it was read from has changed."""
        if self._asked is None or result.error is not None:
            return
        key = self.simulator.content_key(*self._asked)
        files = self.simulator.files_left(deck, result) if key and key == self._key else {}
        if files:
            how, proof = self.verification.last if self.verification is not None and result.fast else ("", "")
            origin = f"{self.run.run_id}/{self._asked[1].case_id}"
            self.cache.put(key, CachedResult(origin, files, result.fast, how, proof))

    def _read(self) -> CachedResult | None:
        """What the cache has for what was asked, and counts in this run."""
        assert self._asked is not None
        self._key = self.simulator.content_key(*self._asked)
        found = self.cache.get(self._key) if self._key else None
        return found if found is not None and self._counts(found) else None

    def _counts(self, found: CachedResult) -> bool:
        return not found.fast or (self.verification is not None and self.verification.holds(found.how, found.proof))
