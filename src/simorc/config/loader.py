"""Read a YAML file into plain data and positions; refuse what would be read in two ways or would not end.

The parser's events are composed here, without recursion: aliases share their value, and their size is counted
before anybody walks through them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from simorc.config.document import Document, Key, Mark, dotted
from simorc.config.problems import Problems, printed, shown_path
from simorc.config.scalars import plain_scalar
from simorc.core.errors import ConfigError, Problem

MAX_NODES = 1_000_000
MAX_DEPTH = 40
_PLAIN_TAGS = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq"))


def load_yaml(path: Path) -> Document:
    """The YAML file at a path.

    Raises
    ------
    ConfigError: the file is missing or unreadable, or its text is not one well-formed YAML document
    """
    source = shown_path(path)
    return parse_yaml(_read(path, source), source, path.absolute().parent)


def parse_yaml(text: str, source: str, folder: Path) -> Document:
    """The YAML document in a text; `source` names it in messages, `folder` is where its relative paths begin.

    Raises
    ------
    ConfigError: the text is not one well-formed YAML document
    """
    composer = _Composer(source)
    try:
        for event in _events(text):
            composer.take(event)
    except UnicodeError as error:
        raise ConfigError([Problem(source, "a character that is not Unicode", "text in UTF-8")]) from error
    except yaml.YAMLError as error:
        raise ConfigError([_syntax_problem(error, text, source)]) from error
    composer.problems.raise_all()
    if composer.root is None:
        raise ConfigError([Problem(source, "an empty file", "a mapping of keys and values")])
    return Document(folder, composer.root.data, composer.root.mark)


def _read(path: Path, source: str) -> str:
    try:
        if path.exists() and not path.is_file():
            raise ConfigError([Problem(source, "a folder or device", "a YAML file")])
        raw = path.read_bytes()
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{raw[error.start]:02x}, which is not UTF-8"
        raise ConfigError([Problem(f"{source}:{line}", found, "text in UTF-8")]) from error
    except FileNotFoundError as error:
        raise ConfigError([Problem(source, "no such file", "a YAML file")]) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError([Problem(source, f"a file that cannot be read ({reason})", "a YAML file")]) from error


def _events(text: str) -> Iterator[yaml.Event]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return iter(yaml.parse(text, Loader=loader))


def _syntax_problem(error: yaml.YAMLError, text: str, source: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:  # a character that YAML does not allow; the position counts characters
        line = text.count("\n", 0, getattr(error, "position", 0) or 0) + 1
        return Problem(f"{source}:{line}", "a control character", "printable text")
    lines = text.splitlines()
    line_text = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in line_text[: mark.column + 1]:
        return Problem(f"{source}:{mark.line + 1}", "a tab", "spaces to indent with")
    found = f"a syntax error ({getattr(error, 'problem', None) or 'not YAML'})"
    return Problem(f"{source}:{mark.line + 1}", found, "well-formed YAML")


@dataclass(slots=True)
class _Node:
    """A composed value: `size` counts its values and `height` its levels, aliases included."""

    data: Any
    mark: Mark
    size: int = 1
    height: int = 0


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come yet."""

    data: Any
    line: int
    anchor: str | None
    children: dict[Key, Mark] = field(default_factory=dict)
    key: str | None = None
    key_line: int = 0
    size: int = 1
    height: int = 1


class _Composer:
    """Takes the parser's events one by one and builds data and marks."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems = Problems()
        self.root: _Node | None = None
        self._open: list[_Open] = []
        self._anchors: dict[str, _Node | None] = {}
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event; raises ConfigError for what makes going on pointless."""
        line = event.start_mark.line + 1 if event.start_mark else 0
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._stop(line, "a second document", "one document a file")
            case yaml.ScalarEvent():
                self._scalar(event, line)
            case yaml.AliasEvent():
                self._alias(str(event.anchor), line)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._start(event, line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end()

    def _stop(self, line: int, found: str, expected: str) -> None:
        self.problems.add(Problem(f"{self.source}:{line}", found, expected))
        self.problems.raise_all()

    def _check_tag(self, tag: str | None, line: int) -> None:
        if tag not in (None, "!", *_PLAIN_TAGS):
            self.problems.add(Problem(f"{self.source}:{line}", f"the tag {printed(tag)}", "a plain value"))

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        self._check_tag(event.tag, line)
        holder = self._open[-1] if self._open else None
        if holder is not None and isinstance(holder.data, dict) and holder.key is None:
            self._key(holder, event.value, line)
            return
        is_plain = event.implicit[0] and event.tag is None
        node = _Node(plain_scalar(event.value) if is_plain else event.value, Mark(self.source, line))
        self._remember(event.anchor, node)
        self._put(node, line)

    def _key(self, holder: _Open, key: str, line: int) -> None:
        if key in holder.data:
            first = holder.children[key].line
            where = f"{self.source}:{line}: {dotted([*self._path(), key])}"
            self.problems.add(Problem(where, f"the same key as in line {first}", "each key once"))
        holder.key, holder.key_line = key, line

    def _path(self) -> list[Key]:
        """The keys that lead to the innermost open value."""
        return [len(outer.data) if outer.key is None else outer.key for outer in self._open[:-1]]

    def _alias(self, name: str, line: int) -> None:
        if name not in self._anchors:
            return self._stop(line, f"the alias *{name}", f"an anchor &{name} before it")
        node = self._anchors[name]
        if node is None:
            return self._stop(line, f"the alias *{name} inside its own anchor", "an anchor that does not hold itself")
        return self._put(node, line)

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, line: int) -> None:
        self._check_tag(event.tag, line)
        self._check_place(line)
        if len(self._open) >= MAX_DEPTH:
            self._stop(line, f"more than {MAX_DEPTH} levels", "a file that is not nested so deeply")
        if event.anchor:
            self._anchors[event.anchor] = None
        data: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._open.append(_Open(data, line, event.anchor))

    def _end(self) -> None:
        closed = self._open.pop()
        node = _Node(closed.data, Mark(self.source, closed.line, closed.children), closed.size, closed.height)
        self._remember(closed.anchor, node)
        self._put(node, closed.line)

    def _check_place(self, line: int) -> None:
        if self._open and isinstance(self._open[-1].data, dict) and self._open[-1].key is None:
            self._stop(line, "a key that is not a text", "a text as key")

    def _remember(self, anchor: str | None, node: _Node) -> None:
        if anchor:
            self._anchors[anchor] = node

    def _put(self, node: _Node, line: int) -> None:
        if not self._open:
            self.root = node
            return
        self._check_place(line)
        holder = self._open[-1]
        holder.size += node.size
        holder.height = max(holder.height, node.height + 1)
        if holder.size > MAX_NODES:
            self._stop(line, f"more than {MAX_NODES:,} values once aliases are followed", "a smaller file")
        if len(self._open) + node.height > MAX_DEPTH:
            self._stop(line, f"more than {MAX_DEPTH} levels once aliases are followed", "less deep nesting")
        if isinstance(holder.data, list):
            holder.children[len(holder.data)] = Mark(self.source, line, node.mark.children)
            holder.data.append(node.data)
        else:
            key, holder.key = str(holder.key), None
            holder.children.setdefault(key, Mark(self.source, holder.key_line, node.mark.children))
            holder.data.setdefault(key, node.data)
