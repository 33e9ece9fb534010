"""Read one bench: its instruments, limits, safe state, and what is simulated of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from simorc import registry
from simorc.config.document import Document, Key
from simorc.config.files import load_referenced
from simorc.config.models.bench import BenchKeys, InstrumentKeys, SimulatedKeys
from simorc.config.names import check_column_names
from simorc.config.problems import Problems, one_of, printed
from simorc.config.validation import validate
from simorc.core.bench import (
    BenchLimits,
    BenchSettings,
    FaultSettings,
    InstrumentSettings,
    PartSettings,
    SafeStep,
    Settling,
    SimulatedLab,
)
from simorc.core.errors import Problem
from simorc.core.wording import did_you_mean


def read_bench(name: str, text: str, setup: Document, problems: Problems) -> tuple[BenchSettings, Document] | None:
    """The bench in a file, with its problems noted; None where it cannot be read."""
    file = load_referenced(setup, ["benches", name], text, "the file of a bench", problems)
    if file is None:
        return None
    keys = validate(file, BenchKeys, problems)
    check_column_names(file, "instruments", {}, problems)
    _Checker(file, keys, problems).check()
    return _settings(name, keys), file


def _settings(name: str, keys: BenchKeys) -> BenchSettings:
    simulated = _simulated(keys.simulated) if keys.simulated is not None else None
    return BenchSettings(
        name=name,
        instruments=tuple(_instrument(n, i) for n, i in keys.instruments.items()),
        transport="memory" if simulated is not None else "visa",
        real=keys.real,
        rate=keys.rate,
        parts=keys.parts or tuple(simulated.parts if simulated is not None else ()),
        case_timeout_s=keys.case_timeout_s,
        limits=BenchLimits(**keys.limits.model_dump()),
        settling=Settling(**keys.settling.model_dump()),
        safe_state=tuple(SafeStep(n, to) for step in keys.safe_state for n, to in step.items()),
        simulated=simulated,
    )


def _instrument(name: str, keys: InstrumentKeys) -> InstrumentSettings:
    given = {key: value for key, value in keys.model_dump().items() if value is not None}
    return InstrumentSettings(name=name, **given)


def _simulated(keys: SimulatedKeys) -> SimulatedLab:
    parts = {name: PartSettings(p.model, p.set, p.serial or name, p.spread, p.foster) for name, p in keys.parts.items()}
    faults = tuple(FaultSettings(**fault.model_dump()) for fault in keys.faults)
    plain = keys.model_dump(exclude={"parts", "faults"})
    return SimulatedLab(parts=parts, faults=faults, **plain)


class _Checker:
    """Notes what does not fit together in the file of a bench."""

    def __init__(self, file: Document, keys: BenchKeys, problems: Problems) -> None:
        self.file = file
        self.keys = keys
        self.problems = problems

    def check(self) -> None:
        """All checks."""
        if not self.keys.instruments and "instruments" not in _data(self.file):
            self._note([], "no such key", "the instruments of the bench", missing="instruments")
        self._check_instruments()
        self._check_steps()
        self._check_limits()
        if self.keys.simulated is not None:
            self._check_simulated(self.keys.simulated)

    def _check_instruments(self) -> None:
        drivers, models = registry.names("instruments"), registry.names("equipment")
        seen: dict[str, str] = {}
        for name, keys in self.keys.instruments.items():
            place: list[Key] = ["instruments", name]
            self._check_name(keys.driver, drivers, [*place, "driver"], "the driver")
            if self.keys.simulated is not None:
                if keys.resource:
                    self._note([*place, "resource"], "a resource on a simulated bench", "none, or no `simulated`")
                model = keys.model or keys.driver
                self._check_name(model, models, [*place, "model"], "no virtual equipment for")
            elif not keys.resource:
                self._note(place, "no resource", "a VISA resource name, or `simulated`", missing="resource")
            elif keys.resource in seen:
                found = f"the resource of {seen[keys.resource]!r} once more"
                self._note([*place, "resource"], found, "a resource of its own")
            seen.setdefault(keys.resource, name)

    def _check_steps(self) -> None:
        for index, step in enumerate(self.keys.safe_state):
            place: list[Key] = ["safe_state", index]
            if len(step) != 1:
                self._note(place, f"{len(step)} instruments in one step", "one step each: their order counts")
            for name in step:
                self._check_known(name, self.keys.instruments, place, "the instrument")

    def _check_limits(self) -> None:
        limits = self.keys.limits
        low, high = limits.chamber_min, limits.chamber_max
        if low is not None and high is not None and low > high:
            self._note(["limits"], "chamber_min above chamber_max", "chamber_min at or below chamber_max")
        if limits.tj is not None and not limits.theta_ja:
            self._note(["limits", "tj"], "a limit of the junction without theta_ja", "`theta_ja` beside it")

    def _check_simulated(self, keys: SimulatedKeys) -> None:
        if self.keys.real:
            self._note(["real"], "true on a simulated bench", "false, or no `simulated`")
        if not keys.parts:
            self._note(["simulated"], "no parts", "at least one DUT", missing="parts")
        for name, part in keys.parts.items():
            place: list[Key] = ["simulated", "parts", name]
            self._check_name(part.model, registry.names("dut_models"), [*place, "model"], "the model")
            if len({tau for _, tau in part.foster}) < len(part.foster):
                self._note([*place, "foster"], "a time constant twice", "stages of different time constants")
            if not part.set:
                self._note(place, "no parameter set", "the name of one", missing="set")
        for terminal in keys.wiring:
            place = ["simulated", "wiring", terminal]
            self._check_known(terminal.partition(".")[0], self.keys.instruments, place, "the instrument")
        for index, fault in enumerate(keys.faults):
            place = ["simulated", "faults", index, "instrument"]
            self._check_known(fault.instrument, self.keys.instruments, place, "the instrument")
        for part_name in self.keys.parts:
            self._check_known(part_name, keys.parts, ["parts"], "the part")

    def _check_name(self, name: str, known: Sequence[str], keys: Sequence[Key], what: str) -> None:
        if name not in known:
            self._note(keys, f"{what} {printed(name)}", one_of(known), did_you_mean(name, known))

    def _check_known(self, name: str, known: Iterable[str], keys: Sequence[Key], what: str) -> None:
        self._check_name(name, list(known), keys, what)

    def _note(self, keys: Sequence[Key], found: str, expected: str, hint: str = "", missing: str = "") -> None:
        self.problems.add(Problem(self.file.where(keys, missing), found, expected, hint))


def _data(file: Document) -> Mapping[str, Any]:
    return file.data if isinstance(file.data, dict) else {}
