"""Settings from the environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simorc.config.project import load_project, output_folder
from simorc.core.errors import ConfigError

BASE = Path(__file__).parents[1] / "data" / "config_project"


@pytest.fixture
def setup(tmp_path: Path) -> Path:
    shutil.copytree(BASE, tmp_path / "project")
    return tmp_path / "project" / "sim_setup.yaml"


@pytest.mark.req("DVT-09")
def test_a_variable_wins_over_the_file(setup: Path) -> None:
    environment = {
        "SIMORC_SIMULATOR__INIT": "[set a=b, set c=d]",
        "SIMORC_SIMULATOR__TIMEOUT_S": "60",
        "SIMORC_OUTPUT": "elsewhere",
        "SIMORC_DUT__NETLIST": "other.spice",
        "SIMORC_PARENT": "17",
        "SIMORC_SIMULATOR__KEEP": " ",
    }
    project = load_project(setup, environment)
    simulator = project.testbenches["tempco"].simulator
    assert (simulator.timeout_s, simulator.init, simulator.keep) == (60.0, ("set a=b", "set c=d"), "all")
    assert project.output == output_folder(setup, environment) == setup.parent / "elsewhere"
    assert project.dut["netlist"] == setup.parent / "other.spice"


def test_names_are_met_whatever_their_case(setup: Path) -> None:
    text = setup.read_text(encoding="utf-8").replace("pvt:", "PVT:")
    setup.write_text(text.replace("./sweeps/pvt.yaml", "./none.yaml"), encoding="utf-8")
    assert list(load_project(setup, {"SIMORC_SWEEPS__PVT": "./sweeps/pvt.yaml"}).sweeps) == ["PVT"]


@pytest.mark.req("DVT-09", "SIM-08")
@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("SIMORC_SIMULATOR__TIMEOUT_S", "soon", ":1: simulator.timeout_s: found 'soon', expected a number above 0"),
        ("SIMORC_SIMULATOR__TIMEOUT", "3", ":1: simulator.timeout: found an unknown key, expected one of"),
        ("SIMORC_SIMULATR__KEEP", "all", ": simulatr: found an unknown key, expected one of dut, testbenches, sweeps"),
        ("SIMORC_SIMULATOR__INIT", "[", ":2: found a syntax error"),
        ("SIMORC_DUT__NETLIST__X", "3", ": dut.netlist: found a mapping, expected a path"),
        ("SIMORC_OUTPUT", "\udcff", ": found a character that is not Unicode, expected text in UTF-8"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(setup: Path, name: str, value: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_project(setup, {name: value})
    (line,) = str(caught.value).splitlines()
    assert line.startswith(name)
    assert problem in line


def test_a_setup_that_is_no_mapping_stays_the_problem(setup: Path) -> None:
    setup.write_text("[]", encoding="utf-8")
    with pytest.raises(ConfigError, match="found a list, expected a mapping"):
        load_project(setup, {"SIMORC_OUTPUT": "x"})


@pytest.mark.req("DVT-09")
def test_the_process_environment_is_the_default(setup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMORC_OUTPUT", "/scratch")
    assert output_folder(setup) == load_project(setup).output == Path("/scratch")


def test_looking_for_runs_loads_no_models(setup: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from simorc.config.project import find_setup, output_folder; "
        "output_folder(find_setup(Path.cwd())); print([m for m in ('pydantic', 'jinja2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=setup.parent, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
