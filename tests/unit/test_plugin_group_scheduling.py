"""Cases of a bench over workers that come and go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from simorc.plugin.group_scheduling import GroupScheduling

GROUPS = {0: "-40", 1: "-40", 2: "27", 3: "27", 4: "85", 5: "85"}
TESTS = [f"test_run.py::test_case[case_{number}]" for number in GROUPS]


class Worker:
    """A worker that, as xdist's, begins its last test only when it hears of a further one or of the end."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.sent: list[int] = []
        self.shutting_down = False

    def send_runtest_some(self, indices: list[int]) -> None:
        self.sent += indices

    def shutdown(self) -> None:
        self.shutting_down = True

    @property
    def may_begin(self) -> int:
        return len(self.sent) if self.shutting_down else len(self.sent) - 1


@pytest.fixture
def scheduling(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("simorc.plugin.group_scheduling.case_of", lambda test: TESTS.index(test))

    def make(workers: int) -> GroupScheduling:
        option = SimpleNamespace(loadscopereorder=False, tx=["popen"] * workers)
        config = SimpleNamespace(option=option, getvalue=lambda name: getattr(option, name))
        return GroupScheduling(config, None, GROUPS)  # type: ignore[arg-type]

    return make


def joins(scheduling: GroupScheduling, worker: Worker) -> None:
    """A worker starts, and has found the tests."""
    scheduling.add_node(worker)
    scheduling.add_node_collection(worker, TESTS)
    if scheduling.collection_is_completed:
        scheduling.schedule()


def works(scheduling: GroupScheduling, worker: Worker, done: int) -> int:
    """It completes tests as long as it may begin them; how many it has completed."""
    while done < worker.may_begin:
        scheduling.mark_test_complete(worker, worker.sent[done])
        done += 1
    return done


@pytest.mark.req("DVT-11")
@pytest.mark.parametrize("dies_in", range(len(TESTS)))
def test_wherever_a_worker_dies_the_next_one_goes_on_to_the_end(scheduling: Any, dies_in: int) -> None:
    distribution, first, second = scheduling(1), Worker("gw0"), Worker("gw1")
    joins(distribution, first)
    for done in range(dies_in):
        assert done < first.may_begin
        distribution.mark_test_complete(first, first.sent[done])
    assert distribution.remove_node(first) == TESTS[dies_in]
    joins(distribution, second)
    assert works(distribution, second, 0) == len(second.sent)
    assert second.sent == list(range(dies_in + 1, len(TESTS)))  # in order, without the case that it died of
    assert second.shutting_down


@pytest.mark.req("DVT-11")
def test_a_temperature_stays_in_one_worker(scheduling: Any) -> None:
    distribution, workers = scheduling(2), [Worker("gw0"), Worker("gw1")]
    for worker in workers:
        joins(distribution, worker)
    done = [0, 0]
    for _ in TESTS:
        done = [works(distribution, worker, count) for worker, count in zip(workers, done, strict=True)]
    assert sorted(workers[0].sent + workers[1].sent) == list(range(len(TESTS)))
    temperatures = [{GROUPS[index] for index in worker.sent} for worker in workers]
    assert not temperatures[0] & temperatures[1]


@pytest.mark.req("DVT-11")
def test_two_workers_that_die_at_once_are_both_replaced(scheduling: Any) -> None:
    distribution, workers = scheduling(2), [Worker(f"gw{number}") for number in range(4)]
    for worker in workers[:2]:
        joins(distribution, worker)
    died = [distribution.remove_node(workers[0])]
    distribution.add_node(workers[2])  # it has not found the tests yet
    died.append(distribution.remove_node(workers[1]))
    distribution.add_node_collection(workers[2], TESTS)
    distribution.schedule()
    joins(distribution, workers[3])
    done = [0, 0]
    for _ in TESTS:
        done = [works(distribution, worker, count) for worker, count in zip(workers[2:], done, strict=True)]
    finished = {TESTS[index] for worker in workers[2:] for index in worker.sent}
    assert finished == set(TESTS) - set(died)
