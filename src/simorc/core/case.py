"""Pure: one fully bound point of a sweep."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from simorc.core.units import Value, value_to_text


class Case(Struct, frozen=True):
    """One fully bound point of a sweep, frozen.

    Parameters
    ----------
    case_id: position in the sweep, from 0
    parameters: every parameter of the testbench by name, swept ones and defaults; values as written
    swept: names of the varied parameters, in column order of metadata.csv
    seed: seed of the random draws of this case (31 bit, positive)
    """

    case_id: int
    parameters: Mapping[str, Value]
    swept: tuple[str, ...]
    seed: int = 1

    @property
    def conditions(self) -> dict[str, Value]:
        """The swept parameters alone, in column order."""
        return {name: self.parameters[name] for name in self.swept}

    @property
    def corners(self) -> list[str]:
        """The names under which limits of a corner are looked up: the value of `corner_name`, then that of `corner`."""
        return [value_to_text(self.parameters[key]) for key in ("corner_name", "corner") if key in self.parameters]

    @property
    def label(self) -> str:
        """The conditions in one word, as it stands in the pytest id: `corner:ff-temp:85`."""
        return "-".join(f"{name}:{value_to_text(value)}" for name, value in self.conditions.items())

    @property
    def description(self) -> str:
        """The conditions for people: `corner=ff, temp=85`."""
        return ", ".join(f"{name}={value_to_text(value)}" for name, value in self.conditions.items())
