"""`simorc init`: a project that is right as it stands, and files that are never overwritten."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from simorc.commands.init import init
from simorc.config.project import load_project
from simorc.config.resolve import make_plan
from simorc.core.errors import UsageError

MADE = [
    "sim_setup.yaml",
    ".gitignore",
    "benches/virtual.yaml",
    "netlists/rc.spice",
    "sweeps/rc_corner.yaml",
    "sweeps/reference_tempco.yaml",
    "testbenches/rc/config.yaml",
    "testbenches/rc/measures.py",
    "testbenches/rc/rc.spice.j2",
    "testbenches/reference/config.yaml",
    "testbenches/reference/procedure.py",
]


@pytest.mark.req("SIM-19", "DVT-09")
def test_a_new_project_has_its_folders_and_says_what_it_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "deep" / "project"
    assert init(folder) == 0
    for name in ("testbenches", "sweeps", "simulations", "netlists"):
        assert (folder / name).is_dir()
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == set(MADE)
    assert capsys.readouterr().out.splitlines() == [f"made        {folder / name}" for name in MADE]
    assert "/simulations/" in (folder / ".gitignore").read_text(encoding="utf-8")


@pytest.mark.req("SIM-19")
def test_a_new_project_plans_as_it_stands(tmp_path: Path) -> None:
    init(tmp_path)
    plan = make_plan(load_project(tmp_path / "sim_setup.yaml", {}), "rc_corner")
    assert plan.sweep.size == 9
    assert {measure.source for measure in plan.measures} == {"meas", "python"}
    assert [aggregate.name for aggregate in plan.aggregates] == ["f3db_tempco"]
    assert {plot.kind for plot in plan.plot_specs} == {"line", "waveform"}


@pytest.mark.req("SIM-19")
def test_no_file_is_ever_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = {name: f"mine: {name}" for name in ("sim_setup.yaml", "testbenches/rc/measures.py", ".gitignore")}
    for name, text in mine.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "netlists").mkdir()
    (tmp_path / "netlists" / "rc.spice").symlink_to(tmp_path / "outside.spice")
    (tmp_path / "sweeps" / "rc_corner.yaml").mkdir(parents=True)
    assert init(tmp_path) == 0
    left = [line.partition("left alone  ")[2] for line in capsys.readouterr().out.splitlines() if "left" in line]
    assert sorted(left) == sorted(
        str(tmp_path / name) for name in [*mine, "netlists/rc.spice", "sweeps/rc_corner.yaml"]
    )
    assert {name: (tmp_path / name).read_text(encoding="utf-8") for name in mine} == mine
    assert not (tmp_path / "outside.spice").exists()
    assert init(tmp_path) == 0
    assert "made" not in capsys.readouterr().out


@pytest.mark.req("SIM-19")
def test_a_folder_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for folder in (tmp_path / "file", tmp_path / "file" / "project"):
        with pytest.raises(UsageError, match="cannot make"):
            init(folder)


@pytest.mark.ngspice
@pytest.mark.req("SIM-19")
def test_a_new_project_builds_and_runs_in_spec_as_it_stands(tmp_path: Path) -> None:
    for arguments in (["init", "."], ["build", "rc_corner", "--run-id", "first"], ["run", "first", "-n", "1"]):
        command = [sys.executable, "-m", "simorc", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    rows = (tmp_path / "simulations" / "first" / "results.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 10
    assert all(",completed,pass," in row for row in rows[1:])
