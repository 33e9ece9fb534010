"""Pure: a few cases that stand for many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import heappop, heapreplace

from simorc.core.case import Case

_MOST_CANDIDATES = 2_000


def spread(cases: Sequence[Case], wanted: int) -> list[Case]:
    """Cases spread over the axes: every value of every parameter comes up about equally often.

    Greedy: each step takes the case whose values were taken least so far. Deterministic, in the cases' own order.
    """
    if wanted >= len(cases):
        return list(cases)
    if wanted > _MOST_CANDIDATES // 4:  # so many that an even stride meets every value
        return [cases[i * len(cases) // wanted] for i in range(wanted)]
    pairs = {case.case_id: tuple(case.conditions.items()) for case in _candidates(cases)}
    by_id = {case.case_id: case for case in cases}
    taken: Counter[tuple[str, object]] = Counter()
    chosen: list[int] = []
    # How often a case's values were taken only grows: whose number has not grown since it came to the top is the least.
    waiting = sorted((0, case_id) for case_id in pairs)
    while len(chosen) < wanted and waiting:
        known, case_id = waiting[0]
        number = sum(map(taken.__getitem__, pairs[case_id]))
        if number > known:
            heapreplace(waiting, (number, case_id))
            continue
        heappop(waiting)
        chosen.append(case_id)
        taken.update(pairs[case_id])
    return [by_id[case_id] for case_id in sorted(chosen)]


def representatives(cases: Sequence[Case]) -> list[Case]:
    """The first case in which each value of each parameter, and each combination of texts, comes up."""
    seen: set[object] = set()
    found: list[Case] = []
    for case in cases:
        conditions = case.conditions
        keys: set[object] = {pair for pair in conditions.items() if pair[0] not in ("seed", "mc_sample")}
        keys.add(tuple(pair for pair in conditions.items() if isinstance(pair[1], str)))
        if not keys <= seen:
            seen |= keys
            found.append(case)
    return found


def _candidates(cases: Sequence[Case]) -> list[Case]:
    """At most about 2,000 cases at an even stride, and one for every value of every parameter."""
    stride = max(1, len(cases) // _MOST_CANDIDATES)
    chosen = {case.case_id: case for case in [*cases[::stride], *representatives(cases)]}
    return list(chosen.values())
