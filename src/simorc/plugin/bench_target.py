"""The target `bench`: a case is a procedure that instruments carry out."""

from __future__ import annotations

import json
import os
import shutil
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from simorc.core.bench_time import temperature_order
from simorc.core.case import Case
from simorc.core.errors import CaseError, ErrorKind, InstrumentError, SimorcError
from simorc.core.plan import Plan
from simorc.core.protocols import SimulationResult
from simorc.core.reading import Reading
from simorc.core.readings import readings_result
from simorc.core.record import CaseRecord
from simorc.core.units import as_number
from simorc.core.waveforms import Waveforms
from simorc.instruments.bench import Bench
from simorc.instruments.bench_lock import BenchLock
from simorc.instruments.rack import open_bench
from simorc.instruments.safety import not_done
from simorc.instruments.watchdog import Watchdog
from simorc.plugin.target import Known, Proof
from simorc.workspace.bench_state import write_bench_state
from simorc.workspace.events import log_event
from simorc.workspace.layout import RunDirectory
from simorc.workspace.user_code import load_module

_LOCK_WAIT_S = 60.0
"""For a watchdog that still brings the bench into its safe state after a worker died."""


class BenchTarget:
    """Carries out the procedure of one run on its bench (see Target)."""

    def __init__(self, run: RunDirectory, plan: Plan) -> None:
        assert plan.bench is not None
        self.run = run
        self.plan = plan
        self.settings = plan.bench
        self.time_limit_s = plan.bench.case_timeout_s
        self.attempts = 1
        self._rank = temperature_order(_temperatures(plan), self.settings.ambient)
        self._bench: Bench | None = None
        self._watchdog: Watchdog | None = None
        self._procedure: Callable[[Bench, Case], Any] | None = None
        self._case: int | None = None
        self._worker = f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}:{os.getpid()}"

    def order_key(self, case: Case) -> tuple[object, ...]:
        """By temperature, in one direction, then row order."""
        temperature = self._temperature(case)
        return (self._rank.get(temperature, 0) if temperature is not None else 0, case.case_id)

    def group(self, case: Case) -> str:
        """A temperature stays in one worker, so that it is soaked once."""
        temperature = self._temperature(case)
        return "bench" if temperature is None else f"{temperature:g}"

    def measure(self, case: Case, deadline: float, known: Known) -> None:
        """Carry out the procedure."""
        self._case = case.case_id
        bench = self._opened()
        folder = self.run.result_folder(case.case_id)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        log = folder / "transcript.txt"
        begin = bench.clock.now()
        with log.open("w", encoding="utf-8") as transcript:
            bench.transcript = transcript.write
            try:
                bench.begin_case((case.case_id << 32) + case.seed)
                returned = self._called(bench, case)
            finally:
                bench.transcript = None
        known.result = readings_result(returned, log)
        self._keep_readings(folder, returned, begin, bench.clock.now())

    def failed(self, case: Case) -> str:
        """Outputs off; a bench that is out of reach or has tripped is made safe at once and used no further."""
        bench = self._bench
        if bench is None:
            return "the bench cannot be opened"
        with suppress(Exception):  # whatever the case left half-said on the wire; what cannot be cleared tells below
            bench.clear()
        if not bench.broken:
            try:
                bench.outputs_off()
            except SimorcError as error:
                bench.broken = error.what
        if bench.broken:
            log_event(self.run, "fault", case.case_id, what=bench.broken)
            self._make_safe(bench, bench.broken)
        return bench.broken

    def rest(self) -> None:
        """Outputs off, the chamber as it is."""
        if self._bench is not None:
            self._bench.outputs_off()

    def waves(self, case: Case) -> Waveforms:
        """A bench keeps no waveforms."""
        return Waveforms()

    def prove(self, case: Case, result: SimulationResult) -> Proof | None:
        """There is no other way to measure."""
        return None

    def repeat(self, case: Case, record: CaseRecord) -> tuple[str, ...]:
        """Stimulating a DUT once more is not free: nothing is repeated."""
        return ()

    def close(self) -> None:
        """Make the bench safe and let go of it; twice is once."""
        bench, self._bench = self._bench, None
        if bench is None:
            return
        self._case = None
        try:
            self._make_safe(bench, bench.broken or "the session ended")
        finally:
            bench.close()

    def _opened(self) -> Bench:
        if self._bench is None:
            lock = BenchLock([i.resource for i in self.settings.instruments if i.resource], wait_s=_LOCK_WAIT_S)
            write_bench_state(self.run, "active", "worker")
            try:
                self._bench = open_bench(self.settings, self._log, lock=lock)
            except SimorcError as error:
                raise InstrumentError(error.what, resource=error.where, hint=error.hint) from error
            log_event(self.run, "opened", worker=self._worker, instruments=self._bench.identities)
        if self.settings.simulated is None and (self._watchdog is None or not self._watchdog.is_alive()):
            if self._watchdog is not None:
                log_event(self.run, "fault", what="the watchdog was gone; another one watches now")
            self._watchdog = Watchdog(self.run, self._bench.lock.descriptors)
        return self._bench

    def _called(self, bench: Bench, case: Case) -> object:
        if self._procedure is None:
            module = load_module(self.run, self.plan.procedure)
            found = getattr(module, "measure", None)
            if not callable(found):
                where = str(module.__file__)
                raise CaseError(ErrorKind.MEASURE_ERROR, "there is no function measure(bench, case)", where=where)
            self._procedure = found
        try:
            return self._procedure(bench, case)
        except InstrumentError as error:
            if error.out_of_reach and not bench.broken:
                bench.broken = f"{error.where}: {error.what}"
            raise
        except (Exception, SystemExit) as error:  # a person's code may raise anything; it costs this case alone
            what = f"measure() raised {type(error).__name__}: {error}"
            raise CaseError(ErrorKind.MEASURE_ERROR, what, where=_place(error, self.run)) from error

    def _make_safe(self, bench: Bench, reason: str) -> None:
        failed = not_done(bench.make_safe())
        with suppress(SimorcError):  # a full disk does not keep a bench from being made safe
            write_bench_state(self.run, "unsafe" if failed else "safe", "worker", failed or reason)
        if self._watchdog is not None and not failed:
            self._watchdog.dismiss()
            self._watchdog = None

    def _log(self, kind: str, **data: Any) -> None:
        if self._case is None:  # else the case's record tells
            data["worker"] = self._worker
        log_event(self.run, kind, self._case, **data)

    def _temperature(self, case: Case) -> float | None:
        value = case.parameters.get(self.settings.settling.parameter)
        return as_number(value) if value is not None else None

    @staticmethod
    def _keep_readings(folder: Path, returned: object, begin_s: float, end_s: float) -> None:
        readings = dict(returned) if isinstance(returned, dict) else {}
        fields = ("value", "unit", "uncertainty", "time_s", "wall", "source")
        kept = {
            str(name): {field: getattr(reading, field) for field in fields} if isinstance(reading, Reading) else reading
            for name, reading in readings.items()
        }
        text = json.dumps({"begin_s": begin_s, "end_s": end_s, "readings": kept}, indent=1, default=str)
        (folder / "readings.json").write_text(text + "\n", encoding="utf-8")


def _temperatures(plan: Plan) -> list[float]:
    """What the chamber will be told, over all cases."""
    assert plan.bench is not None
    name = plan.bench.settling.parameter
    values = [row[axis.names.index(name)] for axis in plan.sweep.axes if name in axis.names for row in axis.rows]
    numbers = [as_number(value) for value in values or [plan.sweep.defaults.get(name, "")]]
    return [number for number in numbers if number is not None]


def _place(error: BaseException, run: RunDirectory) -> str:
    """File and line of the last frame in the testbench's own code."""
    folder = str(run.testbench.resolve())
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(folder)]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else str(run.testbench)
