"""`simorc compare`: runs and foreign data joined on their conditions, as a table, as CSV and as a page."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from simorc.commands._common import open_run_directory, output_of
from simorc.core.errors import ExitCode, SimorcError, UsageError
from simorc.core.wording import suggestion
from simorc.workspace.gather import look
from simorc.workspace.layout import RunDirectory

if TYPE_CHECKING:
    from simorc.config.compare_section import CompareSettings
    from simorc.core.table import Table
    from simorc.report.compare import Comparison, Options
    from simorc.report.compare_side import Side
    from simorc.report.data import ReportData


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What the command line says; texts of the form NAME=VALUE are parsed here.

    Parameters
    ----------
    out: folder of the page and its tables; by default `compare/<A>_vs_<B>/` beside the first run
    nearest, agree, units, given: texts NAME=VALUE; they win over the project's
    on, by: lists of names, separated by commas
    where: a condition that chooses rows
    curves: whether the runs' curves are compared instead of their measures
    """

    setup: Path | None = None
    out: Path | None = None
    nearest: Sequence[str] = ()
    agree: Sequence[str] = ()
    units: Sequence[str] = ()
    given: Sequence[str] = ()
    on: str = ""
    by: str = ""
    where: str = ""
    curves: bool = False


@dataclass(frozen=True, slots=True)
class _Input:
    """One of the inputs: a run, or a table of foreign data."""

    name: str
    path: Path
    run: RunDirectory | None = None
    table: Table | None = None


def compare(texts: Sequence[str], options: CompareOptions) -> int:
    """Print the joined table of several inputs and how far apart they are; last, alone on its line, the page's path.

    Raises
    ------
    UsageError: fewer than two different inputs, nothing in common, a condition twice in one input, units that differ
    RunDirectoryError: a run contradicts itself, or the page cannot be written
    """
    from simorc.commands._compare_text import show
    from simorc.report.compare import compare as compared
    from simorc.report.compare_page import Source, folder_for, write_comparison
    from simorc.report.regression import regressions

    settings = _settings(options.setup)
    inputs = _inputs(texts, settings, options)
    sides = _sides(inputs, options)
    _check_units(sides, options)
    comparison = compared(sides, _joined_options(settings, options))
    _check_agree(comparison, options)
    found = regressions(comparison)
    show(comparison, found)
    sys.stdout.flush()
    sources = [Source(each.name, each.run) for each in inputs]
    folder = options.out or folder_for(_output(inputs, options), sources)
    print(write_comparison(folder, comparison, found, sources, datetime.now(UTC)).resolve())
    worse = any(each.is_regression for each in found) or comparison.disagreeing
    return ExitCode.NOT_IN_SPEC if worse else ExitCode.DONE


def _settings(setup: Path | None) -> CompareSettings:
    """The project's settings; none where there is no project."""
    from simorc.config.compare_section import CompareSettings, compare_settings
    from simorc.config.project import find_setup

    try:
        found = find_setup(Path.cwd(), setup)
    except UsageError:
        if setup is not None:
            raise
        return CompareSettings()
    return compare_settings(found)


def _inputs(texts: Sequence[str], settings: CompareSettings, options: CompareOptions) -> list[_Input]:
    inputs = [_opened(text, options.setup) for text in texts]
    if len(inputs) == 1 and settings.baseline and not options.by:
        inputs = [_baseline(settings, options.setup), *inputs]
    for number, each in enumerate(inputs):
        if each.path in [other.path for other in inputs[:number]]:
            raise UsageError(f"{each.name!r} is named twice", where=str(each.path))
    return inputs


def _baseline(settings: CompareSettings, setup: Path | None) -> _Input:
    try:
        return _opened(settings.baseline, setup)
    except SimorcError as error:
        what = f"the project's baseline {settings.baseline!r} is gone or unreadable: {error.what}"
        raise UsageError(what, where=settings.where, hint=error.hint) from error


def _opened(text: str, setup: Path | None) -> _Input:
    from simorc.config.files import is_file
    from simorc.importers.tables import endings, is_table, read_table

    path = Path(text)
    if text and is_table(path):
        return _Input(path.stem, path.resolve(), table=read_table(path))
    if text and is_file(path):
        raise UsageError(
            f"{text} is no table: nothing here reads such a file", hint=f"there are: {', '.join(endings())}"
        )
    try:
        run = open_run_directory(text, setup)
    except SimorcError as error:
        if path.suffix.lower() in endings():
            raise UsageError(f"{text}: there is no such file, and no run of that name") from error
        raise
    return _Input(run.run_id, run.path, run=run)


def _output(inputs: Sequence[_Input], options: CompareOptions) -> Path:
    """Among the runs of the first run; of tables alone in the project's output."""
    runs = [each.run for each in inputs if each.run is not None]
    return runs[0].path.parent if runs else output_of(options.setup)


def _sides(inputs: Sequence[_Input], options: CompareOptions) -> list[Side]:
    """What the inputs hold. The conditions of a table are what `--on` says, what it says, what runs have as such."""
    from simorc.report.compare_curves import of_curves
    from simorc.report.compare_side import of_run, of_table

    runs = {number: _run_data(each.run) for number, each in enumerate(inputs) if each.run is not None}
    sides = {number: of_curves(data) if options.curves else of_run(data) for number, data in runs.items()}
    tables = {number: each.table for number, each in enumerate(inputs) if each.table is not None}
    known = [name for side in sides.values() for name in side.conditions]
    known += [name for table in tables.values() for name in table.conditions]
    names = _names(options.on) or tuple(dict.fromkeys(known))
    columns = {*known, *_pairs(options.given, "--set"), *(name for table in tables.values() for name in table.columns)}
    for name in names:
        if name not in columns:
            raise UsageError(f"--on {name}: no input has such a column", hint=suggestion(name, sorted(columns)))
    given = _pairs(options.given, "--set")
    _check_given(given, names, list(tables.values()))
    for number, table in tables.items():
        sides[number] = of_table(_filled(table, given), names)
    return [sides[number] for number in sorted(sides)]


def _check_given(given: Mapping[str, str], names: Sequence[str], tables: Sequence[Table]) -> None:
    """Refuse what is no condition of any other input, and what every file states itself."""
    for name in given:
        if name not in names:
            raise UsageError(f"--set {name}: no other input has such a condition", hint=suggestion(name, names))
        if all(name in table.columns for table in tables):
            raise UsageError(f"--set {name}: no input is a file without it", hint="--where chooses rows by a column")


def _check_units(sides: Sequence[Side], options: CompareOptions) -> None:
    """Refuse a unit for what no input has: it would say nothing, and nobody would see it."""
    known = list(dict.fromkeys(name for side in sides for name in (*side.measures, *side.conditions)))
    for name in _pairs(options.units, "--unit"):
        if name not in known:
            raise UsageError(f"--unit {name}: no input has such a measure or condition", hint=suggestion(name, known))


def _check_agree(comparison: Comparison, options: CompareOptions) -> None:
    """Refuse a tolerance for what is not compared: it would judge nothing, and nobody would see it."""
    aggregates = [each.name for side in comparison.sides if side.data is not None for each in side.data.aggregates]
    known = ["*", *comparison.measures, *aggregates]
    for name in _pairs(options.agree, "--agree"):
        if name not in known:
            raise UsageError(f"--agree {name}: no measure of that name is compared", hint=suggestion(name, known))


def _run_data(run: RunDirectory) -> ReportData:
    from simorc.report.load import report_data

    return report_data(run, look(run))


def _filled(table: Table, given: dict[str, str]) -> Table:
    """A table with columns for conditions that it does not state itself: those that are given."""
    import numpy as np

    from simorc.core.table import Column
    from simorc.core.units import as_number, value_from_text

    added = {}
    for name, text in given.items():
        number = as_number(value_from_text(text))
        held = np.full(len(table), text, dtype=object) if number is None else np.full(len(table), number)
        added[name] = Column(held)
    return structs.replace(table, columns={**added, **table.columns}, conditions=(*table.conditions, *added))


def _joined_options(settings: CompareSettings, options: CompareOptions) -> Options:
    """The project's settings with those of the command line over them."""
    from simorc.core.tolerance import Tolerance
    from simorc.core.units import parse_number
    from simorc.report.compare import Options

    nearest = {}
    for name, text in _pairs(options.nearest, "--nearest").items():
        number = parse_number(text)
        if number is None or number <= 0:
            raise UsageError(f"--nearest {name}={text}: not a number above 0")
        nearest[name] = number
    agree = {name: Tolerance.parse(text) for name, text in _pairs(options.agree, "--agree").items()}
    return Options(
        nearest=nearest,
        usual=settings.nearest,
        agree={**settings.agree, **agree},
        units={**settings.units, **_pairs(options.units, "--unit")},
        by=_names(options.by),
        where=options.where,
    )


def _pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Texts NAME=VALUE as pairs."""
    found = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise UsageError(f"{option} {text}: expected NAME=VALUE")
        found[name] = value
    return found


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
