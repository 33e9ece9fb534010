"""Pure: what a netlister must offer, and the data that pass between it and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Protocol

from msgspec import Struct


class NetlistKind(StrEnum):
    """What becomes of a schematic: a circuit to be included, or a deck of its own."""

    SUBCKT = "subckt"
    DECK = "deck"


class NetlistState(StrEnum):
    """How a netlist stands to its schematic, as `simorc netlist` says it."""

    FRESH = "fresh"
    STALE = "stale"
    NO_NETLIST = "missing netlist"
    NO_SCHEMATIC = "missing schematic"
    NO_NETLISTER = "no netlister"


class NetlisterSettings(Struct, frozen=True):
    """How schematics become netlists.

    Parameters
    ----------
    name: the netlister, by its name
    timeout_s: seconds that one schematic may take
    libraries: folders that are searched for symbols before the netlister's own, absolute
    rcfile: the netlister's start-up file, absolute; None for none
    """

    name: str = "xschem"
    timeout_s: float = 60.0
    libraries: tuple[Path, ...] = ()
    rcfile: Path | None = None


class Sources(Struct, frozen=True):
    """The files that a netlist comes from.

    Parameters
    ----------
    files: the schematic and every symbol and sub-schematic that it reaches, without the netlister's own library
    unresolved: references to files that were not found, as `what in which file`
    """

    files: tuple[Path, ...]
    unresolved: tuple[str, ...] = ()


class Netlisted(Struct, frozen=True):
    """A netlist that has just been made.

    Parameters
    ----------
    text: the netlist, placeholders as they stand in the schematic
    sources: what it comes from
    warnings: what a person should look at
    """

    text: str
    sources: Sources
    warnings: tuple[str, ...] = ()


class Netlister(Protocol):
    """Makes netlists of schematics. Made by the class of that name in the registry: `cls(settings)`.

    `tested_versions` are the versions that the tests have run with, as `version` says them.
    """

    tested_versions: ClassVar[tuple[str, ...]]

    def __init__(self, settings: NetlisterSettings) -> None: ...

    def version(self) -> str:
        """Name and version, e.g. `xschem 2.8.1`.

        Raises
        ------
        ToolMissingError: the netlister is not installed; says what to type
        """

    def sources(self, schematic: Path, search_path: Sequence[Path] = ()) -> Sources:
        """The files that a schematic reaches, found without starting the netlister.

        Parameters
        ----------
        search_path: folders that are looked into after those of the settings

        Raises
        ------
        NetlistError: a file is no schematic, or cannot be read
        """

    def netlist(self, schematic: Path, kind: NetlistKind) -> Netlisted:
        """The netlist of a schematic; starts the netlister once. Writes no file outside temporary folders.

        Raises
        ------
        ToolMissingError: the netlister is not installed
        NetlistError: it crashed, hung, missed a symbol, or left no whole netlist
        """

    def close(self) -> None:
        """End what still runs, from another thread; whoever waits for it gets a NetlistError."""
