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

    def _split_scope(self, nodeid: str) -> str:
        return self._groups.get(case_of(nodeid), nodeid)


def group_scheduling(config: pytest.Config, log: Any, run: RunDirectory) -> GroupScheduling:
    """The distribution of one run."""
    config.option.loadscopereorder = False
    plan = read_plan(run)
    target = make_target(run, plan)
    return GroupScheduling(config, log, {row.case.case_id: target.group(row.case) for row in read_metadata(run, plan)})
