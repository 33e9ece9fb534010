"""Collect problems, so that a user sees all of them at once, and word them alike."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from simorc.core.errors import ConfigError, Problem
from simorc.core.units import Quantity
from simorc.core.wording import listed

_LONGEST = 60
_LINE = re.compile(r":(\d+)(?::|$)")


class Problems:
    """Problems in the order in which they were found, each once."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, problem: Problem) -> None:
        """Note one problem."""
        self._found[problem] = None

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note several problems."""
        self._found.update(dict.fromkeys(problems))

    def raise_all(self) -> None:
        """Raise ConfigError with all problems, file by file in order of their lines; nothing where there are none."""
        if self._found:
            files: dict[str, list[Problem]] = {}
            for problem in self._found:
                files.setdefault(_file(problem), []).append(problem)
            raise ConfigError([problem for group in files.values() for problem in sorted(group, key=_line)])


def _file(problem: Problem) -> str:
    match = _LINE.search(problem.where)
    return problem.where[: match.start()] if match else problem.where


def _line(problem: Problem) -> int:
    match = _LINE.search(problem.where)
    return int(match.group(1)) if match else 0


def printed(value: object) -> str:
    """What stands in a file, in words short enough for one line.

    >>> printed("abc"), printed(5.0), printed(None), printed([1, 2])
    ("'abc'", '5.0', 'nothing', 'a list')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, Quantity):
        return str(value)
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def one_of(names: Iterable[str]) -> str:
    """The names that would be right, for `expected`."""
    known = list(names)
    return f"one of {listed(known)}" if known else "none, as there are none here"


def shown_path(path: Path) -> str:
    """A path as people read it: relative to the current folder, or absolute where that is shorter."""
    absolute = os.path.abspath(path)  # noqa: PTH100 (pathlib cannot drop `..` without following links)
    return min(os.path.relpath(absolute), absolute, key=len)
