"""Long runs: one pytest session after the other, blocks of cases, packed records. Without a simulator."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import time

import pytest

pytestmark = pytest.mark.req("SIM-13", "SIM-14", "SIM-15")
CASES = 120
PARTS = "* stub\n* meas y = {{ parameters.a * 10 }}\n"


@pytest.fixture
def long_run(project):
    """120 cases of the stub simulator, 30 a session; what the template does with a case is the test's matter."""

    def build(special="", *, run_id="long"):
        project.environment = {"SIMORC_SHARD": "30"}
        project.write("sim_setup.yaml", "testbenches: {s: ./s}\nsimulator: {name: stub}\nsweeps: {long: ./long.yaml}\n")
        project.write("long.yaml", f"testbench: s\nparameters: {{a: {{start: 0, stop: {CASES - 1}, num: {CASES}}}}}\n")
        project.write("s/s.spice.j2", f"{PARTS}{special}\n.end\n")
        project.write(
            "s/config.yaml", "template: ./s.spice.j2\nparameters: {a: 0}\nmeasures: {y: {unit: V, spec: {max: 1190}}}\n"
        )
        return project.build("long", "--run-id", run_id)

    return build


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def assert_complete(run):
    assert [row["status"] for row in table(run / "metadata.csv")] == ["completed"] * CASES
    assert [float(row["y"]) for row in table(run / "results.csv")] == [10.0 * k for k in range(CASES)]


def own_files(run):
    return sorted(path.name for path in (run / ".status").glob("case_*.json"))


def test_a_run_over_several_sessions_ends_packed_and_is_read_back_everywhere(project, long_run):
    run = long_run()
    done = project.simorc("run", "long", "-n", "2")
    assert f"long: DONE: {CASES}/{CASES} completed" in done.stdout or "PASS" in done.stdout
    assert_complete(run)
    assert own_files(run) == []
    assert (run / ".status" / "pytest.log").read_text().count("test session starts") == 4
    (state,) = json.loads(project.simorc("status", "long", "--json").stdout)
    assert (state["completed"], state["pending"], state["in_progress"]) == (CASES, 0, 0)
    assert "nothing to run" in project.simorc("run", "long").stdout
    project.simorc("plot", "long")
    assert "119" in (run / "report" / "index.html").read_text()
    project.simorc("judge", "long")


@pytest.mark.slow
def test_a_packed_case_that_runs_again_goes_to_the_history(project, long_run):
    run = long_run()
    project.simorc("run", "long", "-n", "2")
    project.simorc("run", "long", "--case", "7")
    former = json.loads((run / ".status" / "history" / "case_7.1.json").read_text())
    assert (former["case_id"], former["attempt"]) == (7, 1)
    assert json.loads((run / ".status" / "case_7.json").read_text())["attempt"] == 2
    assert_complete(run)


def test_kill_9_and_resume_repeat_nothing(project, long_run):
    run = long_run("* sleep 0.01")
    rng = random.Random(1)
    for _ in range(3):
        command = project.start("run", "long", "-n", "2")
        time.sleep(rng.uniform(0.8, 2.5))
        os.kill(command.pid, signal.SIGKILL)
        command.communicate(timeout=60)
    project.simorc("run", "long", "-n", "2")
    assert_complete(run)
    assert not list((run / ".status").glob("history/*")), "a completed case was started again"


def test_a_worker_that_dies_costs_its_own_case_alone(project, long_run):
    run = long_run("{% if parameters.a == 41 %}* die{% endif %}")
    project.simorc("run", "long", "-n", "2", code=1)
    rows = table(run / "metadata.csv")
    assert [row["case_id"] for row in rows if row["status"] != "completed"] == ["41"]
    assert rows[41]["status"] == "failed"
    assert "died twice" in rows[41]["error_message"]


def test_max_fail_ends_all_sessions(project, long_run):
    run = long_run("{% if parameters.a > 35 %}* fail killed{% endif %}")
    done = project.simorc("run", "long", "-n", "2", "--max-fail", "3", code=1)
    assert "failed" in done.stdout
    statuses = [row["status"] for row in table(run / "metadata.csv")]
    assert 3 <= statuses.count("failed") < 30
    assert statuses[60:] == ["pending"] * 60


@pytest.mark.slow
def test_a_first_ctrl_c_ends_all_sessions_and_nothing_is_lost(project, long_run):
    run = long_run("* sleep 0.05")
    command = project.start("run", "long", "-n", "2")
    deadline = time.monotonic() + 60
    while not own_files(run) and time.monotonic() < deadline:
        time.sleep(0.02)
    command.send_signal(signal.SIGINT)
    _, errors = command.communicate(timeout=60)
    assert command.returncode == 130
    assert "go on with: simorc run long" in errors
    statuses = [row["status"] for row in table(run / "metadata.csv")]
    assert set(statuses) == {"completed", "pending"}
    project.simorc("run", "long", "-n", "2")
    assert_complete(run)


def test_a_conftest_beside_the_module_is_heard(project, long_run):
    run = long_run()
    (run / "conftest.py").write_text("def pytest_simorc_cases(cases):\n    del cases[3:]\n")
    project.simorc("run", "long", "-n", "2", code=None)
    assert [row["status"] for row in table(run / "metadata.csv")].count("completed") == 3


@pytest.mark.slow
def test_keep_none_leaves_nothing_in_results(project, long_run):
    run = long_run()
    setup = project.folder / "sim_setup.yaml"
    setup.write_text(setup.read_text().replace("{name: stub}", "{name: stub, keep: none}"))
    run = project.build("long", "--run-id", "bare")
    project.simorc("run", "bare", "-n", "2")
    assert_complete(run)
    assert list((run / "results").iterdir()) == []
