"""A run in a notebook: tables as pandas frames, waveforms as numpy vectors."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from simorc.core.case import Case
from simorc.core.errors import UsageError
from simorc.core.plan import Plan
from simorc.core.record import CaseRecord, Status
from simorc.core.waveforms import Waveforms
from simorc.report.data import ReportData, verdict
from simorc.report.load import report_data
from simorc.report.table import (
    aggregates_frame,
    failing_frame,
    failures_frame,
    results_frame,
    sensitivity_frame,
    spec_frame,
    statistics_frame,
    worst_frame,
)
from simorc.workspace.gather import look
from simorc.workspace.layout import RunDirectory, find_run, is_run_directory

if TYPE_CHECKING:
    import pandas as pd

_WORD_COLOURS = {"pass": "#0a7a4b", "fail": "#c8102e", "incomplete": "#9a6700", "done": "#5b6674"}


def open_run(run: str | Path, setup: Path | None = None) -> OpenedRun:
    """A run as it stands now; open it again to see what a running one has done since.

    Parameters
    ----------
    run: a path, a run id, a sweep's name (its newest run), or a unique beginning
    setup: the setup file of the project, by default sim_setup.yaml here or in a folder above

    Raises
    ------
    UsageError: no such run
    RunDirectoryError: its files contradict themselves
    """
    path = Path(run)
    if is_run_directory(path):
        return OpenedRun(RunDirectory(path.resolve()))
    from simorc.config.project import find_setup, output_folder

    return OpenedRun(find_run(str(run), output_folder(find_setup(Path.cwd(), setup))))


class OpenedRun:
    """One run, read from its files: `results`, `aggregates`, `specs`, `worst`, `failures`, and single cases."""

    def __init__(self, directory: RunDirectory) -> None:
        self.path = directory.path
        self._data = report_data(directory, look(directory))

    @property
    def run_id(self) -> str:
        """Name of the run directory."""
        return self._data.run_id

    @property
    def plan(self) -> Plan:
        """The sweep with everything resolved, as it was built."""
        return self._data.plan

    @property
    def verdict(self) -> str:
        """`pass`, `fail`, `incomplete`, or `done` where nothing has limits."""
        return str(verdict(self._data))

    @cached_property
    def results(self) -> pd.DataFrame:
        """One row a case: case_id, status, verdict, swept parameters, measures; NaN where a value is missing."""
        return results_frame(self._data)

    @cached_property
    def specs(self) -> pd.DataFrame:
        """Each measure's minimum, median and maximum against its limits."""
        return spec_frame(self._data)

    @cached_property
    def worst(self) -> pd.DataFrame:
        """The worst case of each measure with limits, and the command that runs it alone."""
        return worst_frame(self._data)

    @cached_property
    def aggregates(self) -> pd.DataFrame:
        """Values over several cases, such as the tempco over temperature."""
        return aggregates_frame(self._data.aggregates)

    @property
    def statistics(self) -> pd.DataFrame:
        """Location, spread, capability and yield of each measure and group of random samples."""
        return statistics_frame(self._data)

    @property
    def sensitivity(self) -> pd.DataFrame:
        """Main effects and interactions of the axes on each measure."""
        return sensitivity_frame(self._data)

    @property
    def failing(self) -> pd.DataFrame:
        """Every case that failed or is out of spec, the worst first."""
        return failing_frame(self._data)

    @cached_property
    def failures(self) -> pd.DataFrame:
        """Failed cases and measures without a value, with their log lines."""
        return failures_frame(self._data)

    @cached_property
    def _cases(self) -> dict[int, Case]:
        return {case.case_id: case for case in self._data.cases}

    def case(self, case_id: int) -> Case:
        """One case with all its parameters; UsageError where there is none of that number."""
        if case_id not in self._cases:
            raise UsageError(f"no case {case_id}", hint=f"there are 0 to {len(self._cases) - 1}")
        return self._cases[case_id]

    def record(self, case_id: int) -> CaseRecord | None:
        """The outcome of one case with its measurements; None where it has not run."""
        return self._data.records.get(self.case(case_id).case_id)

    def waveforms(self, case_id: int) -> Waveforms:
        """The waveforms of one case: `waveforms(3)["v(out)"]`, `waveforms(3).plot("ac")["out"]`.

        Raises
        ------
        UsageError: no such case, or its files were not kept
        CaseError: its files are unreadable
        """
        return self._data.waveforms(self.case(case_id).case_id)

    def __len__(self) -> int:
        return len(self._data.cases)

    def __repr__(self) -> str:
        return f"<run {self.run_id}: {self._summary}>"

    def _repr_html_(self) -> str:
        from markupsafe import escape

        word = self.verdict
        head = f'<b style="color: {_WORD_COLOURS[word]}">{word.upper()}</b> {escape(self.run_id)}'
        return f"<div><p>{head}<br>{escape(self._summary)}</p>{_table(self._data)}</div>"

    @property
    def _summary(self) -> str:
        tally = self._data.tally
        counts = [f"{tally[Status.COMPLETED]} of {tally.total} cases completed"]
        counts += [f"{tally.out_of_spec} out of spec"] if tally.out_of_spec else []
        counts += [f"{tally[Status.FAILED]} failed"] if tally[Status.FAILED] else []
        return f"{self.verdict}, {', '.join(counts)}"


def _table(data: ReportData) -> str:
    shown = spec_frame(data)[["measure", "unit", "min", "median", "max", "limit_min", "limit_max", "margin", "verdict"]]
    return str(shown.to_html(index=False, na_rep="", border=0))
