"""The examples in the docstrings of the pure modules are true."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import simorc.config
import simorc.core

PURE = ["simorc.config.document", "simorc.config.environment", "simorc.config.problems", "simorc.config.axis_values"]
PURE += ["simorc.config.reference", "simorc.config.scalars"]
PURE += [f"simorc.simulators.{name}" for name in ("deck_paths", "lasting", "model_cards", "ngspice_modes")]
CORE = [f"simorc.core.{module.name}" for module in pkgutil.iter_modules(simorc.core.__path__)]


@pytest.mark.parametrize("name", [*CORE, *PURE])
def test_examples_are_true(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_there_are_examples_to_try() -> None:
    finder = doctest.DocTestFinder()
    tried = sum(len(test.examples) for name in CORE for test in finder.find(importlib.import_module(name)))
    assert tried >= 10
