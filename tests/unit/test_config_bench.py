"""The file of a bench: what becomes of it, and every wrong key and value in the words that a user reads."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from simorc.config.project import load_project
from simorc.config.resolve import choose_bench, make_plan
from simorc.core.bench import BenchLimits, BenchSettings, FaultSettings, PartSettings, SafeStep
from simorc.core.errors import ConfigError, UsageError
from simorc.workspace.layout import RunDirectory
from simorc.workspace.plan_file import read_plan, write_plan

pytestmark = pytest.mark.req("DVT-08", "DVT-09")
BASE = Path(__file__).parents[1] / "data" / "config_project"
BENCH = "benches/lab.yaml"
REAL = """
real: true
instruments:
  psu: {driver: scpi_psu, resource: "TCPIP::10.0.0.5::5025::SOCKET", terminator: "\\r\\n", timeout_s: 20}
  dmm: {driver: hp_34401a, resource: "GPIB::22::INSTR", idn: 34401A, options: {baud_rate: 9600}}
parts: [a, b]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one simulated bench, in the current folder."""
    folder = tmp_path / "project"
    shutil.copytree(BASE, folder)
    with (folder / "sim_setup.yaml").open("a") as file:
        file.write("benches: {lab: ./benches/lab.yaml}\n")
    monkeypatch.chdir(folder)
    return folder


def bench(folder: Path, text: str | None = None) -> BenchSettings:
    if text is not None:
        (folder / BENCH).write_text(text)
    return load_project(folder / "sim_setup.yaml", {}).benches["lab"].settings


def told(folder: Path, old: str, new: str) -> str:
    text = (folder / BENCH).read_text()
    assert old in text
    (folder / BENCH).write_text(text.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_project(folder / "sim_setup.yaml", {})
    return str(caught.value)


def test_a_simulated_bench(project: Path) -> None:
    made = bench(project)
    assert made.transport == "memory"
    assert [i.name for i in made.instruments] == ["psu", "dmm", "chamber"]
    assert made.instruments[1].calibration_due == "2027-01-31"
    assert made.limits == BenchLimits(voltage=7, current=0.15, chamber_min=-45, chamber_max=130)
    assert made.settling.soak_s == 60
    assert made.safe_state == (SafeStep("psu", "off"), SafeStep("chamber", 25.0))
    assert made.parts == ("one",)
    assert made.simulated is not None
    assert made.simulated.parts == {"one": PartSettings("ldo", "lp2985_33", "one")}
    assert made.simulated.wiring["psu.2"] == "vin"
    assert made.simulated.faults == (FaultSettings("link_lost", "dmm", 600.0),)


def test_a_real_bench(project: Path) -> None:
    made = bench(project, REAL)
    assert (made.transport, made.real, made.simulated, made.parts) == ("visa", True, None, ("a", "b"))
    psu, dmm = made.instruments
    assert (psu.resource, psu.terminator, psu.timeout_s) == ("TCPIP::10.0.0.5::5025::SOCKET", "\r\n", 20)
    assert (dmm.idn, dict(dmm.options)) == ("34401A", {"baud_rate": 9600})


def test_a_plan_keeps_the_whole_bench(project: Path, tmp_path: Path) -> None:
    plan = make_plan(load_project(project / "sim_setup.yaml", {}), "pvt", "bench")
    run = RunDirectory(tmp_path / "run")
    run.inputs.mkdir(parents=True)
    write_plan(run, plan)
    assert plan.bench == bench(project)
    assert read_plan(run) == plan


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "driver: keysight_34461a",
            "driver: keysight_34461",
            "instruments.dmm.driver: found the driver 'keysight_34461'",
        ),
        (
            "driver: keysight_34461a",
            "driver: scpi_dmm",
            "instruments.dmm: found no virtual equipment for 'scpi_dmm'",
        ),
        (
            "calibrated: 2026-01-31",
            "calibrated: 2026-02-30",
            "instruments.dmm.calibrated: found '2026-02-30', expected a date",
        ),
        (
            "dmm: {driver",
            "dmm: {resource: x, driver",
            "instruments.dmm.resource: found a resource on a simulated bench",
        ),
        ("dmm: {driver", "dmm: {terminator: ';', driver", "instruments.dmm.terminator: found ';', expected \"\\n\""),
        ("voltage: 7", "voltage: -7", "limits.voltage: found -7, expected a number above 0"),
        ("voltage: 7", "tj: 150", "limits.tj: found a limit of the junction without theta_ja"),
        ("chamber_min: -45", "chamber_min: 200", "limits: found chamber_min above chamber_max"),
        ("{psu: off}", "{psu: 'on'}", "safe_state[0].psu: found 'on', expected off, ambient, or a temperature in degC"),
        ("{psu: off}", "{pus: off}", "safe_state[0]: found the instrument 'pus', expected one of psu, dmm, chamber"),
        ("{psu: off}", "{psu: off, dmm: off}", "safe_state[0]: found 2 instruments in one step"),
        ("soak_s: 60", "soak_s: -1", "settling.soak_s: found -1, expected a number, not negative"),
        ("seed: 3", "clock: fast", "simulated.clock: found 'fast', expected one of autojump, rate, real"),
        ("{set: lp2985_33}", "{set: lp2985_33, model: ldoo}", "simulated.parts.one.model: found the model 'ldoo'"),
        ("{set: lp2985_33}", "{set: x, foster: [[1, 2], [3, 2]]}", "foster: found a time constant twice"),
        ("{set: lp2985_33}", "{set: x, foster: [[1, -2]]}", "expected a pair of K/W and s, both above 0"),
        ("{set: lp2985_33}", "{}", "simulated.parts.one.set: found no parameter set"),
        ("{one: {set: lp2985_33}}", "{}", "simulated.parts: found no parts, expected at least one DUT"),
        ("psu.2: vin", "pus.2: vin", "simulated.wiring.pus.2: found the instrument 'pus'"),
        (
            "instrument: dmm, after",
            "instrument: dnm, after",
            "simulated.faults[0].instrument: found the instrument 'dnm'",
        ),
        ("simulated:", "real: true\nsimulated:", "real: found true on a simulated bench"),
        ("simulated:", "parts: [two]\nsimulated:", "parts: found the part 'two', expected one of one"),
        ("instruments:", "instrumnts:", "instrumnts: found an unknown key"),
    ],
)
def test_problems_of_a_bench(project: Path, old: str, new: str, problem: str) -> None:
    said = told(project, old, new)
    assert f"{BENCH}:" in said
    assert problem in said


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('resource: "GPIB::22::INSTR", ', "", "instruments.dmm.resource: found no resource"),
        ("GPIB::22::INSTR", "TCPIP::10.0.0.5::5025::SOCKET", "found the resource of 'psu' once more"),
    ],
)
def test_problems_of_a_real_bench(project: Path, old: str, new: str, problem: str) -> None:
    (project / BENCH).write_text(REAL)
    assert problem in told(project, old, new)


def test_all_problems_are_told_at_once(project: Path) -> None:
    said = told(project, "voltage: 7, current: 150m", "voltage: x, current: y")
    assert len(said.splitlines()) == 2


def test_which_bench(project: Path) -> None:
    loaded = load_project(project / "sim_setup.yaml", {})
    assert choose_bench(loaded, "").name == "lab"
    with pytest.raises(UsageError) as caught:
        choose_bench(loaded, "lba")
    assert (caught.value.what, caught.value.hint) == ("no bench 'lba' in sim_setup.yaml", "did you mean 'lab'?")
    setup = project / "sim_setup.yaml"
    setup.write_text(setup.read_text().replace("{lab:", "{two: ./benches/lab.yaml, lab:"))
    with pytest.raises(UsageError, match="which bench"):
        choose_bench(load_project(setup, {}), "")
    setup.write_text(setup.read_text().replace("\nbenches:", "\n#"))
    with pytest.raises(UsageError, match="there is no bench"):
        choose_bench(load_project(setup, {}), "")


def test_the_chamber_follows_a_parameter_that_the_testbench_has(project: Path) -> None:
    text = (project / BENCH).read_text().replace("soak_s: 60", "parameter: celsius")
    (project / BENCH).write_text(text)
    with pytest.raises(UsageError, match="celsius"):
        make_plan(load_project(project / "sim_setup.yaml", {}), "pvt", "bench")


@pytest.mark.parametrize("text", ["def measur(bench, case): ...\n", "x = 1\n"])
def test_a_procedure_without_measure_is_told_before_anything_is_built(project: Path, text: str) -> None:
    (project / "testbenches" / "tempco" / "procedure.py").write_text(text)
    with pytest.raises(ConfigError, match=r"procedure\.py: found no function measure\(\)"):
        make_plan(load_project(project / "sim_setup.yaml", {}), "pvt", "bench")


def test_a_procedure_that_is_no_python_is_told(project: Path) -> None:
    (project / "testbenches" / "tempco" / "procedure.py").write_text("def measure(:\n")
    with pytest.raises(ConfigError, match=r"procedure\.py:1: found a syntax error"):
        make_plan(load_project(project / "sim_setup.yaml", {}), "pvt", "bench")
