"""A simulated bench put together: its physics, and what plays each instrument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simorc.core.bench import BenchSettings
from simorc.core.equipment import Clock, VirtualInstrument
from simorc.registry import load
from simorc.virtual_lab.lab import Lab


@dataclass(frozen=True, slots=True)
class BuiltLab:
    """The physics, and the instruments by name."""

    lab: Lab
    instruments: Mapping[str, VirtualInstrument]


def build_lab(bench: BenchSettings, clock: Clock) -> BuiltLab:
    """Everything that a simulated bench holds.

    Raises
    ------
    UsageError: a model, part, fault or wiring that does not exist
    """
    lab = Lab(bench, clock)
    played = {i.name: load("equipment", i.model or i.driver)(i, lab) for i in bench.instruments}
    # What plays another's part may lack its channels: that is for the driver to notice.
    lab.check_wiring([i.name for i in bench.instruments if not i.model])
    return BuiltLab(lab, played)
