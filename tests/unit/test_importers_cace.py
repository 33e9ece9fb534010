"""CACE datasheets: what is carried over, what is told to be left."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from simorc.commands.import_ import import_cace as command
from simorc.config.project import load_project
from simorc.core.errors import ConfigError, UsageError
from simorc.core.units import Quantity
from simorc.importers.cace import Imported, import_cace
from simorc.importers.cace_template import Names, convert
from simorc.importers.cace_values import condition_values, in_deck_units, limits
from simorc.importers.plain_units import plain_unit

SHEET = Path(__file__).parents[1] / "golden" / "cace" / "cace" / "divider.yaml"


@pytest.fixture
def imported(tmp_path: Path) -> Imported:
    return import_cace(SHEET, tmp_path)


def test_a_parameter_becomes_a_testbench_and_a_sweep(imported: Imported) -> None:
    config = yaml.safe_load(imported.files["testbenches/dc/config.yaml"])
    assert config["parameters"] == {"vin": 2.5, "rl": "1k", "temperature": 27, "corner": "tt", "rx": "1meg"}
    assert config["measures"]["vout"] == {
        "unit": "V",
        "spec": {"min": "900m", "max": "1400m"},
        "description": "Output under load",
    }
    assert config["measures"]["isup"] == {"unit": "A", "description": "Supply current"}
    assert config["measures"]["drop"]["unit"] == "V/V"
    assert config["plot_specs"] == {
        "vout_vs_vin": {"kind": "line", "x": "vin", "y": "vout"},
        "spread": {"kind": "histogram", "y": "vout"},
    }
    assert yaml.safe_load(imported.files["sweeps/dc.yaml"]) == {
        "testbench": "dc",
        "parameters": {"vin": [2, 2.5, 3], "rl": ["1k", "10k"], "corner": ["tt", "ff"]},
    }
    assert yaml.safe_load(imported.files["sweeps/mc.yaml"])["monte_carlo"] == {"samples": 5}
    assert yaml.safe_load(imported.files["testbenches/mc/config.yaml"])["schematic"] == "./tb_mc.sch"


def test_placeholders_of_netlists_and_of_schematics(imported: Imported) -> None:
    deck = imported.files["testbenches/dc/tb_dc.spice.j2"]
    assert '.include "{{ dut.netlist }}"' in deck
    assert "* {{ parameters.corner }}, 10000.0, half: {{ (parameters.vin / 2) }}, CACE{nothing}" in deck
    assert "echo vout = $&vout\necho isup = $&isup\n.endc" in deck
    drawn = imported.files["testbenches/mc/tb_mc.sch"]
    assert r".lib \{\{ pdk.sky130.lib \}\} \{\{ parameters.corner \}\}" in drawn
    assert r"vin in 0 \{\{ (parameters.vin * 2) \}\}" in drawn
    assert "CACE" not in drawn


def test_what_could_not_be_carried_over_is_listed(imported: Imported) -> None:
    told = "\n".join(imported.left)
    for part in (
        "pins: ",
        "dc: CACE{nothing}: no condition of that name",
        "dc: isup: maximum 1500u judges nothing there",
        "dc: drop: maximum with calculation: average",
        "dc: the plot wave: not of measures over a swept condition",
        "mc: the script spread.py",
        "magic_area: measured by magic_area, not by ngspice",
        "lost: the template nowhere.sch cannot be read",
    ):
        assert part in told
    assert len(imported.left) == 12


def test_format_5_0_has_no_word_before_its_braces() -> None:
    names = Names({"vdd": [1.8]}, {"N": "{{ case.id }}"}, bare=True)
    made = convert("v1 a 0 {vdd}\nr1 a v[0] {other}\nv2 b 0 [{vdd} / 2] {N}\n", names, [], "")
    ours = "v1 a 0 {{ parameters.vdd }}\nr1 a v[0] {other}\nv2 b 0 {{ (parameters.vdd / 2) }} {{ case.id }}\n"
    assert (made.text, made.used, made.left) == (ours, {"vdd"}, [])


def test_what_cannot_be_an_expression_or_a_result_is_told() -> None:
    text = "a CACE[sqrt(CACE{vdd})] CACE[CACE{x} + 1]\nwrdata out.data v(a)\necho $&a $&b > r.data\n"
    made = convert(text, Names({"vdd": [1]}, {}), ["a"], ".data")
    assert made.text == text.replace("CACE{vdd}", "{{ parameters.vdd }}")
    assert len(made.left) == 5
    for number, what in enumerate(
        (
            "`echo $&a $&b > r.data` writes 2 columns for 1 variables",
            "`wrdata out.data v(a)` writes waveforms",
            "the expression CACE[sqrt(CACE{vdd})]",
            "the expression CACE[CACE{x} + 1]",
            "CACE{x}: no condition of that name",
        )
    ):
        assert made.left[number].startswith(what)


@pytest.mark.parametrize(
    ("spec", "unit", "values"),
    [
        ({"enumerate": "1 2 5"}, "pF", ["1p", "2p", "5p"]),
        ({"enumerate": ["tt", "ff"]}, "", ["tt", "ff"]),
        ({"minimum": -40, "maximum": 130, "typical": 27}, "°C", ["-40", "27", "130"]),
        ({"minimum": 1, "maximum": 2, "step": "linear", "stepsize": 0.5}, "V", ["1.0", "1.5", "2.0"]),
        ({"minimum": 1, "maximum": 5, "step": "logarithmic", "typical": 3}, "kHz", ["1k", "2k", "4k", "5k", "3k"]),
        ({"minimum": -3, "maximum": 4, "step": "linear", "stepsize": 5}, "", ["-3.0", "2.0", "4.0"]),
        ({"minimum": 0.1, "maximum": 0.3, "step": "linear", "stepsize": 0.1}, "V", ["0.1", "0.2", "0.3"]),
        ({"enumerate": [-40, 130], "typical": 27}, "°C", ["-40", "130", "27"]),
        ({"enumerate": ["tt", "ff"], "typical": "tt"}, "", ["tt", "ff"]),
        ({"minimum": 5, "maximum": 5, "stepsize": 1}, "%", ["0.05"]),
    ],
)
def test_conditions_are_values_in_the_units_of_the_deck(spec: dict[str, object], unit: str, values: list[str]) -> None:
    assert [str(value) for value in condition_values(spec, unit)[0]] == values


@pytest.mark.parametrize(
    ("unit", "limit", "base"),
    [
        ("%", 0.05, ""),
        ("%FSR", 0.05, "FSR"),
        ("ppm", 5e-6, ""),
        ("%/V", 0.05, "1/V"),
        ("ppm/°C", 5e-6, "1/degC"),
        ("V/%", 500.0, "V"),
        ("KHz", 5e3, "Hz"),
        ("um", 5e-6, "m"),
        ("uV-rms", 5e-6, "V-rms"),
        ("mv", 5e-3, "V"),
        ("mV/us", 5e3, "V/s"),
        ("dB", 5, "dB"),
    ],
)
def test_limits_are_in_the_unit_without_prefixes(unit: str, limit: float, base: str) -> None:
    """What the deck prints are plain numbers: 5 % is 0.05 there, and a limit of 5 would never be missed."""
    assert float(Quantity(str(limits({"maximum": {"value": 5}}, unit, [])["max"]))) == pytest.approx(limit)
    assert plain_unit(unit).base == base


def test_a_key_of_a_limit_that_nobody_knows_is_told() -> None:
    left: list[str] = []
    assert limits({"maximum": {"value": 2, "measurement": "std3p-below"}}, "", left) == {"max": 2}
    assert left == ["maximum: measurement: unknown"]


def test_one_plot_need_not_have_a_name(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "t.spice").write_text("* {v}\necho $&r > t.data\n.end\n")
    tool = "tool: {ngspice: {template: t.spice, variables: r, suffix: .data}}"
    rest = "conditions: {v: {minimum: 1, maximum: 2}}, plot: {filename: a.png, xaxis: v, yaxis: r}"
    (tmp_path / "sheet.yaml").write_text(f"cace_format: 5.0\nname: x\nparameters: {{a: {{{tool}, {rest}}}}}\n")
    imported = import_cace(tmp_path / "sheet.yaml", tmp_path)
    config = yaml.safe_load(imported.files["testbenches/a/config.yaml"])
    assert config["plot_specs"] == {"a": {"kind": "line", "x": "v", "y": "r"}}
    assert imported.left == []


def test_a_typical_value_judges_nothing_however_it_is_calculated() -> None:
    left: list[str] = []
    for calculation in ("average", "median"):
        assert limits({"typical": {"value": 1, "calculation": calculation}}, "V", left) == {"typ": 1}
    assert left == []


def test_odd_numbers_and_limits() -> None:
    assert in_deck_units(1e-7, "uA") == 1e-13
    assert in_deck_units("5k", "mV") == 5000
    assert in_deck_units(10, "mV/us") == 10e-3 / 1e-6
    assert str(in_deck_units("00011111", "")) == "00011111"  # a code of bits
    assert [str(in_deck_units(text, "V")) for text in ("1", "1.80", "27")] == ["1", "1.80", "27"]
    assert in_deck_units("50", "ms") == 50e-3
    assert in_deck_units(True, "") == "True"
    left: list[str] = []
    assert limits({"minimum": {"value": "vss - 1"}, "typical": {"value": 1, "fail": True}}, "V", left) == {"typ": 1}
    assert len(left) == 2
    backwards: dict[str, object] = {"minimum": 2, "maximum": 1, "step": "linear"}
    for spec in ({"step": "linear", "minimum": 1}, {"minimum": 0, "maximum": 1, "step": "log"}, backwards):
        with pytest.raises(ValueError, match="steps need"):
            condition_values(spec, "")
    with pytest.raises(ValueError, match="more than"):
        condition_values({"minimum": 0, "maximum": 1, "stepsize": 1e-9}, "")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("name: x\n", "no key cace_format"),
        ("[1, 2]\n", "no key cace_format"),
        ("cace_format: 4.0\nname: x\n", "cace_format 4.0, expected 5.x"),
        ("cace_format: 5.2\n", "has no name"),
        ("cace_format: 5.2\nname: x\nparameters: {a: {tool: magic_drc}}\n", "nothing of sheet.yaml can be carried"),
        ("cace_format: 5.2\nname: x\n", "nothing of sheet.yaml can be carried"),
        ("cace_format: 5.2\nname: x\nparameters: none\n", "nothing of sheet.yaml can be carried"),
        ("cace_format: 5.2\nname: x\nparameters: [a, {name: [b]}]\n", "nothing of sheet.yaml can be carried"),
    ],
)
def test_what_is_no_datasheet(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "sheet.yaml").write_text(text)
    with pytest.raises(UsageError, match=what):
        import_cace(tmp_path / "sheet.yaml", tmp_path)


def test_one_variable_need_not_be_a_list(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "t.spice").write_text("* t\n.end\n")
    tool = "{ngspice: {template: t.spice, variables: vout}}"
    (tmp_path / "sheet.yaml").write_text(f"cace_format: 5.2\nname: x\nparameters: {{a: {{tool: {tool}}}, b: text}}\n")
    imported = import_cace(tmp_path / "sheet.yaml", tmp_path)
    assert list(yaml.safe_load(imported.files["testbenches/a/config.yaml"])["measures"]) == ["vout"]
    assert "b: measured by no tool, not by ngspice" in imported.left


@pytest.mark.parametrize(
    "change",
    [
        {"plot": {"": {"xaxis": ["v"], "yaxis": "r"}, "null": {"xaxis": "v", "yaxis": "r"}}},
        {"plot": {"h": {"type": "histogram", "yaxis": ["x", "r"]}}},
        {"conditions": {"v": {"typical": float("nan"), "maximum": float("inf"), "unit": "mV"}}},
        {"conditions": {"no": {"typical": 1}}, "description": "a\x00b # c\n  d"},
        {"tool": {"ngspice": {"template": "t\x00.spice"}}},
        {"tool": {"ngspice": {"template": "t.spice", "variables": ["no", "null", "yes"], "suffix": ".data"}}},
    ],
)
def test_odd_entries_make_no_broken_files(tmp_path: Path, change: dict[str, object]) -> None:
    sheet = tmp_path / "chip #1, old" / "cace" / "sheet.yaml"
    (sheet.parent / "templates").mkdir(parents=True)
    (sheet.parent / "templates" / "t.spice").write_text("* {v} {no}\necho $&r > t.data\n.end\n")
    tool = {"ngspice": {"template": "t.spice", "variables": "r", "suffix": ".data"}}
    plain = {"tool": tool, "conditions": {"v": {"minimum": 1, "maximum": 2}}}
    told = {"cace_format": 5.0, "name": "x", "parameters": {"a": {**plain, **change}, "b": plain}}
    sheet.write_text(yaml.safe_dump(told))
    imported = import_cace(sheet, tmp_path / "ours")
    for name, text in imported.files.items():
        if name.endswith(".yaml"):
            assert all(isinstance(key, str) for section in yaml.safe_load(text).values() for key in section or {})
    project = yaml.safe_load(imported.files["sim_setup.yaml"])
    assert project["dut"]["netlist"] == "../chip #1, old/netlist/schematic/x.spice"


def test_a_file_that_is_no_yaml_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "sheet.yaml").write_text("a: [")
    for name in ("sheet.yaml", "gone.yaml"):
        with pytest.raises(ConfigError):
            import_cace(tmp_path / name, tmp_path)


def test_the_command_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sim_setup.yaml").write_text("# mine\n")
    assert command(SHEET, tmp_path) == 0
    said = capsys.readouterr()
    assert "left alone" in said.out
    assert "not carried over: 12" in said.out
    assert "add to sim_setup.yaml, testbenches: {dc: ./testbenches/dc}" in said.err
    assert (tmp_path / "sim_setup.yaml").read_text() == "# mine\n"


@pytest.mark.ngspice
def test_the_project_builds_and_gives_the_numbers(tmp_path: Path) -> None:
    """The divider: 1k over 1k and the loads, computed by hand."""
    shutil.copytree(SHEET.parents[1], tmp_path / "theirs")
    ours = tmp_path / "ours"
    arguments = (
        ["import", "cace", "../theirs/cace/divider.yaml"],
        ["build", "dc", "--run-id", "dc"],
        ["run", "dc", "-n", "1"],
    )
    ours.mkdir()
    for each in arguments:
        done = subprocess.run(
            [sys.executable, "-m", "simorc", *each], cwd=ours, capture_output=True, text=True, check=False
        )
        assert done.returncode == (each[0] == "run"), done.stdout + done.stderr
    assert set(load_project(ours / "sim_setup.yaml").sweeps) == {"dc", "mc"}
    with (ours / "simulations" / "dc" / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    for row in rows:
        vin, load = float(row["vin"]), float(row["rl"].replace("k", "000"))
        lower = 1 / (1 / 1000 + 1 / load + 1 / 1e6)
        assert float(row["vout"]) == pytest.approx(vin * lower / (1000 + lower), rel=1e-5)
        assert row["verdict"] == ("pass" if 0.9 <= float(row["vout"]) <= 1.4 else "fail")
