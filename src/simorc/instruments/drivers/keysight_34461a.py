"""Keysight 34461A and HP 34401A (command sets: Truevolt series operating guide, 34401A user's guide)."""

from __future__ import annotations

from typing import ClassVar

from simorc.instruments.drivers.scpi_dmm import ScpiDmm


class Keysight34461a(ScpiDmm):
    """The 34461A."""

    expected: ClassVar[str] = "34461A"
    documented: ClassVar[bool] = True


class Hp34401a(ScpiDmm):
    """The 34401A."""

    expected: ClassVar[str] = "34401A"
    documented: ClassVar[bool] = True
