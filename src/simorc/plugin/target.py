"""What a target offers to whoever runs the cases of a run: the one seam between simulators and benches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from simorc.core.case import Case
from simorc.core.plan import Plan
from simorc.core.protocols import SimulationResult, Verify
from simorc.core.record import CaseRecord
from simorc.core.waveforms import Waveforms
from simorc.workspace.layout import RunDirectory
from simorc.workspace.result_cache import ResultCache


class Known(Struct):
    """What is known of a case so far, also when its time is over: its last result, its origin, the options tried."""

    result: SimulationResult = field(default_factory=lambda: SimulationResult({}, Waveforms(), Path()))
    retries: tuple[Mapping[str, str], ...] = ()
    cached_from: str = ""


class Proof(Struct, frozen=True):
    """How a result compares with that of a slower and surer way.

    Parameters
    ----------
    how: `models` or `original`, as in `Verify`
    result: what the slower way gave; it counts where the two differ
    warnings: sentences for the record
    is_identical: whether both agree bit for bit
    """

    how: str
    result: SimulationResult
    warnings: tuple[str, ...] = ()
    is_identical: bool = True


class Target(Protocol):
    """Measures cases, one after the other. Made once in every worker, opens nothing before the first case."""

    time_limit_s: float
    """Seconds that one case may take, unless the command line says otherwise."""
    attempts: int
    """How often `measure` may take up to the time limit before it gives up."""

    def order_key(self, case: Case) -> tuple[object, ...]:
        """Pure: by what the cases of a run are ordered; cases that share costly state come together."""

    def group(self, case: Case) -> str:
        """Pure: cases of one group stay in one worker; empty where any worker may take any case."""

    def measure(self, case: Case, deadline: float, known: Known) -> None:
        """Measure one case; `known` says how far it came.

        Parameters
        ----------
        deadline: by the monotonic clock, s

        Raises
        ------
        CaseError: the case failed
        """

    def failed(self, case: Case) -> str:
        """The case has failed: put things in order; why no further case is to start, or empty."""

    def rest(self) -> None:
        """Somebody wants a pause: leave nothing switched on that need not be."""

    def waves(self, case: Case) -> Waveforms:
        """The kept waveforms of a case that has run."""

    def prove(self, case: Case, result: SimulationResult) -> Proof | None:
        """Compare the result of the case measured last with a slower way, where that is due."""

    def repeat(self, case: Case, record: CaseRecord) -> tuple[str, ...]:
        """Measure once more, and say what is odd about the difference."""

    def close(self) -> None:
        """End whatever is kept running, and leave it safe."""


def make_target(
    run: RunDirectory, plan: Plan, verify: Verify | None = None, cache: ResultCache | None = None
) -> Target:
    """The target of a plan."""
    if plan.target == "bench":
        from simorc.plugin.bench_target import BenchTarget

        return BenchTarget(run, plan)
    from simorc.plugin.spice_target import SpiceTarget

    return SpiceTarget(run, plan, verify or Verify(), cache)
