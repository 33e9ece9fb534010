from __future__ import annotations

from simorc.simulators.versions import BEHAVIOURS, TESTED


def test_every_behaviour_says_what_it_was_measured_on() -> None:
    assert all(set(behaviour.measured) <= set(TESTED) and behaviour.what for behaviour in BEHAVIOURS)
