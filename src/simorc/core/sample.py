"""Pure: a few cases that stand for many."""

from __future__ import annotations

from collections.abc import Sequence

from simorc.core.case import Case
from simorc.core.units import Value

_MOST_CANDIDATES = 2_000
_DRAWN = ("seed", "mc_sample")


def spread(cases: Sequence[Case], wanted: int) -> list[Case]:
    """Cases spread over the axes: every value of every parameter comes up about equally often.

    Greedy: each step takes the case whose values were taken least so far. Deterministic, in the cases' own order.
    """
    if wanted >= len(cases):
        return list(cases)
    if wanted > _MOST_CANDIDATES // 4:  # so many that an even stride meets every value
        return [cases[i * len(cases) // wanted] for i in range(wanted)]
    import numpy as np  # whoever only builds runs does without

    candidates = _candidates(cases)
    taken = np.zeros(len(candidates))
    alike = [np.array(_numbered([case.parameters[name] for case in candidates])) for name in cases[0].swept]
    chosen: list[Case] = []
    while len(chosen) < min(wanted, len(candidates)):
        least = int(np.argmin(taken))  # of several the first
        chosen.append(candidates[least])
        for numbers in alike:
            taken += numbers == numbers[least]
        taken[least] = np.inf
    return sorted(chosen, key=lambda case: case.case_id)


def representatives(cases: Sequence[Case]) -> list[Case]:
    """The first case in which each value of each parameter, and each combination of texts, comes up."""
    seen: set[tuple[str, Value]] = set()
    texts_seen: set[tuple[tuple[str, Value], ...]] = set()
    found: list[Case] = []
    for case in cases:
        pairs = [(name, case.parameters[name]) for name in case.swept if name not in _DRAWN]
        texts = tuple([pair for pair in pairs if isinstance(pair[1], str)])
        if texts not in texts_seen or not seen.issuperset(pairs):
            seen.update(pairs)
            texts_seen.add(texts)
            found.append(case)
    return found


def _candidates(cases: Sequence[Case]) -> list[Case]:
    """At most about 2,000 cases at an even stride, and one for every value of every parameter, in their order."""
    stride = max(1, len(cases) // _MOST_CANDIDATES)
    chosen = {case.case_id: case for case in [*cases[::stride], *representatives(cases)]}
    return [chosen[case_id] for case_id in sorted(chosen)]


def _numbered(values: Sequence[Value]) -> list[int]:
    """The same number for the same value."""
    numbers: dict[Value, int] = {}
    return [numbers.setdefault(value, len(numbers)) for value in values]
