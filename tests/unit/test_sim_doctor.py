from __future__ import annotations

from pathlib import Path

import pytest

from simorc.commands.doctor import doctor
from simorc.core.errors import SimorcError, ToolMissingError
from simorc.registry import simulator_class
from simorc.testing import StubSimulator


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of one's own, no project around, no PDK."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("SIMORC_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("PDK_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def put_ngspice(folder: Path, said: str) -> None:
    (folder / "ngspice").write_text(f"#!/bin/sh\necho '{said}'\n")
    (folder / "ngspice").chmod(0o755)


def lines(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    return {line[:14].strip(): line[15:] for line in capsys.readouterr().out.splitlines()}


def test_everything_is_listed_one_line_a_tool(tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_ngspice(tools, "** ngspice-39 : Circuit level simulation program")
    assert doctor(None) == 0
    said = lines(capsys)
    assert {"simorc", "python", "ngspice", "pytest", "pytest-xdist", "PDK sky130"} <= set(said)
    assert "stub" not in said
    assert said["ngspice"] == "ok       ngspice-39   (tested with ngspice-39)"


def test_a_version_that_was_not_tested_is_told(tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_ngspice(tools, "** ngspice-44.2 : Circuit level simulation program")
    assert doctor(None) == 0
    assert lines(capsys)["ngspice"] == "ok       ngspice-44.2   (tested with ngspice-39; this version is not)"


def test_a_missing_ngspice_is_exit_3_and_says_what_to_type(tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(None) == 3
    assert "missing  type: apt-get install ngspice" in lines(capsys)["ngspice"]


def test_a_missing_netlister_is_told_and_costs_nothing(tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_ngspice(tools, "** ngspice-39 : Circuit level simulation program")
    assert doctor(None) == 0
    assert lines(capsys)["xschem"].startswith("missing  type: apt-get install xschem")


def test_every_registered_simulator_is_looked_for(
    tools: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that another package brings is checked as ngspice is, and told as missing with its own hint."""

    class Other(StubSimulator):
        tested_versions = ("other-7",)

        def version(self) -> str:
            raise ToolMissingError("other is not installed", hint="type: get other")

    put_ngspice(tools, "ngspice-39")
    found = {"ngspice": simulator_class("ngspice"), "other": Other, "stub": StubSimulator}
    monkeypatch.setattr("simorc.commands.doctor.names", lambda family: list(found) if family == "simulators" else [])
    monkeypatch.setattr("simorc.commands.doctor.simulator_class", found.__getitem__)
    assert doctor(None) == 3
    said = lines(capsys)
    assert said["other"] == "missing  type: get other   (tested with other-7)"
    assert said["ngspice"].startswith("ok ")
    assert "stub" not in said


def test_a_missing_pdk_is_told_and_no_failure(tools: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_ngspice(tools, "ngspice-39")
    assert doctor(None) == 0
    assert "missing  type: simorc pdk install sky130" in lines(capsys)["PDK sky130"]


def test_a_broken_project_is_told(tools: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_ngspice(tools, "ngspice-39")
    (tmp_path / "sim_setup.yaml").write_text("sweps: {}\n")
    assert doctor(None) == 0
    assert "sim_setup.yaml" in lines(capsys)["project"]
    with pytest.raises(SimorcError):
        doctor(tmp_path / "nowhere.yaml")
