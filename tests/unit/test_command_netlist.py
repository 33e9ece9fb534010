"""`simorc netlist`, and what `simorc build` makes of stale netlists."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest
from schematics import play_xschem, write_tree

from simorc.commands.build import BuildOptions, build
from simorc.commands.netlist import netlist
from simorc.core.errors import ConfigError, UsageError
from simorc.core.netlister import Netlisted, NetlisterSettings, NetlistKind, Sources
from simorc.netlisters.xschem import Xschem

SETUP = """
dut: {schematic: ./top.sch, netlist: ./netlists/top.spice}
testbenches: {one: ./one, two: ./two, drawn_by_hand: ./hand}
sweeps: {s: ./s.yaml}
netlister: {libraries: [./lib], timeout_s: 10}
"""
TEMPLATE = "* {{ parameters.r }}\n* {{ dut.netlist }}\n.end\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DUT and two testbenches with schematics and without netlists, one testbench without a schematic."""
    folder = tmp_path / "project"
    write_tree(folder)
    (folder / "sim_setup.yaml").write_text(SETUP)
    (folder / "s.yaml").write_text("testbench: one\nparameters: {r: [1k, 2k]}\n")
    for name in ("one", "two", "hand"):
        (folder / name).mkdir()
        drawn = "" if name == "hand" else "schematic: ./tb.sch\n"
        (folder / name / "config.yaml").write_text(f"{drawn}template: ./tb.spice.j2\nparameters: {{r: 1k}}\n")
        (folder / name / "tb.sch").write_text((folder / "top.sch").read_text())
    monkeypatch.chdir(folder)
    play_xschem(folder, monkeypatch, netlist=f"**.subckt top A B\n{TEMPLATE}")
    return folder


def lines(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    return [line.split(maxsplit=3) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.req("SIM-20")
def test_update_makes_every_netlist_and_then_all_are_fresh(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert netlist(None, None, False, False) == 1
    assert [row[:3] for row in lines(capsys)] == [[name, "missing", "netlist"] for name in ("dut", "one", "two")]
    assert netlist(None, None, True, False) == 0
    assert lines(capsys) == [[name, "fresh", "updated"] for name in ("dut", "one", "two")]
    assert netlist(None, None, False, False) == 0
    assert lines(capsys) == [[name, "fresh"] for name in ("dut", "one", "two")]
    assert (project / "netlists" / "top.spice").read_text().splitlines()[1] == ".subckt top A B"
    assert "**.subckt" in (project / "one" / "tb.spice.j2").read_text()
    assert (project / "starts").read_text().count("start") == 3


@pytest.mark.req("SIM-20")
def test_one_target_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert netlist("two", None, True, False) == 0
    assert netlist("dut", None, True, False) == 0
    capsys.readouterr()
    assert netlist(None, None, False, True) == 1
    found = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert {name: row["state"] for name, row in found.items()} == {
        "dut": "fresh",
        "one": "missing netlist",
        "two": "fresh",
    }
    assert found["one"]["netlist"] == str(project / "one" / "tb.spice.j2")


@pytest.mark.req("SIM-20")
def test_a_symbol_three_levels_down_makes_all_stale(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    netlist(None, None, True, False)
    with (project / "lib" / "deep.sym").open("a") as file:
        file.write("L 4 0 0 1 1 {}\n")
    capsys.readouterr()
    assert netlist(None, None, False, False) == 1
    assert all(row[1] == "stale" and row[2].endswith("deep.sym") for row in lines(capsys)[:1])


def test_a_failed_update_keeps_the_netlist_and_the_others_are_made(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    netlist(None, None, True, False)
    before = (project / "one" / "tb.spice.j2").read_bytes()
    for name in ("one", "two"):
        (project / name / "tb.sch").write_text((project / name / "tb.sch").read_text() + "L 4 0 0 1 1 {}\n")
    (project / "one" / "tb.sch").write_text("garbage")
    capsys.readouterr()
    assert netlist(None, None, True, True) == 1
    shown = capsys.readouterr()
    states = {row["name"]: (row["state"], row["updated"]) for row in json.loads(shown.out)}
    assert states == {"dut": ("fresh", False), "one": ("stale", False), "two": ("fresh", True)}
    assert "error: one: not a schematic of xschem: line 1" in shown.err
    assert f"where: {Path('one/tb.sch')}" in shown.err
    assert (project / "one" / "tb.spice.j2").read_bytes() == before
    play_xschem(project, monkeypatch, does="crash")
    assert netlist("two", None, True, False) == 0  # nothing to do
    (project / "one" / "tb.sch").write_text((project / "top.sch").read_text() + "\n")
    assert netlist("one", None, True, False) == 1
    assert (project / "one" / "tb.spice.j2").read_bytes() == before


def test_work_done_by_hand_is_kept(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One without a record may be somebody's own; one with a record was edited where it is not what was written."""
    mine = project / "one" / "tb.spice.j2"
    mine.write_text("* mine\n.end\n")
    os.utime(mine, (1, 1))
    assert netlist("one", None, True, False) == 0
    assert "warning: one: the netlist was written or edited by hand: it is kept as tb.spice.j2.orig" in (
        capsys.readouterr().err
    )
    kept = project / "one" / "tb.spice.j2.orig"
    assert kept.read_text() == "* mine\n.end\n"
    for edit in ("", "* a line of mine\n"):
        kept.unlink()
        mine.write_text(mine.read_text() + edit)
        (project / "one" / "tb.sch").write_text((project / "one" / "tb.sch").read_text() + "L 4 0 0 1 1 {}\n")
        assert netlist("one", None, True, False) == 0
        assert kept.exists() == bool(edit)
        kept.touch()


@pytest.mark.req("SIM-20")
def test_a_git_checkout_is_fresh_where_schematics_lie_beside_the_project(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository with `design/` and `sim/` is usual; whoever clones it has other folders above."""
    repository = tmp_path / "repository"
    shutil.copytree(project / "lib", repository / "design" / "lib")
    shutil.copy(project / "top.sch", repository / "design")
    (repository / "sim").mkdir()
    setup = "dut: {schematic: ../design/top.sch, netlist: ./top.spice}\nnetlister: {libraries: [../design/lib]}\n"
    (repository / "sim" / "sim_setup.yaml").write_text(setup)
    (repository / ".git").mkdir()
    monkeypatch.chdir(repository / "sim")
    assert netlist(None, None, True, False) == 0
    shutil.move(repository, tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path / "elsewhere" / "sim")
    capsys.readouterr()
    assert netlist(None, None, False, False) == 0
    assert capsys.readouterr().out == "dut  fresh\n"
    (tmp_path / "elsewhere" / "design" / "lib" / "deep.sym").write_text("changed")
    assert netlist(None, None, False, False) == 1
    assert "../design/lib/deep.sym changed" in capsys.readouterr().out


def test_a_folder_that_cannot_be_made_costs_the_others_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "netlists").write_text("a file")
    assert netlist(None, None, True, False) == 1
    shown = capsys.readouterr()
    assert [line.split()[:2] for line in shown.out.splitlines()] == [
        ["dut", "missing"],
        ["one", "fresh"],
        ["two", "fresh"],
    ]
    assert "error: dut: cannot write: " in shown.err
    assert "where: netlists" in shown.err


def test_several_schematics_are_netlisted_at_the_same_time(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(3, timeout=5)

    def netlisted(self: Xschem, schematic: Path, kind: NetlistKind) -> Netlisted:
        together.wait()
        return Netlisted("* x\n", Sources((schematic,)))

    monkeypatch.setattr(Xschem, "netlist", netlisted)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert netlist(None, None, True, False) == 0


@pytest.mark.req("SIM-20")
def test_another_netlister_by_the_name_of_its_entry_point(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other:
        tested_versions = ("other 1",)

        def __init__(self, settings: NetlisterSettings) -> None:
            self.settings = settings

        def version(self) -> str:
            return "other 1"

        def sources(self, schematic: Path, search_path: Sequence[Path] = ()) -> Sources:
            return Sources((schematic,))

        def netlist(self, schematic: Path, kind: NetlistKind) -> Netlisted:
            return Netlisted(f"* {schematic.stem} {kind} {self.settings.timeout_s:g}\n", Sources((schematic,)))

        def close(self) -> None: ...

    setup = project / "sim_setup.yaml"
    setup.write_text(SETUP.replace("netlister: {", "netlister: {name: other, "))
    with pytest.raises(ConfigError, match="the netlister 'other', expected one of xschem"):
        netlist(None, None, True, False)
    points = EntryPoints([EntryPoint("other", "mine:Other", "simorc.netlisters")])
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **which: points.select(**which))
    monkeypatch.setattr(EntryPoint, "load", lambda self: Other)
    assert netlist("dut", None, True, False) == 0
    assert (project / "netlists" / "top.spice").read_text() == "* top subckt 10\n"
    assert '"netlister": "other 1"' in (project / "netlists" / "top.spice.schematic.json").read_text()


def test_ctrl_c_ends_a_netlister_that_hangs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play_xschem(project, monkeypatch, does="hang")
    (project / "netlists").mkdir()
    (project / "netlists" / "top.spice").write_text("* old\n")
    os.utime(project / "netlists" / "top.spice", (1, 1))
    command = [sys.executable, "-m", "simorc", "netlist", "--update"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for _ in range(600):
            if (project / "starts").exists():
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=8)  # the netlister's own limit is 10 s
    assert process.returncode == 130
    assert (project / "netlists" / "top.spice").read_text() == "* old\n"
    program = os.fsencode(project / "bin" / "xschem")
    for _ in range(100):  # a process that was killed is there until the kernel has come to it
        if not (left := [pid.name for pid in Path("/proc").glob("[0-9]*") if program in _command_line(pid)]):
            break
        time.sleep(0.05)
    assert not left


def _command_line(process: Path) -> bytes:
    with contextlib.suppress(OSError):
        return (process / "cmdline").read_bytes()
    return b""


def test_without_a_netlister_the_state_stands_and_update_is_exit_3(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "bin" / "xschem").unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(project / "bin"))
        assert netlist("one", None, False, False) == 1
        assert lines(capsys)[0][:3] == ["one", "missing", "netlist"]
        assert netlist("one", None, True, False) == 3
    shown = capsys.readouterr()
    assert shown.out.startswith("one  no netlister  missing netlist: ")
    assert "type: apt-get install xschem" in shown.err


def test_bad_targets(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="no testbench named 'ones'") as caught:
        netlist("ones", None, False, False)
    assert "one" in caught.value.hint
    with pytest.raises(UsageError, match="drawn_by_hand has no schematic"):
        netlist("drawn_by_hand", None, False, False)
    (project / "two" / "config.yaml").write_text("schematic: ./tb.sch\n")
    assert netlist("two", None, True, False) == 1
    assert "missing netlist  the configuration names no file" in capsys.readouterr().out
    (project / "sim_setup.yaml").write_text("output: ./simulations\n")
    assert netlist(None, None, False, False) == 0
    assert capsys.readouterr().out == "no schematics in this project\n"


def test_a_schematic_that_is_not_there(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "top.sch").unlink()
    assert netlist("dut", None, True, False) == 1
    assert lines(capsys)[0][:3] == ["dut", "missing", "schematic"]


@pytest.mark.req("SIM-20")
def test_build_warns_of_stale_netlists_or_refuses(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="there is no file, expected a file, type: simorc netlist one --update"):
        build("s", BuildOptions())
    netlist(None, None, True, False)
    assert build("s", BuildOptions(require_fresh=True, run_id="r1")) == 0
    (project / "lib" / "low.sch").write_text((project / "lib" / "low.sch").read_text() + "L 4 0 0 1 1 {}\n")
    capsys.readouterr()
    assert build("s", BuildOptions(run_id="r2")) == 0
    warnings = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert warnings == [
        f"warning: netlist of {name}: stale (../lib/low.sch changed); type: simorc netlist --update"
        for name in ("dut", "one")
    ]
    (project / "one" / "tb.spice.j2").write_text('* x\n.include "../netlists/top.spice"\n.end\n')
    assert build("s", BuildOptions(dry_run=True)) == 0
    assert "warning: netlist of dut: stale" in capsys.readouterr().err  # named by its path, it is the DUT as well
    with pytest.raises(UsageError, match="netlists are not as their schematics are"):
        build("s", BuildOptions(require_fresh=True, run_id="r3"))
    assert not (project / "simulations" / "r3").exists()
