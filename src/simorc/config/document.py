"""Pure: the data of a YAML file together with the place where each key stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Key = str | int


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a value stands: a file (or environment variable), a line from 1 (0: none), and the same for its parts."""

    source: str
    line: int = 0
    children: Mapping[Key, Mark] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data (mappings, lists, scalars) and the marks of its keys; relative paths in it resolve from `folder`."""

    folder: Path
    data: Any
    mark: Mark

    def locate(self, keys: Sequence[Key]) -> tuple[Mark, list[Key]]:
        """The mark of the deepest key that exists on a path, and the keys that exist so far.

        Keys that the file does not have are stepped over: a single value stands for a list of one.
        """
        mark, present = self.mark, list[Key]()
        for key in keys:
            if key in mark.children:
                mark = mark.children[key]
                present.append(key)
        return mark, present

    def where(self, keys: Sequence[Key], missing: str = "") -> str:
        """`file:line: key.key[2]`; `missing` is a key that should stand there and does not."""
        mark, present = self.locate(keys)
        name = dotted([*present, missing] if missing else present)
        return f"{mark}: {name}" if name else str(mark)

    def section(self, name: str) -> Mapping[str, Any]:
        """A mapping of the top level as it was written, or an empty one where there is none."""
        found = self.data.get(name) if isinstance(self.data, dict) else None
        return found if isinstance(found, dict) else {}

    def only(self, names: Sequence[str]) -> Document:
        """The document with some keys of the top level alone."""
        if not isinstance(self.data, dict):
            return Document(self.folder, {}, self.mark)
        data = {name: self.data[name] for name in names if name in self.data}
        children: dict[Key, Mark] = {name: self.mark.children[name] for name in data}
        return Document(self.folder, data, Mark(self.mark.source, self.mark.line, children))

    def without(self, keys: Sequence[Key]) -> Document:
        """The document less the value of one key; a value inside a list takes the whole list with it."""
        first_position = next((i for i, key in enumerate(keys) if isinstance(key, int)), len(keys))
        return Document(self.folder, _without(self.data, keys[:first_position]), self.mark)

    def overlaid(self, keys: Sequence[str], data: Any, mark: Mark) -> Document:
        """The document with data laid over the value of one key: mappings key by key, anything else replaced."""
        for key in reversed(keys):
            data, mark = {key: data}, Mark(mark.source, mark.line, {key: mark})
        return Document(self.folder, *_overlay(self.data, self.mark, data, mark))


def dotted(keys: Sequence[Key]) -> str:
    """Keys as people write them.

    >>> dotted(["parameters", "vin", 2])
    'parameters.vin[2]'
    """
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")


def _without(data: Any, keys: Sequence[Key]) -> Any:
    if not keys:
        return {}
    head, *rest = keys
    if rest:
        return {**data, head: _without(data[head], rest)}
    return {key: value for key, value in data.items() if key != head}


def _overlay(lower: Any, lower_mark: Mark, upper: Any, upper_mark: Mark) -> tuple[Any, Mark]:
    if isinstance(lower, dict) and upper is None:  # a mapping whose keys are all commented out changes nothing
        return lower, lower_mark
    if not (isinstance(lower, dict) and isinstance(upper, dict)):
        return upper, upper_mark
    data, children = dict(lower), dict(lower_mark.children)
    for key, value in upper.items():
        mark = upper_mark.children[key]
        data[key], children[key] = _overlay(lower[key], children[key], value, mark) if key in lower else (value, mark)
    return data, Mark(lower_mark.source, lower_mark.line, children)
