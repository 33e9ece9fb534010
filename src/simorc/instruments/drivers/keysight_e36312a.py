"""Keysight E36312A and E3631A (command sets: E36300 series programming guide, E3631A user's guide)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from simorc.core.bench import InstrumentSettings
from simorc.core.equipment import Clock, Transport
from simorc.instruments.drivers.scpi_psu import SUPPLY_EFFECTS, ScpiPsu
from simorc.instruments.interfaces import Effect, Observer

_SELECT = Effect("INSTrument:NSELect", "select")


class KeysightE36312a(ScpiPsu):
    """Three outputs: 6 V/5 A, 25 V/1 A, 25 V/1 A."""

    expected: ClassVar[str] = "E36312A"
    effects: ClassVar[Sequence[Effect]] = (*SUPPLY_EFFECTS, _SELECT)
    channels: ClassVar[int] = 3
    selects: ClassVar[bool] = True

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
    selects: ClassVar[bool] = True
    effects: ClassVar[Sequence[Effect]] = (
        Effect("OUTPut[:STATe]", "output", channels=(1, 2, 3)),
        *SUPPLY_EFFECTS,
        _SELECT,
    )

    def __init__(
        self, settings: InstrumentSettings, transport: Transport, clock: Clock, observe: Observer | None = None
    ) -> None:
        super().__init__(settings, transport, clock, observe)
        self._set: set[int] = set()

    def setting(self, number: int, header: str, value: str) -> str:
        """After selecting the output."""
        if header == "VOLT":
            self._set.add(number)
        return f"INST:NSEL {number};:{header} {value}"

    def query(self, number: int, header: str) -> str:
        """After selecting the output."""
        return f"INST:NSEL {number};:{header}?"

    def prepare(self, number: int) -> None:
        """The outputs that nobody has set go on with it: at 0 V."""
        for other in {1, 2, 3} - self._set - {number}:
            self.channel(other).set_voltage(0.0)

    def forget(self) -> None:
        """What stands at its outputs may have changed."""
        self._set.clear()
