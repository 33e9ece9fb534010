"""The example sweep on the simulated bench, as a person runs it: order, soaks, resume, held cases, pause, faults."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import bench_project
import pytest

SLOW_CLOCK = "clock: rate\n  rate: 60\n  seed: 1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with the bench of this repository and a sweep of 12 cases."""
    made = tmp_path / "project"
    bench_project.write_project(made)
    return made


def simorc(folder: Path, *arguments: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "simorc", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=240,
        check=False,
    )
    assert code is None or done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def built(folder: Path, run_id: str = "r") -> Path:
    simorc(folder, "build", "small", "--run-id", run_id)
    return folder / "simulations" / run_id


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "simorc", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def events(run: Path, kind: str | None = None) -> list[dict[str, Any]]:
    path = run / "events.jsonl"
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [event for event in found if kind is None or event["kind"] == kind]


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "results.csv").open() as file:
        return list(csv.DictReader(file))


def record(run: Path, case_id: int) -> dict[str, Any]:
    return json.loads((run / ".status" / f"case_{case_id}.json").read_text())


def change_bench(folder: Path, old: str, new: str) -> None:
    path = folder / "benches" / "virtual.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def wait_for(condition: Any, command: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 100
    while not condition():
        assert command.poll() is None, command.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.req("DVT-11", "DVT-12")
def test_each_temperature_is_soaked_once_in_one_direction(folder: Path) -> None:
    bench_project.write_project(folder, "corner: [tt, ff]\n  vin: [4.0, 6.0]\n  temp: [125, -40, 27]")
    run = built(folder)
    said = simorc(folder, "run", "r", "-n", "1")
    assert "predicted:" in said.stderr
    assert "bench time:" in said.stdout
    assert [event["data"]["temperature"] for event in events(run, "settled")] == [-40, 27, 125]
    assert all(row["status"] == "completed" and row["verdict"] == "pass" for row in rows(run))
    manifest = json.loads((run / "run.json").read_text())
    assert [i["name"] for i in manifest["instruments"]] == list(bench_project.INSTRUMENTS)
    assert manifest["instruments"][0]["serial"].startswith("MY6")
    assert manifest["parts"][0]["serial"] == "A1-tt"
    assert "rth_jc" in manifest["parts"][0]["assumed"]
    spent = manifest["executions"][-1]["bench"]
    assert spent["left"] == "safe"
    assert spent["bench_s"] > 3 * 120
    for event in events(run, "settled"):
        assert event["sim_time_s"] > 0
        assert event["time"].startswith("20")


@pytest.mark.req("DVT-12")
def test_box_and_endpoint_tempco_come_out_and_differ(folder: Path) -> None:
    bench_project.write_project(folder, "corner: [tt]\n  vin: [5.0]\n  temp: [-40, 0, 27, 85, 125]")
    run = built(folder)
    simorc(folder, "run", "r")
    with (run / "aggregates.csv").open() as file:
        found = {row["name"]: row for row in csv.DictReader(file)}
    box, end = float(found["tempco_box"]["value"]), abs(float(found["tempco_endpoint"]["value"]))
    assert found["tempco_box"]["verdict"] == "pass"
    assert 5 < box < 25
    assert end < box / 2


@pytest.mark.slow
@pytest.mark.req("DVT-07")
def test_two_workers_own_a_bench_each_and_agree_with_one(folder: Path) -> None:
    one, two = built(folder, "one"), built(folder, "two")
    simorc(folder, "run", "one", "-n", "1")
    simorc(folder, "run", "two", "-n", "2")
    assert len(events(two, "settled")) == 2
    workers = {record(two, case_id)["worker"] for case_id in range(12)}
    assert len(workers) == 2
    for a, b in zip(rows(one), rows(two), strict=True):
        for name in ("vout", "iq", "load_reg"):
            assert float(a[name]) == pytest.approx(float(b[name]), abs=float(a[f"{name}_uncertainty"]) / 5)


@pytest.mark.req("DVT-11")
def test_a_case_leaves_its_transcript_and_readings(folder: Path) -> None:
    run = built(folder)
    simorc(folder, "run", "r", "--case", "3", "--dut", "LOT7-12", "--note", "first light")
    text = (run / "results" / "3" / "transcript.txt").read_text()
    assert "dmm > READ?" in text
    readings = json.loads((run / "results" / "3" / "readings.json").read_text())["readings"]
    assert readings["vout"]["uncertainty"] > 0
    assert "range 10 V" in readings["vout"]["source"]
    execution = json.loads((run / "run.json").read_text())["executions"][-1]
    assert (execution["dut"], execution["note"]) == ("LOT7-12", "first light")
    (vout,) = (m for m in record(run, 3)["measurements"] if m["name"] == "vout")
    assert vout["uncertainty"] == readings["vout"]["uncertainty"]


@pytest.mark.req("DVT-11")
def test_a_case_that_a_crash_left_half_way_is_held(folder: Path) -> None:
    change_bench(folder, "seed: 1", SLOW_CLOCK)
    run = built(folder)
    command = start(folder, "run", "r", "-n", "1")
    wait_for(lambda: events(run, "soak"), command)
    command.kill()
    command.communicate()
    (lost,) = (p for p in (run / ".status").glob("case_*.json") if '"in_progress"' in p.read_text())
    number = lost.stem.partition("_")[2]

    plan = run / "inputs" / "plan.json"
    plan.write_text(plan.read_text().replace('"clock": "rate"', '"clock": "autojump"'))
    said = simorc(folder, "run", "r", "-n", "1", "--accept-changed", code=1)
    assert f"held: case {number}" in said.stdout
    assert "--lost rerun" in said.stdout
    assert len([row for row in rows(run) if row["status"] == "completed"]) == 11
    before = lost.read_bytes()
    assert simorc(folder, "run", "r", code=1).stdout.count("held") == 1
    assert lost.read_bytes() == before, "a held case was begun again unasked"

    simorc(folder, "run", "r", "--lost", "rerun")
    assert [row["status"] for row in rows(run)] == ["completed"] * 12


@pytest.mark.slow
@pytest.mark.req("DVT-11")
def test_a_held_case_may_be_given_up(folder: Path) -> None:
    run = built(folder)
    simorc(folder, "run", "r", "--sample", "1")
    path = next((run / ".status").glob("case_*.json"))
    path.write_text(path.read_text().replace('"completed"', '"in_progress"'))
    simorc(folder, "run", "r", "--lost", "fail", code=1)
    given_up = json.loads(path.read_text())
    assert (given_up["status"], given_up["error_kind"]) == ("failed", "lost")


@pytest.mark.req("DVT-11")
def test_pause_and_continue_at_a_safe_point(folder: Path) -> None:
    change_bench(folder, "seed: 1", "clock: rate\n  rate: 300\n  seed: 1")
    run = built(folder)
    command = start(folder, "run", "r", "-n", "1")
    wait_for(lambda: events(run, "settled"), command)
    simorc(folder, "pause", "r")
    wait_for(lambda: events(run, "pause"), command)
    assert "paused" in simorc(folder, "status", "r").stdout
    done = {p.name for p in (run / ".status").glob("case_*.json") if '"completed"' in p.read_text()}
    time.sleep(1.0)
    assert {p.name for p in (run / ".status").glob("case_*.json") if '"completed"' in p.read_text()} == done
    (off,) = [event for event in events(run, "output") if event["data"] == {"on": False}][-1:]
    assert off["sim_time_s"] > 0
    simorc(folder, "continue", "r")
    command.communicate(timeout=200)
    assert command.returncode == 0
    assert len(events(run, "settled")) == 2, "a pause costs no further soak"


@pytest.mark.req("DVT-11")
def test_ctrl_c_ends_after_the_case_and_leaves_the_bench_safe(folder: Path) -> None:
    change_bench(folder, "seed: 1", "clock: rate\n  rate: 300\n  seed: 1")
    run = built(folder)
    command = start(folder, "run", "r", "-n", "1")
    wait_for(lambda: events(run, "settled"), command)
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=200)
    assert command.returncode == 130
    assert json.loads((run / ".status" / "bench.json").read_text())["state"] == "safe"
    assert events(run)[-1]["kind"] == "safe state"
    assert not [row for row in rows(run) if row["status"] == "in_progress"]


FAULTS = [
    ("sensor_open", "chamber", 60, "instrument"),
    ("soak_never_reached", "chamber", 0, "never_settled"),
    ("link_lost", "dmm", 400, "instrument"),
    ("drift", "dmm", 0, "never_settled"),
    ("over_temperature", "chamber", 300, "instrument"),
    ("stuck_output", "psu", 400, "instrument"),
    ("error_queue_full", "dmm", 100, "instrument"),
]


@pytest.mark.req("DVT-05", "DVT-11")
@pytest.mark.parametrize(("fault", "instrument", "after", "outcome"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_fault_leads_to_its_outcome(folder: Path, fault: str, instrument: str, after: int, outcome: str) -> None:
    wanted = f"faults: [{{fault: {fault}, instrument: {instrument}, after_s: {after}}}]\n  seed: 1"
    change_bench(folder, "seed: 1", wanted)
    run = built(folder)
    said = simorc(folder, "run", "r", "-n", "1", code=1)
    assert f"fault {fault} of {instrument}: led to {outcome}, as it has to" in said.stdout
    failed = [record(run, int(row["case_id"])) for row in rows(run) if row["status"] == "failed"]
    assert {case["error_kind"] for case in failed} == {outcome}
    assert not [row for row in rows(run) if row["status"] == "in_progress"]
    assert events(run, "safe state")


@pytest.mark.req("DVT-08")
def test_another_instrument_than_expected_opens_no_bench(folder: Path) -> None:
    change_bench(folder, "seed: 1", "faults: [{fault: wrong_idn, instrument: dmm}]\n  seed: 1")
    run = built(folder)
    said = simorc(folder, "run", "r", code=3)
    assert "dmm says 'ACME" in said.stderr
    assert "expected '34461A'" in said.stderr
    assert not list((run / ".status").glob("case_*.json"))


@pytest.mark.req("DVT-11")
def test_a_command_beyond_the_limits_fails_its_cases_alone(folder: Path) -> None:
    change_bench(folder, "voltage: 7", "voltage: 5.6")
    run = built(folder)
    simorc(folder, "run", "r", "-n", "1", code=1)
    failed = [row for row in rows(run) if row["status"] == "failed"]
    assert {row["vin"] for row in failed} == {"6.0"}
    assert "the bench's limit is 5.6 V" in record(run, int(failed[0]["case_id"]))["error_message"]
    assert len(rows(run)) - len(failed) == 8


@pytest.mark.req("DVT-11")
def test_a_procedure_that_raises_costs_its_case_and_says_where(folder: Path) -> None:
    procedure = folder / "testbenches" / "tempco" / "procedure.py"
    text = procedure.read_text()
    procedure.write_text(text.replace("    bench.select", '    1 / (p["vin"] - 4.0)\n    bench.select', 1))
    run = built(folder)
    simorc(folder, "run", "r", "-n", "1", code=1)
    failed = [row for row in rows(run) if row["status"] == "failed"]
    assert {row["vin"] for row in failed} == {"4.0"}
    error = record(run, int(failed[0]["case_id"]))
    assert error["error_kind"] == "measure_error"
    assert "ZeroDivisionError" in error["error_message"]
    assert "procedure.py:" in error["error_message"]


@pytest.mark.slow
@pytest.mark.req("DVT-11")
def test_judging_anew_needs_no_bench(folder: Path) -> None:
    run = built(folder)
    simorc(folder, "run", "r")
    config = folder / "testbenches" / "tempco" / "config.yaml"
    config.write_text(config.read_text().replace("spec: {max: 60u}", "spec: {max: 40u}"))
    count = len(events(run))
    said = simorc(folder, "judge", "r", code=1)
    assert "iq" in said.stdout
    assert len(events(run)) == count


@pytest.mark.req("DVT-13")
def test_a_plain_pytest_replays_a_bench_run(folder: Path) -> None:
    run = built(folder)
    simorc(folder, "run", "r")
    count = len(events(run))
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", str(run)], capture_output=True, text=True, check=False)
    assert "12 passed" in done.stdout
    assert len(events(run)) == count


@pytest.mark.req("DVT-11")
def test_a_plain_pytest_records_the_instruments_that_it_used(folder: Path) -> None:
    run = built(folder)
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", str(run)], capture_output=True, text=True, check=False)
    assert "12 passed" in done.stdout
    recorded = json.loads((run / "run.json").read_text())["instruments"]
    assert [instrument["name"] for instrument in recorded] == ["psu", "load", "dmm", "ammeter", "chamber", "switch"]
    assert all(event["case"] is not None or event["data"]["worker"] for event in events(run, "safe state"))


@pytest.mark.req("DVT-08")
def test_an_instrument_that_cannot_be_used_is_something_missing(folder: Path) -> None:
    change_bench(folder, "seed: 1", "faults: [{fault: error_queue_full, instrument: psu}]\n  seed: 1")
    built(folder)
    said = simorc(folder, "run", "r", code=3)
    assert "psu (simulated)" in said.stderr
    assert "its error queue never empties" in said.stderr


@pytest.mark.req("DVT-05", "DVT-11")
@pytest.mark.parametrize("after", [200, 260])
def test_a_chamber_that_runs_away_while_a_case_measures_leaves_no_wrong_value(folder: Path, after: int) -> None:
    change_bench(
        folder,
        "seed: 1",
        f"faults: [{{fault: over_temperature, instrument: chamber, after_s: {after}}}]\n  seed: 1",
    )
    run = built(folder)
    simorc(folder, "run", "r", "-n", "1", code=1)
    completed = [row for row in rows(run) if row["status"] == "completed"]
    assert completed
    assert {row["verdict"] for row in completed} == {"pass"}


@pytest.mark.req("DVT-05", "DVT-09")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("psu.2: vin", "psu.2: vni", "wiring to an unknown point 'vni'"),
        ("set: simorc180_tt", "set: simorc180_xx", "no parameter set named 'simorc180_xx'"),
        ("seed: 1", "faults: [{fault: fire, instrument: dmm}]\n  seed: 1", "no fault named 'fire'"),
    ],
)
def test_a_simulated_lab_that_does_not_fit_together_is_not_built(folder: Path, old: str, new: str, said: str) -> None:
    change_bench(folder, old, new)
    refused = simorc(folder, "build", "small", "--run-id", "r", code=2)
    assert said in refused.stderr
    assert "bench 'virtual'" in refused.stderr
    assert not (folder / "simulations" / "r").exists()
