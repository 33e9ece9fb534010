"""Which functions a testbench's measures.py defines, found without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from simorc.config.problems import shown_path
from simorc.core.errors import ConfigError, Problem


@dataclass(frozen=True, slots=True)
class UserFunctions:
    """Names that a module binds at its top level.

    Parameters
    ----------
    defined: functions written in the file, with their lines
    bound: all names, imported and assigned ones too; None where a star import hides what there is
    """

    defined: dict[str, int]
    bound: frozenset[str] | None


def read_functions(path: Path) -> UserFunctions | None:
    """The functions of a Python file, or None where there is no such file.

    Raises
    ------
    ConfigError: the file is not valid Python
    """
    source = shown_path(path)
    try:
        tree = ast.parse(path.read_bytes())
    except FileNotFoundError:
        return None
    except SyntaxError as error:
        found = f"a syntax error ({error.msg})"
        raise ConfigError([Problem(f"{source}:{error.lineno or 1}", found, "valid Python")]) from error
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise ConfigError([Problem(source, f"a file that cannot be read ({error})", "valid Python")]) from error
    statements = list(_top_level(tree.body))
    functions = [s for s in statements if isinstance(s, (ast.FunctionDef, ast.AsyncFunctionDef))]
    names = [name for statement in statements for name in _bound(statement)]
    return UserFunctions({f.name: f.lineno for f in functions}, None if "*" in names else frozenset(names))


def _top_level(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of the module itself, those inside `if`, `try` and `with` too."""
    for statement in statements:
        yield statement
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for name in ("body", "orelse", "finalbody"):
                yield from _top_level(getattr(statement, name, []))
            for handler in getattr(statement, "handlers", []):
                yield from _top_level(handler.body)


def _bound(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [statement.name]
        case ast.Import() | ast.ImportFrom():
            return [alias.asname or alias.name for alias in statement.names]
        case ast.Assign() | ast.AnnAssign():
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    return []
