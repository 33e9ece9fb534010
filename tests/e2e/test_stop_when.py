"""Monte Carlo runs that stop when their samples are enough. Without a simulator."""

from __future__ import annotations

import csv
import json

import pytest

pytestmark = pytest.mark.req("SIM-15")
SAMPLES = 200
SEEDED = "((case.seed % 2001) - 1000) / 1000"


@pytest.fixture
def monte_carlo(project):
    """200 samples at two temperatures, spread evenly from -1 to 1 V."""

    def build(rule, *, vos=SEEDED, run_id="mc"):
        project.write("sim_setup.yaml", "testbenches: {s: ./s}\nsimulator: {name: stub}\nsweeps: {mc: ./mc.yaml}\n")
        project.write(
            "mc.yaml",
            f"testbench: s\nparameters: {{temp: [27, 85]}}\nmonte_carlo: {{samples: {SAMPLES}, seed: 1}}\n{rule}\n",
        )
        project.write("s/s.spice.j2", f"* stub\n* meas vos = {{{{ {vos} }}}}\n{{{{ parameters.temp }}}}\n.end\n")
        config = "template: ./s.spice.j2\nparameters: {temp: 27}\nmeasures: {vos: {unit: V, spec: {min: -1, max: 1}}}\n"
        project.write("s/config.yaml", config)
        return project.build("mc", "--run-id", run_id)

    return build


def statuses(run):
    """The statuses of the cases by the number of their sample."""
    with (run / "metadata.csv").open() as file:
        return [(int(row["mc_sample"]), row["status"]) for row in csv.DictReader(file)]


def manifest(run):
    return json.loads((run / "run.json").read_text())


def assert_stopped_after(run, samples):
    assert all((status == "completed") == (sample < samples) for sample, status in statuses(run))
    assert {status for _, status in statuses(run)} == {"completed", "pending"}


def test_a_run_stops_after_the_round_whose_interval_is_narrow_enough_and_goes_on_when_asked(project, monte_carlo):
    run = monte_carlo("stop_when: {sigma: 30%}")
    done = project.simorc("run", "mc", "-n", "1")
    # At 98.75 % (a quarter of 5 % for each of four looks) the interval of sigma reaches 30 % with 59 samples or more.
    assert_stopped_after(run, 100)
    assert "mc: PASS: 200/400 completed" in done.stdout
    assert "stopped early, round 3 of 4, 100 samples: sigma of vos at temp=" in done.stdout
    assert "simorc run mc --continue" in done.stdout
    assert "yield: 100 % (95.1 to 100 %), the lowest of 2 points" in done.stdout  # 0.00625 ** (1 / 100)
    assert done.stderr.count("wanted ±30 %") == 2  # after each earlier round

    written = manifest(run)
    assert written["ended"] == "stopped_early"
    stopped = written["stopped_early"]
    assert (stopped["rule"], stopped["round"], stopped["rounds"]) == ({"sigma": 0.3}, 3, 4)
    assert (stopped["samples"], stopped["spared"], stopped["confidence"]) == (100, 200, pytest.approx(0.9875))
    assert stopped["time"] <= written["executions"][0]["finished"]
    assert written["executions"][0]["cases"] == "0-99,200-299"
    assert "200/400 completed (50.0%), stopped early" in project.simorc("status", "mc").stdout
    assert (run / ".status" / "pytest.log").read_text().count("test session starts") == 3  # a round a session

    again = project.simorc("run", "mc")  # what was spared is not due
    assert "nothing to run" in again.stdout
    assert_stopped_after(run, 100)
    page = (run / "report" / "index.html") if project.simorc("plot", "mc") else None
    assert "Stopped early, round 3 of 4" in page.read_text()
    assert "200 cases spared" in page.read_text()
    assert "at least 98.75 %" in page.read_text()

    project.simorc("run", "mc", "--continue", "-n", "1")
    assert {status for _, status in statuses(run)} == {"completed"}
    assert manifest(run)["ended"] == "completed"
    assert manifest(run)["stopped_early"] is None


def test_every_point_has_to_be_precise_enough(project, monte_carlo):
    # At 85 degC half of the samples are out: that yield is known to 5 points with some 600 samples only.
    half = f"(2 if parameters.temp == 85 and case.seed % 2 else {SEEDED})"
    run = monte_carlo("stop_when: {yield_ci: 0.05}", vos=half)
    done = project.simorc("run", "mc", "-n", "1", code=1)
    assert {status for _, status in statuses(run)} == {"completed"}
    assert "yield at temp=85" in done.stderr
    assert manifest(run)["ended"] == "completed"
    assert manifest(run).get("stopped_early") is None


def test_cases_that_are_named_or_sampled_run_without_the_rule(project, monte_carlo):
    run = monte_carlo("stop_when: {sigma: 90%}")
    project.simorc("run", "mc", "--case", "199", "-n", "1")
    assert [sample for sample, status in statuses(run) if status == "completed"] == [199]
    project.simorc("run", "mc", "-n", "1")  # met after the first round; 199 counts no more than it did before
    finished = [sample for sample, status in statuses(run) if status == "completed"]
    assert finished == [*range(25), 199, *range(25)]
    assert manifest(run)["stopped_early"]["spared"] == 400 - 51


def test_continue_needs_a_rule(project, monte_carlo):
    monte_carlo("")
    done = project.simorc("run", "mc", "--continue", code=2)
    assert "has no `stop_when`" in done.stderr
