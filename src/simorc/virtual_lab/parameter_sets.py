"""Parameter sets of parts: numbers with their units and where each comes from."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from simorc.core.errors import UsageError
from simorc.core.wording import suggestion

_FOLDER = Path(__file__).parent / "dut_models" / "sets"
ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """The numbers of one part.

    Parameters
    ----------
    name: as the bench's YAML names it
    title: part and datasheet
    values: SI units and degC
    spread: standard deviation from part to part, in the unit of the value
    units, sources: by name, as for values
    """

    name: str
    title: str
    values: Mapping[str, float]
    spread: Mapping[str, float]
    units: Mapping[str, str]
    sources: Mapping[str, str]

    @property
    def assumed(self) -> list[str]:
        """Names of the numbers that have no source."""
        return [name for name, source in self.sources.items() if source.startswith(ASSUMED)]


def set_names() -> list[str]:
    """The sets that there are, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def parameter_set(name: str) -> ParameterSet:
    """The set of that name.

    Raises
    ------
    UsageError: there is none; lists what there is
    """
    if name not in set_names():
        raise UsageError(f"no parameter set named {name!r}", hint=suggestion(name, set_names()))
    data = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    numbers = data["parameters"]
    return ParameterSet(
        name,
        data["title"],
        {key: float(number["value"]) for key, number in numbers.items()},
        {key: float(number["spread"]) for key, number in numbers.items() if "spread" in number},
        {key: number["unit"] for key, number in numbers.items()},
        {key: number["source"] for key, number in numbers.items()},
    )
