"""`simorc build`, `run`, `judge` on real ngspice, as a person types them."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.ngspice
SLOW_TEMPLATE = """* takes about half a second a case
v1 in 0 pulse(0 {{ parameters.vin }} 0 1n 1n 1u 2u)
r1 in out {{ parameters.r1 }}
c1 out 0 1n
.tran 1n 400u
.meas tran vout max v(out)
.end
"""
HANGING_TEMPLATE = SLOW_TEMPLATE.replace("400u", "{% if parameters.vin == 2.0 %}100{% else %}4u{% endif %}")


def rows(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def records(run):
    found = [json.loads(path.read_text()) for path in (run / ".status").glob("case_*.json")]
    return {record["case_id"]: record for record in found}


def begun(run):
    """What the workers began last, by case id."""
    found = [json.loads(path.read_text() or "{}") for path in (run / ".status" / "begun").glob("*.json")]
    return {record.get("case_id", -1) for record in found}


@pytest.mark.req("SIM-03", "SIM-05", "SIM-09", "SIM-10", "SIM-12")
def test_build_and_run(project):
    built = project.simorc("build", "divider", "--run-id", "first")
    assert built.stdout == "first\n"
    run = project.folder / "simulations" / "first"
    before = rows(run / "metadata.csv")
    assert [(r["case_id"], r["vin"], r["r1"], r["status"], r["result_path"]) for r in before[:2]] == [
        ("0", "1.0", "1k", "pending", "results/0/"),
        ("1", "1.0", "2k", "pending", "results/1/"),
    ]
    done = project.simorc("run", "first", "-n", "2")
    assert "first: DONE: 6/6 completed" in done.stdout
    assert {r["status"] for r in rows(run / "metadata.csv")} == {"completed"}
    for row in rows(run / "results.csv"):
        r1 = {"1k": 1e3, "2k": 2e3, "3k": 3e3}[row["r1"]]
        assert float(row["vout"]) == pytest.approx(float(row["vin"]) * 1e3 / (r1 + 1e3), rel=1e-5)
    assert {p.name for p in (run / "results" / "0").iterdir()} >= {"netlist.spice", "ngspice.log", "results.raw"}
    manifest = json.loads((run / "run.json").read_text())
    assert manifest["versions"]["simulator"].startswith("ngspice-")
    assert manifest["executions"][0]["ended"] == "completed"
    assert manifest["repeatable"] == {"case": 0, "identical": True}


@pytest.mark.req("SIM-12")
def test_the_deck_runs_by_hand_with_the_same_result(project):
    run = project.build()
    project.simorc("run", str(run))
    folder = run / "results" / "4"
    kept = (folder / "results.raw").read_bytes().partition(b"Binary:")[2]
    (folder / "results.raw").unlink()
    subprocess.run(["ngspice", "-b", "netlist.spice"], cwd=folder, check=False, capture_output=True)
    assert (folder / "results.raw").read_bytes().partition(b"Binary:")[2] == kept


@pytest.mark.req("SIM-15")
def test_a_second_run_does_nothing(project):
    run = project.build()
    project.simorc("run", str(run))
    before = records(run)
    again = project.simorc("run", str(run))
    assert "nothing to run" in again.stdout
    assert records(run) == before


@pytest.mark.req("SIM-15")
def test_case_runs_whatever_its_status_and_keeps_the_former_record(project):
    run = project.build()
    project.simorc("run", str(run))
    project.simorc("run", str(run), "--case", "1,3-4")
    assert [records(run)[k]["attempt"] for k in range(6)] == [1, 2, 1, 2, 2, 1]
    assert len(list((run / ".status" / "history").iterdir())) == 3
    refused = project.simorc("run", str(run), "--case", "6", code=2)
    assert "no case 6: there are 0 to 5" in refused.stderr


def test_sample_is_spread_over_the_axes(project):
    run = project.build()
    project.simorc("run", str(run), "--sample", "3")
    done = [row for row in rows(run / "metadata.csv") if row["status"] == "completed"]
    assert {row["r1"] for row in done} == {"1k", "2k", "3k"}
    assert {row["vin"] for row in done} == {"1.0", "2.0"}


def test_dry_run_starts_nothing(project):
    run = project.build()
    done = project.simorc("run", str(run), "--dry-run")
    assert "6 of 6 cases to run: 0-5" in done.stdout
    assert records(run) == {}


@pytest.mark.req("SIM-12")
def test_a_case_over_its_time_is_killed_alone_and_the_run_goes_on(project):
    project.write("tb/divider.spice.j2", HANGING_TEMPLATE)
    run = project.build()
    done = project.simorc("run", str(run), "-n", "2", "--timeout", "1", code=1)
    assert [records(run)[k]["status"] for k in range(6)] == ["completed"] * 3 + ["failed"] * 3
    assert {records(run)[k]["error_kind"] for k in (3, 4, 5)} == {"timeout"}
    assert "3 failed" in done.stdout
    assert f"simorc run {run.name} --case 3" in done.stdout


def test_max_fail_starts_no_more(project):
    project.write("tb/divider.spice.j2", SLOW_TEMPLATE.replace("c1 out 0 1n", "c1 out 0 1n\nx1 out 0 nothing"))
    run = project.build()
    done = project.simorc("run", str(run), "-n", "1", "--max-fail", "2", code=1)
    # What a worker has begun before the second failure is known still ends.
    assert 2 <= sum(record["status"] == "failed" for record in records(run).values()) < 6
    assert "cases did not run" in done.stderr
    assert records(run)[0]["error_kind"] == "missing_model"
    assert "nothing" in records(run)[0]["error_message"]


def wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


@pytest.mark.req("SIM-14", "SIM-15")
def test_ctrl_c_finishes_running_cases_gathers_and_resumes(project):
    project.write("tb/divider.spice.j2", SLOW_TEMPLATE)
    run = project.build()
    command = project.start("run", str(run), "-n", "2")
    wait_for(lambda: any(r["status"] == "completed" for r in records(run).values()))
    command.send_signal(signal.SIGINT)
    _, errors = command.communicate(timeout=60)
    assert command.returncode == 130
    assert "go on with: simorc run" in errors
    statuses = [row["status"] for row in rows(run / "metadata.csv")]
    assert set(statuses) == {"completed", "pending"}
    before = {k: r for k, r in records(run).items() if r["status"] == "completed"}
    project.simorc("run", str(run))
    assert {row["status"] for row in rows(run / "metadata.csv")} == {"completed"}
    assert {k: records(run)[k] for k in before} == before


@pytest.mark.req("SIM-14", "SIM-15")
def test_a_second_ctrl_c_kills_at_once(project):
    project.write("tb/divider.spice.j2", HANGING_TEMPLATE)
    run = project.build()
    command = project.start("run", str(run), "-n", "2")
    wait_for(lambda: any(case_id > 2 for case_id in begun(run)))
    command.send_signal(signal.SIGINT)
    time.sleep(0.5)
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=60)
    assert command.returncode == 130
    assert "in_progress" in {row["status"] for row in rows(run / "metadata.csv")}
    wait_for(lambda: not left_over(run))


def left_over(run):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123
                found += [pid] if f"SIMORC_RUN={run}".encode() in file.read() else []
        except OSError:
            continue
    return found


@pytest.mark.slow
@pytest.mark.req("SIM-15")
def test_two_runs_of_one_directory_exclude_each_other(project):
    project.write("tb/divider.spice.j2", SLOW_TEMPLATE)
    run = project.build()
    command = project.start("run", str(run), "-n", "1")
    wait_for(lambda: records(run))
    refused = project.simorc("run", str(run), code=2)
    assert "is in use by process" in refused.stderr
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=60)


def test_the_projects_own_pytest_settings_do_not_matter(project):
    project.write("pytest.ini", "[pytest]\naddopts = --no-such-option\n")
    project.write("conftest.py", "raise RuntimeError('not mine')\n")
    project.write("simulations/conftest.py", "raise RuntimeError('not mine')\n")
    project.environment = {"PYTEST_ADDOPTS": "--neither-this", "PYTEST_PLUGINS": "no_such_plugin"}
    run = project.build()
    project.simorc("run", str(run))


def test_pytest_arguments_pass_through(project):
    run = project.build()
    project.simorc("run", str(run), "--", "-k", "r1:2k", "--junitxml=out.xml")
    assert sorted(records(run)) == [1, 4]
    assert (project.folder / "out.xml").is_file()


@pytest.mark.req("SIM-01")
def test_html_of_pytest(project):
    run = project.build()
    project.simorc("run", str(run), "--html")
    assert "vout" in (run / "report" / "tests.html").read_text()


def test_ngspice_missing_is_exit_3(project):
    run = project.build()
    project.environment = {"PATH": os.path.dirname(sys.executable)}  # noqa: PTH120
    missing = project.simorc("run", str(run), code=3)
    assert "apt-get install ngspice" in missing.stderr
    assert "Traceback" not in missing.stderr
    assert records(run) == {}


@pytest.mark.req("SIM-02")
def test_changed_inputs_are_refused_unless_accepted(project):
    run = project.build()
    deck = run / "inputs" / "testbench" / "divider.spice.j2"
    deck.write_text(deck.read_text().replace("1k", "2k"))
    refused = project.simorc("run", str(run), code=2)
    assert "divider.spice.j2" in refused.stderr
    assert "--accept-changed" in refused.stderr
    project.simorc("run", str(run), "--accept-changed", "--note", "two kilohms")
    manifest = json.loads((run / "run.json").read_text())
    assert manifest["accepted_changes"][0]["file"].endswith("divider.spice.j2")
    assert manifest["executions"][0]["note"] == "two kilohms"


def test_a_changed_model_file_is_refused(project):
    project.write("models/r.lib", "* nothing\n")
    template = project.folder / "tb" / "divider.spice.j2"
    template.write_text(template.read_text().replace("* divider\n", "* divider\n.include ../models/r.lib\n"))
    run = project.build()
    project.write("models/r.lib", "* something\n")
    assert "models/r.lib" in project.simorc("run", str(run), code=2).stderr


@pytest.mark.slow
def test_metadata_edited_while_running_loses_nothing(project):
    project.write("tb/divider.spice.j2", SLOW_TEMPLATE)
    run = project.build()
    command = project.start("run", str(run), "-n", "2")
    wait_for(lambda: records(run))
    text = (run / "metadata.csv").read_text()
    (run / "metadata.csv").write_text(text.replace("results/5/,2.0", "results/5/,9.0"))
    _, errors = command.communicate(timeout=60)
    assert command.returncode == 2
    assert "column vin: found '9.0', expected '2.0'" in errors
    assert {r["status"] for r in records(run).values()} == {"completed"}
    (run / "metadata.csv").write_text(text)
    project.simorc("run", str(run))
    assert {row["status"] for row in rows(run / "metadata.csv")} == {"completed"}


@pytest.mark.req("SIM-15")
def test_a_truncated_status_file_runs_again_and_a_stray_one_is_told(project):
    run = project.build()
    project.simorc("run", str(run))
    (run / ".status" / "case_2.json").write_text('{"schema": 1, "case_id": 2, "sta')
    (run / ".status" / "case_77.json").write_text((run / ".status" / "case_1.json").read_text().replace("1", "77", 2))
    done = project.simorc("run", str(run))
    assert "case_2.json" in done.stdout or records(run)[2]["status"] == "completed"
    assert records(run)[2]["status"] == "completed"
    assert "case_77.json" in done.stdout
    assert len(rows(run / "metadata.csv")) == 6


def test_an_unreadable_raw_file_fails_no_other_command(project):
    run = project.build()
    project.simorc("run", str(run))
    (run / "results" / "3" / "results.raw").write_bytes(b"Title: x\nPlotname: AC\nFlags: comp")
    project.simorc("run", str(run))
    judged = project.simorc("judge", str(run), code=None)
    assert "Traceback" not in judged.stderr


@pytest.mark.req("SIM-16")
def test_judge_takes_todays_specs_and_keeps_the_raw_files(project):
    run = project.build()
    project.simorc("run", str(run))
    raw = (run / "results" / "0" / "results.raw").read_bytes()
    config = (project.folder / "tb" / "config.yaml").read_text()
    project.write(
        "tb/config.yaml",
        config.replace("vout: {unit: V}", "vout: {unit: V, spec: {max: 0.9}}\n  twice: {unit: V, source: python}"),
    )
    project.write("tb/measures.py", "def twice(waves, case):\n    return 2 * waves['v(out)'][-1]\n")
    judged = project.simorc("judge", str(run), code=1)
    assert "case 3: vout: 1 V none -> 1 V fail" in judged.stdout
    assert (run / "results" / "0" / "results.raw").read_bytes() == raw
    for row in rows(run / "results.csv"):
        assert float(row["twice"]) == pytest.approx(2 * float(row["vout"]), rel=1e-5)
    manifest = json.loads((run / "run.json").read_text())
    assert manifest["judged"][0]["before"] != manifest["judged"][0]["after"]
    assert "nothing changed" in project.simorc("judge", str(run), code=1).stdout
    project.simorc("run", str(run), code=1)


BLAS_THREADS = """
import ctypes
from pathlib import Path


def threads(waves, case):
    (library,) = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "openblas" in line}
    asks = (getattr(ctypes.CDLL(library), f"{prefix}openblas_get_num_threads{end}", None)
            for prefix in ("", "scipy_") for end in ("", "64_"))
    return float(next(ask for ask in asks if ask)())
"""


def test_workers_are_forked_from_the_command_and_started_where_a_person_has_a_conftest(project):
    config = (project.folder / "tb" / "config.yaml").read_text()
    project.write("tb/config.yaml", config + "  forked: {unit: '', source: python}\n")
    says = "from pathlib import Path\n\n\ndef forked(waves, case):\n"
    project.write("tb/measures.py", f"{says}    return float('simorc' in Path('/proc/self/cmdline').read_text())\n")
    for name, forked in (("plain", "1.0"), ("personal", "0.0")):
        run = project.build("divider", "--run-id", name)
        if name == "personal":
            (run / "conftest.py").write_text("")
        project.simorc("run", name, "-n", "2", "--no-cache")
        assert {row["forked"] for row in rows(run / "results.csv")} == {forked}


def test_a_second_interrupt_ends_what_a_measure_function_has_started(project):
    config = (project.folder / "tb" / "config.yaml").read_text()
    project.write("tb/config.yaml", config + "  waits: {unit: '', source: python}\n")
    sleep = f"sleep {600 + os.getpid() / 1e7:.7f}"
    project.write("tb/measures.py", f"import os\n\n\ndef waits(waves, case):\n    return os.system('{sleep}') * 1.0\n")
    command = project.start("run", str(project.build()), "-n", "2")

    def sleeping():
        found = subprocess.run(["pgrep", "-f", f"^{sleep}"], capture_output=True, text=True, check=False)
        return found.stdout.split()

    deadline = time.monotonic() + 60
    while len(sleeping()) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(sleeping()) == 2
    for _ in range(2):
        command.send_signal(signal.SIGINT)
        time.sleep(0.3)
    command.communicate(timeout=60)
    assert command.returncode == 130
    assert sleeping() == []


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_whoever_closes_the_standard_streams_has_a_run_all_the_same(project, closed):
    run = project.build()
    command = f"exec {sys.executable} -m simorc run {run} {closed}"
    done = subprocess.run(["sh", "-c", command], cwd=project.folder, capture_output=True, check=False)
    assert done.returncode == 0
    assert {record["status"] for record in records(run).values()} == {"completed"}


def test_whoever_ignores_the_end_of_children_has_a_run_all_the_same(project):
    run = project.build()
    program = (
        "import os, signal, sys\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nos.execv(sys.executable, sys.argv[1:])"
    )
    command = [sys.executable, "-c", program, sys.executable, "-m", "simorc", "run", str(run)]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_numpy_keeps_to_one_thread_in_every_worker(project):
    config = (project.folder / "tb" / "config.yaml").read_text()
    project.write("tb/config.yaml", config + "  threads: {unit: '', source: python}\n")
    project.write("tb/measures.py", BLAS_THREADS)
    run = project.build()
    project.simorc("run", str(run), "-n", "2")
    assert {row["threads"] for row in rows(run / "results.csv")} == {"1.0"}


@pytest.mark.req("SIM-10")
def test_build_refuses_to_overwrite_unless_forced(project):
    project.build("divider", "--run-id", "first")
    refused = project.simorc("build", "divider", "--run-id", "first", code=2)
    assert "--force" in refused.stderr
    project.build("divider", "--run-id", "first", "--force")


@pytest.mark.parametrize("run_id", ["../away", "a/b", "..", "", "-x", "1run"])
def test_a_bad_run_id_is_refused(project, run_id):
    refused = project.simorc("build", "divider", f"--run-id={run_id}", code=2)
    assert "Traceback" not in refused.stderr
    assert not (project.folder / "simulations").exists() or not list((project.folder / "simulations").iterdir())


def test_show_and_dry_run_write_nothing(project):
    shown = project.simorc("build", "divider", "--show", "4")
    assert "r1 in out 2k" in shown.stdout
    assert "v1 in 0 2.0" in shown.stdout
    assert project.simorc("build", "divider", "--dry-run").stdout == ""
    assert not (project.folder / "simulations").exists()
    assert "there are 0 to 5" in project.simorc("build", "divider", "--show", "6", code=2).stderr


@pytest.mark.parametrize("workers", ["abc", "0", "-3", "1.5", ""])
def test_a_wrong_number_of_workers_is_refused(project, workers):
    run = project.build()
    refused = project.simorc("run", str(run), f"-n={workers}", code=2)
    assert "expected a number of at least 1, or auto" in refused.stderr
    assert records(run) == {}


def test_dry_run_accepts_nothing_for_good(project):
    run = project.build()
    deck = run / "inputs" / "testbench" / "divider.spice.j2"
    deck.write_text(deck.read_text().replace("1k", "2k"))
    project.simorc("run", str(run), "--dry-run", "--accept-changed")
    assert "divider.spice.j2" in project.simorc("run", str(run), code=2).stderr


def test_what_the_simulator_cannot_be_given_is_told_at_build(project):
    setup = (project.folder / "sim_setup.yaml").read_text()
    project.write("sim_setup.yaml", setup + "simulator: {init: [source ./nothere.rc]}\n")
    refused = project.simorc("build", "divider", code=2)
    assert "nothere.rc" in refused.stderr
    assert not (project.folder / "simulations").exists()


def test_an_init_file_that_is_gone_at_run_time_fails_each_case_with_its_name(project):
    rc = project.write("mine.rc", "set foo=1\n")
    setup = (project.folder / "sim_setup.yaml").read_text()
    project.write("sim_setup.yaml", setup + f"simulator: {{init: [source {rc}]}}\n")
    run = project.build()
    rc.unlink()
    done = project.simorc("run", str(run), code=1)
    assert "mine.rc" in done.stdout
    assert {record["attempt"] for record in records(run).values()} == {1}


def test_a_template_that_is_not_utf_8_is_told_with_its_line(project):
    template = project.folder / "tb" / "divider.spice.j2"
    template.write_bytes(template.read_bytes().replace(b"* divider\n", b"* divider\n* caf\xe9\n"))
    refused = project.simorc("build", "divider", code=2)
    assert "divider.spice.j2:2" in refused.stderr
    assert "not UTF-8" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_without_a_home_folder(project):
    run = project.build()
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    command = [sys.executable, "-m", "simorc", "run", str(run)]
    done = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_project_path_with_spaces_and_other_letters_under_another_locale(project):
    moved = project.folder.rename(project.folder.with_name("Übung zwei"))
    project.folder = moved
    project.environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    run = project.build("divider", "--run-id", "one")
    project.simorc("run", "one")
    assert {record["status"] for record in records(run).values()} == {"completed"}


@pytest.mark.req("SIM-14")
def test_what_gather_noticed_before_the_run_is_told_after_it(project):
    run = project.build()
    project.simorc("run", str(run))
    table = run / "metadata.csv"
    table.write_text(table.read_text().replace("\n2,completed", "\n2,pending"))
    (run / ".status" / "case_4.json").write_text('{"schema": 1, "case_')
    done = project.simorc("run", str(run))
    assert "edited by hand" in done.stdout
    assert "case_4.json" in done.stdout


def test_failed_cases_are_not_called_out_of_spec(project):
    config = (project.folder / "tb" / "config.yaml").read_text()
    project.write("tb/config.yaml", config.replace("{unit: V}", "{unit: V, spec: {max: 9}}"))
    project.write("tb/divider.spice.j2", SLOW_TEMPLATE)
    run = project.build()
    done = project.simorc("run", str(run), "--timeout", "0.01", code=1)
    assert "failed: case 0" in done.stdout
    assert "out of spec" not in done.stdout


def test_an_empty_case_list_is_refused(project):
    run = project.build()
    assert "is not a case number" in project.simorc("run", str(run), "--case", "", code=2).stderr
    assert records(run) == {}


def test_samples_that_do_not_differ_are_warned_of(project):
    project.write("sweep.yaml", "testbench: divider\nmonte_carlo: {samples: 3, seed: 1}\n")
    run = project.build()
    done = project.simorc("run", str(run))
    assert "the samples do not differ" in done.stdout


def test_a_disk_that_takes_no_output_is_an_error_without_a_traceback(project, monkeypatch):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    project.build()
    with open("/dev/full", "w") as full:  # noqa: PTH123
        command = [sys.executable, "-m", "simorc", "status"]
        done = subprocess.run(command, cwd=project.folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


DIVERGING_TEMPLATE = """* a cube root, over which Newton's method runs away; a large enough shunt holds it
.option gminsteps=0 srcsteps=0
v1 in 0 {{ parameters.vin }}
b1 x 0 i=sgn(v(x)-v(in))*abs(v(x)-v(in))^(1/3)
r1 x 0 {{ parameters.r1 }}
.dc v1 {{ parameters.vin }} {{ parameters.vin }} 1
.meas dc vout max v(x)
.end
"""


def test_retries_bring_a_case_through_and_are_recorded(project):
    setup = (project.folder / "sim_setup.yaml").read_text()
    project.write("tb/divider.spice.j2", DIVERGING_TEMPLATE)
    run = project.build()
    project.simorc("run", str(run), code=1)
    assert {record["error_kind"] for record in records(run).values()} == {"no_convergence"}
    assert "results/0/ngspice.log" in records(run)[0]["error_message"]
    project.write("sim_setup.yaml", setup + "simulator: {retries: [{reltol: 5e-3}, {rshunt: 0.01}]}\n")
    run = project.build("divider", "--run-id", "retried")
    project.simorc("run", str(run))
    assert all(record["retries"] == [{"reltol": "5e-3"}, {"rshunt": "0.01"}] for record in records(run).values())
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    assert sum(event["kind"] == "retry" for event in events) == 12
