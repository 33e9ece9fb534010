"""`simorc list`: what a project has to offer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from simorc.commands.list_ import list_
from simorc.core.errors import ConfigError, UsageError

BASE = Path(__file__).parents[1] / "data" / "config_project"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(BASE, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.req("SIM-02")
def test_one_line_each(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list_(None, False) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["sweep", "pvt", "75", "cases", "testbench", "tempco", "target", "bench"],
        ["testbench", "tempco", "targets", "spice,", "bench"],
    ]


def test_json_for_machines(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = project / "sweeps" / "pvt.yaml"
    sweep.write_text(sweep.read_text() + "exclude: temp > 85 and vin < 4.5\n")
    assert list_(project / "sim_setup.yaml", True) == 0
    assert json.loads(capsys.readouterr().out) == {
        "sweeps": [
            {
                "name": "pvt",
                "testbench": "tempco",
                "target": "bench",
                "cases": 72,
                "parameters": ["corner", "vin", "temp"],
                "file": str(sweep),
            }
        ],
        "testbenches": [
            {
                "name": "tempco",
                "targets": ["spice", "bench"],
                "parameters": ["corner", "vin", "temp", "iload"],
                "folder": str(project / "testbenches" / "tempco"),
            }
        ],
    }


def test_an_empty_project_says_so(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "sim_setup.yaml").write_text("sweeps: {}\n")
    assert list_(None, False) == 0
    assert capsys.readouterr().out == "no sweeps and no testbenches\n"


def test_a_testbench_without_a_target_is_listed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "sim_setup.yaml").write_text("testbenches: {tempco: ./testbenches/tempco}\n")
    config = project / "testbenches" / "tempco" / "config.yaml"
    config.write_text("parameters: {vin: 1}\n")
    assert list_(None, False) == 0
    assert capsys.readouterr().out.split() == ["testbench", "tempco", "targets", "none"]


def test_without_a_project_or_with_a_broken_one_it_says_what_is_wrong(project: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no setup file"):
        list_(tmp_path / "none.yaml", False)
    (project / "sweeps" / "pvt.yaml").write_text("testbench: nope\n")
    with pytest.raises(ConfigError, match="found the testbench 'nope'"):
        list_(None, False)
