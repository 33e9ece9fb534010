"""Distribution of a bench run's cases: a group, which is a temperature, stays in one worker, and groups stay in order.

xdist's own `loadgroup` marks groups in the ids of tests, which pytest 9.2 no longer lets it change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from simorc.plugin.case_name import case_of
from simorc.plugin.target import make_target
from simorc.workspace.layout import RunDirectory
from simorc.workspace.metadata import read_metadata
from simorc.workspace.plan_file import read_plan


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """As xdist's distribution by scope, where a scope is the group of a test's case.

    Parameters
    ----------
    groups: case id -> group
    """

    def __init__(self, config: pytest.Config, log: Any, groups: Mapping[int, str]) -> None:
        super().__init__(config, log)
        self._groups = groups

    def remove_node(self, node: Any) -> str | None:
        """A worker has gone: what is left of its groups comes next, without the case that it died of.

        xdist's own way gives that case to the next worker, and stands still once a group was complete.
        """
        workload = self.assigned_work.pop(node)
        left = [test for unit in workload.values() for test, done in unit.items() if not done]
        if not left:
            return None
        for unit in workload.values():
            unit.pop(left[0], None)
        for scope in reversed(list(workload)):
            if not all(workload[scope].values()):
                self.workqueue[scope] = workload[scope]
                self.workqueue.move_to_end(scope, last=False)
        for other in self.assigned_work:
            self._reschedule(other)
        return str(left[0])

    def schedule(self) -> None:
        """As xdist does, and a worker is never left with a single test.

        A worker begins its last test only when it hears of a further one, or that there is none. xdist sees to that at
        the start, but not for a worker that takes the place of another.
        """
        super().schedule()
        for node in self.nodes:
            while self._is_ready(node) and self._pending_of(self.assigned_work[node]) < 2:
                self._reschedule(node)

    def _reschedule(self, node: Any) -> None:
        """Nothing for a worker that has not said yet which tests it found."""
        if self._is_ready(node):
            super()._reschedule(node)

    def _is_ready(self, node: Any) -> bool:
        return node in self.registered_collections and not node.shutting_down

    def _split_scope(self, nodeid: str) -> str:
        return self._groups.get(case_of(nodeid), nodeid)


def group_scheduling(config: pytest.Config, log: Any, run: RunDirectory) -> GroupScheduling:
    """The distribution of one run."""
    config.option.loadscopereorder = False
    plan = read_plan(run)
    target = make_target(run, plan)
    return GroupScheduling(config, log, {row.case.case_id: target.group(row.case) for row in read_metadata(run, plan)})
