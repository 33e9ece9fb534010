"""From the files to the plan of a run: axes, what wins over what, settings, and files that a target needs."""

from __future__ import annotations

import shutil
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.config.axis_values import RangeError, linear, logarithmic, stepped
from simorc.config.project import load_project
from simorc.config.resolve import make_plan
from simorc.core.errors import ConfigError, UsageError
from simorc.core.measurement import Measure
from simorc.core.plan import Plan, PlotSpec, SimulatorSettings
from simorc.core.spec import Spec
from simorc.core.stopping import StopRule
from simorc.core.sweep import Axis, monte_carlo_axis
from simorc.core.units import Quantity, value_from_text, value_to_text
from simorc.workspace.plan_file import decode, encode

BASE = Path(__file__).parents[1] / "data" / "config_project"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(BASE, folder)
    with (folder / "sim_setup.yaml").open("a") as file:
        file.write("benches: {lab: ./benches/lab.yaml}\n")
    monkeypatch.chdir(folder)
    return folder


def plan(folder: Path, sweep: str | None = None, target: str = "spice", **environment: str) -> Plan:
    """The plan of the sweep, whose file is replaced by a text where one is given."""
    if sweep is not None:
        (folder / "sweeps" / "pvt.yaml").write_text(f"testbench: tempco\n{sweep}", encoding="utf-8")
    return make_plan(load_project(folder / "sim_setup.yaml", environment), "pvt", target)


def measure(made: Plan, name: str) -> Measure:
    (found,) = (measure for measure in made.measures if measure.name == name)
    return found


def axes(folder: Path, sweep: str) -> dict[str, list[str]]:
    """Column -> its points as text, of one-column axes."""
    return {axis.names[0]: [value_to_text(row[0]) for row in axis.rows] for axis in plan(folder, sweep).sweep.axes}


@pytest.mark.req("SIM-05")
def test_a_plan_has_everything_resolved(project: Path) -> None:
    made = plan(project)
    assert made.sweep.name == "pvt"
    assert made.sweep.defaults == {"corner": "tt", "vin": 5.0, "temp": 27, "iload": Quantity("10m")}
    assert [str(value) for value in made.sweep.defaults.values()] == ["tt", "5.0", "27", "10m"]
    assert made.sweep.axes == (
        Axis(("corner",), (("tt",), ("ff",), ("ss",))),
        Axis(("vin",), ((4.0,), (4.5,), (5.0,), (5.5,), (6.0,))),
        Axis(("temp",), ((-40,), (0,), (27,), (85,), (125,))),
    )
    assert (made.testbench, made.target, made.template, made.procedure) == (
        "tempco",
        "spice",
        "tb_tempco.spice.j2",
        "procedure.py",
    )
    assert made.testbench_dir == f"{project}/testbenches/tempco"
    assert (made.sweep_file, made.setup_file) == (f"{project}/sweeps/pvt.yaml", f"{project}/sim_setup.yaml")
    assert made.dut == {"schematic": f"{project}/schematics/ldo.sch", "netlist": f"{project}/netlists/ldo.spice"}
    assert measure(made, "vout") == Measure("vout", "V", Spec(3.25, 3.3, 3.35))
    assert measure(made, "psrr") == Measure("psrr", "dB", source="python", targets=("spice",), optional=True)
    assert made.plot_specs == (PlotSpec("vout_vs_temp", "line", "temp", ("vout",), "vin"),)
    assert made.simulator == SimulatorSettings(
        timeout_s=120.0, init=("set ngbehavior=hsa",), retries=({"gmin": "1e-10"}, {"reltol": "5e-3", "method": "gear"})
    )
    assert (made.pdks, made.environment) == ({}, {})


def test_aggregates_take_the_unit_of_what_they_are_made_of(project: Path) -> None:
    tempco, low = plan(project).aggregates
    assert (tempco.unit, tempco.spec, tempco.over) == ("ppm/degC", Spec(max=50.0), "temp")
    assert (low.unit, low.over) == ("dB", "")


def test_on_another_target_the_aggregates_of_its_measures_alone_remain(project: Path) -> None:
    made = plan(project, target="bench")
    assert made.target == "bench"
    assert [aggregate.name for aggregate in made.aggregates] == ["tempco"]
    assert "psrr" in [measure.name for measure in made.measures]


def test_values_reach_the_deck_as_they_were_written(project: Path) -> None:
    text = "parameters: {iload: [10u, 5.00, 1e3, 5e-05, 0x10, '007', 2.5meg, 1M, true, a b]}"
    assert axes(project, text) == {"iload": ["10u", "5.00", "1e3", "5e-05", "16", "007", "2.5meg", "1M", "true", "a b"]}


@pytest.mark.parametrize(
    ("axis", "points"),
    [
        ("27", ["27"]),
        ("ff", ["ff"]),
        ("[5.0]", ["5.0"]),
        ("{values: [1, 2]}", ["1", "2"]),
        ("{start: 0, stop: 100, num: 3}", ["0", "50", "100"]),
        ("{start: 0, stop: 1, num: 5}", ["0.0", "0.25", "0.5", "0.75", "1.0"]),
        ("{start: 0, stop: 0.6, step: 0.1}", ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6"]),
        ("{start: 0, stop: 1, step: 0.4}", ["0.0", "0.4", "0.8"]),
        ("{start: 125, stop: -40, step: -55}", ["125", "70", "15", "-40"]),
        ("{start: 10u, stop: 40u, step: 10u}", ["1e-05", "2e-05", "3e-05", "4e-05"]),
        ("{start: 3, stop: 3, num: 1}", ["3"]),
        ("{start: 3, stop: 3, step: 1}", ["3"]),
        ("{start: 1, stop: 1k, num: 4, scale: log}", ["1.0", "10.0", "100.0", "1000.0"]),
        ("{start: 1k, stop: 10, num: 3, scale: log}", ["1000.0", "100.0", "10.0"]),
        ("{start: 1, stop: 10, num: 3, scale: log}", ["1.0", "3.16227766017", "10.0"]),
        ("{start: 2, stop: 2, num: 1, scale: log}", ["2.0"]),
    ],
)
def test_forms_of_an_axis(project: Path, axis: str, points: list[str]) -> None:
    assert axes(project, f"parameters: {{iload: {axis}}}") == {"iload": points}


decimals = st.decimals(-1000, 1000, places=3, allow_nan=False).map(float)


@given(decimals, decimals, st.integers(2, 200))
def test_a_linear_range_is_exact_and_has_both_ends(start: float, stop: float, num: int) -> None:
    points = [float(value) for value in linear(start, stop, num)]
    first, last = Fraction(repr(start)), Fraction(repr(stop))
    assert points == [float(first + (last - first) * i / (num - 1)) for i in range(num)]
    assert (points[0], points[-1]) == (start, stop)


@given(decimals, st.integers(1, 100), st.sampled_from([0.1, 0.25, 0.003, 5.0, -0.1, 7]))
def test_a_stepped_range_meets_a_stop_on_its_grid_in_short_numbers(start: float, steps: int, step: float) -> None:
    stop = float(Fraction(repr(start)) + steps * Fraction(repr(step)))
    points = stepped(start, stop, step)
    assert len(points) == steps + 1
    assert points[-1] == stop
    assert all(len(repr(value).rpartition(".")[2]) <= 4 for value in points)


@given(st.floats(1e-12, 1e12), st.floats(1e-12, 1e12), st.integers(2, 60))
def test_a_logarithmic_range_has_both_ends_and_even_ratios(start: float, stop: float, num: int) -> None:
    points = [float(value) for value in logarithmic(start, stop, num)]
    assert (len(points), points[0], points[-1]) == (num, start, stop)
    ratio = (stop / start) ** (1 / (num - 1))
    assert all(b / a == pytest.approx(ratio, rel=1e-9) for a, b in pairwise(points))


@given(decimals, decimals, st.integers(2, 50))
def test_points_of_a_range_survive_the_trip_through_text(start: float, stop: float, num: int) -> None:
    points = linear(start, stop, num)
    assert tuple(value_from_text(value_to_text(value)) for value in points) == points


def test_a_range_of_too_many_values_is_refused_before_it_is_made() -> None:
    for make in (lambda: linear(0, 1, 10**9), lambda: stepped(0, 1, 1e-200), lambda: logarithmic(1, 2, 10**9)):
        with pytest.raises(RangeError, match="at most 10,000,000"):
            make()


@pytest.mark.req("SIM-05")
def test_zipped_parameters_are_one_axis_where_the_first_of_them_stands(project: Path) -> None:
    text = "parameters: {temp: [1, 2], iload: [1m, 2m], corner: [tt, ff], vin: [4, 4]}\nzip: [[vin, iload]]\n"
    made = plan(project, text)
    assert made.sweep.axes == (
        Axis(("temp",), ((1,), (2,))),
        Axis(("iload", "vin"), ((Quantity("1m"), 4), (Quantity("2m"), 4))),
        Axis(("corner",), (("tt",), ("ff",))),
    )


def test_rows_of_a_zip_that_are_the_same_are_told(project: Path) -> None:
    with pytest.raises(ConfigError, match=r"zip\[0\]\[1\]: found 4, 1 twice"):
        plan(project, "parameters: {vin: [4, 4], iload: [1, 1]}\nzip: [[iload, vin]]\n")


def test_corners_are_the_slowest_axis_and_fill_up_with_defaults(project: Path) -> None:
    text = "parameters: {temp: [1, 2]}\ncorners: {nom: {}, hot: {corner: ff, vin: 5.50}, cold: {corner: ss}, 27: {}}\n"
    made = plan(project, text)
    assert made.sweep.axes[0] == Axis(
        ("corner_name", "corner", "vin"),
        (("nom", "tt", 5.0), ("hot", "ff", Quantity("5.50")), ("cold", "ss", 5.0), ("27", "tt", 5.0)),
    )
    assert made.sweep.swept == ("corner_name", "corner", "vin", "temp")
    assert next(made.sweep.cases()).label == "corner_name:nom-corner:tt-vin:5.0-temp:1"


def test_corners_may_stand_in_a_file_and_set_the_seed(project: Path) -> None:
    (project / "sweeps" / "worst.yaml").write_text(
        'vout_worst: {corner: "ff", vin: 5.50, seed: 77}\niq_worst: {temp: 85}\n'
    )
    made = plan(project, "corners: ./worst.yaml\n")
    assert made.sweep.axes == (
        Axis(
            ("corner_name", "corner", "vin", "seed", "temp"),
            (("vout_worst", "ff", Quantity("5.50"), 77, 27), ("iq_worst", "tt", 5.0, 1, 85)),
        ),
    )
    assert [case.seed for case in made.sweep.cases()] == [77, 1]
    (project / "sweeps" / "worst.yaml").write_text("vout_worst: {cornr: ff}\n")
    with pytest.raises(ConfigError, match=r"worst\.yaml:1:.*vout_worst\.cornr: found a parameter that"):
        plan(project, "corners: ./worst.yaml\n")


def test_monte_carlo_samples_are_the_fastest_axis(project: Path) -> None:
    made = plan(project, "parameters: {temp: [1, 2]}\nmonte_carlo: {samples: 3, seed: 5}\nwhere: mc_sample < 2\n")
    assert made.sweep.axes[1] == monte_carlo_axis(3, 5)
    assert [case.conditions["mc_sample"] for case in made.sweep.cases()] == [0, 1, 0, 1]
    assert plan(project, "monte_carlo: {samples: 2}\n").sweep.axes == (monte_carlo_axis(2, 1),)


def test_a_rule_that_ends_a_run_early_is_for_simulations(project: Path) -> None:
    text = "monte_carlo: {samples: 200}\nstop_when: {yield_ci: 2%, mean: 0.01, of: vout}\n"
    made = plan(project, text)
    assert made.stop_when == StopRule(0.02, 0.01, None, ("vout",))
    assert made.confidence == pytest.approx(1 - 0.05 / 4)  # 25, 50, 100, 200 samples: four looks
    assert decode(Plan, encode(made), "plan") == made
    assert plan(project, text, "bench").stop_when is None
    assert plan(project, "monte_carlo: {samples: 200}\n").confidence == 0.95


def test_a_yield_may_have_limits(project: Path) -> None:
    yields = "aggregates: {good: {function: yield, of: vout, over: mc_sample, spec: {min: 0.99}}}\n"
    made = plan(project, f"monte_carlo: {{samples: 9}}\n{yields}").aggregates[-1]
    assert (made.name, made.function, made.unit, made.spec.min) == ("good", "yield", "", 0.99)


def test_the_groups_of_the_statistics_are_chosen(project: Path) -> None:
    made = plan(project, "parameters: {temp: [1, 2], vin: [4, 5]}\nstatistics_by: vin\n")
    assert made.sweep.statistics_by == ("vin",)
    assert decode(Plan, encode(made), "plan") == made
    assert plan(project, "parameters: {temp: [1, 2]}\nstatistics_by: []\n").sweep.statistics_by == ()
    assert plan(project, "parameters: {temp: [1, 2]}\n").sweep.statistics_by is None


@pytest.mark.req("SIM-08")
def test_a_yield_needs_a_measure_with_limits(project: Path) -> None:
    config = project / "testbenches" / "tempco" / "config.yaml"
    config.write_text("template: ./tb_tempco.spice.j2\nparameters: {temp: 27}\nmeasures: {vout: {unit: V}}\n")
    with pytest.raises(ConfigError, match=r"stop_when\.yield_ci: found a yield, but no measure with limits"):
        plan(project, "monte_carlo: {samples: 200}\nstop_when: {yield_ci: 2%}\n")


def test_a_sweep_of_nothing_is_the_nominal_case(project: Path) -> None:
    (case,) = plan(project, "").sweep.cases()
    assert (case.swept, case.parameters["vin"]) == ((), 5.0)


def test_conditions_are_one_or_several(project: Path) -> None:
    made = plan(project, "parameters: {temp: [1, 2, 3, 4]}\nwhere: temp > 1\nexclude: [temp == 2, temp == 3]\n")
    assert [case.parameters["temp"] for case in made.sweep.cases()] == [4]
    text = "parameters: {temp: [1, 2]}\ncorners: {a: {}, b: {}}\nwhere: corner_name == 'a' or temp == 2\n"
    assert len(list(plan(project, text).sweep.cases())) == 3


def test_the_name_of_a_corner_is_a_text_whatever_it_looks_like(project: Path) -> None:
    text = "parameters: {temp: [1, 2]}\ncorners: {1: {}, 10m: {}, true: {}}\nexclude: corner_name in ['1', '10m']\n"
    cases = list(plan(project, text).sweep.cases())
    assert [case.parameters["corner_name"] for case in cases] == ["true", "true"]
    with pytest.raises(ConfigError, match="compares the text '1' with the number 1"):
        plan(project, "corners: {1: {}}\nwhere: corner_name == 1\n")


def test_a_condition_on_an_axis_of_texts_and_numbers_names_both(project: Path) -> None:
    with pytest.raises(ConfigError, match="compares the number 1 with the text 'tt'"):
        plan(project, "parameters: {corner: [tt, 1]}\nwhere: corner == 'tt'\n")
    assert len(list(plan(project, "parameters: {corner: [tt, 1]}\n").sweep.cases())) == 2


@pytest.mark.parametrize("key", ["where", "exclude"])
def test_conditions_that_leave_no_case_are_told(project: Path, key: str) -> None:
    condition = {"where": "temp > 2", "exclude": "temp < 3"}[key]
    with pytest.raises(ConfigError, match=f"pvt.yaml:3: {key}: found conditions that leave no case"):
        plan(project, f"parameters: {{temp: [1, 2]}}\n{key}: {condition}\n")


@pytest.mark.req("SIM-05")
def test_a_sweep_wins_over_its_testbench_key_by_key(project: Path) -> None:
    text = """
measures:
  vout: {spec: {max: 3.4}, corner_specs: {ss: {min: 3.2}, ff: {max: null}}}
  iq: {spec: {max: null}, unit: mA}
  gain: {unit: dB}
aggregates: {tempco: {spec: {max: 60}}, highest: {function: max, of: vout, over: temp}}
plot_specs: {vout_vs_temp: {group: corner}, iq: {kind: histogram, y: [iq]}}
parameters: {corner: [tt, ss, ff], temp: [1, 2]}
"""
    made = plan(project, text)
    assert measure(made, "vout").spec == Spec(3.25, 3.3, 3.4)
    assert measure(made, "vout").corner_specs == {"ss": Spec(3.2, 3.3, 3.4), "ff": Spec(3.25, 3.3, None)}
    assert (measure(made, "iq").spec, measure(made, "iq").unit) == (Spec(), "mA")
    assert [measure.name for measure in made.measures] == ["vout", "iq", "psrr", "gain"]
    aggregates = {aggregate.name: aggregate for aggregate in made.aggregates}
    assert (aggregates["tempco"].spec.max, aggregates["tempco"].of) == (60.0, "vout")
    assert (aggregates["highest"].unit, aggregates["highest"].over) == ("V", "temp")
    assert [(plot.name, plot.group) for plot in made.plot_specs] == [("vout_vs_temp", "corner"), ("iq", "")]
    assert measure(plan(project, "parameters: {temp: [1, 2]}\n"), "vout").spec.max == 3.35


def test_a_mapping_whose_keys_are_all_commented_out_is_empty_and_changes_nothing(project: Path) -> None:
    made = plan(project, "parameters:\nmeasures:\n  iq:\n  vout: {spec: }\n  gain:\naggregates:\nplot_specs:\n")
    assert (measure(made, "iq").spec.max, measure(made, "vout").spec.min) == (120e-6, 3.25)
    assert (measure(made, "gain"), len(made.plot_specs)) == (Measure("gain"), 1)
    with pytest.raises(ConfigError, match=r"aggregates.a.function: found no such key"):
        plan(project, "aggregates:\n  a:\n")


@pytest.mark.parametrize("text", ["parameters: {vin: [4, 5]}", "parameters: {temp: 27}", ""])
def test_an_aggregate_of_the_testbench_over_what_stays_is_left_out(project: Path, text: str) -> None:
    assert [aggregate.name for aggregate in plan(project, text).aggregates] == ["psrr_low"]


def test_an_aggregate_may_run_over_corners_and_samples(project: Path) -> None:
    text = """
corners: {a: {}, b: {vin: 6}}
monte_carlo: {samples: 2}
aggregates:
  worst: {function: min, of: vout, over: corner_name}
  sigma: {function: sigma, of: vout, over: mc_sample}
plot_specs: {by_corner: {x: corner_name, y: sigma, where: seed > 0}}
"""
    made = plan(project, text)
    assert [(a.name, a.over) for a in made.aggregates if a.over] == [("worst", "corner_name"), ("sigma", "mc_sample")]
    assert [plot.name for plot in made.plot_specs] == ["vout_vs_temp", "by_corner"]


def test_a_plot_of_the_testbench_over_corners_is_left_out_without_them(project: Path) -> None:
    file = project / "testbenches" / "tempco" / "config.yaml"
    file.write_text(file.read_text() + "  by_corner: {x: corner_name, y: vout}\n  waves: {kind: waveform, y: out}\n")
    assert [plot.name for plot in plan(project, "parameters: {temp: 1}").plot_specs] == ["vout_vs_temp", "waves"]


@pytest.mark.req("DVT-09")
def test_the_testbench_wins_over_the_setup_and_the_environment_over_both(project: Path) -> None:
    file = project / "testbenches" / "tempco" / "config.yaml"
    file.write_text(file.read_text() + "simulator: {timeout_s: 7, threads: 2, init: [a, b], retries: }\n")
    assert plan(project).simulator == SimulatorSettings(
        "ngspice", 7.0, ("a", "b"), "all", ({"gmin": "1e-10"}, {"reltol": "5e-3", "method": "gear"}), 2
    )
    settings = plan(project, None, "spice", SIMORC_SIMULATOR__TIMEOUT_S="60", SIMORC_SIMULATOR__KEEP="failed").simulator
    assert (settings.timeout_s, settings.threads, settings.keep) == (60.0, 2, "failed")


def test_the_target_of_the_command_line_wins(project: Path) -> None:
    loaded = load_project(project / "sim_setup.yaml", {})
    assert (make_plan(loaded, "pvt").target, make_plan(loaded, "pvt", "spice").target) == ("bench", "spice")


def test_names_that_are_not_there_are_usage_errors(project: Path) -> None:
    loaded = load_project(project / "sim_setup.yaml", {})
    for arguments, what, hint in (
        (("pvd",), "no sweep 'pvd' in sim_setup.yaml", "did you mean 'pvt'?"),
        (("zzz",), "no sweep 'zzz' in sim_setup.yaml", "there are: pvt"),
        (("pvt", "spic"), "no target 'spic'", "did you mean 'spice'?"),
        (("pvt", "lab"), "no target 'lab'", "there are: spice, bench"),
    ):
        with pytest.raises(UsageError) as caught:
            make_plan(loaded, *arguments)
        assert (caught.value.what, caught.value.hint) == (what, hint)


def test_files_that_the_target_needs_are_told_together(project: Path) -> None:
    (project / "netlists" / "ldo.spice").unlink()
    (project / "testbenches" / "tempco" / "tb_tempco.spice.j2").unlink()
    (project / "testbenches" / "tempco" / "procedure.py").unlink()
    with pytest.raises(ConfigError) as caught:
        plan(project)
    assert [problem.where for problem in caught.value.problems] == [
        "testbenches/tempco/config.yaml:2: template",
        "sim_setup.yaml:1: dut.netlist",
    ]
    with pytest.raises(ConfigError) as caught:
        plan(project, target="bench")
    assert [problem.where for problem in caught.value.problems] == ["testbenches/tempco/config.yaml:3: procedure"]


def test_another_target_that_is_not_served_is_told(project: Path) -> None:
    file = project / "testbenches" / "tempco" / "config.yaml"
    file.write_text(file.read_text().replace("procedure: ./procedure.py\n", ""))
    with pytest.raises(ConfigError) as caught:
        plan(project, "", "bench")
    assert str(caught.value) == (
        "testbenches/tempco/config.yaml:1: procedure: found no such key, but the target is 'bench', "
        "expected a file, or --target spice"
    )
