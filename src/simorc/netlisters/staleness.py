"""Whether a netlist is as its schematic is.

With a record beside the netlist, content decides alone: a fresh checkout is fresh, whatever its modification times say.
Without one, modification times decide.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simorc.core.errors import NetlistError
from simorc.core.netlister import Netlister, NetlistKind, NetlistState
from simorc.workspace.files import replace_file

_SCHEMA = 1
_ROOTS = ("PDK_ROOT", "HOME")
"""Environment variables that stand for folders which lie elsewhere on every machine."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A schematic and the netlist made of it, both absolute.

    Parameters
    ----------
    name: of the testbench, or `dut`
    netlist: None where the configuration names none
    """

    name: str
    kind: NetlistKind
    schematic: Path
    netlist: Path | None

    @property
    def record(self) -> Path | None:
        """The record of what the netlist was made from; meant to be committed with it."""
        return self.netlist and self.netlist.with_name(f"{self.netlist.name}.schematic.json")


@dataclass(frozen=True, slots=True)
class Finding:
    """How a netlist stands to its schematic.

    Parameters
    ----------
    reason: why it is not fresh
    by_time: whether modification times said so, for want of a record
    """

    state: NetlistState
    reason: str = ""
    by_time: bool = False


def examine(pair: Pair, netlister: Netlister) -> Finding:
    """How the netlist of a pair stands to its schematic; starts no process."""
    if not pair.schematic.is_file():
        return Finding(NetlistState.NO_SCHEMATIC, f"there is no {pair.schematic}")
    if pair.netlist is None or pair.record is None:
        return Finding(NetlistState.NO_NETLIST, "the configuration names no file for it")
    if not pair.netlist.is_file():
        return Finding(NetlistState.NO_NETLIST, f"there is no {pair.netlist}")
    try:
        recorded = pair.record.read_bytes()
    except FileNotFoundError:
        return _by_time(pair.schematic, pair.netlist, netlister)
    except OSError as error:
        return Finding(NetlistState.STALE, f"{pair.record.name} cannot be read: {error.strerror}")
    changes = list(_changes(pair, recorded))
    return Finding(NetlistState.STALE, _listed(changes)) if changes else Finding(NetlistState.FRESH)


def edited_by_hand(pair: Pair) -> bool:
    """Whether the netlist is not the one that its record tells of, so that somebody's work would be lost with it."""
    assert pair.netlist is not None
    assert pair.record is not None
    if not pair.netlist.is_file():
        return False
    record = _parsed(pair.record.read_bytes()) if pair.record.is_file() else None
    return record is None or record.get("netlist") != _digest(pair.netlist)


def write_record(pair: Pair, sources: Iterable[Path], netlister: str, root: Path) -> None:
    """Write down what the netlist of a pair was made from.

    Parameters
    ----------
    netlister: name and version
    root: folder of the project, or of its git repository; files in it are named relative to the record

    Raises
    ------
    RunDirectoryError: it cannot be written
    """
    assert pair.record is not None
    assert pair.netlist is not None
    folder = pair.record.parent
    names = {_name(path, folder, root.resolve(), os.environ): _digest(path) for path in sources}
    record = {
        "schema": _SCHEMA,
        "netlister": netlister,
        "netlist": _digest(pair.netlist),
        "schematic": _name(pair.schematic.resolve(), folder, root.resolve(), os.environ),
        "sha256": dict(sorted(names.items())),
    }
    replace_file(pair.record, (json.dumps(record, indent=2) + "\n").encode())


def _changes(pair: Pair, recorded: bytes) -> Iterator[str]:
    assert pair.record is not None
    folder = pair.record.parent
    record = _parsed(recorded)
    if record is None:
        yield f"{pair.record.name} is no record"
        return
    named = _path(record["schematic"], folder, os.environ)
    if named is None or not named.is_file() or not named.samefile(pair.schematic):
        yield f"it was made from {record['schematic']}"
        return
    for name, digest in record["sha256"].items():
        path = _path(name, folder, os.environ)
        if path is not None and path.is_file():
            if _digest(path) != digest:
                yield f"{name} changed"
        elif not _is_elsewhere(name):  # a library that is not installed here says nothing
            yield f"{name} is gone"


def _parsed(recorded: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(recorded)
        if record["schema"] == _SCHEMA and isinstance(record["schematic"], str) and isinstance(record["sha256"], dict):
            return dict(record)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return None


def _by_time(schematic: Path, netlist: Path, netlister: Netlister) -> Finding:
    try:
        made = netlist.stat().st_mtime_ns
        newer = [path.name for path in netlister.sources(schematic).files if path.stat().st_mtime_ns > made]
    except NetlistError as error:
        return Finding(NetlistState.STALE, error.what, by_time=True)
    if newer:
        return Finding(NetlistState.STALE, f"{', '.join(newer[:3])} newer", by_time=True)
    return Finding(NetlistState.FRESH, by_time=True)


def _name(path: Path, folder: Path, root: Path, environment: Mapping[str, str]) -> str:
    """A file below the root relative to the record, one that lies elsewhere by a variable where one fits."""
    if path.is_relative_to(root):
        return os.path.relpath(path, folder.resolve())
    for variable in _ROOTS:
        start = environment.get(variable)
        if start and path.is_relative_to(start):
            return f"${{{variable}}}/{path.relative_to(start)}"
    return str(path)


def _path(name: str, folder: Path, environment: Mapping[str, str]) -> Path | None:
    for variable in _ROOTS:
        if name.startswith(f"${{{variable}}}/"):
            start = environment.get(variable)
            return Path(start) / name.split("/", 1)[1] if start else None
    return folder / name


def _is_elsewhere(name: str) -> bool:
    return name.startswith(("/", "${"))


def _digest(path: Path) -> str:
    """Of the content, whatever a checkout makes of line ends."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def _listed(changes: list[str]) -> str:
    more = f" and {len(changes) - 3} more" if len(changes) > 3 else ""
    return ", ".join(changes[:3]) + more
