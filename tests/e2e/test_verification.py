"""Proof while running: results of the fast way against plain ngspice, as a person sees it."""

from __future__ import annotations

import json
import re
import time

import pytest

from simorc.core.sample import spread
from simorc.workspace.layout import RunDirectory
from simorc.workspace.metadata import read_metadata
from simorc.workspace.plan_file import read_plan

pytestmark = [pytest.mark.ngspice, pytest.mark.req("SIM-12")]
FAULT = """
from msgspec.structs import replace
from simorc.simulators.ngspice_session import NgspiceSession
good = NgspiceSession.run
def run(self, script, timeout_s):
    if "* odd" in script.netlist:
        script = replace(script, netlist=script.netlist.replace("r2 out 0 1k", "r2 out 0 1.1k"))
    return good(self, script, timeout_s)
NgspiceSession.run = run
"""
"""What a fault of the session would do: another resistor in some decks."""
BLIND = ('"r2 out 0 1k", "r2 out 0 1.1k"', '".meas dc vout", "*"')
"""In place of it: a measure is lost, so that the case fails."""


def said(project, run: str, *options: str) -> str:
    project.simorc("build", "divider", "--run-id", run)
    return project.simorc("run", run, "-n", "1", *options).stdout


def records(project, run: str) -> dict[int, dict[str, object]]:
    folder = project.folder / "simulations" / run / ".status"
    found = [json.loads(path.read_text()) for path in folder.glob("case_*.json")]
    return {record["case_id"]: record for record in found}


def test_one_result_is_compared_and_remembered_for_the_next_run(project):
    assert "fast way: 6 cases, 1 identical to plain ngspice on unpruned models" in said(project, "a")
    assert sum(record.get("verified") == "models" for record in records(project, "a").values()) == 1
    assert "fast way: 6 cases, compared before" in said(project, "b", "--no-cache")
    template = (project.folder / "tb/divider.spice.j2").read_text()
    project.write("tb/divider.spice.j2", template.replace(".end", "* changed\n.end"))
    assert "fast way: 6 cases, 1 identical" in said(project, "c")


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("all", "6 identical to plain ngspice on unpruned models"),
        ("50%", "3 identical to plain ngspice on unpruned models"),
        ("original", "1 identical to plain ngspice on the original decks"),
        ("none", "compared before"),
        ("0%", "1 identical to plain ngspice on unpruned models"),
    ],
)
def test_what_is_compared_can_be_chosen(project, option, expected):
    assert f"fast way: 6 cases, {expected}" in said(project, "a", "--verify", option)


@pytest.mark.slow
def test_all_is_all_also_where_an_earlier_comparison_holds(project):
    said(project, "a")
    assert "6 identical" in said(project, "b", "--no-cache", "--verify", "all")


@pytest.mark.parametrize("option", ["1", "101%", "most", "-1%", "%", "1e1%", ""])
def test_anything_else_is_refused_before_anything_runs(project, option):
    project.simorc("build", "divider", "--run-id", "a")
    refused = project.simorc("run", "a", f"--verify={option}", code=2)
    assert "--verify: found" in refused.stderr
    assert "all, none or original" in refused.stderr
    assert records(project, "a") == {}


def test_a_difference_ends_the_fast_way_and_what_it_touched_is_simulated_again(project):
    project.simorc("build", "divider", "--run-id", "probe")
    probe = RunDirectory(project.folder / "simulations" / "probe")
    cases = [row.case for row in read_metadata(probe, read_plan(probe))]
    odd = spread(cases, 3)[-1].case_id
    assert odd > 1
    template = (project.folder / "tb/divider.spice.j2").read_text()
    project.write(
        "tb/divider.spice.j2", template.replace(".end", f"{{% if case.id == {odd} %}}* odd{{% endif %}}\n.end")
    )
    project.write("faults/sitecustomize.py", FAULT)
    project.environment["PYTHONPATH"] = str(project.folder / "faults")
    out = said(project, "a", "--verify", "50%")
    assert re.search(
        rf"warning: the fast way gave another result than the slow one for case {odd}: measure vout is", out
    )
    assert re.search(r"simulated again the slow way: [\d,-]+", out)
    found = records(project, "a")
    assert len(found) == 6
    assert all(record["status"] == "completed" for record in found.values())
    unproven = [number for number, record in found.items() if record.get("fast") and not record.get("verified")]
    assert unproven == []
    events = (project.folder / "simulations" / "a" / "events.jsonl").read_text()
    assert '"kind": "mismatch"' in events
    deck = project.folder / "simulations" / "a" / "results" / "0" / "netlist.spice"
    assert "this run left the fast way" in project.simorc("doctor", "--deck", str(deck)).stdout
    project.simorc("run", "a", "--case", "0")
    assert "fast" not in records(project, "a")[0]
    assert "a" in project.simorc("plot", "a").stdout


def test_a_measure_that_fails_in_the_fast_way_alone_is_found_by_the_slow_way(project):
    project.write("faults/sitecustomize.py", FAULT.replace(*BLIND))
    project.environment["PYTHONPATH"] = str(project.folder / "faults")
    project.write(
        "tb/divider.spice.j2",
        (project.folder / "tb/divider.spice.j2")
        .read_text()
        .replace(".end", "{% if case.id > 1 %}* odd{% endif %}\n.end"),
    )
    out = said(project, "a", "--verify", "50%")
    assert "warning: the fast way gave another result than the slow one" in out
    found = records(project, "a")
    assert {record["status"] for record in found.values()} == {"completed"}


def test_doctor_tells_how_a_deck_runs(project):
    run = said(project, "a") and project.folder / "simulations" / "a"
    deck = run / "results" / "0" / "netlist.spice"
    assert project.simorc("doctor", "--deck", str(deck)).stdout == "runs in a long-lived ngspice: dc\n"
    model = project.write("m.inc", ".model d1 d is=1e-15\n.model d2 d\n")
    own = project.write("own.spice", "* t\n.include m.inc\nd1 a 0 d1\n.control\nop\n.endc\n.end\n")
    lines = project.simorc("doctor", "--deck", str(own)).stdout.splitlines()
    assert re.fullmatch(rf"{model}: 3\d bytes, pruned to 2\d", lines[0])
    assert "process of its own" in lines[1]
    lost = project.write("lost.spice", "* t\n.include nowhere.inc\n.op\n.end\n")
    assert "cannot read" in project.simorc("doctor", "--deck", str(lost)).stdout
    assert "cannot read" in project.simorc("doctor", "--deck", "nowhere.spice", code=2).stderr


@pytest.mark.parametrize("name", ["ngspice", "ngspice_plain"])
def test_both_ways_give_the_same_table(project, name):
    setup = project.folder / "sim_setup.yaml"
    setup.write_text(
        setup.read_text() + f"simulator: {{name: {name}}}\n" if "simulator" not in setup.read_text() else ""
    )
    out = said(project, "a")
    assert ("fast way" in out) is (name == "ngspice")
    table = (project.folder / "simulations" / "a" / "results.csv").read_text()
    assert "0.5" in table


@pytest.mark.slow
def test_a_model_file_that_changes_during_the_run_is_told(project):
    model = project.write("part.inc", ".subckt part a b\nr1 a b 1k\n.ends\n")
    template = (project.folder / "tb/divider.spice.j2").read_text()
    slow = ".tran 1n 400u\n.meas tran vout max v(out)\n.end"
    template = template.replace("r2 out 0 1k", f"x2 out 0 part\n.include {model}").partition(".dc")[0] + slow
    project.write("tb/divider.spice.j2", template)
    run = project.build()
    command = project.start("run", str(run), "-n", "1")
    for _ in range(600):
        if any((run / "results").glob("*")) or any((run / ".status").glob("case_*")):
            break
        time.sleep(0.05)
    model.write_text(".subckt part a b\nr1 a b 9k\n.ends\n")
    out, _ = command.communicate(timeout=120)
    assert command.returncode == 1
    assert re.search(r"warning: changed while the run went on: \S*part\.inc; which cases saw it cannot be told", out)
    assert "changed since the run was built" in project.simorc("run", str(run), code=2).stderr
    table = (run / "results.csv").read_text()
    assert "0.5" in table
