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
    assert (list(loaded.sweeps), list(loaded.testbenches)) == (["pvt"], ["tempco"])
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
    assert list(load(project).sweeps) == ["pvt"]


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
