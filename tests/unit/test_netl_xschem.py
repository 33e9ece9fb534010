"""Netlisting with a program that passes for xschem: its arguments by version, and everything that can go wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from schematics import NETLIST, cell, play_xschem, schematic, symbol, write_tree

from simorc.core.errors import NetlistError, ToolMissingError
from simorc.core.netlister import NetlisterSettings, NetlistKind
from simorc.netlisters.xschem import Xschem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_tree(tmp_path / "my cells")
    return tmp_path / "my cells"


def netlister(folder: Path, **settings: object) -> Xschem:
    return Xschem(NetlisterSettings(libraries=(folder / "lib",), **settings))  # type: ignore[arg-type]


def arguments(folder: Path) -> list[str]:
    return (folder / "arguments").read_text().splitlines()


@pytest.mark.req("SIM-20")
def test_2_8_1_is_given_only_what_it_knows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play_xschem(folder, monkeypatch)
    assert netlister(folder).version() == "xschem 2.8.1"
    made = netlister(folder).netlist(folder / "top.sch", NetlistKind.DECK)
    *options, rc_option, _, name = arguments(folder)
    assert (options, rc_option, Path(name).name) == (["-x", "-q", "-n", "-s", "-r"], "--rcfile", "top.sch")
    assert "R1 in out {{ parameters.r }}\n" in made.text
    assert "/somewhere" not in made.text
    assert (folder / "starts").read_text() == "start\n"


@pytest.mark.req("SIM-20")
def test_3_x_is_told_where_to_write(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play_xschem(folder, monkeypatch, version="3.4.4")
    made = netlister(folder).netlist(folder / "top.sch", NetlistKind.SUBCKT)
    given = arguments(folder)
    assert given[given.index("-N") + 1] == "top.spice"
    assert "-o" in given
    assert made.text.startswith("* top: made from top.sch by xschem 3.4.4")
    assert "\n.subckt top in out\n" in made.text
    assert not made.text.endswith(".end\n")


def test_what_must_hold_holds_after_a_projects_start_up_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deck that were a subcircuit would simulate nothing, a netlist elsewhere would not be found."""
    play_xschem(folder, monkeypatch, version="3.4.4")
    rc = folder / "xschemrc"
    rc.write_text("set top_is_subckt 1\n")
    netlister(folder, rcfile=rc).netlist(folder / "top.sch", NetlistKind.DECK)
    first, _, after = (folder / "start_up").read_text().partition("source ")
    for setting in ("top_is_subckt 0", "lvs_netlist 0", "netlist_type spice", "netlist_dir "):
        assert f"set {setting}" in after
        assert f"set {setting}" not in first


def test_xschem_works_on_a_copy_as_it_saves_what_it_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play_xschem(folder, monkeypatch)
    netlister(folder).netlist(folder / "top.sch", NetlistKind.DECK)
    copy = Path(arguments(folder)[-1])
    assert copy.parent != folder
    assert not copy.parent.exists()


def test_the_files_that_a_netlist_comes_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play_xschem(folder, monkeypatch)
    (folder / "lib" / "devices").mkdir()
    for name in ("ipin.sym", "opin.sym"):
        (folder / "lib" / "devices" / name).write_text(symbol(kind="ipin"))
    found = netlister(folder).sources(folder / "top.sch")
    names = sorted(str(path.relative_to(folder)) for path in found.files)
    lib = ["deep.sym", "devices/ipin.sym", "devices/opin.sym", "low.sch", "low.sym", "mid.sch", "mid.sym"]
    assert names == [*(f"lib/{name}" for name in lib), "top.sch"]
    assert found.unresolved == ()


def test_references_of_3_x(folder: Path) -> None:
    (folder / "other.sch").write_text(cell("C {res} 0 0 0 0 {name=R1}"))
    (folder / "made.tcl").write_text("puts {}")
    text = schematic("made.tcl(a,b)|name=x1", "lib/deep|name=x2 schematic=other.sch", "nosuch/thing.sym|name=x3")
    (folder / "new.sch").write_text(text)
    found = netlister(folder).sources(folder / "new.sch")
    assert sorted(path.name for path in found.files) == ["deep.sym", "made.tcl", "new.sch", "other.sch"]
    assert "nosuch/thing.sym in new.sch" in found.unresolved


@pytest.mark.parametrize(
    ("play", "message"),
    [
        ({"does": "hang"}, "did not end within 0.3 s"),
        ({"does": "crash"}, "no whole netlist: signal 11"),
        ({"does": "half"}, "no whole netlist: the netlist has no `.end`"),
        ({"does": "nothing"}, "no whole netlist: the netlist has no `.end`"),
        ({"does": "edit top.sch"}, "changed meanwhile: top.sch"),
        ({"does": "edit lib/deep.sym"}, "changed meanwhile: deep.sym"),
        ({"said": "load_schematic(): unable to open file: x.sch\n"}, "(?s)complained.*unable to open file: x.sch"),
        ({"said": "EOF reached, malformed {...} string input, missing close brace\n"}, "(?s)complained.*malformed"),
    ],
)
def test_what_goes_wrong_is_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, play: dict[str, str], message: str
) -> None:
    play_xschem(folder, monkeypatch, **play)
    timeout_s = 0.3 if play.get("does") == "hang" else 10.0
    with pytest.raises(NetlistError, match=message) as caught:
        netlister(folder, timeout_s=timeout_s).netlist(folder / "top.sch", NetlistKind.DECK)
    assert caught.value.where == str(folder / "top.sch")


def test_a_missing_symbol_is_named_with_the_search_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "lib" / "low.sch").write_text(cell("C {nosuch/deep.sym} 0 0 0 0 {name=x7}"))
    play_xschem(folder, monkeypatch, netlist=NETLIST.replace("R1 in", "* x7 -  deep  IS MISSING !!!!\nR1 in"))
    with pytest.raises(NetlistError, match=r"symbols are missing: x7 \(nosuch/deep.sym in low.sch\)") as caught:
        netlister(folder).netlist(folder / "top.sch", NetlistKind.DECK)
    assert f"searched:\n  {folder}" in caught.value.hint
    assert "netlister.libraries" in caught.value.hint


def test_a_placeholder_that_got_lost_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "top.sch").write_text(schematic(r'lib/deep.sym|name=V1 value="\{\{ parameters.vdd \}\}"'))
    play_xschem(folder, monkeypatch)
    made = netlister(folder).netlist(folder / "top.sch", NetlistKind.DECK)
    assert made.warnings == ("{{ parameters.vdd }} of V1 is not in the netlist",)


def test_a_symbol_with_other_pins_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "top.sym").write_text(symbol(pins=("in", "other")))
    play_xschem(folder, monkeypatch)
    with pytest.raises(NetlistError, match="the symbol has the pins in other, the schematic in out"):
        netlister(folder).netlist(folder / "top.sch", NetlistKind.SUBCKT)


@pytest.mark.parametrize("name", ["my top.sch", "top$.sch", "top.spice"])
def test_a_name_that_xschem_hands_to_a_shell_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    play_xschem(folder, monkeypatch)
    (folder / "top.sch").rename(folder / name)
    with pytest.raises(NetlistError, match="cannot netlist a file of such a name"):
        netlister(folder).netlist(folder / name, NetlistKind.DECK)


def test_two_components_of_one_name_are_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play_xschem(folder, monkeypatch, netlist=NETLIST.replace("R1 in", "r1 a b 1k\nR1 in"))
    with pytest.raises(NetlistError, match="several components are called R1"):
        netlister(folder).netlist(folder / "top.sch", NetlistKind.DECK)


def test_odd_surroundings(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """xschem hands the temporary folder's name to a shell, unquoted, and ends where it cannot write to HOME."""
    play_xschem(folder, monkeypatch)
    (tmp_path / "t m p").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t m p"))
    monkeypatch.setenv("HOME", "/nonexistent")
    netlister(folder).netlist(folder / "top.sch", NetlistKind.DECK)
    assert arguments(folder)[-1].startswith("/tmp/simorc_xschem_")
    with pytest.raises(NetlistError, match="no start-up file /nowhere/rc"):
        netlister(folder, rcfile=Path("/nowhere/rc")).netlist(folder / "top.sch", NetlistKind.DECK)


def test_without_xschem_it_says_what_to_type(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(ToolMissingError) as caught:
        netlister(folder).netlist(folder / "top.sch", NetlistKind.DECK)
    assert caught.value.hint == "type: apt-get install xschem"
    play_xschem(folder, monkeypatch)
    (folder / "bin" / "xschem").write_text("#!/bin/sh\necho something else\n")
    with pytest.raises(ToolMissingError, match="does not say its version"):
        netlister(folder).version()
