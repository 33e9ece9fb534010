"""Keysight E36312A and E3631A (command sets: E36300 series programming guide, E3631A user's guide)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simorc.instruments.drivers.scpi_psu import SUPPLY_EFFECTS, ScpiPsu
from simorc.instruments.interfaces import Effect


class KeysightE36312a(ScpiPsu):
    """Three outputs: 6 V/5 A, 25 V/1 A, 25 V/1 A."""

    expected: ClassVar[str] = "E36312A"
    channels: ClassVar[int] = 3

    def setting(self, number: int, header: str, value: str) -> str:
        """With a channel list."""
        return f"{header} {value},(@{number})"

    def query(self, number: int, header: str) -> str:
        """With a channel list."""
        return f"{header}? (@{number})"


class KeysightE3631a(ScpiPsu):
    """Three outputs, of which one is selected at a time; they are switched on and off together."""

    expected: ClassVar[str] = "E3631A"
    channels: ClassVar[int] = 3
    effects: ClassVar[Sequence[Effect]] = (*SUPPLY_EFFECTS, Effect("OUTPut:TRACk[:STATe]", "harmless"))

    def setting(self, number: int, header: str, value: str) -> str:
        """After selecting the output."""
        return f"INST:NSEL {number};:{header} {value}"

    def query(self, number: int, header: str) -> str:
        """After selecting the output."""
        return f"INST:NSEL {number};:{header}?"
