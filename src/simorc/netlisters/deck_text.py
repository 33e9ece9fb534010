"""Pure: from what a netlister wrote to the netlist that a project keeps."""

from __future__ import annotations

import re
from collections.abc import Sequence

from simorc.core.netlister import NetlistKind
from simorc.netlisters.xschem_file import PLACEHOLDER

_BREAK = re.compile(r"\n\*?\+")
_BREAK_AND_SPACE = re.compile(r"\s*\n\*?\+\s*")
_READS_FILE = re.compile(r"^[ \t]*\.(?:lib|inc)[^\n]*(?:\n\+[^\n]*)+", re.MULTILINE | re.IGNORECASE)
_MACHINE_PATH = re.compile(r"^\*\* (?:sch|sym)_path: .*\n", re.MULTILINE)
_TEXT_BLOCK = re.compile(r"\*{4} (?:begin|end) user architecture code")
_TOP = re.compile(r"^\*\*(\.subckt +\S+)([^\n]*(?:\n\*\+[^\n]*)*)$", re.MULTILINE)
_TOP_END = re.compile(r"^\*\*\.ends.*$", re.MULTILINE)
_END = re.compile(r"^\.end[ \t]*$\n?", re.MULTILINE | re.IGNORECASE)


def is_whole(text: str) -> bool:
    """Whether a netlister got to the end of it."""
    return _END.search(text) is not None


def named_twice(text: str) -> list[str]:
    """Names that two components of one circuit have, of which ngspice would take the first and forget the second.

    >>> named_twice("**.subckt top\\nR1 a b 1k\\nr1 b c 2k\\n**.ends\\n.subckt cell\\nR1 a b 1k\\n.ends")
    ['r1']
    """
    found: list[str] = []
    names: set[str] = set()
    text_block = False
    for line in text.splitlines():
        if _TEXT_BLOCK.match(line):
            text_block = "begin" in line
        elif line.lstrip("*").lower().startswith(".subckt"):
            names.clear()
        elif line[:1].isalpha() and not text_block:
            name = line.split()[0]
            found += [name] if name.lower() in names else []
            names.add(name.lower())
    return found


def finished(text: str, kind: NetlistKind, head: str, pins: Sequence[str] = ()) -> str:
    """The netlist with a title, without paths of this machine, and with its placeholders as they were drawn.

    A card that reads a file is on one line again, as simulators want it; so are the pins of a subcircuit.

    Parameters
    ----------
    text: as a netlister wrote it: the top level in `**.subckt` and `**.ends`, long lines continued by `+`
    head: for the first line, which SPICE takes for a title
    pins: of the subcircuit, in their order; by default as they stand

    Raises
    ------
    ValueError: the top level has other pins

    >>> print(finished("**.subckt r a b\\nR1 a b {{ x\\n+ }}\\n**.ends\\n.end\\n", NetlistKind.SUBCKT, "r", ["b", "a"]))
    * r
    .subckt r b a
    R1 a b {{ x }}
    .ends
    <BLANKLINE>
    """
    text = PLACEHOLDER.sub(lambda match: _BREAK.sub("", match[0]), _MACHINE_PATH.sub("", text))
    text = _READS_FILE.sub(lambda match: _BREAK_AND_SPACE.sub(" ", match[0]), text)
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE))
    if kind is NetlistKind.SUBCKT:
        text = _TOP_END.sub(".ends", _TOP.sub(lambda match: _header(match[1], match[2], pins), text))
        text = _END.sub("", text).rstrip("\n") + "\n"
    return f"* {head}\n{text}"


def _header(name: str, listed: str, pins: Sequence[str]) -> str:
    drawn = _BREAK_AND_SPACE.sub(" ", listed).split()
    if pins and sorted(pins) != sorted(drawn):
        raise ValueError(f"the symbol has the pins {' '.join(pins)}, the schematic {' '.join(drawn) or 'none'}")
    return " ".join([name, *(pins or drawn)])
