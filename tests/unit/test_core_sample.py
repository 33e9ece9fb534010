"""A few cases that stand for many: the greedy choice, against the same said in the plainest way."""

from __future__ import annotations

import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from simorc.core.case import Case
from simorc.core.sample import spread


def plainly(cases: list[Case], wanted: int) -> list[int]:
    """Each step looks at all cases for the one whose values were taken least."""
    left = {case.case_id: list(case.conditions.items()) for case in cases}
    taken: Counter[tuple[str, object]] = Counter()
    chosen = []
    for _ in range(wanted):
        best = min(left, key=lambda case_id: (sum(taken[pair] for pair in left[case_id]), case_id))
        taken.update(left.pop(best))
        chosen.append(best)
    return sorted(chosen)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.integers(1, 12), st.integers(2, 5))
def test_each_step_takes_the_case_whose_values_were_taken_least(axes: list[int], wanted: int, gap: int) -> None:
    names = tuple("abc"[: len(axes)])
    points = itertools.product(*map(range, axes))
    cases = [Case(k, dict(zip(names, point, strict=True)), names) for k, point in enumerate(points) if k % gap]
    if wanted < len(cases):
        assert [case.case_id for case in spread(cases, wanted)] == plainly(cases, wanted)
    else:
        assert spread(cases, wanted) == cases
