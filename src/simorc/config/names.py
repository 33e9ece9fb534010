"""Which names may be given to what, so that no two columns or files get in each other's way."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping

from simorc.config.document import Document
from simorc.config.problems import Problems, printed
from simorc.core.errors import Problem
from simorc.core.sweep import RESERVED_NAMES

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FILE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_WORDS_OF_CONDITIONS = frozenset({"true", "false"})
_COLUMN = "a name of letters, digits and _ that begins with no digit"
_FILE = "a name of letters, digits, _ . and - that begins with a letter"


def check_file_names(file: Document, section: str, problems: Problems) -> None:
    """Note names that would not do as names of files."""
    for name in file.section(section):
        if not _FILE_NAME.fullmatch(name):
            problems.add(Problem(file.where([section, name]), f"the name {printed(name)}", _FILE))


def check_column_names(file: Document, section: str, taken: Mapping[str, str], problems: Problems) -> None:
    """Note names that would not do as columns of a table and names in Python, or that something else has taken.

    `taken` says of each taken name what has it. Upper and lower case make no difference, as to the simulator.
    """
    owners = {name.lower(): f"{owner} {name!r}" for name, owner in taken.items()}
    for name in file.section(section):
        where = file.where([section, name])
        if not _IDENTIFIER.fullmatch(name):
            problems.add(Problem(where, f"the name {printed(name)}", _COLUMN))
        elif keyword.iskeyword(name) or name in _WORDS_OF_CONDITIONS:
            problems.add(Problem(where, f"the keyword {name!r}", "another name"))
        elif name in RESERVED_NAMES:
            problems.add(Problem(where, f"the reserved name {name!r}", "another name", _hint(name)))
        elif name.lower() in owners:
            problems.add(Problem(where, f"the name {name!r} beside {owners[name.lower()]}", "a name of its own"))
        owners.setdefault(name.lower(), repr(name))


def _hint(name: str) -> str:
    if name in ("seed", "mc_sample"):
        return "random samples are made with `monte_carlo`"
    return "`corners` makes this column" if name == "corner_name" else "simorc's own tables have that column"
