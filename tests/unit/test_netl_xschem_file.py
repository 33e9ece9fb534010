"""What stands in a file of xschem, and what a netlister's text becomes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from schematics import schematic, symbol

from simorc.core.netlister import NetlistKind
from simorc.netlisters.deck_text import finished
from simorc.netlisters.xschem_file import FormatError, parse_drawing, placeholders


def test_components_with_their_attributes() -> None:
    drawing = parse_drawing(
        schematic(r'devices/vsource.sym|name=V1 value="\{\{ parameters.vdd \}\} \\"x\\""', "a/b|name=x2 w=1u")
    )
    assert [(item.reference, dict(item.attributes)) for item in drawing.instances] == [
        ("devices/vsource.sym", {"name": "V1", "value": '{{ parameters.vdd }} "x"'}),
        ("a/b", {"name": "x2", "w": "1u"}),
    ]
    assert list(placeholders(drawing)) == [("V1", "{{ parameters.vdd }}")]


def test_pins_and_type_of_a_symbol() -> None:
    drawing = parse_drawing(symbol(pins=("z", "a")))
    assert drawing.pins == ("z", "a")
    assert drawing.attributes["type"] == "subcircuit"


def test_a_symbol_of_3_x_has_its_attributes_elsewhere() -> None:
    text = symbol().replace("file_version=1.0", "file_version=1.2").replace("G {", "G {}\nK {", 1)
    drawing = parse_drawing(text)
    assert (drawing.attributes["type"], drawing.pins) == ("subcircuit", ("A", "B"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("garbage\n", "line 1: no record"),
        ("", "no record"),
        ("v {x}\nC {devices/res} 0 0 {name=R1", "line 2: a text begins that never ends"),
        ("v {x}\n\nC {a} 1 2 {name=V value={{ x }}}\n", r"line 3: a brace within a text .* write `\\\{`"),
        ("v {x}\nC {a} 0 0}\n", "line 2: a brace closes"),
    ],
)
def test_a_file_that_is_none_is_an_error_with_its_line(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        parse_drawing(text)


@given(st.text(alphabet='vCG {}\\\n"=ab1', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(FormatError):
        assert parse_drawing(text).instances is not None


@pytest.mark.req("SIM-07")
@given(st.sampled_from(["{{ a }}", "{{ a|default(1, true) }}", "{% if a and b %}", "{# why not #}"]), st.integers(0, 9))
def test_a_line_broken_within_a_placeholder_is_whole_again(placeholder: str, at: int) -> None:
    spaces = [index for index, character in enumerate(placeholder) if character == " "]
    place = spaces[at % len(spaces)]
    broken = f"{placeholder[:place]}\n+{placeholder[place:]}"
    assert f"V1 a 0 {placeholder} 1\n+ 2" in finished(f"V1 a 0 {broken} 1\n+ 2\n.end\n", NetlistKind.DECK, "x")


def test_a_dut_becomes_a_subcircuit_with_the_pins_of_its_symbol() -> None:
    text = "**.subckt ota in out vdd\nR1 in out 1k\n**.ends\n.subckt r a b\n.endl\n.ends\n.end\n"
    made = finished(text, NetlistKind.SUBCKT, "ota", ("vdd", "in", "out"))
    assert made == "* ota\n.subckt ota vdd in out\nR1 in out 1k\n.ends\n.subckt r a b\n.endl\n.ends\n"
    with pytest.raises(ValueError, match="the symbol has the pins in out, the schematic in out vdd"):
        finished(text, NetlistKind.SUBCKT, "ota", ("in", "out"))


def test_a_long_list_of_pins_is_whole_again() -> None:
    """xschem breaks lines beyond 100 characters, also those that it has commented out."""
    text = "**.subckt big a b\n*+c d\n*.iopin a\nR1 a b 1k\n**.ends\n.end\n"
    made = "* big\n.subckt big {}\n*.iopin a\nR1 a b 1k\n.ends\n"
    assert finished(text, NetlistKind.SUBCKT, "big") == made.format("a b c d")
    assert finished(text, NetlistKind.SUBCKT, "big", ("d", "c", "b", "a")) == made.format("d c b a")


@pytest.mark.req("SIM-07")
@pytest.mark.parametrize("broken", [".lib deep/x.lib\n+ {{ corner }}", ".lib\n+deep/x.lib\n+{{ corner }}"])
def test_a_card_that_reads_a_library_stays_on_one_line(broken: str) -> None:
    """ngspice takes `.lib` with one argument for the beginning of a section, whatever the next line says."""
    made = finished(f"R1 a b 1k\n+ m=1\n{broken}\n.end\n", NetlistKind.DECK, "x")
    assert made == "* x\nR1 a b 1k\n+ m=1\n.lib deep/x.lib {{ corner }}\n.end\n"
