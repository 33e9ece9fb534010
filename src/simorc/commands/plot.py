"""`simorc plot`: tables, plots and report/index.html from the files of a run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from simorc.commands._common import open_run_directory, todays_plan
from simorc.core.errors import ExitCode, UsageError
from simorc.workspace.conclude import conclude
from simorc.workspace.gather import Gathered, look
from simorc.workspace.layout import RunDirectory
from simorc.workspace.lock import is_active, run_lock


def plot(run: str, setup: Path | None, specs: str = "frozen", formats: Sequence[str] = ()) -> int:
    """Make the report of a run and print its path, alone, on stdout; 0 whatever the verdict.

    Parameters
    ----------
    specs: `frozen` (the run's own) or `current` (specs, aggregates and plot specs of today's project, in memory)
    formats: tables beside the page: `md`, `csv`, `xlsx`, `junit`, `stdf-csv`

    Raises
    ------
    UsageError: no such run, `specs` or format
    ConfigError: `current`, and the project has problems
    RunDirectoryError: the run contradicts itself, or the report cannot be written
    """
    from simorc.report.corners_file import corners_file
    from simorc.report.export import check_formats, exports
    from simorc.report.load import judged_by, report_data
    from simorc.report.write import write_parquet, write_report

    if specs not in ("frozen", "current"):
        raise UsageError(f"no specs {specs!r}", hint="there are: frozen (the run's own), current (today's project)")
    check_formats(formats)
    directory = open_run_directory(run, setup)
    gathered = _gathered(directory)
    data = report_data(directory, gathered)
    write_parquet(directory, data)
    if specs == "current":
        data = report_data(directory, judged_by(gathered, todays_plan(gathered.plan, setup)))
    print(write_report(directory, data, {**exports(data, formats), **corners_file(data)}, datetime.now(UTC)))
    return ExitCode.DONE


def _gathered(directory: RunDirectory) -> Gathered:
    """What the run's files say; metadata.csv and the other tables are brought up to date unless the run is active."""
    if is_active(directory):
        return look(directory)
    with run_lock(directory):
        return conclude(directory).gathered
