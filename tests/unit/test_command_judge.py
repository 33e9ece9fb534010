"""`simorc judge`: today's measures, limits and functions, without simulating."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from simorc.commands import judge as command
from simorc.commands.build import BuildOptions, build
from simorc.commands.judge import judge
from simorc.core.errors import CaseError, ConfigError, ErrorKind, RunDirectoryError
from simorc.core.measurement import Measurement
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Verdict
from simorc.plugin.case_runner import CaseRunner
from simorc.workspace import files
from simorc.workspace.gather import gather
from simorc.workspace.inputs import changed_inputs
from simorc.workspace.layout import RunDirectory
from simorc.workspace.manifest import read_manifest
from simorc.workspace.plan_file import read_plan
from simorc.workspace.status_store import read_record, read_records

pytestmark = pytest.mark.req("SIM-16")

TEMPLATE = """* stub
* meas y = {{ parameters.a * 10 }}
* wave v(out) = 0 {{ parameters.a }}
.end
"""
ADDED = Measurement("added", 7.0, "A", verdict=Verdict.FAIL, max=1.0, margin=-6.0)


class Hooks:
    """A conftest whose hook adds a measurement to case 2."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        def call(**arguments: object) -> None:
            if name == "pytest_simorc_measured" and arguments["case"].case_id == 2:  # type: ignore[attr-defined]
                arguments["measurements"].append(ADDED)  # type: ignore[attr-defined]

        return call


class Project:
    """Three cases, a = 1, 2, 3; y = 10 a and, in measures.py, p = a."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.testbench = folder / "tb"
        self.testbench.mkdir()
        (self.testbench / "tb.spice.j2").write_text(TEMPLATE)
        self.measures("y: {unit: V}", "p: {unit: V, source: python}")
        self.python("from helper import last\n\ndef p(waves, case):\n    return last(waves)\n")
        (self.testbench / "helper.py").write_text("def last(waves):\n    return waves['out'][-1]\n")
        (folder / "s.yaml").write_text("testbench: tb\nparameters: {a: [1, 2, 3]}\n")
        self.setup = folder / "sim_setup.yaml"

    def measures(self, *lines: str) -> None:
        text = "\n".join(f"  {line}" for line in lines)
        (self.testbench / "config.yaml").write_text(f"template: tb.spice.j2\nparameters: {{a: 1}}\nmeasures:\n{text}\n")

    def python(self, text: str) -> None:
        (self.testbench / "measures.py").write_text(text)

    def run(self, **simulator: object) -> RunDirectory:
        settings = json.dumps({"name": "stub", **simulator})
        self.setup.write_text(f"testbenches: {{tb: ./tb}}\nsweeps: {{s: ./s.yaml}}\nsimulator: {settings}\n")
        build("s", BuildOptions(setup=self.setup, run_id="r"))
        run = RunDirectory(self.folder / "simulations" / "r")
        plan = read_plan(run)
        runner = CaseRunner(run, plan, "main:1", Hooks())  # type: ignore[arg-type]
        for case in plan.sweep.cases():
            runner.execute(case)
        gather(run)
        return run


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def verdicts(run: RunDirectory, name: str) -> list[str]:
    records = read_records(run)
    return [m.verdict.value for _, r in sorted(records.items()) for m in r.measurements if m.name == name]


def everything(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != "lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def python_of(run: RunDirectory) -> list[str]:
    return sorted(path.relative_to(run.testbench).as_posix() for path in run.testbench.rglob("*.py"))


def test_todays_limits_and_functions_judge_what_was_kept(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    run = project.run()
    capsys.readouterr()
    project.measures("y: {unit: V, spec: {max: 25}}", "q: {unit: V, source: python}")
    project.python("def q(waves, case):\n    return -waves['out'][-1]\n")
    assert judge(str(run.path), None) == 1
    assert verdicts(run, "y") == ["pass", "pass", "fail"]
    told = capsys.readouterr()
    assert "case 0: q: new: -1 V none" in told.out
    assert "case 0: p: no longer measured" in told.out
    assert told.err == ""
    assert [record.attempt for record in read_records(run).values()] == [2, 2, 2]
    assert len(list(run.history.iterdir())) == 3
    assert judge(str(run.path), None) == 1
    assert capsys.readouterr().out == "nothing changed\n"
    assert len(list(run.history.iterdir())) == 3


def test_a_change_shows_however_small_it_is(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    run = project.run()
    capsys.readouterr()
    project.python("from helper import last\n\ndef p(waves, case):\n    return last(waves) * (1 + 1e-6)\n")
    judge(str(run.path), None)
    assert "case 0: p: 1 V none -> 1.000001 V none" in capsys.readouterr().out


@pytest.mark.parametrize(("keep", "again"), [("none", "0-2"), ("failed", "0-2"), ("all", "1")])
def test_recorded_values_are_judged_where_files_were_not_kept(
    project: Project, capsys: pytest.CaptureFixture[str], keep: str, again: str
) -> None:
    run = project.run(keep=keep)
    if keep == "all":
        shutil.rmtree(run.result_folder(1))
    project.measures(
        "y: {unit: V, spec: {max: 15}}", "p: {unit: V, source: python}", "q: {unit: V, source: python, spec: {min: 0}}"
    )
    project.python("def p(waves, case):\n    return waves['out'][-1]\n\ndef q(waves, case):\n    return 1.0\n")
    assert judge(str(run.path), None) == 1
    assert verdicts(run, "y") == ["pass", "fail", "fail"]
    told = capsys.readouterr()
    assert "case 1: y: 20 V none -> 20 V fail" in told.out
    assert "left as it was" not in told.out
    assert f"case{'s' if len(again) > 1 else ''} {again}: the recorded values were judged" in told.err
    assert "not measured: q" in told.err
    assert read_records(run)[1].value("p") == 2.0


def test_a_damaged_file_costs_no_recorded_value(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = project.run()
    (run.result_folder(1) / "stub.log").write_text("* fail measure_error: an empty raw file\n")
    project.measures("y: {unit: V, spec: {max: 15}}", "p: {unit: V, source: python}")
    judge(str(run.path), None)
    record = read_records(run)[1]
    assert (record.status, record.value("y"), record.value("p")) == (Status.COMPLETED, 20.0, 2.0)
    assert verdicts(run, "y") == ["pass", "fail", "fail"]
    assert "case 1: the recorded values were judged, because an empty raw file" in capsys.readouterr().err


@pytest.mark.parametrize("keep", ["all", "none"])
def test_what_a_hook_added_stays(project: Project, keep: str) -> None:
    run = project.run(keep=keep)
    assert read_records(run)[2].measurements[-1] == ADDED
    project.measures("y: {unit: V, spec: {max: 100}}")
    assert judge(str(run.path), None) == 1
    assert [m.name for m in read_records(run)[2].measurements] == ["y", "added"]
    assert read_records(run)[2].measurements[-1] == ADDED


@pytest.mark.parametrize(
    ("python", "told"),
    [
        ("import no_such_module\n\ndef p(waves, case):\n    return 1.0\n", "no_such_module"),
        ("def other(waves, case):\n    return 1.0\n", "p"),
        ("def p(waves, case)\n", "syntax error"),
    ],
)
def test_a_measures_file_that_cannot_be_loaded_changes_nothing(project: Project, python: str, told: str) -> None:
    run = project.run()
    before = everything(run.path)
    project.python(python)
    with pytest.raises((CaseError, ConfigError), match=told) as caught:
        judge(str(run.path), None)
    # The person's own file is named, not the run's copy; relative to here or absolute, whichever is shorter.
    assert f"{project.testbench.parent.name}/{project.testbench.name}/" in str(caught.value)
    assert "inputs/" not in str(caught.value)
    assert everything(run.path) == before
    assert changed_inputs(run) == []


def test_a_function_that_needs_what_the_run_does_not_have_changes_nothing(project: Project) -> None:
    run = project.run()
    before = everything(run.path)
    (project.testbench / "new.txt").write_text("1.0")
    project.python(
        "from pathlib import Path\nVALUE = float(Path(__file__).with_name('new.txt').read_text())\n\n"
        "def p(waves, case):\n    return VALUE\n"
    )
    with pytest.raises(CaseError, match=r"new\.txt"):
        judge(str(run.path), None)
    assert everything(run.path) == before


HANGS = "import time\n\ndef p(waves, case):\n    while case.case_id == 1: time.sleep(0.01)\n    return 5.0\n"


def test_a_function_that_hangs_costs_its_case_alone_and_may_be_mended(project: Project) -> None:
    run = project.run(timeout_s=0.3)
    project.python(HANGS)
    assert judge(str(run.path), None) == 1
    records = read_records(run)
    assert (records[1].status, records[1].error_kind) == (Status.FAILED, ErrorKind.TIMEOUT)
    assert "no result after 0.3 s; a measure function was still running" in records[1].error_message
    assert [records[i].value("p") for i in (0, 2)] == [5.0, 5.0]
    project.python("def p(waves, case):\n    return 6.0\n")
    judge(str(run.path), None)
    records = read_records(run)
    assert [(records[i].status, records[i].value("p")) for i in range(3)] == [(Status.COMPLETED, 6.0)] * 3


def test_a_simulation_that_failed_stays_failed(project: Project) -> None:
    kind = "{{ ['x', 'timestep', 'timeout'][(parameters.a - 1) | int] }}"
    (project.testbench / "tb.spice.j2").write_text(
        f"* stub\n{{% if parameters.a > 1 %}}* fail {kind}{{% endif %}}\n* meas y = 1\n* wave v(out) = 1\n.end\n"
    )
    run = project.run()
    before = [read_record(run, i) for i in (1, 2)]
    assert [record and record.error_kind for record in before] == [ErrorKind.TIMESTEP, ErrorKind.TIMEOUT]
    project.measures("y: {unit: V, spec: {max: 0}}")
    judge(str(run.path), None)
    assert [read_record(run, i) for i in (1, 2)] == before
    assert verdicts(run, "y")[0] == "fail"


def test_python_files_that_are_gone_today_go_and_the_former_ones_stay(project: Project) -> None:
    run = project.run()
    (project.testbench / "helper.py").unlink()
    project.python("from lib.new import VALUE\n\ndef p(waves, case):\n    return VALUE\n")
    (project.testbench / "lib").mkdir()
    (project.testbench / "lib" / "new.py").write_text("VALUE = 3.0\n")
    (project.testbench / "tb.spice.j2").write_text("* of another revision\n")
    template = (run.testbench / "tb.spice.j2").read_bytes()
    judge(str(run.path), None)
    assert python_of(run) == ["lib/new.py", "measures.py"]
    assert (run.testbench / "tb.spice.j2").read_bytes() == template
    former = run.inputs / "former" / "0"
    assert sorted(everything(former)) == ["plan.json", "testbench/helper.py", "testbench/measures.py"]
    assert changed_inputs(run) == []
    assert "inputs/testbench/helper.py" not in read_manifest(run)["sha256"]
    assert not [path for path in run.path.iterdir() if path.name.startswith(".") and path != run.status_dir]


def test_a_former_revision_is_never_overwritten(project: Project) -> None:
    run = project.run()
    texts = [(run.testbench / "measures.py").read_text()]
    for value in (1, 2, 2, 3):
        text = f"def p(waves, case):\n    return {value}.0\n"
        project.python(text)
        judge(str(run.path), None)
        texts += [text]
    kept = [(run.inputs / "former" / str(i) / "testbench" / "measures.py").read_text() for i in range(3)]
    assert kept == [texts[0], texts[1], texts[3]]
    assert sorted(path.name for path in (run.inputs / "former").iterdir()) == ["0", "1", "2"]
    assert len(read_manifest(run)["judged"]) == 4


def test_judging_accepts_no_changed_template(project: Project) -> None:
    run = project.run()
    (run.testbench / "tb.spice.j2").write_text("* edited\n")
    project.measures("y: {unit: V, spec: {max: 25}}")
    judge(str(run.path), None)
    assert changed_inputs(run) == ["inputs/testbench/tb.spice.j2"]


@pytest.mark.req("SIM-13")
def test_a_record_stays_when_the_new_one_cannot_be_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    run = project.run()
    before = read_records(run)
    project.measures("y: {unit: V, spec: {max: 25}}")

    def full(*_: object) -> None:
        raise RunDirectoryError("the disk is full")

    monkeypatch.setattr(command, "write_record", full)
    with pytest.raises(RunDirectoryError, match="full"):
        judge(str(run.path), None)
    assert read_records(run) == before
    monkeypatch.undo()
    assert judge(str(run.path), None) == 1
    assert verdicts(run, "y") == ["pass", "pass", "fail"]


KILLED = """
import os, sys
from pathlib import Path
from simorc.commands.judge import judge
from simorc.workspace import files, revision
if sys.argv[2] == "no exchange":
    files._exchanged = lambda *_: False
    rename = Path.rename
    def killed(self, target):
        rename(self, target)
        os._exit(9)
    Path.rename = killed
elif sys.argv[2] == "before run.json":
    revision.write_manifest = lambda *_: os._exit(9)
else:
    revision.swap_folders = lambda *_: os._exit(9)
judge(sys.argv[1], None)
"""


@pytest.mark.req("SIM-14")
@pytest.mark.parametrize("moment", ["no exchange", "before run.json", "before the swap"])
def test_a_kill_leaves_one_revision_whole_and_judging_again_mends_the_rest(project: Project, moment: str) -> None:
    run = project.run()
    former = everything(run.inputs)
    (project.testbench / "helper.py").unlink()
    project.measures("y: {unit: V, spec: {max: 25}}", "q: {unit: V, source: python}")
    project.python("def q(waves, case):\n    return 4.0\n")
    done = subprocess.run([sys.executable, "-c", KILLED, str(run.path), moment], check=False)
    assert done.returncode == 9
    gather(run)
    assert (everything(run.inputs) == former) is (moment != "before run.json")
    assert python_of(run) == (["measures.py"] if moment == "before run.json" else ["helper.py", "measures.py"])
    assert judge(str(run.path), None) == 1
    assert changed_inputs(run) == []
    assert python_of(run) == ["measures.py"]
    assert read_plan(run).python_measures == ["q"]
    assert everything(run.inputs / "former" / "0" / "testbench").keys() == {"helper.py", "measures.py"}
    assert {name for record in read_records(run).values() for name in names(record)} == {"y", "q", "added"}
    assert [path.name for path in run.path.iterdir() if path.name.startswith(".")] == [".status"]


def names(record: CaseRecord) -> list[str]:
    return [m.name for m in record.measurements]


def test_judging_works_where_folders_cannot_be_exchanged(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    run = project.run()
    monkeypatch.setattr(files, "_exchanged", lambda *_: False)
    project.measures("y: {unit: V, spec: {max: 25}}")
    assert judge(str(run.path), None) == 1
    assert changed_inputs(run) == []
    assert [path.name for path in run.path.iterdir() if path.name.startswith(".")] == [".status"]


def test_ctrl_c_while_measuring_changes_nothing(project: Project) -> None:
    run = project.run()
    before = everything(run.path)
    project.python(f"import os\n\ndef p(waves, case):\n    os.kill({os.getpid()}, {int(signal.SIGINT)})\n")
    former = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            judge(str(run.path), None)
    finally:
        signal.signal(signal.SIGINT, former)
    assert everything(run.path) == before
