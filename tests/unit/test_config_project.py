"""The project: found, loaded, and every problem in it told with its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simorc.config.project import Project, find_setup, load_project, output_folder
from simorc.config.resolve import make_plan
from simorc.core.errors import ConfigError, UsageError

BASE = Path(__file__).parents[1] / "data" / "config_project"
TESTBENCH, SWEEP, SETUP = "testbenches/tempco/config.yaml", "sweeps/pvt.yaml", "sim_setup.yaml"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is right, in the current folder."""
    folder = tmp_path / "project"
    shutil.copytree(BASE, folder)
    monkeypatch.chdir(folder)
    return folder


def load(folder: Path, environment: dict[str, str] | None = None) -> Project:
    return load_project(folder / SETUP, environment or {})


def told(folder: Path, environment: dict[str, str] | None = None) -> list[str]:
    """The problems of a project, as a user reads them."""
    with pytest.raises(ConfigError) as caught:
        load(folder, environment)
    return str(caught.value).splitlines()


def put(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def add(folder: Path, name: str, text: str) -> None:
    put(folder, name, (folder / name).read_text(encoding="utf-8") + text)


def swap(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    put(folder, name, text.replace(old, new))


@pytest.mark.req("SIM-02", "SIM-04")
def test_a_project_is_what_its_files_say(project: Path) -> None:
    loaded = load(project)
    assert (loaded.sweep_names(), loaded.testbench_names()) == (["pvt"], ["tempco"])
    assert loaded.output == project / "runs"
    assert loaded.dut == {
        "schematic": project / "schematics" / "ldo.sch",
        "netlist": project / "netlists" / "ldo.spice",
    }
    testbench = loaded.testbenches["tempco"]
    assert testbench.targets == ("spice", "bench")
    assert testbench.folder == project / "testbenches" / "tempco"
    assert testbench.template == testbench.folder / "tb_tempco.spice.j2"
    assert (loaded.sweeps["pvt"].sweep.size, loaded.sweeps["pvt"].target) == (75, "bench")


def test_the_setup_is_found_here_above_or_by_name(project: Path) -> None:
    setup = project / SETUP
    assert find_setup(project) == setup
    assert find_setup(project / "testbenches" / "tempco") == setup
    assert find_setup(Path("sweeps")) == setup
    assert find_setup(Path("/"), setup) == setup
    assert find_setup(Path("/"), project) == setup


def test_a_project_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no sim_setup.yaml in .* or a folder above it") as caught:
        find_setup(tmp_path)
    assert "simorc init" in caught.value.hint
    with pytest.raises(UsageError, match="no setup file"):
        find_setup(tmp_path, tmp_path / "other.yaml")
    with pytest.raises(UsageError, match="no setup file"):
        find_setup(tmp_path, tmp_path)


def test_the_output_folder_needs_nothing_else_to_be_right(project: Path) -> None:
    setup = project / SETUP
    put(project, SETUP, "output: ../elsewhere/./runs\nnonsense: 3\n")
    assert output_folder(setup, {}) == project.parent / "elsewhere" / "runs"
    put(project, SETUP, "sweeps: {}\n")
    assert output_folder(setup, {}) == project / "simulations"
    assert output_folder(setup, {"SIMORC_OUTPUT": "/scratch"}) == Path("/scratch")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("output: 3\n", "sim_setup.yaml:1: output: found 3, expected a path"),
        ("output:\n", "sim_setup.yaml:1: output: found nothing, expected a path"),
        ("[1]\n", "sim_setup.yaml:1: found a list, expected a mapping"),
    ],
)
def test_an_output_folder_that_is_none_is_told(project: Path, text: str, problem: str) -> None:
    put(project, SETUP, text)
    with pytest.raises(ConfigError) as caught:
        output_folder(project / SETUP, {})
    assert str(caught.value) == problem


@pytest.mark.req("SIM-08", "SIM-06")
def test_the_example_of_a_good_message(project: Path) -> None:
    swap(project, SWEEP, "temp: [-40", "tmep: [-40")
    assert told(project) == [
        "sweeps/pvt.yaml:6: parameters.tmep: found a parameter that testbench 'tempco' does not have, "
        "expected one of corner, vin, temp, iload, did you mean 'temp'?"
    ]


@pytest.mark.req("SIM-08")
def test_every_problem_of_every_file_is_told_at_once_in_order_of_lines(project: Path) -> None:
    swap(project, SETUP, "timeout_s: 120", "timeout: 120")
    swap(project, TESTBENCH, "{unit: A, spec: {max: 120u}}", "{unit: A, spec: {max: lots}, colour: red}")
    swap(project, SWEEP, "[tt, ff, ss]", "[tt, ff, tt]")
    add(project, SWEEP, "exclude: temp >\nwhere: 5\n")
    places = [line.partition(" found ")[0] for line in told(project)]
    assert places == [
        "sim_setup.yaml:4: simulator.timeout:",
        "testbenches/tempco/config.yaml:7: measures.iq.spec.max:",
        "testbenches/tempco/config.yaml:7: measures.iq.colour:",
        "sweeps/pvt.yaml:4: parameters.corner[2]:",
        "sweeps/pvt.yaml:7: exclude:",
        "sweeps/pvt.yaml:8: where:",
    ]


SETUP_PROBLEMS = [
    ("outputs: x", "sim_setup.yaml:6: outputs: found an unknown key", "did you mean 'output'?"),
    ("benches: {lab: ./none.yaml}", "sim_setup.yaml:6: benches.lab: found './none.yaml', where there is no file", ""),
    ("benches: {lab: 3}", "sim_setup.yaml:6: benches.lab: found 3, expected a path", ""),
    ("benches: [lab]", "sim_setup.yaml:6: benches: found a list, expected a mapping", ""),
    ("benches: {../x: ./sweeps/pvt.yaml}", "sim_setup.yaml:6: benches.../x: found the name '../x'", ""),
]


@pytest.mark.req("SIM-08", "SIM-04")
@pytest.mark.parametrize(("line", "problem", "hint"), SETUP_PROBLEMS)
def test_problems_of_the_setup(project: Path, line: str, problem: str, hint: str) -> None:
    add(project, SETUP, line + "\n")
    (found,) = told(project)
    assert found.startswith(problem)
    assert found.endswith(hint)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("timeout_s: 120", "timeout_s: 0", "simulator.timeout_s: found 0, expected a number above 0"),
        ("timeout_s: 120", "timeout_s: .inf", "simulator.timeout_s: found inf, expected a number above 0"),
        ("timeout_s: 120", "threads: 1.5", "simulator.threads: found 1.5, expected a whole number of at least 1"),
        ("timeout_s: 120", "keep: al", "simulator.keep: found 'al', expected one of all, failed, none"),
        ("timeout_s: 120", "name: ngspic", "simulator.name: found the simulator 'ngspic', expected one of ngspice"),
        ("{gmin: 1e-10}", "3", "simulator.retries[0]: found 3, expected a mapping"),
        ("{gmin: 1e-10}", "{gmin: [1]}", "simulator.retries[0].gmin: found a list, expected a number or a text"),
        ("set ngbehavior=hsa", "[5]", "simulator.init[0]: found 5, expected a text of one line"),
    ],
)
def test_problems_of_the_simulator_section(project: Path, old: str, new: str, problem: str) -> None:
    swap(project, SETUP, old, new)
    (found,) = told(project)
    assert found.startswith(f"sim_setup.yaml:4: {problem}")


def test_files_that_are_missing_or_broken_do_not_hide_each_other(project: Path) -> None:
    put(project, SETUP, (project / SETUP).read_text() + "benches: {lab: ./none.yaml}\n")
    swap(project, SETUP, "sweeps: {", "sweeps: {gone: ./sweeps/gone.yaml, dir: ./sweeps, ")
    swap(project, SETUP, "testbenches: {", "testbenches: {gone: ./tb, bare: ./sweeps, file: ./sim_setup.yaml, ")
    add(project, SWEEP, "a: [\n")
    found = told(project)
    assert [line.partition(", expected")[0] for line in found] == [
        "sim_setup.yaml:2: testbenches.gone: found './tb', where there is no folder",
        "sim_setup.yaml:2: testbenches.file: found './sim_setup.yaml', where there is no folder",
        "sim_setup.yaml:3: sweeps.gone: found './sweeps/gone.yaml', where there is no file",
        "sim_setup.yaml:3: sweeps.dir: found './sweeps', where there is no file",
        "sim_setup.yaml:6: benches.lab: found './none.yaml', where there is no file",
        "sweeps/config.yaml: found no such file",
        "sweeps/pvt.yaml:8: found a syntax error (did not find expected node content)",
    ]


TESTBENCH_PROBLEMS = [
    ("iload: 10m", "iload: .nan", ["parameters.iload: found nan, expected a finite number, a text, or true or false"]),
    ("iload: 10m", "iload: [1]", ["parameters.iload: found a list, expected a finite number, a text, or true"]),
    ("iload: 10m", 'iload: "a\\nb"', ["parameters.iload: found 'a\\nb', expected a finite number, a text"]),
    ("iload: 10m", "status: 3", ["parameters.status: found the reserved name 'status', expected another name"]),
    ("iload: 10m", "seed: 3", ["parameters.seed: found the reserved name 'seed', expected another name, random"]),
    ("iload: 10m", "corner_name: x", ["parameters.corner_name: found the reserved name"]),
    ("iload: 10m", "class: 3", ["parameters.class: found the keyword 'class', expected another name"]),
    ("iload: 10m", "true: 3", ["parameters.true: found the keyword 'true', expected another name"]),
    ("iload: 10m", "i-load: 3", ["parameters.i-load: found the name 'i-load', expected a name of letters"]),
    ("iload: 10m", "2x: 3", ["parameters.2x: found the name '2x', expected a name of letters"]),
    ("iload: 10m", "ünit: 3", ["parameters.ünit: found the name 'ünit', expected a name of letters"]),
    ("iload: 10m", "Temp: 3", ["parameters.Temp: found the name 'Temp' beside 'temp', expected a name of its own"]),
    ("iq:", "temp:", ["measures.temp: found the name 'temp' beside parameter 'temp', expected a name of its own"]),
    ("iq:", "VOUT:", ["measures.VOUT: found the name 'VOUT' beside 'vout', expected a name of its own"]),
    ("iq:", "verdict:", ["measures.verdict: found the reserved name 'verdict'"]),
    ("iq:", "psrr_low:", ["aggregates.psrr_low: found the name 'psrr_low' beside measure 'psrr_low'"]),
    ("max: 120u", "min: 2, max: 1", ["measures.iq.spec: found min 2 above max 1, expected min at or below max"]),
    ("max: 120u", "max: true", ["measures.iq.spec.max: found true, expected a finite number"]),
    ("unit: A", "unit: 3", ["measures.iq.unit: found 3, expected a text"]),
    ("optional: true", "optional: maybe", ["measures.psrr.optional: found 'maybe', expected true or false"]),
    (
        "targets: [spice]",
        "targets: [spic]",
        ["measures.psrr.targets[0]: found 'spic', expected one of spice, bench, did"],
    ),
    ("targets: [spice]", "targets: spice", ["measures.psrr.targets: found 'spice', expected a list"]),
    ("source: python", "source: sim", ["measures.psrr.source: found 'sim', expected one of meas, python"]),
    ("function: min", "function: mim", ["aggregates.psrr_low.function: found the function 'mim', expected one of"]),
    ("function: min", "function: ", ["aggregates.psrr_low.function: found nothing, expected a text of one line"]),
    ("function: min, ", "", ["aggregates.psrr_low.function: found no such key, expected one of tempco_box"]),
    ("of: psrr", "of: psr", ["aggregates.psrr_low.of: found the measure 'psr', expected one of vout, iq, psrr, did"]),
    ("over: temp, ", "", ["aggregates.tempco.over: found no such key, expected the parameter that tempco_box runs"]),
    ("over: temp", "over: tmp", ["aggregates.tempco.over: found the parameter 'tmp', expected one of corner, vin"]),
    ("over: temp", "over: corner", ["aggregates.tempco.over: found 'corner', whose values are texts, expected a"]),
    ("spec: {max: 50}", "spec: 50", ["aggregates.tempco.spec: found 50, expected a mapping"]),
    ("x: temp", "x: tmp", ["plot_specs.vout_vs_temp.x: found the parameter 'tmp', expected one of corner"]),
    ("x: temp, ", "", ["plot_specs.vout_vs_temp.x: found no such key, expected it, as a line needs it"]),
    ("y: vout", "y: vot", ["plot_specs.vout_vs_temp.y: found the measure 'vot', expected one of vout, iq, psrr"]),
    ("y: vout", "y: [vout, iqq]", ["plot_specs.vout_vs_temp.y[1]: found the measure 'iqq', expected one of"]),
    ("group: vin", "group: v", ["plot_specs.vout_vs_temp.group: found the parameter 'v', expected one of"]),
    ("group: vin", "where: tmp > 3", ["plot_specs.vout_vs_temp.where: found the name 'tmp', expected one of"]),
    ("group: vin", "where: temp >", ["plot_specs.vout_vs_temp.where: found 'temp >', expected a condition such as"]),
    ("group: vin", "kind: lin", ["found the same key as in line 13, expected each key once"]),
    ("kind: line", "kind: bar", ["plot_specs.vout_vs_temp.kind: found 'bar', expected one of line, waveform"]),
    (
        "kind: line, x: temp, y: vout, group: vin",
        "kind: heatmap, y: vout",
        [
            "plot_specs.vout_vs_temp.x: found no such key, expected it, as a heatmap needs it",
            "plot_specs.vout_vs_temp.group: found no such key, expected it, as a heatmap needs it",
        ],
    ),
    ("vout_vs_temp:", "a/b:", ["plot_specs.a/b: found the name 'a/b', expected a name of letters"]),
    ("./procedure.py", "../procedure.py", ["procedure: found '../procedure.py', expected a file in the testbench's"]),
    ("./tb_tempco.spice.j2", "/etc/x.j2", ["template: found '/etc/x.j2', expected a file in the testbench's folder"]),
]


@pytest.mark.req("SIM-06", "SIM-07", "SIM-08", "SIM-09")
@pytest.mark.parametrize(("old", "new", "problems"), TESTBENCH_PROBLEMS)
def test_problems_of_a_testbench(project: Path, old: str, new: str, problems: list[str]) -> None:
    swap(project, TESTBENCH, old, new)
    found = told(project)
    assert len(found) == len(problems)
    for line, problem in zip(found, problems, strict=True):
        assert line.startswith("testbenches/tempco/config.yaml:")
        assert problem in line


SWEEP_PROBLEMS = [
    (
        "testbench: tempco",
        "testbench: tempo",
        "testbench: found the testbench 'tempo', expected one of tempco, did you",
    ),
    ("testbench: tempco\n", "", "1: testbench: found no such key, expected one of tempco"),
    ("testbench: tempco", "testbench: [tempco]", "testbench: found a list, expected a text of one line"),
    ("target: bench", "target: lab", "target: found 'lab', expected one of spice, bench"),
    ("[tt, ff, ss]", "[]", "parameters.corner: found an empty axis, expected at least one value"),
    ("[tt, ff, ss]", "", "parameters.corner: found nothing, expected a list, a range or a value"),
    ("[tt, ff, ss]", "[tt, [ff]]", "parameters.corner[1]: found a list, expected a finite number, a text, or true"),
    ("[tt, ff, ss]", "[tt, ff, tt]", "parameters.corner[2]: found 'tt' twice, expected every value of an axis once"),
    ("[-40, 0, 27", "[1k, 0, 1000", "parameters.temp[2]: found 1000, the same as 1k, expected every value of an axis"),
    ("[-40, 0, 27", "[1, 0, 1.0", "parameters.temp[2]: found 1.0, the same as 1, expected every value of an axis"),
    ("num: 5", "nmu: 5", "parameters.vin.nmu: found an unknown key, expected one of values, start, stop, num"),
    ("num: 5", "num: 0", "parameters.vin.num: found 0, expected a whole number of at least 1"),
    ("num: 5", "num: 1", "parameters.vin: found one value for two different ends, expected a `num` of at least 2"),
    ("num: 5", "num: 1e12", "parameters.vin: found 1,000,000,000,000 values, expected at most 10,000,000"),
    ("num: 5", "num: 1e300", "parameters.vin: found too many values, expected at most 10,000,000"),
    ("num: 5", "step: 0", "parameters.vin: found the step 0, expected one that leads from 4.0 to 6.0"),
    ("num: 5", "step: -1", "parameters.vin: found the step -1, expected one that leads from 4.0 to 6.0"),
    ("num: 5", "step: 1e-300", "parameters.vin: found too many values, expected at most 10,000,000"),
    (
        "num: 5",
        "num: 5, step: 1",
        "parameters.vin: found a range with num, start, step, stop, expected start, stop and",
    ),
    ("num: 5", "scale: log", "parameters.vin: found a range with scale, start, stop, expected start, stop and either"),
    ("num: 5", "step: 1, scale: log", "parameters.vin: found a logarithmic range with step, expected start, stop and"),
    ("num: 5", "values: [1], num: 5", "parameters.vin: found values and a range, expected one of the two"),
    ("start: 4.0", "scale: log, start: 0", "parameters.vin: found a logarithmic range from 0 to 6.0, expected ends"),
    ("start: 4.0", "start: low", "parameters.vin.start: found 'low', expected a finite number"),
    ("start: 4.0, stop: 6.0, num: 5", "", "parameters.vin: found a range with no keys, expected start, stop and"),
]
ADDED_TO_A_SWEEP = [
    ("zip: [vin]", "zip[0]: found 'vin', expected a list"),
    ("zip: [[vin]]", "zip[0]: found the group vin, expected two or more different parameters"),
    ("zip: [[]]", "zip[0]: found the group of none, expected two or more different parameters"),
    ("zip: [[vin, vin]]", "zip[0]: found the group vin, vin, expected two or more different parameters"),
    ("zip: [[vin, iload]]", "zip[0][1]: found 'iload', expected one of corner, vin, temp"),
    ("zip: [[corner, vin]]", "zip[0]: found corner with 3, vin with 5 values, expected as many values for each"),
    ("zip: [[vin, temp], [temp, corner]]", "zip[1][0]: found 'temp', which is in a group already, expected each"),
    ("corners: {}", "corners: found an empty axis, expected at least one corner"),
    ("corners: {a: {foo: 1}}", "corners.a.foo: found a parameter that testbench 'tempco' does not have, expected"),
    ("corners: {a: {temp: 1}}", "corners.a.temp: found 'temp', which stands in `parameters` too, expected each"),
    ("corners: {a: 3}", "corners.a: found 3, expected a mapping"),
    ("corners: {' ': {}}", "corners. : found ' ', expected a printable name"),
    ("where: temp >", "where: found 'temp >', expected a condition such as temp > 85, a value expected at column 7"),
    ("where: [temp > 3, tmp > 3]", "where[1]: found the name 'tmp', expected one of corner, vin, temp, iload, did you"),
    ("where: corner > 3", "where: found 'corner > 3', expected a condition that fits the values of the parameters,"),
    ("where: temp", "where: found 'temp', expected a condition that fits the values of the parameters, gives -40, not"),
    ("exclude: [5]", "exclude[0]: found 5, expected a text of one line"),
    ("monte_carlo: {}", "monte_carlo.samples: found no such key, expected the number of samples"),
    ("monte_carlo: {samples: 0}", "monte_carlo.samples: found 0, expected a whole number of at least 1"),
    ("monte_carlo: {samples: 2, seed: -1}", "monte_carlo.seed: found -1, expected a whole number, not negative"),
    ("monte_carlo: 200", "monte_carlo: found 200, expected a mapping"),
    ("monte_carlo: {samples: 1e6}", "found 75,000,000 cases in all, expected at most 10,000,000, use fewer values"),
    ("measures: {iq: {spec: {min: 1}}}", "measures.iq.spec.min: found min 1 above max 0.00012, expected min at"),
    ("measures: {iq: {corner_specs: {fs: {max: 1}}}}", "measures.iq.corner_specs.fs: found the corner 'fs', expected"),
    ("measures: {iq: {corner_specs: {ss: {min: 1}}}}", "measures.iq.corner_specs.ss: found min 1 above max 0.00012"),
    ("measures: {iq: 3}", "measures.iq: found 3, expected a mapping"),
    ("measures: {gain: {source: python}}", "measures.gain.source: found python, but no function gain() in measures.py"),
    ("aggregates: {a: {function: max, of: vout, over: iload}}", "aggregates.a.over: found 'iload', which this sweep"),
    ("aggregates: {a: {function: max}}", "aggregates.a.of: found no such key, expected one of vout, iq, psrr"),
    ("plot_specs: {p: {x: corner_name, y: vout}}", "plot_specs.p.x: found 'corner_name', which this sweep does not"),
    ("plot_specs: {p: {y: vout, x: temp, where: seed > 1}}", "plot_specs.p.where: found 'seed', which this sweep does"),
    ("plot_specs: ./plots.yaml", "plot_specs: found './plots.yaml', where there is no file, expected a YAML file"),
    ("plot_specs: {p: ./plots.yaml}", "plot_specs.p: found './plots.yaml', where there is no file, expected a YAML"),
    ("<<: {where: 3}", "<<: found an unknown key, expected one of measures"),
]


@pytest.mark.req("SIM-05", "SIM-06", "SIM-08")
@pytest.mark.parametrize(("old", "new", "problem"), SWEEP_PROBLEMS)
def test_problems_of_a_sweep(project: Path, old: str, new: str, problem: str) -> None:
    swap(project, SWEEP, old, new)
    (found,) = told(project)
    assert found.startswith("sweeps/pvt.yaml:")
    assert problem in found


@pytest.mark.req("SIM-05", "SIM-06", "SIM-08")
@pytest.mark.parametrize(("line", "problem"), ADDED_TO_A_SWEEP)
def test_problems_of_what_a_sweep_adds(project: Path, line: str, problem: str) -> None:
    add(project, SWEEP, line + "\n")
    (found,) = told(project)
    assert found.startswith("sweeps/pvt.yaml:")
    assert problem in found


def test_a_target_that_the_testbench_does_not_serve(project: Path) -> None:
    swap(project, TESTBENCH, "procedure: ./procedure.py\n", "")
    assert told(project) == [
        "sweeps/pvt.yaml:2: target: found target 'bench', but testbench 'tempco' has no `procedure`, "
        "expected one of spice"
    ]


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("def psrr(waves, case) 1", "testbenches/tempco/measures.py:1: found a syntax error (expected ':')"),
        (
            "def psr(waves, case): pass",
            "no function psrr() in measures.py, expected one of psr, did you mean 'psr'?",
        ),
        ("psrr_db = 1", "found python, but no function psrr() in measures.py, expected none"),
        ("def f():\n    def psrr(): pass", "found python, but no function psrr() in measures.py"),
        ("class A:\n    def psrr(self): pass", "found python, but no function psrr() in measures.py"),
        ("a = b'\\xff'\0", "measures.py"),
        (
            "def psrr(waves, case): pass\ndef iq(waves, case): pass",
            "config.yaml:7: measures.iq: found both a `.meas` and a function iq() in measures.py:2, expected one of",
        ),
    ],
)
def test_functions_are_looked_for_without_running_them(project: Path, code: str, problem: str) -> None:
    put(project, "testbenches/tempco/measures.py", f"{code}\nraise SystemExit\n")
    (found,) = told(project)
    assert problem in found


@pytest.mark.parametrize(
    "code",
    [
        "from helper import psrr",
        "import helper as psrr",
        "from helper import *",
        "psrr = max",
        "psrr: object = max",
        "try:\n    import fast\nexcept ImportError:\n    def psrr(w, c): pass",
        "if 1:\n    pass\nelse:\n    async def psrr(w, c): pass",
    ],
)
def test_a_function_may_come_from_anywhere(project: Path, code: str) -> None:
    put(project, "testbenches/tempco/measures.py", code)
    assert load(project).sweep_names() == ["pvt"]


def test_a_testbench_of_another_shape_is_told_and_nothing_follows_from_it(project: Path) -> None:
    put(project, TESTBENCH, "[template, procedure]")
    put(project, SWEEP, "testbench: tempco\n")
    assert told(project) == ["testbenches/tempco/config.yaml:1: found a list, expected a mapping"]


def test_a_measures_py_that_is_no_file_is_told(project: Path) -> None:
    (project / "testbenches/tempco/measures.py").unlink()
    (project / "testbenches/tempco/measures.py").mkdir()
    (found,) = told(project)
    assert found.startswith("testbenches/tempco/measures.py: found a file that cannot be read (")


@pytest.mark.parametrize("name", ["x" * 300, "a/" * 3000, "${HOME}", "~"])
def test_a_path_that_cannot_be_is_a_missing_file(project: Path, name: str) -> None:
    put(project, SETUP, f"sweeps: {{a: '{name}'}}\ntestbenches: {{b: '{name}'}}\n")
    first, second = told(project)
    assert "sweeps.a: found" in first
    assert "where there is no file" in first
    assert "where there is no folder" in second


def test_without_measures_py_a_python_measure_is_told(project: Path) -> None:
    (project / "testbenches/tempco/measures.py").unlink()
    (found,) = told(project)
    assert "measures.psrr.source: found python, but no measures.py, expected measures.py with def psrr()" in found


@pytest.mark.req("SIM-05")
def test_plots_may_stand_in_a_file_of_their_own(project: Path) -> None:
    put(project, "sweeps/plots.yaml", "iq_vs_temp: {x: temp, y: iq}\nvout_vs_temp: {title: Other}\n")
    add(project, SWEEP, "plot_specs: ./plots.yaml\n")
    plots = {plot.name: plot for plot in load(project).sweeps["pvt"].plot_specs}
    assert list(plots) == ["vout_vs_temp", "iq_vs_temp"]
    assert (plots["vout_vs_temp"].title, plots["vout_vs_temp"].group) == ("Other", "vin")
    put(project, "sweeps/plots.yaml", "iq_vs_temp:\n  x: temp\n  y: iqq\n")
    (found,) = told(project)
    assert found.startswith("sweeps/plots.yaml:3: plot_specs.iq_vs_temp.y: found the measure 'iqq'")
    put(project, "sweeps/plots.yaml", "- x\n")
    assert told(project) == ["sweeps/plots.yaml:1: plot_specs: found a list, expected a mapping"]
    put(project, "sweeps/plots.yaml", "}")
    (found,) = told(project)
    assert found.startswith("sweeps/plots.yaml:1: found a syntax error")


def test_one_plot_may_stand_in_a_file_of_its_own(project: Path) -> None:
    put(project, "sweeps/one.yaml", "{x: temp, y: iq}\n")
    add(project, SWEEP, "plot_specs: {p: ./one.yaml}\n")
    assert load(project).sweeps["pvt"].plot_specs[1].y == ("iq",)


def test_a_wrong_default_is_told_once_and_its_name_stays_known(project: Path) -> None:
    swap(project, TESTBENCH, "temp: 27", "temp: [27]")
    add(project, SWEEP, "where: iload > 1 and temp > 3\n")
    (found,) = told(project)
    assert found.startswith("testbenches/tempco/config.yaml:4: parameters.temp: found a list")


@pytest.mark.parametrize("text", ["[]", "5", "a", "{}", "{sweeps: {x: }}", "{dut: , simulator: 3}"])
def test_a_setup_of_another_shape_is_a_config_error_or_an_empty_project(project: Path, text: str) -> None:
    put(project, SETUP, text)
    try:
        assert load(project).sweeps == {}
    except ConfigError as error:
        where = [problem.where for problem in error.problems]
    else:
        where = ["sim_setup.yaml:1"]
    assert all(place.startswith("sim_setup.yaml:1") for place in where)


VALUES = [
    "[]",
    "{}",
    "5",
    "-1e400",
    "~",
    "tt",
    "'a b'",
    "[1, 1]",
    "[{a: 1}]",
    "{a: {b: c}}",
    ".nan",
    "{start: 1}",
    "./x",
]
KEYS = ["testbench", "target", "parameters", "zip", "corners", "where", "exclude", "monte_carlo", "measures"]
KEYS += ["aggregates", "plot_specs", "template", "procedure", "simulator", "dut", "sweeps", "output", "benches", "foo"]
NESTED = ["corner", "vin", "temp", "samples", "seed", "vout", "spec", "min", "x", "y", "of", "over", "function", "hot"]

trees = st.recursive(
    st.sampled_from(VALUES),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(NESTED), inner, max_size=3).map(
            lambda d: "{" + ", ".join(f"{k}: {v}" for k, v in d.items()) + "}"
        ),
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
    ),
    max_leaves=6,
)
files = st.dictionaries(st.sampled_from(KEYS), trees, max_size=5)


@pytest.mark.req("SIM-08")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(name=st.sampled_from([TESTBENCH, SWEEP, SETUP]), content=files)
def test_no_file_brings_forth_anything_but_a_clear_error(project: Path, name: str, content: dict[str, str]) -> None:
    original = (BASE / name).read_text(encoding="utf-8")
    kept = [line for line in original.splitlines() if not any(line.startswith(f"{key}:") for key in content)]
    top = [line for line in kept if not line.startswith(" ")] + [f"{key}: {value}" for key, value in content.items()]
    put(project, name, "\n".join(top) + "\n")
    try:
        loaded = load(project)
        for sweep in loaded.sweeps:
            make_plan(loaded, sweep)
    except (ConfigError, UsageError) as error:
        assert str(error)  # noqa: PT017 (what is proved is that nothing else is raised)
    finally:
        put(project, name, original)
