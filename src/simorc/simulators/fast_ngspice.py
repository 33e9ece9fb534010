"""ngspice, fast: model libraries pruned to what a deck can reach, and a long-lived process that loads deck after deck.

Whatever is not plainly in order there (a circuit, plots of the expected kinds, finite vectors, no error in the log) is
done again by a fresh `ngspice -b` on the unpruned models, and that answer counts. How the fast way is compared with
the slow one while a run goes on stands in `simorc.plugin.verification`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from msgspec import structs

from simorc import __version__
from simorc.core.case import Case
from simorc.core.errors import SimorcError
from simorc.core.plan import SimulatorSettings
from simorc.core.protocols import Content, Deck, SimulationResult
from simorc.core.waveforms import Plot, Waveforms
from simorc.simulators.deck_inputs import DeckInputs
from simorc.simulators.lasting import has_branches
from simorc.simulators.model_cards import compact
from simorc.simulators.model_library import ModelLibrary, Models, with_models
from simorc.simulators.ngspice import LOG, Ngspice, deck_files, files_beside, write_deck
from simorc.simulators.ngspice_deck import ADDED, PreparedDeck, Script, apart
from simorc.simulators.ngspice_log import LogReport, parse_log
from simorc.simulators.ngspice_modes import by_finger, drops_bins, has_sections
from simorc.simulators.ngspice_session import NgspiceSession, Output, SessionEndedError, new_folder
from simorc.simulators.rawfile import RawFileError, content_of, parse_raw
from simorc.workspace.file_notes import FileNotes
from simorc.workspace.files import make_folder, write_bytes

if TYPE_CHECKING:
    import numpy as np

RAW = "results.raw"
_NETLIST = ".pruned.spice"
_MOST_DECKS = 10_000
_LOOK_AT_MEMORY_EVERY = 50
_GROWTH = 1 << 28
_MOST_MODELS = 1 << 28
_Part = Literal["pruned", "mentioned", "flat"]


class FastNgspice:
    """Runs decks in a session where they can run in one, else in a process of their own, models pruned in both.

    Made once in every worker; the session starts with the first deck.
    """

    tested_versions: ClassVar[tuple[str, ...]] = Ngspice.tested_versions

    def __init__(self, settings: SimulatorSettings) -> None:
        self._settings = settings
        self._plain = Ngspice(settings)
        self._inputs = DeckInputs()
        self._session: NgspiceSession | None = None
        self._memory = 0
        self._branched = False
        self._folder: Path | None = None
        self._written: dict[tuple[str, _Part], list[str]] = {}
        self._size = 0
        self._last: tuple[PreparedDeck, Models | None] | None = None
        self._keys: dict[tuple[str, bool], str] = {}
        self._limit_is_real = False
        self._reason = ""

    @cached_property
    def _library(self) -> ModelLibrary:
        init = self._plain.init_file
        return ModelLibrary(
            self._inputs.read,
            simulator_drops_bins=drops_bins(init),
            by_finger=by_finger(init),
            has_sections=has_sections(init),
        )

    def version(self) -> str:
        """Name and version, e.g. `ngspice-39`; asked for once."""
        return self._plain.version()

    def order_key(self, case: Case) -> tuple[object, ...]:
        """Row order: loading a deck anew costs the same after any other."""
        return self._plain.order_key(case)

    def prepare(self, text: str, case: Case, options: Mapping[str, str]) -> PreparedDeck:
        """As for a process of its own."""
        return self._plain.prepare(text, case, options)

    def run(self, deck: Deck, folder: Path, timeout_s: float) -> SimulationResult:
        """Simulate a deck the fast way, and whatever is not in order there once more the plain way."""
        return self._or_plainly(lambda: self._run(deck, folder, timeout_s), deck, folder, timeout_s)

    def _or_plainly(
        self, simulate: Callable[[], SimulationResult], deck: Deck, folder: Path, timeout_s: float
    ) -> SimulationResult:
        """What a way gives that needs files in memory; without room for them, or a right to, what the plain way gives.

        If it is the case's own folder that makes trouble, the plain way says so.
        """
        try:
            return simulate()
        except OSError:
            self.close()
        shutil.rmtree(folder, ignore_errors=True)
        return self._plain.run(deck, folder, timeout_s)

    def _run(self, deck: Deck, folder: Path, timeout_s: float) -> SimulationResult:
        prepared = deck if isinstance(deck, PreparedDeck) else PreparedDeck(deck.text, deck.files)
        models = self._models(prepared, folder)
        if models is None:
            return self._plain.run(deck, folder, timeout_s)
        if self._reason or models.doubt:
            return self._fresh(prepared, models, folder, timeout_s, "flat")
        if prepared.script is None or models.apart:
            return self._in_process(prepared, models, folder, timeout_s)
        return self._in_session(prepared, prepared.script, models, folder, timeout_s)

    def read(self, folder: Path) -> SimulationResult:
        """What a run left in the folder."""
        return self._plain.read(folder)

    def close(self) -> None:
        """End the session, delete the models that were written for it, keep what was noted of files."""
        if self._session is not None:
            self._session.close()
            self._session = None
        self._inputs.notes.save()
        self._forget_models()

    def _forget_models(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
            self._written.clear()
            self._size = 0

    def proof_key(self, deck: Deck, folder: Path) -> str:
        """By what one comparison with the slow way holds for further decks; empty where the fast way is not taken."""
        assert isinstance(deck, PreparedDeck)
        models = self._models(deck, folder)
        if models is None or models.doubt or self._reason or not (models.flat or deck.script):
            return ""
        kind = (models.key, deck.script is not None)
        if kind not in self._keys:
            parts = (__version__, self.version(), *self._plain.identity, repr(kind), *deck.files.values())
            self._keys[kind] = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
        return self._keys[kind]

    def reference(
        self, deck: Deck, folder: Path, timeout_s: float, *, original: bool, again: bool = False
    ) -> SimulationResult:
        """The same deck the slow way: a fresh process, all of the chosen sections, or the deck as it is.

        Once all of the sections have been compared, constants that nothing mentions are left out of them.
        """
        assert isinstance(deck, PreparedDeck)
        models = self._models(deck, folder)
        if original or models is None:
            return self._plain.run(deck, folder, timeout_s)
        part: _Part = "mentioned" if again and not models.doubt else "flat"
        slowly = partial(self._fresh, deck, models, folder, timeout_s, part)
        return self._or_plainly(slowly, deck, folder, timeout_s)

    def distrust(self, reason: str) -> None:
        """From now on every deck runs in a process of its own, on all of the chosen sections."""
        self._reason = reason

    def content_key(self, text: str, case: Case, options: Mapping[str, str], folder: Path) -> str:
        """Digest of the deck, the files that it reads, program and environment; empty where it cannot be known."""
        added = (str(case.seed), *(word for option in options.items() for word in option))
        simulator = (__version__, self.version(), *self._plain.identity)
        place = os.path.abspath(folder)  # noqa: PTH100
        return self._inputs.key(text, place, self._plain.init_file, (*simulator, *added))

    def keep_notes(self, output: Path) -> None:
        """What stands in model files, and what the program says of itself, is noted beside the runs."""
        self._inputs.notes = self._plain.notes = FileNotes(output)

    def files_left(self, deck: Deck, result: SimulationResult) -> Mapping[str, Content]:
        """Deck, log and raw file, and whatever else commands of the deck wrote into its folder.

        Nothing where ngspice alone read the model files, which may not be as they were when the key was made.
        """
        if isinstance(deck, PreparedDeck) and self._models(deck, result.log.parent) is None:
            return {}
        return {**deck_files(deck), **result.files} if result.files else files_beside(result.log)

    def restore(self, folder: Path, files: Mapping[str, Content]) -> SimulationResult:
        """The result from its files; they are written where all are to be kept."""
        if self._settings.keep == "all":
            place = os.fspath(folder)
            make_folder(place)
            for name, content in files.items():
                write_bytes(f"{place}/{name}", content)
        report = parse_log(str(files[LOG], "utf-8", "replace"))
        raws = [content for name, content in sorted(files.items()) if name.endswith(".raw")]
        waves = Waveforms(lambda: [plot for raw in raws for plot in parse_raw(raw)], lambda: [*map(content_of, raws)])
        return SimulationResult(report.values, waves, folder / LOG, messages=report.messages, files=files)

    def explain(self, text: str, folder: Path) -> Sequence[str]:
        """What each model file comes to, and whether the deck runs in a session; also for a netlist of a case."""
        text = text.partition(f"\n{ADDED}\n")[0]
        deck = self.prepare(text, Case(0, {}, ()), {})
        try:
            models = self._library.models(deck.text, os.path.abspath(folder))  # noqa: PTH100
        except SimorcError as error:
            return [f"runs as it is, `ngspice -b`: {error.what}"]
        said = [
            f"{name}: {len(flat.encode()):,} bytes, pruned to {len(pruned.encode()):,}"
            for name, flat, pruned in zip(models.names, models.flat, models.pruned, strict=True)
        ]
        if models.doubt:
            return [
                *said,
                f"runs in a process of its own on all of that, for pruning is not certain: {models.doubt}",
            ]
        if reason := apart(text) or models.apart:
            return [*said, f"runs in a process of its own: {reason}"]
        if deck.script is None:
            return [*said, "runs in a process of its own: it has commands, or analyses, that a session cannot take"]
        return [*said, f"runs in a long-lived ngspice: {', '.join(deck.script.kinds)}"]

    def _models(self, deck: PreparedDeck, folder: Path) -> Models | None:
        """What stands behind the deck's `.lib` and `.include` lines; None where the deck can run only as it is."""
        if self._last is None or self._last[0] is not deck:
            try:
                models = self._library.models(deck.text, os.path.abspath(folder))  # noqa: PTH100 (resolves no links)
            except SimorcError:  # of which ngspice has something to say itself
                models = None
            self._last = (deck, models)
        return self._last[1]

    def _in_process(self, deck: PreparedDeck, models: Models, folder: Path, timeout_s: float) -> SimulationResult:
        begin = time.monotonic()
        result = self._fresh(deck, models, folder, timeout_s)
        if result.error is None or not models.flat:
            return structs.replace(result, fast=bool(models.flat))
        shutil.rmtree(folder)
        return self._fresh(deck, models, folder, timeout_s - (time.monotonic() - begin), "flat")

    def _in_session(
        self, deck: PreparedDeck, script: Script, models: Models, folder: Path, timeout_s: float
    ) -> SimulationResult:
        begin = time.monotonic()
        try:
            session = self._ready(folder, branches=models.branches or has_branches(script.netlist))
            output = session.run(self._placed(script, models), timeout_s)
        except SessionEndedError as error:
            if error.timed_out and self._limit_is_real:
                write_deck(deck, folder)
                return self._plain.timed_out(folder, timeout_s)
            result = self._fresh(deck, models, folder, timeout_s, "flat")
            self._limit_is_real |= error.timed_out and result.error is not None
            return result
        log = output.log.decode("utf-8", "replace")
        report = parse_log(log)
        plots, doubt = _checked(script, output, log, report)
        if doubt:
            left_s = max(timeout_s - (time.monotonic() - begin), 0.01)
            return self._fresh(deck, models, folder, left_s, "flat")
        if self._settings.keep == "all":
            write_deck(deck, folder)
            place = os.fspath(folder)
            write_bytes(f"{place}/{LOG}", output.log)
            write_bytes(f"{place}/{RAW}", output.raw)
        return SimulationResult(
            report.values,
            Waveforms(plots),
            folder / LOG,
            messages=report.messages,
            fast=True,
            files={LOG: output.log, RAW: output.raw},
        )

    def _fresh(
        self, deck: PreparedDeck, models: Models, folder: Path, timeout_s: float, part: _Part = "pruned"
    ) -> SimulationResult:
        """A process of its own, `ngspice -b`, on a part of the models."""
        if not models.flat:
            return self._plain.run(deck, folder, timeout_s)
        text = with_models(deck.text, self._paths(models, part, lambda: self._texts(deck, models, folder, part)))
        # In the case's folder, since commands may go by where their netlist lies (`$inputdir`).
        folder.mkdir(parents=True, exist_ok=True)
        netlist = folder / _NETLIST
        try:
            write_bytes(os.fspath(netlist), text.encode("utf-8", "surrogateescape"))
            return self._plain.run_netlist(deck, folder, timeout_s, _NETLIST)
        finally:
            netlist.unlink(missing_ok=True)

    def _ready(self, folder: Path, *, branches: bool) -> NgspiceSession:
        """The session, a new one after many decks, or when it holds much more memory than after its first.

        Also after decks with an `.if` before one without: ngspice remembers that there was one, and draws differently.
        """
        session = self._session if self._session is not None and self._session.is_open else None
        if session is not None and self._branched and not branches:
            session.close()
            session = None
        if session is not None and session.decks % _LOOK_AT_MEMORY_EVERY == 1:
            memory = session.memory()
            self._memory = self._memory or memory
            if session.decks > _MOST_DECKS or memory > self._memory + _GROWTH:
                session.close()
                session = None
        if session is None:
            self._memory = 0
            init, place = self._plain.init_file, str(folder.absolute())
            session = NgspiceSession(self._plain.program, self._plain.environment, init, place)
            self._session = session
        self._branched = branches
        return session

    def _placed(self, script: Script, models: Models) -> Script:
        """The netlist as it means the same in the session's folder."""
        paths = self._paths(models, "pruned", lambda: models.pruned)
        netlist = with_models(script.netlist, paths) if models.flat else script.netlist
        return Script(netlist, script.commands, script.plots, script.kinds)

    def _texts(self, deck: PreparedDeck, models: Models, folder: Path, part: _Part) -> tuple[str, ...]:
        if part == "mentioned":
            return self._library.mentioned(deck.text, os.path.abspath(folder))  # noqa: PTH100
        return models.flat if part == "flat" else models.pruned

    def _paths(self, models: Models, part: _Part, texts: Callable[[], tuple[str, ...]]) -> list[str]:
        """Files that hold the texts of models, each written once, unless somebody cleans up (a log-out may)."""
        key = (models.key, part)
        if not all(map(os.path.exists, self._written.get(key, ("",)))):
            if self._size > _MOST_MODELS or key in self._written:
                self._forget_models()
            paths: list[str] = []
            for text in texts():
                path = self._scratch / f"models_{len(self._written)}_{len(paths)}.spice"
                content = text if models.doubt else compact(text)
                path.write_text(content, encoding="utf-8", errors="surrogateescape")
                self._size += len(content)
                paths.append(str(path))
            self._written[key] = paths
        return self._written[key]

    @property
    def _scratch(self) -> Path:
        if self._folder is None:
            self._folder = new_folder()
        return self._folder


def _numbers(plots: Sequence[Plot]) -> Iterable[np.ndarray[Any, np.dtype[Any]]]:
    """The arrays that hold the vectors of all plots: those of a binary plot are views into one."""
    found: dict[int, np.ndarray[Any, np.dtype[Any]]] = {}
    for plot in plots:
        for vector in plot.vectors.values():
            array = vector if vector.base is None else vector.base
            found[id(array)] = array
    return found.values()


def _checked(script: Script, output: Output, log: str, report: LogReport) -> tuple[list[Plot], str]:
    """The plots, and why the answer of a session does not count, or nothing."""
    import numpy as np  # whoever takes results from the cache alone does without

    if report.error is not None:
        return [], report.error[1]
    if log.count("\nCircuit: ") != 1:
        return [], "the deck was not loaded"
    try:
        plots = parse_raw(output.raw)
    except RawFileError as error:
        return [], error.what
    if tuple(plot.kind for plot in plots) != script.kinds:
        return [], "an analysis left no plot"
    if not all(np.isfinite(numbers).all() for numbers in _numbers(plots)):
        return [], "a vector is not finite"
    return plots, ""
