from __future__ import annotations

import pytest

from simorc.simulators.versions import BEHAVIOURS, TESTED, is_tested, version_number


@pytest.mark.parametrize(
    ("name", "number"),
    [("ngspice-39", "39"), ("ngspice-44.2", "44.2"), ("ngspice-45+", "45"), ("ngspice", ""), ("", "")],
)
def test_the_number_is_taken_from_the_name(name: str, number: str) -> None:
    assert version_number(name) == number


def test_only_tested_versions_count_as_tested() -> None:
    assert [is_tested(name) for name in ("ngspice-39", "ngspice-38", "ngspice-3", "stub-1")] == [
        True,
        False,
        False,
        False,
    ]


def test_every_behaviour_says_what_it_was_measured_on() -> None:
    assert all(set(behaviour.measured) <= set(TESTED) and behaviour.what for behaviour in BEHAVIOURS)
