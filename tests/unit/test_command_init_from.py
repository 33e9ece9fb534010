"""`simorc init --from`: what is taken over of decks, schematics and configurations of others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from schematics import HEAD, cell, schematic, symbol

from simorc.commands.init import init
from simorc.config.project import Project, load_project
from simorc.config.resolve import make_plan
from simorc.core.errors import UsageError
from simorc.importers.deck import adopt_deck

GOLDEN = Path(__file__).parents[1] / "golden"
DECK = """* A divider {{ mine }}
.lib "../models/p.lib" tt
.include ../models/cell.spice
.param vsup=1.8 r = 1k half={vsup/2} seed=3
.temp 27
.subckt inner a
.param hidden=1
.ends
v1 in 0 {vsup}
x1 in out cell
.op
.meas op vout find v(out) at=0
.end
"""
CICSIM = """\
corner:
  Vt: |
    .param vdda = 1.8
  Vl: |
    .param vdda = 1.62
  Kss: |
    .include "ss.spi"
  Th: |
    .option TEMP=125
"""
CICSIM_DECK = """*Demo
.param AVDD = {vdda}
#ifdef Debug
.save all
#else
.save v(VX)
#endif
.control
tran 10p 10n 1p
write
quit
.endc
.end
"""
CICSIM_SPECS = """\
iq: {src: iq, min: 10, typ: 20, max: 50, scale: -1e6, unit: uA}
vx: {src: vx, name: Divider voltage, min: 0.8, typ: 0.9, max: 1.0, scale: 1, unit: V}
i: {src: [ivdd], min: -20%, max: 100, scale: 1e6, unit: uA}
duty: {src: duty, max: 55, scale: 100, unit: "%"}
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A project without simorc."""
    folder = tmp_path / "old"
    for name, text in {
        "my decks/tb-one.cir": DECK,
        "models/p.lib": ".lib tt\n.endl\n.lib ff\n.endl\n.lib other\n.endl\n",
        "models/cell.spice": "* a cell\n.subckt cell a b\nr1 a b 1k\n.ends\n",
        "simulations/tb-two.cir": DECK,
        ".hidden/tb.cir": DECK,
        "notes.txt": "nothing",
        "broken.sch": "garbage",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def taken_over(old: Path, new: Path) -> Project:
    assert init(new, old) == 0
    return load_project(new / "sim_setup.yaml", {})


@pytest.mark.req("SIM-19")
def test_a_deck_becomes_a_template_with_parameters_measures_and_a_sweep(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    project = taken_over(old, tmp_path / "new")
    plan = make_plan(project, "tb-one")
    assert {name: str(value) for name, value in plan.sweep.defaults.items()} == {
        "corner": "tt",
        "vsup": "1.8",
        "r": "1k",
        "temp": "27",
    }
    assert plan.sweep.size == 6  # tt and ff, three temperatures
    assert [measure.name for measure in plan.measures] == ["vout"]
    template = (tmp_path / "new/testbenches/tb-one/tb-one.spice.j2").read_text()
    assert '.lib "../../../old/models/p.lib" {{ parameters.corner }}\n' in template
    assert ".param vsup={{ parameters.vsup }} r = {{ parameters.r }} half={vsup/2} seed=3\n" in template
    assert ".param hidden=1\n" in template
    assert project.dut == {"netlist": old / "models" / "cell.spice"}
    assert set(project.testbenches) == {"tb-one"}
    config = (tmp_path / "new/testbenches/tb-one/config.yaml").read_text()
    assert "vout: {}   # decide: unit and spec" in config
    assert "decide: broken.sch: not a schematic of xschem" in capsys.readouterr().err
    assert str(tmp_path) not in config + template + (tmp_path / "new/sim_setup.yaml").read_text()
    assert {path: path.read_bytes() for path in old.rglob("*") if path.is_file()} == before


@pytest.mark.req("SIM-19")
def test_in_its_own_folder_nothing_is_touched(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (old / "sim_setup.yaml").write_text("output: ./mine\n")
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    assert init(old, old) == 0
    shown = capsys.readouterr()
    assert f"left alone  {old / 'sim_setup.yaml'}" in shown.out
    assert "sim_setup.yaml was there already and names nothing of this yet" in shown.err
    assert {path: path.read_bytes() for path in before} == before
    assert (old / "testbenches/tb-one/config.yaml").is_file()
    made = sorted(path for path in old.rglob("*"))
    assert init(old, old) == 0
    assert sorted(path for path in old.rglob("*")) == made  # what was made is not taken for a deck


@pytest.mark.req("SIM-19", "SIM-20")
def test_schematics_become_a_dut_and_a_testbench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = tmp_path / "old"
    (old / "lib").mkdir(parents=True)
    (old / "lib" / "amp.sym").write_text(symbol())
    (old / "lib" / "amp.sch").write_text(cell(""))
    (old / "lib" / "another.sch").write_text(cell(""))
    code = r'value=".lib p.lib \{\{ parameters.corner \}\}' + "\n.tran 1n 1u\n.meas tran vout max v(out)\n" + '"'
    (old / "tb.sch").write_text(
        schematic("amp.sym|name=x1", r'v.sym|name=V1 value="\{\{ parameters.vdd \}\}"', f"code.sym|name=s1 {code}")
    )
    (old / "tb.spice").write_text("** sch_path: tb.sch\n.tran 1n 1u\n.end\n")  # made of the schematic: no deck
    (old / "xschemrc").write_text("set netlist_type spice\n")
    project = taken_over(old, tmp_path / "new")
    (testbench,) = project.testbenches.values()
    assert testbench.schematic == old / "tb.sch"
    assert testbench.parameters == {"vdd": 1, "corner": "tt"}
    assert project.dut == {"schematic": old / "lib/amp.sch", "netlist": tmp_path / "new/netlists/amp.spice"}
    assert project.netlister.libraries == (old / "lib",)
    assert project.netlister.rcfile == old / "xschemrc"
    said = capsys.readouterr().err
    assert "the DUT may also be one of: another" in said
    assert "relative paths in the schematic are meant from the template's folder" in said
    assert "next: simorc netlist --update\nnext: simorc build tb\n" in said


def test_a_testbench_of_cicsim(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = tmp_path / "old"
    (old / "basic").mkdir(parents=True)
    (old / "cicsim.yaml").write_text(CICSIM)
    (old / "basic" / "cicsim.yaml").write_text("corner: {Sch: '', Lay: ''}\n")
    (old / "basic" / "tran.spi").write_text(CICSIM_DECK)
    (old / "basic" / "tran.meas").write_text(
        ".control\nload {cicname}.raw\nmeas tran vx avg v(vx)\nmeas tran ivdd avg i(vdd)\n.endc\n"
    )
    (old / "basic" / "tran.yaml").write_text(CICSIM_SPECS)
    plan = make_plan(taken_over(old, tmp_path / "new"), "tran")
    assert {axis.names: axis.rows for axis in plan.sweep.axes} == {("vdda",): ((1.8,), (1.62,)), ("temp",): ((125,),)}
    measures = {measure.name: measure for measure in plan.measures}
    assert (measures["vx"].unit, measures["vx"].spec.min, measures["vx"].spec.max) == ("V", 0.8, 1.0)
    assert (measures["ivdd"].unit, measures["ivdd"].spec.max) == ("A", pytest.approx(100e-6))
    iq = measures["iq"].spec  # a current into a supply is negative; cicsim turns it round
    assert (measures["iq"].unit, iq.min, iq.typ, iq.max) == ("A", *(pytest.approx(-x * 1e-6) for x in (50, 20, 10)))
    assert (measures["duty"].unit, measures["duty"].spec.max) == ("", 0.55)  # of 1: what ngspice measures
    template = (tmp_path / "new/testbenches/tran/tran.spice.j2").read_text()
    assert ".param vdda={{ parameters.vdda }}\n.temp {{ parameters.temp }}\n" in template
    assert "\ntran 10p 10n 1p\nmeas tran vx avg v(vx)\nmeas tran ivdd avg i(vdd)\n.endc\n" in template
    assert "ifdef" not in template
    assert ".save v(VX)\n" in template
    said = capsys.readouterr().err
    assert 'corner Kss: `.include "ss.spi"` is not carried over' in said
    assert "ivdd: min is '-20%' there, which is no number" in said


def test_broken_files_cost_nothing_but_a_remark(old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (old / "cicsim.yaml").write_text("corner: [unclosed\n")
    (old / "a.spi").write_text("* a\n.op\n.end\n")
    (old / "a.yaml").write_text("- not\n- a mapping\n")
    (old / "binary.cir").write_bytes(bytes(range(256)))
    (old / "half.sch").write_text(HEAD + "C {devices/res")
    (old / "loop").symlink_to(old)
    (old / "lost.cir").symlink_to(old / "nowhere")
    project = taken_over(old, tmp_path / "new")
    assert set(project.testbenches) == {"a", "tb-one"}
    said = capsys.readouterr().err
    assert "cicsim.yaml cannot be read" in said
    assert "half.sch: not a schematic of xschem: line 2" in said
    assert "testbench a: the deck measures nothing" in said


def test_a_datasheet_of_cace_is_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = tmp_path / "old"
    shutil.copytree(GOLDEN / "cace", old)
    (old / "mine.cir").write_text(DECK)
    (old / "dc.cir").write_text(DECK)  # so is a sweep of the datasheet called
    shutil.copy(old / "cace" / "divider.yaml", old / "cace" / "second.yaml")
    (old / "late.yaml").write_text("name: x\ncace_format: 4.0\n")
    (old / "gain.spice").write_text("* gain\nv1 a 0 CACE{vdd}\n.op\n.end\n")  # its templates are no decks of ours
    (old / "iq.sch").write_text(schematic(r'code.sym|name=s1 value=".op CACE\{vdd\}"'))
    project = taken_over(old, tmp_path / "new")
    assert set(project.testbenches) == {"dc", "dc_2", "mc", "mine"}
    assert set(project.sweeps) == {"dc", "dc_2", "mc", "mine"}
    assert project.dut["netlist"].name == "divider.spice"
    said = capsys.readouterr().err
    assert "decide: divider.yaml: mc: the script spread.py" in said
    assert "decide: second.yaml: dc is left out: another datasheet has one of that name" in said
    assert "decide: late.yaml: cace_format 4.0, expected 5.x" in said


def test_nothing_to_take_over(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        init(tmp_path / "new", tmp_path / "nowhere")
    (tmp_path / "old").mkdir()
    with pytest.raises(UsageError, match="nothing to take over"):
        init(tmp_path / "new", tmp_path / "old")
    assert not (tmp_path / "new").exists()


@pytest.mark.req("SIM-19")
def test_one_corner_for_all_libraries_that_have_it() -> None:
    libraries = {"mos.lib": ".lib tt\n.endl\n.lib ff\n.endl\n", "res.lib": ".lib typ\n.endl\n.lib wcs\n.endl\n"}
    libraries["cap.lib"] = libraries["mos.lib"]
    cards = [".lib mos.lib tt $ tt is usual", ".lib 'cap.lib' tt", ".lib res.lib typ"]
    adopted = adopt_deck("\n".join(["* x", *cards, ".op", ".meas op a find v(1) at=0"]), str, libraries.get)
    lines = adopted.template.splitlines()
    assert lines[1] == ".lib mos.lib {{ parameters.corner }} $ tt is usual"
    assert lines[2] == ".lib 'cap.lib' {{ parameters.corner }}"
    assert lines[3] == cards[2]
    assert adopted.axes == {"corner": ["tt", "ff"]}
    assert adopted.remarks == ["`.lib res.lib typ` stays as it is while `corner` changes"]


@pytest.mark.req("SIM-19")
def test_what_runs_is_a_testbench_and_what_only_looks_so_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "amp.sch").write_text(cell('C {lab.sym} 0 0 0 0 {name=l1 lab=op}\nC {v.sym} 0 0 0 0 {name=v1 value="dc 1"}'))
    (old / "logo.sch").write_text(schematic("lab.sym|name=l1 lab=op", 'v.sym|name=v1 value="dc 1 ac 1"'))
    (old / "tb.sch").write_text(cell('C {code.sym} 0 0 0 0 {name=s1 value="\n.op\n"}'))
    (old / "by_hand").mkdir()
    (old / "by_hand" / "amp.cir").write_text("* by hand\nv1 a 0 1\n.op\n.end\n")
    (old / "tb.spice").write_text("**.subckt tb\n** sch_path: /x/tb.sch\n**.ends\n.op\n.end\n")
    project = taken_over(old, tmp_path / "new")
    assert {name: entry.schematic for name, entry in project.testbenches.items()} == {
        "tb": old / "tb.sch",
        "amp": None,
    }
    assert project.dut["schematic"] == old / "amp.sch"


@pytest.mark.req("SIM-19")
def test_a_dut_that_may_be_another_is_a_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for name in ("amp", "bias"):
        (old / f"{name}.spice").write_text(f"* {name}\n.subckt {name} a b\nr1 a b 1k\n.ends\n")
    assert taken_over(old, tmp_path / "new").dut == {"netlist": old / "amp.spice"}
    assert "decide: the DUT may also be one of: bias" in capsys.readouterr().err
    assert "# DECIDE: the DUT may also be one of: bias" in (tmp_path / "new" / "sim_setup.yaml").read_text()


def test_a_title_and_names_of_our_own_columns_stay_as_they_are() -> None:
    adopted = adopt_deck("* .temp 5\n.param status=1 if=2 x=3\n.op\n", str, lambda path: None)
    assert adopted.parameters == {"x": "3"}
    assert adopted.template.startswith("* .temp 5\n.param status=1 if=2 x={{ parameters.x }}\n")
    assert adopted.remarks == ["the deck measures nothing: add .meas cards, or functions in measures.py"]
