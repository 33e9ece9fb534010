"""The examples in docstrings are true, wherever they stand."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import simorc

SOURCE = Path(simorc.__file__).parent
WITH_EXAMPLES = [
    ".".join(("simorc", *path.relative_to(SOURCE).with_suffix("").parts))
    for path in sorted(SOURCE.rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_are_true(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted
    assert not found.failed
