"""Pure: what a simulator must offer, and the data that pass between it and the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from msgspec import Struct, field

from simorc.core.case import Case
from simorc.core.errors import CaseError
from simorc.core.plan import SimulatorSettings
from simorc.core.waveforms import Waveforms

Content = bytes | memoryview
"""What is in a file; of one that was read with others, a view of its part."""


class Deck(Struct, frozen=True):
    """The rendered netlist of one case, ready to run: data, no process.

    Parameters
    ----------
    text: the netlist file, complete
    files: further files of the case's folder by name, e.g. the init file
    """

    text: str
    files: Mapping[str, str] = field(default_factory=dict)


class SimulationResult(Struct, frozen=True):
    """What one simulation left behind.

    Parameters
    ----------
    values: measure name (lower case) -> value, None where the simulator says that it could not evaluate it
    messages: measure name (lower case) -> the log line that says why there is no value
    waves: the waveforms, empty where there are none
    error: why the simulation as a whole failed, None where it went through
    uncertainties: measure name (lower case) -> bound of the value's error, where one is known
    fast: whether it came in a way that is to be compared with a slower and surer one, now and then
    files: name -> content of the files that it was read from, where they are in memory; else they lie beside the log
    log: path of the log file
    """

    values: Mapping[str, float | None]
    waves: Waveforms
    log: Path
    messages: Mapping[str, str] = field(default_factory=dict)
    error: CaseError | None = None
    uncertainties: Mapping[str, float] = field(default_factory=dict)
    fast: bool = False
    files: Mapping[str, Content] = field(default_factory=dict)


class Verify(Struct, frozen=True):
    """Which results of a fast way are compared with a slower and surer one, and with which.

    Parameters
    ----------
    how: `models` (a fresh process, all that the chosen sections hold), `original` (the deck as it is), `none`
    cases: ids of the cases that are compared beyond the first of every kind
    always: also where a comparison of an earlier execution holds
    since: start of this execution, UTC
    """

    how: str = "models"
    cases: frozenset[int] = frozenset()
    since: str = ""
    always: bool = False


class Simulator(Protocol):
    """Runs decks. Made once in every worker by the class of that name in the registry: `cls(settings)`.

    `tested_versions` are the versions that the tests have run with, as `version` says them; empty for a simulator that
    runs no program of its own, which `doctor` passes over.
    """

    tested_versions: ClassVar[tuple[str, ...]]

    def __init__(self, settings: SimulatorSettings) -> None: ...

    def version(self) -> str:
        """Name and version, e.g. `ngspice-39`.

        Raises
        ------
        ToolMissingError: the simulator is not installed; says what to type
        """

    def order_key(self, case: Case) -> tuple[object, ...]:
        """Pure: by what the cases of a run are ordered; cases that share costly state come together."""

    def prepare(self, text: str, case: Case, options: Mapping[str, str]) -> Deck:
        """Pure: the deck from the rendered template, with seed and extra simulator options."""

    def run(self, deck: Deck, folder: Path, timeout_s: float) -> SimulationResult:
        """Simulate a deck, and leave in `folder` what the settings want to have kept; it is made where it is missing.

        Never raises for what a deck can cause: that is `SimulationResult.error`.
        """

    def read(self, folder: Path) -> SimulationResult:
        """What an earlier `run` left in a folder, from its files alone.

        Raises
        ------
        CaseError: a file of the folder is unreadable
        """

    def close(self) -> None:
        """End whatever the simulator keeps running."""


@runtime_checkable
class FastSimulator(Simulator, Protocol):
    """A simulator whose results may come in a fast way (`SimulationResult.fast`), and that has a slower one too."""

    def proof_key(self, deck: Deck, folder: Path) -> str:
        """By what one comparison holds for further decks, a name for a file; empty where the fast way is not taken."""

    def reference(self, deck: Deck, folder: Path, timeout_s: float, *, original: bool, again: bool) -> SimulationResult:
        """Simulate the slow way, in a folder as `run`'s.

        Parameters
        ----------
        original: the deck exactly as it is
        again: a result of this kind has already been compared
        """

    def distrust(self, reason: str) -> None:
        """From now on simulate everything the slow way."""

    def explain(self, text: str, folder: Path) -> Sequence[str]:
        """How a netlist of that folder would be simulated, and why so, in sentences."""


@runtime_checkable
class CachingSimulator(Simulator, Protocol):
    """A simulator whose results may be used again as long as nothing that they come from has changed."""

    def content_key(self, text: str, case: Case, options: Mapping[str, str], folder: Path) -> str:
        """The same for decks whose results are the same, by content: the deck, the files that it reads, the simulator.

        A hexadecimal number; empty where it cannot be known what a result depends on.

        Parameters
        ----------
        text, case, options: as for `prepare`
        folder: as for `run`
        """

    def keep_notes(self, output: Path) -> None:
        """In `.cache/` of this folder, that of the runs, may stand what holds from one process to the next.

        Called before anything else; whoever deletes it loses time only.
        """

    def files_left(self, deck: Deck, result: SimulationResult) -> Mapping[str, Content]:
        """All files that `run` leaves where everything is kept, by name; empty where they cannot be had."""

    def restore(self, folder: Path, files: Mapping[str, Content]) -> SimulationResult:
        """The result that left these files, and in `folder` what `run` would have left there."""
