"""The worst cases of a run as named corners of another sweep. Without a simulator."""

from __future__ import annotations

import csv

import pytest

TEMPLATE = """* stub
* meas vos = {{ (case.seed % 1000) * 1e-6 * parameters.temp * (2 if parameters.corner == "ff" else 1) }}
* meas iq = {{ parameters.load * 100 / parameters.temp }}
.end
"""
CONFIG = """
template: ./s.spice.j2
parameters: {temp: 27, corner: tt, load: 10u}
measures: {vos: {unit: V, spec: {max: 1}}, iq: {unit: A, spec: {max: 1}}}
"""


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.req("SIM-05", "SIM-16")
def test_the_worst_case_of_each_measure_is_a_corner_that_another_sweep_runs(project):
    project.write(
        "sim_setup.yaml",
        "testbenches: {s: ./s}\nsimulator: {name: stub}\nsweeps: {mc: ./mc.yaml, again: ./again.yaml}\n",
    )
    project.write("s/config.yaml", CONFIG)
    project.write("s/s.spice.j2", TEMPLATE)
    axes = "parameters: {corner: [tt, ff], temp: [27, 85], load: [1u, 20u]}"
    project.write("mc.yaml", f"testbench: s\n{axes}\nmonte_carlo: {{samples: 3, seed: 4}}\n")
    project.write("again.yaml", "testbench: s\ncorners: ./simulations/mc/report/corners.yaml\n")
    assert "corners.yaml', where there is no file" in project.simorc("build", "mc", code=2).stderr
    project.write("again.yaml", "testbench: s\n")
    run = project.build("mc", "--run-id", "mc")
    project.simorc("run", "mc", "-n", "1")
    project.simorc("plot", "mc")
    assert "corners.yaml" in (run / "report" / "index.html").read_text()

    project.write("again.yaml", "testbench: s\ncorners: ./simulations/mc/report/corners.yaml\n")
    again = project.build("again", "--run-id", "again")
    project.simorc("run", "again", "-n", "1")
    before, (iq, vos) = table(run / "results.csv"), sorted(table(again / "results.csv"), key=lambda r: r["corner_name"])
    assert (iq["corner_name"], vos["corner_name"]) == ("iq_worst", "vos_worst")
    assert float(vos["vos"]) == max(float(row["vos"]) for row in before)
    assert float(iq["iq"]) == max(float(row["iq"]) for row in before)
    assert (vos["corner"], vos["temp"], iq["load"]) == ("ff", "85", "20u")
    assert vos["seed"] in {row["seed"] for row in before}
