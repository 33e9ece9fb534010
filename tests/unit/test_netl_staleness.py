"""When a netlist counts as stale: content decides where there is a record, modification times where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from schematics import cell, write_tree

from simorc.core.netlister import NetlisterSettings, NetlistKind, NetlistState
from simorc.netlisters.staleness import Finding, Pair, examine, write_record
from simorc.netlisters.xschem import Xschem


def pair_in(folder: Path) -> Pair:
    return Pair("top", NetlistKind.DECK, folder / "top.sch", folder / "netlists" / "top.spice")


def state(folder: Path) -> Finding:
    """Of the tree in a folder, which may not be the one where its netlist was made."""
    return examine(pair_in(folder), Xschem(NetlisterSettings(libraries=(folder / "lib",))))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with a netlist, and with a record of what it was made from."""
    folder = tmp_path / "project"
    write_tree(folder)
    (folder / "netlists").mkdir()
    pair = pair_in(folder)
    assert pair.netlist is not None
    pair.netlist.write_text("* top\n.end\n")
    sources = Xschem(NetlisterSettings(libraries=(folder / "lib",))).sources(pair.schematic)
    write_record(pair, sources.files, "xschem 2.8.1", folder)
    assert state(folder) == Finding(NetlistState.FRESH)
    return folder


def without_record(folder: Path) -> Path:
    (folder / "netlists" / "top.spice.schematic.json").unlink()
    return folder


def touch(path: Path, seconds: float) -> None:
    """Set a file's modification time to so long after that of the netlist."""
    path.write_bytes(path.read_bytes())
    os.utime(path, (2e9 + seconds, 2e9 + seconds))


@pytest.mark.req("SIM-20")
def test_a_touched_tree_is_fresh(tree: Path) -> None:
    for path in tree.rglob("*.s*"):
        touch(path, 1000 if path.suffix in (".sch", ".sym") else 0)
    assert state(tree) == Finding(NetlistState.FRESH)


@pytest.mark.req("SIM-20")
def test_a_fresh_git_checkout_is_fresh(tree: Path, tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@y"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *arguments], cwd=tree, check=True)
    subprocess.run([*git, "clone", "-q", str(tree), "elsewhere"], cwd=tmp_path, check=True)
    clone = tmp_path / "elsewhere"
    touch(clone / "netlists" / "top.spice", 0)
    touch(clone / "top.sch", 1)
    assert state(clone) == Finding(NetlistState.FRESH)
    shutil.rmtree(tree)
    assert state(clone) == Finding(NetlistState.FRESH)


@pytest.mark.req("SIM-20")
@pytest.mark.parametrize("name", ["top.sch", "lib/mid.sch", "lib/low.sym", "lib/deep.sym"])
def test_an_edit_is_seen_however_deep(tree: Path, name: str) -> None:
    """Also one that keeps the modification time: content alone decides."""
    path = tree / name
    times = path.stat().st_mtime
    path.write_text(path.read_text().replace("name=x1", "name=x2"))
    os.utime(path, (times, times))
    shown = os.path.relpath(path, tree / "netlists")
    assert state(tree) == Finding(NetlistState.STALE, f"{shown} changed")


def test_a_copy_is_fresh_and_goes_its_own_way(tree: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tree, copy)
    (copy / "lib" / "deep.sym").unlink()
    assert state(copy) == Finding(NetlistState.STALE, "../lib/deep.sym is gone")
    assert state(tree).state is NetlistState.FRESH


def test_other_line_ends_are_no_change(tree: Path) -> None:
    path = tree / "top.sch"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert state(tree).state is NetlistState.FRESH


def test_another_schematic_of_the_same_content_is_not_the_one(tree: Path) -> None:
    (tree / "new.sch").write_bytes((tree / "top.sch").read_bytes())
    pair = Pair("top", NetlistKind.DECK, tree / "new.sch", tree / "netlists" / "top.spice")
    assert examine(pair, Xschem(NetlisterSettings())).reason == "it was made from ../top.sch"


@pytest.mark.parametrize("text", ["", "<<<<<<< HEAD\n", "[]", '{"schema": 9}', '{"schema": 1, "schematic": 1}'])
def test_a_broken_record_makes_it_stale(tree: Path, text: str) -> None:
    (tree / "netlists" / "top.spice.schematic.json").write_text(text)
    assert state(tree) == Finding(NetlistState.STALE, "top.spice.schematic.json is no record")


@pytest.mark.req("SIM-20")
def test_without_a_record_times_decide_and_it_says_so(tree: Path) -> None:
    without_record(tree)
    for path in tree.rglob("*.s*"):
        touch(path, 0)
    assert state(tree) == Finding(NetlistState.FRESH, by_time=True)
    touch(tree / "lib" / "deep.sym", 1)
    assert state(tree) == Finding(NetlistState.STALE, "deep.sym newer", by_time=True)
    (tree / "lib" / "low.sch").write_text("garbage")
    assert "not a schematic of xschem" in state(tree).reason


@pytest.mark.req("SIM-20")
def test_what_is_missing_is_named(tree: Path) -> None:
    (tree / "netlists" / "top.spice").unlink()
    assert state(tree).state is NetlistState.NO_NETLIST
    (tree / "top.sch").unlink()
    assert state(tree) == Finding(NetlistState.NO_SCHEMATIC, f"there is no {tree}/top.sch")


def test_a_library_elsewhere_is_named_by_its_variable(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pdk = tmp_path / "pdk"
    pdk.mkdir()
    (tree / "lib" / "deep.sym").rename(pdk / "deep.sym")
    (tree / "top.sch").write_text(cell("C {deep.sym} 0 0 0 0 {name=x1}"))
    monkeypatch.setenv("PDK_ROOT", str(pdk))
    pair = pair_in(tree)
    write_record(pair, [tree / "top.sch", pdk / "deep.sym"], "xschem 2.8.1", tree)
    record = (tree / "netlists" / "top.spice.schematic.json").read_text()
    assert '"${PDK_ROOT}/deep.sym"' in record
    assert str(tmp_path) not in record
    (pdk / "deep.sym").write_text("changed")
    assert state(tree).reason == "${PDK_ROOT}/deep.sym changed"
    monkeypatch.delenv("PDK_ROOT")  # on a machine without the library nothing can be said about it
    assert state(tree) == Finding(NetlistState.FRESH)
