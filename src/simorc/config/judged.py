"""Measures, aggregates and plots: from their keys to the core's words, with the checks between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from simorc.config.conditions import check_condition
from simorc.config.document import Document, Key
from simorc.config.models.testbench import AggregateKeys, CurveKeys, Judged, Limits, MeasureKeys, PlotKeys
from simorc.config.names import check_column_names, check_file_names
from simorc.config.problems import Problems, one_of, printed
from simorc.config.user_functions import UserFunctions
from simorc.core.aggregates import CAPABILITY, FUNCTIONS, NEEDS_AXIS, Aggregate
from simorc.core.errors import Problem
from simorc.core.measurement import MEASURES_FILE, Measure
from simorc.core.plan import Curve, PlotSpec
from simorc.core.spec import Spec
from simorc.core.sweep import SAMPLE_COLUMNS
from simorc.core.wording import did_you_mean

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "line": ("x", "y"),
    "heatmap": ("x", "y", "group"),
    "box": ("x", "y"),
    "tempco": ("x", "y"),
    "correlation": (),
    "pareto": (),
}

SECTIONS = ("measures", "aggregates", "plot_specs", "curves")
EXTRA_COLUMNS = ("corner_name", "mc_sample", "seed")
"""Columns that a sweep may have beside the parameters of its testbench."""


@dataclass(frozen=True)
class JudgedReader:
    """Makes measures, aggregates and plots, and notes what does not fit.

    Parameters
    ----------
    file: the sections of a testbench, or those with a sweep's laid over them
    keys: the same, validated
    parameters: names of the testbench's parameters
    functions: what measures.py defines, None where there is no such file
    """

    file: Document
    keys: Judged
    parameters: Sequence[str]
    functions: UserFunctions | None
    problems: Problems

    def check_names(self) -> None:
        """Note names that clash with each other or with a parameter."""
        taken = dict.fromkeys(self.parameters, "parameter")
        check_column_names(self.file, "measures", taken, self.problems)
        taken |= dict.fromkeys(self._measure_names(), "measure")
        check_column_names(self.file, "aggregates", taken, self.problems)
        check_column_names(self.file, "curves", dict.fromkeys(self.parameters, "parameter"), self.problems)
        check_file_names(self.file, "plot_specs", self.problems)

    def measures(self) -> tuple[Measure, ...]:
        """The measures, in the order of the file."""
        return tuple(self._measure(name, keys) for name, keys in self.keys.measures.items())

    def aggregates(self) -> tuple[Aggregate, ...]:
        """The aggregates, in the order of the file."""
        return tuple(self._aggregate(name, keys) for name, keys in self.keys.aggregates.items())

    def plot_specs(self) -> tuple[PlotSpec, ...]:
        """The plots, in the order of the file."""
        return tuple(self._plot(name, keys) for name, keys in self.keys.plot_specs.items())

    def curves(self) -> tuple[Curve, ...]:
        """The curves, in the order of the file."""
        return tuple(self._curve(name, keys) for name, keys in self.keys.curves.items())

    def _note(self, keys: Sequence[Key], found: str, expected: str, hint: str = "", missing: str = "") -> None:
        self.problems.add(Problem(self.file.where(keys, missing), found, expected, hint))

    def _measure_names(self) -> list[str]:
        return list(self.file.section("measures"))

    def _columns(self) -> list[str]:
        return [*self.parameters, *EXTRA_COLUMNS]

    def _check_one_of(self, name: str, known: Sequence[str], keys: Sequence[Key], what: str) -> None:
        if name not in known:
            self._note(keys, f"{what} {printed(name)}", one_of(known), did_you_mean(name, known))

    def _spec(self, limits: Limits, keys: Sequence[Key]) -> Spec:
        if limits.min is not None and limits.max is not None and limits.min > limits.max:
            place = self._changed_limit(keys)
            self._note(place, f"min {limits.min:g} above max {limits.max:g}", "min at or below max")
        return Spec(limits.min, limits.typ, limits.max, limits.guard_band)

    def _changed_limit(self, keys: Sequence[Key]) -> Sequence[Key]:
        """The limit that a sweep changed, where it did, else the whole spec."""
        source = self.file.locate(keys)[0].source
        return next((k for k in ([*keys, "min"], [*keys, "max"]) if self.file.locate(k)[0].source != source), keys)

    def _measure(self, name: str, keys: MeasureKeys) -> Measure:
        place = ["measures", name]
        written = self.file.section("measures")[name] or {}
        if written.get("source", "meas") == keys.source:  # else it was told before
            self._check_source(name, keys.source, place)
        corner_specs = {
            corner: self._spec(_laid_over(keys.spec, limits), [*place, "corner_specs", corner])
            for corner, limits in keys.corner_specs.items()
        }
        spec = self._spec(keys.spec, [*place, "spec"])
        return Measure(name, keys.unit, spec, corner_specs, keys.source, keys.targets, keys.optional, keys.description)

    def _check_source(self, name: str, source: str, place: Sequence[Key]) -> None:
        if source == "python":
            if self.functions is None:
                self._note([*place, "source"], f"python, but no {MEASURES_FILE}", f"{MEASURES_FILE} with def {name}()")
            elif self.functions.bound is not None and name not in self.functions.bound:
                known = list(self.functions.defined)
                found = f"python, but no function {name}() in {MEASURES_FILE}"
                self._note([*place, "source"], found, one_of(known), did_you_mean(name, known))
        elif self.functions is not None and name in self.functions.defined:
            found = f"both a `.meas` and a function {name}() in {MEASURES_FILE}:{self.functions.defined[name]}"
            self._note(place, found, "one of the two", "say `source: python`, or rename the function")

    def _aggregate(self, name: str, keys: AggregateKeys) -> Aggregate:
        place = ["aggregates", name]
        for key, value, known, what in (
            ("function", keys.function, [*FUNCTIONS, *CAPABILITY], "the function"),
            ("of", keys.of, self._measure_names(), "the measure"),
        ):
            if key not in (self.file.section("aggregates")[name] or {}):
                self._note(place, "no such key", one_of(known), missing=key)
            elif value:
                self._check_one_of(value, known, [*place, key], what)
        if keys.over:
            self._check_one_of(keys.over, self._columns(), [*place, "over"], "the parameter")
        elif keys.function in NEEDS_AXIS:
            self._note(place, "no such key", f"the parameter that {keys.function} runs over", missing="over")
        if keys.function in CAPABILITY:
            self._check_capability(keys, place)
        spec = self._spec(keys.spec, [*place, "spec"])
        return Aggregate(
            name, keys.function, keys.of, keys.over or "", self._unit(keys), spec, keys.nominal, keys.description
        )

    def _check_capability(self, keys: AggregateKeys, place: Sequence[Key]) -> None:
        """Yield, Cp and Cpk are about random samples (ADR 9), and about limits."""
        if keys.over != SAMPLE_COLUMNS[0]:
            found, missing = ("no such key", "over") if keys.over is None else (repr(keys.over), "")
            where = place if missing else [*place, "over"]
            self._note(where, found, f"mc_sample: {keys.function} is about random samples", missing=missing)
        measure = self.keys.measures.get(keys.of)
        limits = [] if measure is None else [measure.spec, *measure.corner_specs.values()]
        if limits and all(one.min is one.max is None for one in limits):
            self._note(
                [*place, "of"], f"{printed(keys.of)} without limits", f"a measure with limits for {keys.function}"
            )

    def _unit(self, keys: AggregateKeys) -> str:
        if keys.unit is not None:
            return keys.unit
        if keys.function in CAPABILITY:
            return ""
        if keys.function in NEEDS_AXIS:
            return "ppm/degC"
        return self.keys.measures[keys.of].unit if keys.of in self.keys.measures else ""

    def _plot(self, name: str, keys: PlotKeys) -> PlotSpec:
        place = ["plot_specs", name]
        required = _REQUIRED.get(keys.kind, ("y",))
        for key in required:
            if not getattr(keys, key):
                self._note(place, "no such key", f"it, as a {keys.kind} needs it", missing=key)
        if keys.kind != "waveform":
            results = [*self._measure_names(), *self.file.section("aggregates")]
            for i, result in enumerate(keys.y):
                self._check_one_of(result, results, [*place, "y", i], "the measure")
            if keys.x:
                self._check_one_of(keys.x, self._columns(), [*place, "x"], "the parameter")
        if keys.group:
            self._check_one_of(keys.group, self._columns(), [*place, "group"], "the parameter")
        if keys.where:
            check_condition(keys.where, self.file, [*place, "where"], self._columns(), self.problems)
        given = {key: value for key, value in keys.model_dump().items() if value is not None}
        return PlotSpec(name, **given)

    def _curve(self, name: str, keys: CurveKeys) -> Curve:
        for key in ("y", "over"):
            if not getattr(keys, key):
                self._note(["curves", name], "no such key", "it, as a curve needs it", missing=key)
        return Curve(name, keys.y, keys.over, keys.analysis or "")


def _laid_over(spec: Limits, corner: Limits) -> Limits:
    """A corner's limits; those that it does not state are the spec's."""
    return spec.model_copy(update={key: getattr(corner, key) for key in corner.model_fields_set})
