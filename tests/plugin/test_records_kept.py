"""A case that runs again keeps its former record until there is a new one."""

from __future__ import annotations

import pytest
from msgspec import structs

from simorc.core.case import Case
from simorc.core.errors import RunDirectoryError
from simorc.plugin import case_runner
from simorc.plugin.case_runner import CaseRunner
from simorc.workspace.plan_file import read_plan
from simorc.workspace.status_store import read_record

CASE = Case(0, {"a": 1}, ("a",), 1)


class Hooks:
    """Takes every hook and does nothing."""

    def __getattr__(self, name):
        return lambda **arguments: None


@pytest.mark.req("SIM-13", "SIM-15")
def test_a_record_stays_when_the_next_one_cannot_be_written(make_run, monkeypatch):
    run = make_run((1,))
    runner = CaseRunner(run, read_plan(run), "main:1", Hooks())
    first = runner.execute(CASE)
    with monkeypatch.context() as patch:
        patch.setattr(case_runner, "write_record", lambda *_: (_ for _ in ()).throw(RunDirectoryError("full")))
        with pytest.raises(RunDirectoryError):
            runner.execute(CASE, first)
    assert read_record(run, 0) == first
    second = runner.execute(CASE, first)
    assert second == structs.replace(second, attempt=2)
    assert [path.name for path in run.history.iterdir()] == ["case_0.1.json"]
