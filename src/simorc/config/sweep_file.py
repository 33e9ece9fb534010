"""Read one sweep: its axes and conditions, and what it changes of its testbench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simorc.config.axes import AxisBuilder
from simorc.config.conditions import check_sweep_conditions, names_used
from simorc.config.document import Document
from simorc.config.files import load_referenced, resolved, with_corners_file, with_plot_files
from simorc.config.judged import EXTRA_COLUMNS, SECTIONS, JudgedReader
from simorc.config.models.sweep import SweepKeys
from simorc.config.problems import Problems, one_of, printed
from simorc.config.project import SERVED_BY, SweepEntry
from simorc.config.testbench_file import TestbenchFile, read_judged
from simorc.config.validation import validate
from simorc.core.aggregates import NEEDS_AXIS, Aggregate
from simorc.core.errors import Problem
from simorc.core.measurement import Measure
from simorc.core.plan import PlotSpec
from simorc.core.stopping import StopRule
from simorc.core.sweep import Sweep
from simorc.core.units import Value, as_number, value_to_text
from simorc.core.wording import did_you_mean


def read_sweep(
    name: str, text: str, setup: Document, testbenches: Mapping[str, TestbenchFile | None], problems: Problems
) -> SweepEntry | None:
    """The sweep in a file, with its problems noted; None where it cannot be read, or has no testbench."""
    file = load_referenced(setup, ["sweeps", name], text, "the file of a sweep", problems)
    if file is None:
        return None
    file = with_corners_file(with_plot_files(file, problems), problems)
    keys = validate(file, SweepKeys, problems)
    testbench = _testbench(file, keys, testbenches, problems)
    if testbench is None:
        return None
    _check_target(file, keys.target, testbench, problems)
    sweep = _sweep(name, file, keys, testbench, problems)
    merged = testbench.file.only(SECTIONS)
    own = file.only(SECTIONS)
    reader = read_judged(testbench, merged.overlaid([], own.data, own.mark), problems)
    _check_corner_specs(file, keys, sweep, problems)
    measures = reader.measures()
    return SweepEntry(
        name=name,
        path=resolved(setup.folder, text),
        file=file,
        testbench=testbench.name,
        target=keys.target,
        bench=keys.bench or "",
        sweep=sweep,
        measures=measures,
        aggregates=_aggregates(reader, file, sweep, problems),
        plot_specs=_plots(reader, file, sweep, problems),
        curves=reader.curves(),
        stop_when=_stop_rule(file, keys, measures, problems),
    )


def _testbench(
    file: Document, keys: SweepKeys, testbenches: Mapping[str, TestbenchFile | None], problems: Problems
) -> TestbenchFile | None:
    if isinstance(file.data, dict) and "testbench" not in file.data:
        problems.add(Problem(file.where([], "testbench"), "no such key", f"{one_of(testbenches)}"))
    elif keys.testbench and keys.testbench not in testbenches:
        hint = did_you_mean(keys.testbench, testbenches)
        found = f"the testbench {printed(keys.testbench)}"
        problems.add(Problem(file.where(["testbench"]), found, one_of(testbenches), hint))
    return testbenches.get(keys.testbench)


def _check_target(file: Document, target: str, testbench: TestbenchFile, problems: Problems) -> None:
    if not testbench.serves(target):
        found = f"target {target!r}, but testbench {testbench.name!r} has no `{SERVED_BY[target]}`"
        expected = one_of(other for other in SERVED_BY if testbench.serves(other))
        problems.add(Problem(file.where(["target"]), found, expected))


def _sweep(name: str, file: Document, keys: SweepKeys, testbench: TestbenchFile, problems: Problems) -> Sweep:
    defaults = testbench.keys.parameters
    known = testbench.parameter_names()
    axes = AxisBuilder(file, keys, testbench.name, known, defaults, problems).axes()
    sweep = Sweep(name, axes, defaults, keys.where, keys.exclude, statistics_by=keys.statistics_by)
    check_sweep_conditions(sweep, known, file, problems)
    _check_groups(file, sweep, problems)
    return sweep


def _check_groups(file: Document, sweep: Sweep, problems: Problems) -> None:
    """Note groups of statistics that the sweep does not have, or that its random samples make already."""
    where = file.where(["statistics_by"])
    if sweep.samples and sweep.statistics_by is not None:
        problems.add(Problem(where, "groups beside random samples", "one of `monte_carlo` and `statistics_by`"))
    for name in sweep.statistics_by or ():
        if name not in sweep.swept:
            problems.add(Problem(where, printed(name), one_of(sweep.swept), did_you_mean(name, sweep.swept)))


def _column(sweep: Sweep, name: str) -> list[Value]:
    """The values of a swept parameter; none where it is not swept."""
    return [row[axis.names.index(name)] for axis in sweep.axes if name in axis.names for row in axis.rows]


def _check_corner_specs(file: Document, keys: SweepKeys, sweep: Sweep, problems: Problems) -> None:
    """Note limits that the sweep sets for corners which it does not have: they would never apply."""
    default = [sweep.defaults["corner"]] if "corner" in sweep.defaults and "corner" not in sweep.swept else []
    values = [*_column(sweep, "corner_name"), *_column(sweep, "corner"), *default]
    known = list(dict.fromkeys(map(value_to_text, values)))
    for measure, wanted in keys.measures.items():
        for corner in wanted.corner_specs:
            if corner not in known:
                where = file.where(["measures", measure, "corner_specs", corner])
                found = f"the corner {printed(corner)}"
                problems.add(Problem(where, found, one_of(known), did_you_mean(corner, known)))


def _aggregates(reader: JudgedReader, file: Document, sweep: Sweep, problems: Problems) -> tuple[Aggregate, ...]:
    """The aggregates that this sweep can give; one of the testbench's over a parameter that stays is left out."""
    kept = []
    for aggregate in reader.aggregates():
        positions = list(map(as_number, _column(sweep, aggregate.over)))
        needs_axis = aggregate.function in NEEDS_AXIS
        if needs_axis and None in positions:
            where = reader.file.where(["aggregates", aggregate.name, "over"])
            problems.add(Problem(where, f"{aggregate.over!r}, whose values are texts", "a parameter with numbers"))
        if not aggregate.over or len(positions) > needs_axis:
            kept.append(aggregate)
        elif aggregate.name in file.section("aggregates") and aggregate.over in {*sweep.defaults, *EXTRA_COLUMNS}:
            where = reader.file.where(["aggregates", aggregate.name, "over"])
            found = f"{aggregate.over!r}, which this sweep does not vary"
            problems.add(Problem(where, found, one_of(sweep.swept)))
    return tuple(kept)


def _stop_rule(file: Document, keys: SweepKeys, measures: Sequence[Measure], problems: Problems) -> StopRule | None:
    """When random samples are enough; what could never be met, or is not about anything, is noted."""
    rule = keys.stop_when
    if rule is None:
        return None

    def note(key: str, found: str, expected: str, hint: str = "") -> None:
        problems.add(Problem(file.where(["stop_when", key] if key else ["stop_when"]), found, expected, hint))

    if keys.monte_carlo is None:
        note("", "a sweep without random samples", "`monte_carlo: {samples: …}` beside it")
    if rule.yield_ci is rule.mean is rule.sigma is None and not set(file.section("stop_when")) - {"of"}:
        note("", "nothing to be met", "yield_ci, mean or sigma")
    here = {measure.name: measure for measure in measures if "spice" in measure.targets}
    if rule.yield_ci is not None and not any(m.spec.has_limits or m.corner_specs for m in here.values()):
        note("yield_ci", "a yield, but no measure with limits", "`spec:` with min or max for a measure")
    if rule.of and rule.mean is rule.sigma is None:
        note("of", "measures, but neither `mean` nor `sigma`", "one of the two, or no `of`")
    for name in rule.of:
        if name not in here:
            note("of", printed(name), one_of(here), did_you_mean(name, here))
    return StopRule(rule.yield_ci, rule.mean, rule.sigma, rule.of)


def _plots(reader: JudgedReader, file: Document, sweep: Sweep, problems: Problems) -> tuple[PlotSpec, ...]:
    """The plots that this sweep can give; one of the testbench's over columns that it does not have is left out."""
    kept = []
    absent = set(EXTRA_COLUMNS) - set(sweep.swept)
    for plot in reader.plot_specs():
        used = {"group": {plot.group}, "where": names_used(plot.where)}
        if plot.kind != "waveform":
            used["x"] = {plot.x}
        missing = {key: names & absent for key, names in used.items() if names & absent}
        if not missing:
            kept.append(plot)
        elif plot.name in file.section("plot_specs"):
            for key, names in missing.items():
                where = reader.file.where(["plot_specs", plot.name, key])
                problems.add(Problem(where, f"{min(names)!r}, which this sweep does not have", one_of(sweep.swept)))
    return tuple(kept)
