"""Names of simulators, drivers and their like: simorc's own, and those of other packages."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from simorc import registry
from simorc.core.errors import UsageError
from simorc.registry import load, names

OTHERS = EntryPoints(
    [
        EntryPoint("other", "json:dumps", "simorc.simulators"),
        EntryPoint("stub", "json:dumps", "simorc.simulators"),
        EntryPoint("lone", "json:loads", "simorc.executors"),
    ]
)


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages that register something of their own."""
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **which: OTHERS.select(**which))


@pytest.mark.parametrize("family", sorted(registry._OWN))
def test_every_name_of_simorc_stands_for_something_that_can_be_called(family: str) -> None:
    assert names(family)
    assert all(callable(load(family, name)) for name in names(family))


@pytest.mark.usefixtures("others")
def test_other_packages_add_names_and_take_none_away() -> None:
    assert names("simulators") == ["ngspice", "ngspice_plain", "other", "stub"]
    assert load("simulators", "other")({}) == "{}"
    assert load("simulators", "stub").__module__ == "simorc.testing"
    assert load("executors", "lone")("{}") == {}


@pytest.mark.usefixtures("others")
def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="no simulator named 'othr'") as caught:
        load("simulators", "othr")
    assert "other" in str(caught.value.hint)
