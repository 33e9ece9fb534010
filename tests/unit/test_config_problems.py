"""Every wrong key and value, and what a user is told about it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from simorc.config.project import load_project
from simorc.core.errors import ConfigError

BASE = Path(__file__).parents[1] / "data" / "config_project"
TESTBENCH, SWEEP, SETUP = "testbenches/tempco/config.yaml", "sweeps/pvt.yaml", "sim_setup.yaml"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is right, in the current folder."""
    folder = tmp_path / "project"
    shutil.copytree(BASE, folder)
    monkeypatch.chdir(folder)
    return folder


def told(folder: Path) -> list[str]:
    """The problems of a project, as a user reads them."""
    with pytest.raises(ConfigError) as caught:
        load_project(folder / SETUP, {})
    return str(caught.value).splitlines()


def put(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def add(folder: Path, name: str, text: str) -> None:
    put(folder, name, (folder / name).read_text(encoding="utf-8") + text)


def swap(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert old in text
    put(folder, name, text.replace(old, new))


SETUP_PROBLEMS = [
    ("outputs: x", "sim_setup.yaml:6: outputs: found an unknown key", "did you mean 'output'?"),
    ("benches: {lab: ./none.yaml}", "sim_setup.yaml:6: benches.lab: found './none.yaml', where there is no file", ""),
    ("benches: {lab: 3}", "sim_setup.yaml:6: benches.lab: found 3, expected a path", ""),
    ("benches: [lab]", "sim_setup.yaml:6: benches: found a list, expected a mapping", ""),
    ("benches: {../x: ./benches/lab.yaml}", "sim_setup.yaml:6: benches.../x: found the name '../x'", ""),
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
MC = "monte_carlo: {samples: 99}\n"
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
    ("corners: {a: {seed: 0}}", "corners.a.seed: found 0, expected a whole number from 1 to 2147483647"),
    ("corners: {a: {seed: tt}}", "corners.a.seed: found 'tt', expected a whole number from 1 to 2147483647"),
    (f"{MC}corners: {{a: {{seed: 5}}}}", "corners.a.seed: found a seed, beside `monte_carlo`, expected one of the two"),
    (
        "corners: ./worst.yaml",
        "corners: found './worst.yaml', where there is no file, expected a YAML file with corners",
    ),
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
    (
        f"{MC}aggregates: {{a: {{function: cpk, of: vout}}}}",
        "aggregates.a.over: found no such key, expected mc_sample: cpk is about random samples",
    ),
    (
        f"{MC}aggregates: {{a: {{function: cp, of: vout, over: temp}}}}",
        "aggregates.a.over: found 'temp', expected mc_sam",
    ),
    (
        f"{MC}aggregates: {{a: {{function: yield, of: psrr, over: mc_sample}}}}",
        "aggregates.a.of: found 'psrr' without limits, expected a measure with limits for yield",
    ),
    (
        "aggregates: {a: {function: yield, of: vout, over: mc_sample}}",
        "aggregates.a.over: found 'mc_sample', which this",
    ),
    ("aggregates: {a: {function: max}}", "aggregates.a.of: found no such key, expected one of vout, iq, psrr"),
    ("plot_specs: {p: {x: corner_name, y: vout}}", "plot_specs.p.x: found 'corner_name', which this sweep does not"),
    ("plot_specs: {p: {y: vout, x: temp, where: seed > 1}}", "plot_specs.p.where: found 'seed', which this sweep does"),
    ("plot_specs: ./plots.yaml", "plot_specs: found './plots.yaml', where there is no file, expected a YAML file"),
    ("plot_specs: {p: ./plots.yaml}", "plot_specs.p: found './plots.yaml', where there is no file, expected a YAML"),
    ("stop_when: {mean: 1%}", "stop_when: found a sweep without random samples, expected `monte_carlo: {samples: …}`"),
    (f"{MC}stop_when: {{yield_ci: 2}}", "stop_when.yield_ci: found 2, expected a number above 0 and below 1, or a per"),
    (f"{MC}stop_when: {{sigma: x%}}", "stop_when.sigma: found 'x%', expected a number above 0 and below 1, or a"),
    (f"{MC}stop_when: {{mean: 0%}}", "stop_when.mean: found '0%', expected a number above 0 and below 1, or a"),
    (f"{MC}stop_when: {{}}", "stop_when: found nothing to be met, expected yield_ci, mean or sigma"),
    (
        f"{MC}stop_when: {{mean: 1%, of: vot}}",
        "stop_when.of: found 'vot', expected one of vout, iq, psrr, did you mean",
    ),
    (f"{MC}stop_when: {{yield_ci: 1%, of: vout}}", "stop_when.of: found measures, but neither `mean` nor `sigma`"),
    ("statistics_by: corne", "statistics_by: found 'corne', expected one of "),
    (f"{MC}statistics_by: temp", "statistics_by: found groups beside random samples, expected one of `monte_carlo`"),
    (f"{MC}stop_when: 3", "stop_when: found 3, expected a mapping"),
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
