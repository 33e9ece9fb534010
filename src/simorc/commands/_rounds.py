"""Monte Carlo samples in rounds: after each the run goes on, or stops as they are enough (ADR 9)."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec import Struct

from simorc.commands._options import RunOptions
from simorc.commands._sessions import Job, Sessions
from simorc.core.plan import Plan
from simorc.core.record import CaseRecord, Status, measures_found, status_of
from simorc.core.run_statistics import run_statistics
from simorc.core.stopping import Precision, StopRule, farthest, rounds
from simorc.core.sweep import SAMPLE_COLUMNS
from simorc.executors.local import Execution
from simorc.workspace.gather import Gathered


class Stop(Struct, frozen=True):
    """Why a run needs no further samples; `said` is the sentence for people."""

    samples: int
    round: int
    spared: int
    said: str


class Rounds(Struct, frozen=True):
    """The rounds of one run: cumulative `sizes` in samples of each point, and the number of every case's sample."""

    plan: Plan
    rule: StopRule
    sizes: tuple[int, ...]
    sample: Sequence[int]
    gathered: Gathered

    def below(self, size: int) -> list[int]:
        """The ids of the cases whose samples belong to the first ones."""
        return [case_id for case_id, number in enumerate(self.sample) if number < size]

    def look(self, size: int, records: Mapping[int, CaseRecord]) -> Precision | None:
        """What is farthest from being met after a round."""
        plan = self.plan
        cases = (self.gathered.cases[case_id] for case_id in self.below(size))
        measures = [m for m in measures_found(plan.measures, records.values()) if plan.target in m.targets]
        rows = run_statistics(plan.sweep, measures, cases, records, plan.confidence)
        return farthest(self.rule, rows, plan.confidence)


def rounds_of(gathered: Gathered, options: RunOptions) -> Rounds | None:
    """The rounds of a run; None where it has no rule, or somebody said what is to run."""
    plan = gathered.plan
    if plan.stop_when is None or options.goes_on or options.case is not None or options.sample is not None:
        return None
    numbers = array("I", (int(case.parameters[SAMPLE_COLUMNS[0]]) for case in gathered.cases))
    return Rounds(plan, plan.stop_when, rounds(plan.sweep.samples), numbers, gathered)


def without_spared(due: Sequence[int], all_rounds: Rounds, stopped: Mapping[str, object]) -> Sequence[int]:
    """What is due of a run that stopped early: the cases of its rounds alone."""
    samples = stopped.get("samples")
    most = samples if isinstance(samples, int) else all_rounds.sizes[-1]
    return [case_id for case_id in due if all_rounds.sample[case_id] < most]


def execute_rounds(
    sessions: Sessions,
    all_rounds: Rounds,
    due: Sequence[int],
    check: int | None,
    settle: Callable[[], Mapping[int, CaseRecord] | None],
) -> tuple[Execution | None, Stop | None]:
    """Execute what is due round by round until the rule is met, something stops the run, or all is done.

    Parameters
    ----------
    check: the case that is simulated twice
    settle: called after each round; gives the records where they changed since
    """
    sizes, execution, before = all_rounds.sizes, None, 0
    for number, size in enumerate(sizes, 1):
        part = [case_id for case_id in due if before <= all_rounds.sample[case_id] < size]
        before = size
        if part:
            execution = sessions.execute(part, check if check in part else None)
            if sessions.is_over(execution):
                return execution, None
        if number == len(sizes):
            break
        records = settle() or sessions.known
        left = all_rounds.look(size, records)
        said = f"round {number} of {len(sizes)}, {size} samples: {left}"
        if left is not None and left.is_met:
            spared = sum(
                status_of(records.get(case_id)) is Status.PENDING
                for case_id, sample in enumerate(all_rounds.sample)
                if sample >= size
            )
            return execution, Stop(size, number, spared, said)
        print(said, file=sys.stderr)
    return execution, None


def stop_entry(job: Job, stop: Stop, time: str) -> dict[str, object]:
    """What run.json says of an early stop: the rule, the moment, and what the rule saw."""
    rule = job.before.plan.stop_when
    wanted = {key: value for key, value in msgspec.to_builtins(rule).items() if value} if rule else {}
    return {
        "rule": wanted,
        "time": time,
        "round": stop.round,
        "rounds": len(rounds(job.before.plan.sweep.samples)),
        "samples": stop.samples,
        "spared": stop.spared,
        "reached": stop.said,
        "confidence": job.before.plan.confidence,
    }
