"""Real xschem: what it makes of placeholders and hierarchies, what it says of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from schematics import HEAD, RESISTOR, cell, labels, schematic, symbol, write_tree

from simorc.core.errors import NetlistError
from simorc.core.netlister import NetlisterSettings, NetlistKind, NetlistState
from simorc.netlisters.staleness import Finding, Pair, examine
from simorc.netlisters.xschem import Xschem

pytestmark = pytest.mark.xschem

ROOT = Path(__file__).parents[2]
CODE = r"""
.lib \\"../models/x.lib\\" \{\{ parameters.corner \}\}
\{% set vcm = parameters.vdd / 2 %\}
.param a='\{\{ parameters.b * 2 \}\}' c=\{\{ 'x' if parameters.d == 'tt' else \\"y\\" \}\}
\{# why so #\}
.option aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1 b=\{\{ parameters.b * parameters.d \}\}
.meas dc v find v(out) at=\{\{ vcm \}\}
"""
SOURCE = (
    r"dc \{\{ parameters.vcm \}\} ac \{\{ parameters.a|default(1, true) \}\} sin(0 \{\{ parameters.amplitude \}\}"
    r" \{\{ parameters.frequency \}\} \{\{ parameters.delay \}\} \{\{ parameters.damping \}\})"
)


def netlister(*libraries: Path, **settings: object) -> Xschem:
    return Xschem(NetlisterSettings(libraries=libraries, **settings))  # type: ignore[arg-type]


@pytest.mark.req("SIM-07")
def test_placeholders_come_out_as_they_are_drawn(tmp_path: Path) -> None:
    (tmp_path / "tb.sch").write_text(
        schematic(
            rf'devices/vsource.sym|name=V1 value="{SOURCE}"',
            r'devices/res.sym|name=R1 value="\{\{ parameters.r \}\}"',
            rf'devices/code.sym|name=S1 only_toplevel=false value="{CODE}"',
        )
        + labels(2)
    )
    made = netlister().netlist(tmp_path / "tb.sch", NetlistKind.DECK)
    assert made.warnings == ()
    for line in (
        '.lib "../models/x.lib" {{ parameters.corner }}\n',
        "\n{% set vcm = parameters.vdd / 2 %}\n",
        """\n.param a='{{ parameters.b * 2 }}' c={{ 'x' if parameters.d == 'tt' else "y" }}\n""",
        "\n{# why so #}\n",
        " b={{ parameters.b * parameters.d }}\n",
        "\n.meas dc v find v(out) at={{ vcm }}\n",
        " {{ parameters.r }} m=1\n",
    ):
        assert line in made.text
    assert f"V1 in 0 {SOURCE}" in made.text.replace("\n+ ", " ").replace("{", r"\{").replace("}", r"\}")


def test_an_open_pin_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tb.sch").write_text(schematic("devices/res.sym|name=R1 value=1k", "devices/res.sym|name=R2 value=1k"))
    with pytest.raises(NetlistError, match="a pin is not connected: R1, R2"):
        netlister().netlist(tmp_path / "tb.sch", NetlistKind.DECK)


def test_a_hierarchy_becomes_subcircuits_and_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "my cells"
    write_tree(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*.s*")}
    made = netlister(folder / "lib").netlist(folder / "top.sch", NetlistKind.SUBCKT)
    assert [line for line in made.text.splitlines() if line.startswith(".")] == [
        ".subckt top A B",
        ".ends",
        ".subckt mid A B",
        ".ends",
        ".subckt low A B",
        ".ends",
    ]
    assert {path.name for path in made.sources.files} == {path.name for path in before}
    assert {path: path.read_bytes() for path in before} == before  # 2.8.1 saves what it opens: it gets a copy
    assert made.sources.unresolved == ()


def test_the_symbol_says_in_which_order_the_pins_are(tmp_path: Path) -> None:
    (tmp_path / "r.sch").write_text(cell(RESISTOR))
    (tmp_path / "r.sym").write_text(symbol(pins=("B", "A")))
    assert "\n.subckt r B A\n" in netlister().netlist(tmp_path / "r.sch", NetlistKind.SUBCKT).text


def test_a_component_without_a_name_is_told(tmp_path: Path) -> None:
    """xschem leaves it out and says nothing."""
    (tmp_path / "tb.sch").write_text(schematic("devices/res.sym|value=1k") + labels(1))
    made = netlister().netlist(tmp_path / "tb.sch", NetlistKind.DECK)
    assert "1k" not in made.text
    assert made.warnings == ("a component devices/res.sym has no name: it is not in the netlist",)


@pytest.mark.req("SIM-07", "SIM-20")
def test_long_lines_that_xschem_breaks(tmp_path: Path) -> None:
    """The pins of a DUT with many, and the library of a PDK that lies deep."""
    pins = "".join(f"C {{devices/iopin.sym}} 0 {40 * n} 0 0 {{name=p{n} lab=a_long_name_{n}}}\n" for n in range(12))
    (tmp_path / "big.sch").write_text(schematic() + pins)
    made = netlister().netlist(tmp_path / "big.sch", NetlistKind.SUBCKT)
    assert f"\n.subckt big {' '.join(f'a_long_name_{n}' for n in range(12))}\n" in made.text
    code = f".lib {'/deep' * 20}/x.lib tt\n.lib {'/deep' * 19}/y.lib \\{{\\{{ parameters.corner \\}}\\}}\n"
    (tmp_path / "tb.sch").write_text(schematic(f'devices/code.sym|name=S1 only_toplevel=false value="{code}"'))
    made = netlister().netlist(tmp_path / "tb.sch", NetlistKind.DECK)
    assert f"\n.lib {'/deep' * 20}/x.lib tt\n.lib {'/deep' * 19}/y.lib {{{{ parameters.corner }}}}\n" in made.text


@pytest.mark.req("SIM-20")
def test_a_missing_symbol_is_named_with_the_search_path(tmp_path: Path) -> None:
    write_tree(tmp_path / "cells")
    (tmp_path / "cells" / "lib" / "low.sch").write_text(cell("C {nosuch/deep.sym} 0 0 0 0 {name=x7}"))
    with pytest.raises(NetlistError, match=r"symbols are missing: x7 \(nosuch/deep.sym in low.sch\)") as caught:
        netlister(tmp_path / "cells" / "lib").netlist(tmp_path / "cells" / "top.sch", NetlistKind.DECK)
    assert f"  {tmp_path}/cells/lib\n" in caught.value.hint


def test_a_projects_start_up_file_adds_libraries(tmp_path: Path) -> None:
    write_tree(tmp_path / "cells")
    rc = tmp_path / "xschemrc"
    rc.write_text("append XSCHEM_LIBRARY_PATH :[file dirname [info script]]/cells/lib\n")
    made = netlister(rcfile=rc).netlist(tmp_path / "cells" / "top.sch", NetlistKind.DECK)
    assert "deep.sym" in {path.name for path in made.sources.files}
    rc.write_text("no_such_command\n")
    with pytest.raises(NetlistError, match=r"(?s)no whole netlist.*no_such_command"):
        netlister(rcfile=rc).netlist(tmp_path / "cells" / "top.sch", NetlistKind.DECK)


def test_a_start_up_file_that_waits_ends_at_the_limit(tmp_path: Path) -> None:
    (tmp_path / "r.sch").write_text(cell(RESISTOR))
    (tmp_path / "xschemrc").write_text("after 60000\n")
    with pytest.raises(NetlistError, match=r"did not end within 0\.5 s"):
        netlister(rcfile=tmp_path / "xschemrc", timeout_s=0.5).netlist(tmp_path / "r.sch", NetlistKind.DECK)


def test_a_home_folder_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "r.sch").write_text(cell(RESISTOR))
    monkeypatch.setenv("HOME", "/nonexistent")
    assert "\nR1 B A 1k m=1\n" in netlister().netlist(tmp_path / "r.sch", NetlistKind.DECK).text


def test_half_a_schematic_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "half.sch").write_text(HEAD + "C {devices/res.sym} 0 0 0 0 {name=R1")
    with pytest.raises(NetlistError, match="line 2: a text begins that never ends"):
        netlister().netlist(tmp_path / "half.sch", NetlistKind.DECK)


@pytest.mark.req("SIM-07", "SIM-20")
def test_the_committed_template_of_the_ota_is_what_its_schematic_says() -> None:
    folder = ROOT / "testbenches" / "ota"
    ota = Pair("ota", NetlistKind.DECK, folder / "tb_ota.sch", folder / "tb_ota.spice.j2")
    made = netlister(ROOT / "schematics").netlist(ota.schematic, NetlistKind.DECK)
    assert (made.text, made.warnings) == ((folder / "tb_ota.spice.j2").read_text(), ())
    assert examine(ota, netlister(ROOT / "schematics")) == Finding(NetlistState.FRESH)
