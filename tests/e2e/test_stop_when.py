"""Monte Carlo runs that stop when their samples are enough. Without a simulator."""

from __future__ import annotations

import csv
import json

import pytest

pytestmark = pytest.mark.req("SIM-15")
SAMPLES = 100
SEEDED = "((case.seed % 2001) - 1000) / 1000"


@pytest.fixture
def monte_carlo(project):
    """100 samples at two temperatures, spread evenly from -1 to 1 V."""

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
    run = monte_carlo("stop_when: {sigma: 40%}")
    done = project.simorc("run", "mc", "-n", "1")
    # At 98.33 % (a third of 5 % for each of three looks) the interval of sigma reaches 40 % with 35 samples or more.
    assert_stopped_after(run, 50)
    assert "mc: PASS: 100/200 completed" in done.stdout
    assert "stopped early, round 2 of 3, 50 samples: sigma of vos at temp=" in done.stdout
    assert "simorc run mc --continue" in done.stdout
    assert (
        "yield: 100 % (90.8 to 100 %) with 98.33 % confidence, the lowest of 2 points" in done.stdout
    )  # 0.00833 ** (1 / 50)
    assert done.stderr.count("wanted ±40 %") == 1  # after each earlier round

    written = manifest(run)
    assert written["ended"] == "stopped_early"
    stopped = written["stopped_early"]
    assert (stopped["rule"], stopped["round"], stopped["rounds"]) == ({"sigma": 0.4}, 2, 3)
    assert (stopped["samples"], stopped["spared"], stopped["confidence"]) == (50, 100, pytest.approx(1 - 0.05 / 3))
    assert stopped["time"] <= written["executions"][0]["finished"]
    assert written["executions"][0]["cases"] == "0-49,100-149"
    assert "100/200 completed (50.0%), stopped early" in project.simorc("status", "mc").stdout
    assert (run / ".status" / "pytest.log").read_text().count("test session starts") == 2  # a round a session

    again = project.simorc("run", "mc")  # what was spared is not due
    assert "nothing to run" in again.stdout
    assert_stopped_after(run, 50)
    page = (run / "report" / "index.html") if project.simorc("plot", "mc") else None
    assert "Stopped early, round 2 of 3" in page.read_text()
    assert "100 cases spared" in page.read_text()
    assert "at least 98.33 %" in page.read_text()

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
    run = monte_carlo("stop_when: {yield_ci: 0.2}")
    project.simorc("run", "mc", "--case", "99", "-n", "1")
    assert [sample for sample, status in statuses(run) if status == "completed"] == [99]
    project.simorc("run", "mc", "-n", "1")  # met after the first round; 99 counts no more than it did before
    finished = [sample for sample, status in statuses(run) if status == "completed"]
    assert finished == [*range(25), 99, *range(25)]
    assert manifest(run)["stopped_early"]["spared"] == 200 - 51

    config = "template: ./s.spice.j2\nparameters: {temp: 27}\nmeasures: {vos: {unit: V, spec: {max: 0}}}\n"
    project.write("s/config.yaml", config)
    told = project.simorc("judge", "mc", code=1).stderr  # half of the samples are out now: far from known to 20 points
    assert "no longer precise enough: yield at temp=" in told
    assert "wanted ±20 %; simorc run mc --continue" in told
