"""Constants that nothing mentions leave a model file, and nothing else does."""

from __future__ import annotations

import pytest

from simorc.simulators.model_cards import units_of
from simorc.simulators.model_constants import mentions, without_constants

pytestmark = pytest.mark.req("SIM-12")
REST = (
    ".model dx d is={used}\n.subckt s a\n.param inner=1\nr1 a 0 {Called}\n.ends\n.if (asked == 1)\nr2 b 0 1\n.endif\n"
)


def left(text: str, *words: str) -> str:
    units = units_of(text)
    return without_constants(units, mentions(units) | set(words))


@pytest.mark.parametrize("name", ["used", "called", "asked", "CALLED"])
def test_a_constant_that_something_mentions_stays(name: str) -> None:
    assert f"{name.lower()}=1.5u" in left(f".param {name}=1.5u other=2\n{REST}")


def test_a_constant_that_nothing_mentions_goes() -> None:
    text = left(f".param used=1 gone=2 called=3 also_gone='1e-3'\n.param asked=1\n{REST}")
    assert "gone" not in text
    assert all(f"{name}=" in text for name in ("used", "called", "asked", "inner"))


def test_a_constant_defined_twice_goes_where_nothing_else_mentions_it() -> None:
    assert left(".param twice=1\n.param twice=2\n") == ""


def test_what_the_deck_mentions_stays() -> None:
    assert left(".param vdd=1 gone=1\n", "vdd") == ".param vdd=1\n"


@pytest.mark.parametrize("value", ["{a+1}", "a", "'a*agauss(0,1,1)'"])
def test_what_is_no_constant_stays_and_what_it_mentions(value: str) -> None:
    text = f".param a=1\n.param kept={value}\n"
    assert left(text) == text


@pytest.mark.parametrize("card", [".param a = 1 + 2", ".param a=1 $ a comment", ".option a=1", ".csparam a=1"])
def test_other_cards_stay(card: str) -> None:
    assert card in left(f"{card}\n")
