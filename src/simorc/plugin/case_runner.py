"""One case from its row to its recorded outcome."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import structs

from simorc.core.case import Case
from simorc.core.errors import CaseError, ErrorKind, SimorcError
from simorc.core.evaluation import MeasureFunction, evaluate
from simorc.core.plan import Plan
from simorc.core.protocols import Verify
from simorc.core.record import CaseRecord, Status
from simorc.core.waveforms import Waveforms
from simorc.plugin.target import Known, Target, make_target
from simorc.workspace.clock import utc_text
from simorc.workspace.layout import RunDirectory
from simorc.workspace.record_json import ForeignRecordError, record_from_json, record_to_json
from simorc.workspace.result_cache import ResultCache
from simorc.workspace.status_marks import MarkFile
from simorc.workspace.status_store import archive_record, write_record
from simorc.workspace.time_limit import TimeLimitReached, time_limit
from simorc.workspace.user_code import load_measure_functions

if TYPE_CHECKING:
    from pluggy import HookRelay


class CaseRunner:
    """Executes cases of one run directory, one after the other, and records each outcome.

    Parameters
    ----------
    worker: name of the pytest worker, as it stands in the records
    hook: pytest's hook relay, for the hooks of `simorc.plugin.hookspecs`
    timeout_s: seconds that one case may take; by default the target's
    verify: which results of a fast way are compared with a slow one
    cache: from where results of earlier runs are taken, and to where results go
    """

    def __init__(
        self,
        run: RunDirectory,
        plan: Plan,
        worker: str,
        hook: HookRelay,
        timeout_s: float | None = None,
        verify: Verify | None = None,
        cache: ResultCache | None = None,
    ) -> None:
        self.run = run
        self.plan = plan
        self.worker = worker
        self.hook = hook
        self.target: Target = make_target(run, plan, verify, cache)
        self.timeout_s = timeout_s or self.target.time_limit_s
        self.broken = ""
        self.marks: MarkFile | None = None
        """Where a case that begins is noted, in place of its own status file."""
        self.limit = time_limit
        """What ends a case whose code does not come back."""
        self._functions: Mapping[str, MeasureFunction] | None = None

    def execute(self, case: Case, former: CaseRecord | None = None, *, check: bool = False) -> CaseRecord:
        """Measure, judge and record one case, whatever its former record says.

        With `check` it is measured a second time, and a difference becomes a warning in the record. Afterwards
        `broken` says why no further case is to start, or is empty.

        Raises
        ------
        OSError, RunDirectoryError: the outcome could not be recorded; the case stays as it was or `in_progress`
        """
        if former is not None and former.status in (Status.COMPLETED, Status.FAILED):
            archive_record(self.run, case.case_id)
        record = CaseRecord(
            case.case_id,
            Status.IN_PROGRESS,
            attempt=former.attempt + 1 if former else 1,
            started=_now(),
            worker=self.worker,
            seed=case.seed,
        )
        if self.marks is not None:
            self.marks.begin(record)
        else:
            write_record(self.run, record)
        begin = time.monotonic()
        known = Known()
        record = self._outcome(case, record, known)
        record = structs.replace(record, finished=_now(), duration_s=round(time.monotonic() - begin, 6))
        write_record(self.run, record)
        if record.status is Status.FAILED:
            self.broken = self.target.failed(case)
        if record.fast:  # also where a measure failed, which by the slow way it might not
            record = self._proven(case, record, known)
        if check and record.status is Status.COMPLETED:
            record = structs.replace(record, warnings=(*record.warnings, *self.target.repeat(case, record)))
            write_record(self.run, record)
        self._tidy(record)
        self.hook.pytest_simorc_case_done(case=case, record=record)
        return record

    def close(self) -> None:
        """End what is kept running; twice is once."""
        self.target.close()
        if self.marks is not None:
            self.marks.close()

    def waves(self, case: Case) -> Waveforms:
        """The kept waveforms of a case that has run."""
        return self.target.waves(case)

    def _proven(self, case: Case, record: CaseRecord, known: Known) -> CaseRecord:
        """The record after a comparison with a slower way, where one is due; that way's result wins."""
        proof = self.target.prove(case, known.result)
        if proof is None:
            return record
        if not proof.is_identical:
            known.result = proof.result
            record = structs.replace(self._outcome(case, record, known, again=False), finished=_now())
        record = structs.replace(record, verified=proof.how, warnings=(*record.warnings, *proof.warnings))
        write_record(self.run, record)
        return record

    def _outcome(self, case: Case, record: CaseRecord, known: Known, *, again: bool = True) -> CaseRecord:
        """The record of a case with its measurements; no failure of deck, tool, measure function or hook escapes.

        Parameters
        ----------
        again: measure; otherwise `known` has the result already
        """
        deadline = time.monotonic() + self.timeout_s
        try:
            with self.limit(self.timeout_s * self.target.attempts + 0.5) as grant:
                if again:
                    self._tell("pytest_simorc_case_start", case=case)
                    self.target.measure(case, deadline, known)
                grant(max(deadline - time.monotonic(), 0.0) + 0.5)
                return self._judged(case, record, known)
        except TimeLimitReached:
            what = f"no result after {self.timeout_s:g} s; {self._doing()} was still running"
            error = CaseError(ErrorKind.TIMEOUT, what)
        except CaseError as case_error:
            error = case_error
        except SimorcError as deck_error:  # the template, or the simulator's settings
            error = CaseError(ErrorKind.TEMPLATE, deck_error.what, where=deck_error.where, hint=deck_error.hint)
        except OSError as os_error:
            if os_error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            error = CaseError(ErrorKind.DISK_FULL, str(os_error))
        return self._recorded(
            case, record, structs.replace(known, result=structs.replace(known.result, error=error)), {}
        )

    def _doing(self) -> str:
        return "the procedure" if self.plan.target == "bench" else "a measure function"

    def _judged(self, case: Case, record: CaseRecord, known: Known) -> CaseRecord:
        record = self._recorded(case, record, known, self._load_functions())
        if record.status is Status.COMPLETED:
            measurements = list(record.measurements)
            self._tell("pytest_simorc_measured", case=case, waves=known.result.waves, measurements=measurements)
            if measurements != list(record.measurements):
                record = structs.replace(record, measurements=tuple(measurements))
                _check(record)
        return record

    def _recorded(
        self, case: Case, record: CaseRecord, known: Known, functions: Mapping[str, MeasureFunction]
    ) -> CaseRecord:
        measurements, error = evaluate(self.plan.measures, self.plan.target, case, known.result, functions)
        return structs.replace(
            record,
            status=Status.FAILED if error else Status.COMPLETED,
            error_kind=error.kind if error else None,
            error_message=str(error) if error else "",
            measurements=tuple(measurements),
            retries=known.retries,
            cached_from=known.cached_from,
            fast=known.result.fast,
        )

    def _tell(self, hook: str, **arguments: object) -> None:
        """Call a hook; what it raises costs this case alone."""
        try:
            getattr(self.hook, hook)(**arguments)
        except (Exception, SystemExit) as error:
            what = f"a {hook} hook raised {type(error).__name__}: {error}"
            raise CaseError(ErrorKind.MEASURE_ERROR, what) from error

    def _load_functions(self) -> Mapping[str, MeasureFunction]:
        if self._functions is None:
            self._functions = load_measure_functions(self.run, self.plan.python_measures)
        return self._functions

    def _tidy(self, record: CaseRecord) -> None:
        keep = self.plan.simulator.keep
        if keep == "none" or (keep == "failed" and record.status is Status.COMPLETED):
            shutil.rmtree(self.run.result_folder(record.case_id), ignore_errors=True)


def _check(record: CaseRecord) -> None:
    """Refuse a record with measurements of a hook that could not be written, or not be read again."""
    try:
        record_from_json(record_to_json(record))
    except (TypeError, AttributeError, ForeignRecordError) as error:
        what = f"a pytest_simorc_measured hook gave what no record can hold: {error}"
        raise CaseError(ErrorKind.MEASURE_ERROR, what) from error


def _now() -> str:
    return utc_text(datetime.now(UTC))
