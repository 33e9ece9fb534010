"""Proof while running: results of a fast way are compared, bit for bit, with those of a slower and surer one.

Compared are the first result of every kind (template, models, simulator: the proof key), and a sample of the cases. A
comparison that passed holds for later executions too. One that did not ends the fast way of the run: the result of the
slow way counts, and `simorc run` has every case that was not compared simulated once more.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from contextlib import suppress

from simorc.core.case import Case
from simorc.core.errors import RunDirectoryError
from simorc.core.protocols import Deck, FastSimulator, SimulationResult, Verify
from simorc.core.waveforms import Waveforms
from simorc.plugin.target import Proof
from simorc.workspace.events import log_event
from simorc.workspace.layout import RunDirectory
from simorc.workspace.manifest import read_manifest
from simorc.workspace.proof import fast_way_left, leave_fast_way, read_proof, write_proof


class Verification:
    """The comparisons that one worker makes in one run.

    Parameters
    ----------
    timeout_s: seconds that the slow way may take for one case

    `last` is how, and with the key of which comparison, the last result of the fast way was or would be compared.
    """

    def __init__(self, run: RunDirectory, simulator: FastSimulator, verify: Verify, timeout_s: float) -> None:
        self.run = run
        self.simulator = simulator
        self.verify = verify
        self.timeout_s = timeout_s
        self.last = (verify.how, "")
        self._holding: dict[str, bool] = {}
        self._folder = run.result_folder(0)
        self._known: dict[str, bool] = {}
        self._named: dict[str, str] = {}
        self._inputs = ""
        self._is_left = False

    def look(self) -> None:
        """Before a case: leave the fast way if another worker found that it differs."""
        if not self._is_left and (reason := fast_way_left(self.run)):
            self._is_left = True
            self.simulator.distrust(reason)

    def prove(self, case: Case, deck: Deck, result: SimulationResult) -> Proof | None:
        """Compare a result where that is due; None where it is not."""
        if self.verify.how == "none" or not result.fast or result.error is not None:
            return None
        key = self._key(self.simulator.proof_key(deck, self._folder))
        self.last = (self.verify.how, key)
        if key not in self._known:
            found = read_proof(self.run, key)
            if found is not None and found.get("outcome") == "different":
                return self._differs(case, key, self._slowly(case, deck, again=False), found.get("reason", ""))
            # One from this very execution saves nobody the sample.
            self._known[key] = found is not None and found.get("since") != self.verify.since
            if found is None:
                return self._compared(case, key, deck, result, again=False)
        if case.case_id not in self.verify.cases or (self._known[key] and not self.verify.always):
            return None
        return self._compared(case, key, deck, result, again=True)

    def holds(self, how: str, key: str) -> bool:
        """Whether a result of an earlier execution needs no comparison now.

        Parameters
        ----------
        how, key: by what results of its kind were compared then, as in `last`
        """
        if self._is_left or self.verify.always:
            return False
        if self.verify.how == "none" or how != self.verify.how:
            return self.verify.how == "none"
        if key not in self._holding:
            found = read_proof(self.run, key)
            self._holding[key] = found is not None and found.get("outcome") == "identical"
        return self._holding[key]

    def _compared(self, case: Case, key: str, deck: Deck, result: SimulationResult, *, again: bool) -> Proof:
        slow = self._slowly(case, deck, again=again)
        if slow.error is not None and slow.error.kind in ("timeout", "killed", "disk_full"):
            what = f"case {case.case_id} could not be compared with the slow way: {slow.error.what}"
            return Proof("", result, (what,))
        difference = _difference(result, slow)
        if difference:
            return self._differs(case, key, slow, difference)
        with suppress(RunDirectoryError):  # it is compared again next time
            write_proof(self.run, key, "identical", "", self.verify.since)
        return Proof(self.verify.how, result)

    def _differs(self, case: Case, key: str, slow: SimulationResult, difference: str) -> Proof:
        reason = f"the fast way gave another result than the slow one for case {case.case_id}: {difference}"
        log_event(self.run, "mismatch", case.case_id, what=difference)
        write_proof(self.run, key, "different", difference, self.verify.since)
        leave_fast_way(self.run, reason)
        self._is_left = True
        self.simulator.distrust(reason)
        return Proof(self.verify.how, slow, (f"{reason}; the slow way counts, and takes over",), is_identical=False)

    def _slowly(self, case: Case, deck: Deck, *, again: bool) -> SimulationResult:
        folder = self.run.repeat_folder(case.case_id)
        try:
            original = self.verify.how == "original"
            result = self.simulator.reference(deck, folder, self.timeout_s, original=original, again=again)
            len(result.waves)  # read before the folder goes
            return result
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _key(self, key: str) -> str:
        """With the testbench's own files, whose text the decks come from."""
        if key in self._named:
            return self._named[key]
        if not self._inputs:
            hashes: Mapping[str, object] = read_manifest(self.run).get("sha256", {})
            self._inputs = repr(sorted(item for item in hashes.items() if item[0].startswith("inputs/testbench/")))
        text = "\0".join((key, self.verify.how, self._inputs))
        self._named[key] = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        return self._named[key]


def _difference(fast: SimulationResult, slow: SimulationResult) -> str:
    """In what two results differ, empty where they are the same bit for bit."""
    if slow.error is not None:
        return f"the slow way failed: {slow.error.what}"
    for name in fast.values.keys() | slow.values.keys():
        a, b = fast.values.get(name), slow.values.get(name)
        if a != b:
            return f"measure {name} is {a!r}, by the slow way {b!r}"
    return "" if fast.waves.is_copy_of(slow.waves) else _other_plots(fast.waves, slow.waves)


def _other_plots(fast: Waveforms, slow: Waveforms) -> str:
    import numpy as np  # whoever takes results from the cache alone does without

    if [plot.kind for plot in fast] != [plot.kind for plot in slow]:
        return "other analyses left a plot"
    for one, other in zip(fast, slow, strict=True):
        if one.vectors.keys() != other.vectors.keys():
            return f"other vectors in plot {one.name!r}: {sorted(one.vectors.keys() ^ other.vectors.keys())[0]}"
        for name, vector in one.vectors.items():
            if not np.array_equal(vector, other.vectors[name], equal_nan=True):
                return f"vector {name} of plot {one.name!r}"
    return ""


def same(first: SimulationResult, second: SimulationResult) -> bool:
    """Whether two simulations gave the same values and waveforms, bit for bit."""
    return not _difference(first, second)
