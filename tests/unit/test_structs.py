"""Struct classes: what a class says of itself must be possible in it."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module

import pytest
from msgspec import Struct

import simorc


def below(cls: type[Struct]) -> Iterator[type[Struct]]:
    for inner in cls.__subclasses__():
        yield inner
        yield from below(inner)


@pytest.mark.filterwarnings("ignore")
def test_a_struct_that_keeps_what_it_has_computed_has_room_for_it() -> None:
    for module in pkgutil.walk_packages(simorc.__path__, "simorc."):
        if module.name != "simorc.__main__":
            import_module(module.name)
    ours = [cls for cls in below(Struct) if cls.__module__.startswith("simorc")]
    keeping = [c for c in ours if any(isinstance(v, cached_property) for k in c.__mro__ for v in vars(k).values())]
    assert keeping
    assert [cls for cls in keeping if not cls.__struct_config__.dict] == []
