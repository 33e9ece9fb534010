"""The decks in tests/golden/ngspice/prepared; after a wanted change: SIMORC_GOLDEN=write pytest <this file>."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.core.errors import TemplateError
from simorc.simulators.ngspice_deck import dot_cards, prepare_deck

GOLDEN = Path(__file__).parents[1] / "golden" / "ngspice" / "prepared"
OPTIONS = {"gmin": "1e-10", "method": "gear", "noopiter": ""}


@pytest.mark.req("SIM-12")
@pytest.mark.parametrize("name", sorted(path.name.removesuffix(".in.spice") for path in GOLDEN.glob("*.in.spice")))
def test_prepared_decks_are_the_golden_ones(name: str) -> None:
    options = OPTIONS if name == "several_analyses" else {}
    prepared = prepare_deck((GOLDEN / f"{name}.in.spice").read_text(), 42, options, {}).text
    golden = GOLDEN / f"{name}.out.spice"
    if os.environ.get("SIMORC_GOLDEN") == "write":
        golden.write_text(prepared)
    assert prepared == golden.read_text()


def test_the_seed_is_written_unless_the_deck_has_one() -> None:
    assert ".option seed=42\n" in prepare_deck("* t\n.op\n", 42, {}, {}).text
    for own in (".option seed=5", ".OPTIONS gmin=1e-12 SEED = random", "  .opt reltol=1e-4 seed=1"):
        assert "seed=42" not in prepare_deck(f"* t\n{own}\n.op\n", 42, {}, {}).text
    assert ".option seed=42" in prepare_deck("* t\n* .option seed=5\n.op\n", 42, {}, {}).text


def test_decks_that_differ_in_an_argument_alone_have_commands_and_measures_of_their_own() -> None:
    for temp, stop, name in ((27, "1g", "gain"), (85, "1g", "gain"), (85, "2g", "gain"), (85, "2g", "peak")):
        cards = f".temp {temp}\n.op\n.ac dec 10 1 {stop}\n.meas ac {name} max vdb(out)"
        script = prepare_deck(f"* t\n{cards}\n", 1, {}, {}).script
        assert script is not None
        assert script.commands == ("op", f"ac dec 10 1 {stop}")
        assert script.plots == ("op1", "ac1")
        assert script.netlist.startswith(f"* t\n{cards}\n")
        assert f".meas ac simorc_{name} param='{name}'\n" in script.netlist


@pytest.mark.parametrize("card", [".noise v(out<2>) v1 dec 1 1 10", ".tran 1n {x} $x", ".noise v(a!) v1 dec 1 1 10"])
def test_an_analysis_that_no_command_can_say_is_an_error_where_it_would_have_to_be_one(card: str) -> None:
    assert "run" in prepare_deck(f"* t\n{card}\n", 1, {}, {}).text
    with pytest.raises(TemplateError) as caught:
        prepare_deck(f"* t\n.op\n{card}\n", 1, {}, {})
    assert caught.value.where == "netlist line 3"
    assert ".control" in caught.value.hint


def test_cards_are_joined_and_lose_their_comments() -> None:
    text = "title .op\n.tran 1n\n* between\n+ 5u ; end\n\nr1 a b 1k\n+ tc1=1\n .dc v1 0 1 .1 // x\n.end"
    assert [(card.text, card.line) for card in dot_cards(text)] == [
        (".tran 1n  5u", 2),
        (".dc v1 0 1 .1", 8),
        (".end", 9),
    ]


@given(st.text(alphabet=".+*opdcend control\n;$'{}", max_size=200))
def test_any_text_is_prepared_or_refused_and_the_users_part_stays_as_it_is(text: str) -> None:
    try:
        prepared = prepare_deck(text, 1, {}, {}).text
    except TemplateError:
        return
    kept = prepared.partition("* added by simorc")[0]
    assert text.startswith(kept.rstrip("\n"))
