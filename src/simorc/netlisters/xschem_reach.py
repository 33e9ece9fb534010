"""Which files a schematic of xschem reaches: its symbols, their schematics, and so on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from simorc.core.errors import NetlistError
from simorc.core.netlister import Sources
from simorc.netlisters.xschem_file import Drawing, FormatError, parse_drawing

_GENERATOR = re.compile(r"\(.*\)$", re.DOTALL)
"""Arguments of a symbol that a script makes (xschem 3.x): the script is what the schematic reaches."""
_DRAWN = (".sch", ".sym")


def read_drawing(path: Path) -> Drawing:
    """A schematic or symbol.

    Raises
    ------
    NetlistError: it is none, or cannot be read
    """
    try:
        return parse_drawing(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise NetlistError(f"cannot read the schematic: {error.strerror}", where=str(path)) from error
    except FormatError as error:
        raise NetlistError(f"not a schematic of xschem: {error}", where=str(path)) from error


def reached(schematic: Path, search_path: Sequence[Path], own: Sequence[Path]) -> Sources:
    """The schematic and all that it reaches, each file once.

    Parameters
    ----------
    schematic: absolute
    search_path: folders of symbols, in order; the schematic's own folder comes before them
    own: folders of the netlister itself, whose files do not count

    Raises
    ------
    NetlistError: a file of the project is no schematic, or cannot be read
    """
    files: dict[Path, None] = {}
    unresolved: list[str] = []
    waiting = [schematic]
    while waiting:
        path = waiting.pop(0)
        if path in files or (path != schematic and any(path.is_relative_to(folder) for folder in own)):
            continue
        files[path] = None
        if path.suffix not in _DRAWN:
            continue
        drawing = read_drawing(path)
        folders = (path.parent, schematic.parent, *search_path)
        for reference, suffix in _references(path, drawing):
            found = resolve(reference, suffix, folders)
            if found is not None:
                waiting.append(found)
            else:
                unresolved.append(f"{reference} in {path.name}")
    return Sources(tuple(files), tuple(dict.fromkeys(unresolved)))


def resolve(reference: str, suffix: str, folders: Sequence[Path]) -> Path | None:
    """The file that a reference means, None where there is none.

    Parameters
    ----------
    reference: with its suffix or without, which xschem 2.x leaves off
    folders: where a relative one is looked for, in order
    """
    name = _GENERATOR.sub("", reference)
    names = [name] if Path(name).suffix in (suffix, *_DRAWN, ".tcl") else [name + suffix, name]
    for folder in folders:
        for candidate in names:
            path = (folder / candidate).absolute()
            if path.is_file():
                return path.resolve()
    return None


def _references(path: Path, drawing: Drawing) -> Iterator[tuple[str, str]]:
    """What a file refers to, each with the suffix that it may lack."""
    for instance in drawing.instances:
        yield instance.reference, ".sym"
        if "schematic" in instance.attributes:
            yield instance.attributes["schematic"], ".sch"
    if path.suffix == ".sym":
        if "schematic" in drawing.attributes:
            yield drawing.attributes["schematic"], ".sch"
        elif (beside := path.with_suffix(".sch")).is_file():
            yield beside.name, ".sch"
