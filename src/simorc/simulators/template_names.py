"""Pure: the names that a template and its includes use, found in Jinja2's syntax tree without rendering."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from jinja2 import Environment, TemplateNotFound, TemplateSyntaxError, meta, nodes
from msgspec import Struct, field

from simorc.core.errors import TemplateError

NAMESPACES = ("parameters", "dut", "pdk", "case", "env")
"""The only names that a template sees."""


class TemplateNames(Struct, frozen=True):
    """What a template asks for: every name with the `template:line` of its first use."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    pdks: Mapping[str, str] = field(default_factory=dict)
    pdk_fields: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    dut: Mapping[str, str] = field(default_factory=dict)
    case: Mapping[str, str] = field(default_factory=dict)


class _Found(Struct):
    """Names as they are found: (namespace, path of names below it) -> where."""

    names: dict[tuple[str, ...], str] = field(default_factory=dict)
    problems: list[TemplateError] = field(default_factory=list)
    visited: set[str] = field(default_factory=set)

    def below(self, namespace: str, depth: int = 1) -> dict[str, str]:
        """The names at one depth below a namespace."""
        found: dict[str, str] = {}
        for path, where in self.names.items():
            if path[0] == namespace and len(path) > depth:
                found.setdefault(path[depth], where)
        return found


def names_used(environment: Environment, template: str, folder: Path) -> TemplateNames:
    """What a template, and whatever it includes, asks for; also in branches that no case takes.

    Parameters
    ----------
    environment: reads templates by its loader
    template: name of the main template
    folder: shown in messages before a template's name

    Raises
    ------
    TemplateError: syntax error, missing template, a name that no template sees; all of the last kind at once
    """
    found = _Found()
    _visit(environment, template, folder, found, frozenset(), asked_by=str(folder / template))
    if len(found.problems) == 1:
        raise found.problems[0]
    if found.problems:
        raise TemplateError("\n".join(str(problem) for problem in found.problems))
    return TemplateNames(
        found.below("parameters"),
        found.below("pdk"),
        found.below("pdk", 2),
        found.below("env"),
        found.below("dut"),
        found.below("case"),
    )


def suggestion(name: str, known: list[str]) -> str:
    """`did you mean …?` where something is close, else what there is."""
    close = get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there are: {', '.join(sorted(known))}" if known else "there are none"


def _visit(
    environment: Environment, name: str, folder: Path, found: _Found, inherited: frozenset[str], asked_by: str
) -> None:
    if name in found.visited:
        return
    found.visited.add(name)
    shown = str(folder / name)
    try:
        assert environment.loader is not None
        tree = environment.parse(environment.loader.get_source(environment, name)[0], name, shown)
        undeclared = meta.find_undeclared_variables(tree)
    except TemplateNotFound as error:
        raise TemplateError(f"no template {name!r} in the testbench folder", where=asked_by) from error
    except TemplateSyntaxError as error:
        raise TemplateError(f"template syntax: {error.message}", where=f"{shown}:{error.lineno}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        what = f"the template is not UTF-8: byte 0x{error.object[error.start]:02x}"
        raise TemplateError(what, where=f"{shown}:{line}", hint="save it as UTF-8") from error
    _collect_paths(tree, shown, found)
    _collect_unknown(tree, shown, found, undeclared - inherited)
    # An included template sees what the one around it has set.
    visible = inherited | {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    for include, line, needed in _references(tree):
        if needed or include in environment.list_templates():
            _visit(environment, include, folder, found, visible, asked_by=f"{shown}:{line}")


def _collect_paths(tree: nodes.Template, shown: str, found: _Found) -> None:
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        path = _path(node)
        if path and path[0] in NAMESPACES:
            found.names.setdefault(path, f"{shown}:{node.lineno}")


def _path(node: nodes.Node) -> tuple[str, ...]:
    """`pdk.sky130.lib` as ("pdk", "sky130", "lib"); empty for anything that is no such chain."""
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        above = _path(node.node)
        return (*above, node.attr) if above else ()
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        above = _path(node.node)
        return (*above, node.arg.value) if above else ()
    return ()


def _collect_unknown(tree: nodes.Template, shown: str, found: _Found, undeclared: frozenset[str] | set[str]) -> None:
    for name in sorted(undeclared.difference(NAMESPACES)):
        line = next(n.lineno for n in tree.find_all(nodes.Name) if n.name == name and n.ctx == "load")
        problem = TemplateError(f"unknown name {name!r}", where=f"{shown}:{line}", hint=_advice(name))
        found.problems.append(problem)


def _advice(name: str) -> str:
    close = get_close_matches(name, NAMESPACES, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"a parameter is written parameters.{name}; a template sees {', '.join(NAMESPACES)}"


def _references(tree: nodes.Template) -> Iterator[tuple[str, int, bool]]:
    """The templates that a template includes, imports or extends by a fixed name: name, line, whether it must exist.

    What a computed name chooses is seen when a case is rendered.
    """
    referring: tuple[type[Any], ...] = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
    for node in tree.find_all(referring):
        alternatives = node.template.items if isinstance(node.template, (nodes.List, nodes.Tuple)) else [node.template]
        needed = len(alternatives) == 1 and not getattr(node, "ignore_missing", False)
        for target in alternatives:
            if isinstance(target, nodes.Const) and isinstance(target.value, str):
                yield target.value, node.lineno, needed
