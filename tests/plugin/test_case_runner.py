"""What the executing of a case promises besides its result: seeds, repeatability, retries, kept files."""

from __future__ import annotations

import errno
import json

import pytest
from msgspec import structs

from simorc.core.case import Case
from simorc.core.errors import RunDirectoryError
from simorc.core.measurement import Measure
from simorc.core.record import Status
from simorc.core.sweep import Sweep, monte_carlo_axis
from simorc.plugin import case_runner
from simorc.plugin.case_runner import CaseRunner
from simorc.workspace.plan_file import read_plan
from simorc.workspace.status_store import read_record

SEEDED = "* stub\n* meas y = {{ case.seed }}\n.end\n"


class Hooks:
    """Takes every hook and does nothing."""

    def __getattr__(self, name):
        return lambda **arguments: None


def runner_of(run, **changes):
    plan = structs.replace(read_plan(run), **changes)
    return CaseRunner(run, plan, "main:1", Hooks())


def test_results_that_depend_on_the_seed_without_a_seed_axis_are_warned_of(make_run):
    run = make_run((1,), template=SEEDED, measures=(Measure("y"),))
    record = runner_of(run).execute(Case(0, {"a": 1}, ("a",), 1), check=True)
    assert record.status is Status.COMPLETED
    assert "different results with two seeds" in record.warnings[0]
    assert record.value("y") == 1
    assert [path.name for path in run.results.iterdir()] == ["0"]


def test_repeatable_results_are_not_warned_of(make_run):
    run = make_run((1,))
    assert runner_of(run).execute(Case(0, {"a": 1}, ("a",), 1), check=True).warnings == ()


def test_a_seed_axis_may_draw_but_must_repeat(make_run):
    run = make_run((1,), template=SEEDED, measures=(Measure("y"),))
    sweep = Sweep("sweep", (monte_carlo_axis(2, 1),), {"a": 1})
    case = next(sweep.cases())
    record = runner_of(run, sweep=sweep).execute(case, check=True)
    assert record.warnings == ()
    assert record.value("y") == case.seed == record.seed


RETRIES = ({"gmin": "1e-10"}, {"method": "gear"})


def test_non_convergence_is_tried_with_other_options_and_recorded(make_run):
    run = make_run((1,), template="* stub\n* fail no_convergence\n.end\n", retries=RETRIES)
    record = runner_of(run).execute(Case(0, {"a": 1}, ("a",), 1))
    assert record.status is Status.FAILED
    assert [dict(options) for options in record.retries] == [dict(options) for options in RETRIES]
    events = [json.loads(line) for line in run.events.read_text().splitlines()]
    assert [(event["kind"], event["data"]["options"]) for event in events] == [
        ("retry", dict(RETRIES[0])),
        ("retry", dict(RETRIES[1])),
    ]


def test_other_failures_are_not_retried(make_run):
    run = make_run((1,), template="* stub\n* fail missing_model\n.end\n", retries=RETRIES)
    assert runner_of(run).execute(Case(0, {"a": 1}, ("a",), 1)).retries == ()


@pytest.mark.parametrize(("keep", "kept"), [("all", [0, 1]), ("failed", [1]), ("none", [])])
def test_keep(make_run, keep, kept):
    template = "* stub\n{% if parameters.a == 2 %}* fail timestep{% endif %}\n* meas y = 1\n.end\n"
    run = make_run((1, 2), template=template, keep=keep)
    runner = runner_of(run)
    for case_id in (0, 1):
        runner.execute(Case(case_id, {"a": case_id + 1}, ("a",), 1))
    assert sorted(int(path.name) for path in run.results.iterdir()) == kept


def test_a_full_disk_fails_the_case_and_says_so(make_run, monkeypatch):
    run = make_run((1,))
    runner = runner_of(run)

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(runner.target.simulator, "run", full)
    record = runner.execute(Case(0, {"a": 1}, ("a",), 1))
    assert (record.status, record.error_kind) == (Status.FAILED, "disk_full")
    assert read_record(run, 0) == record


def test_what_cannot_be_recorded_is_no_silent_success(make_run, monkeypatch):
    run = make_run((1,))
    monkeypatch.setattr(case_runner, "write_record", lambda *_: (_ for _ in ()).throw(RunDirectoryError("full")))
    with pytest.raises(RunDirectoryError):
        runner_of(run).execute(Case(0, {"a": 1}, ("a",), 1))
    assert read_record(run, 0) is None


def test_a_template_that_fails_for_one_case_only(make_run, statuses, pytester):
    template = "* stub\n* meas y = {{ 1 // (parameters.a - 2) }}\n.end\n"
    run = make_run((1, 2, 3), template=template)
    pytester.runpytest_subprocess(str(run.path))
    record = statuses(run)[1]
    assert (record["status"], record["error_kind"]) == ("failed", "template")
    assert "deck.spice.j2:2" in record["error_message"]
    assert [statuses(run)[k]["status"] for k in (0, 2)] == ["completed", "completed"]
