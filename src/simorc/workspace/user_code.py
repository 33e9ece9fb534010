"""Functions that people write beside their testbench, loaded from the run's own copy of them.

Every load is its own: the module gets a private name, the modules beside it can be imported while it loads and are
forgotten afterwards, so that two runs in one process may have different helpers of the same name. Nothing is written
into inputs/.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from simorc.core.errors import CaseError, ErrorKind
from simorc.core.measurement import MEASURES_FILE
from simorc.workspace.layout import RunDirectory

_PRIVATE = "_simorc_"


def load_measure_functions(source: RunDirectory | Path, names: Sequence[str]) -> dict[str, Callable[..., Any]]:
    """The functions of measures.py by name; nothing is executed where no name is asked for.

    Parameters
    ----------
    source: a run directory, or a testbench folder

    Raises
    ------
    CaseError: the file is missing, cannot be imported, or lacks a function; `where` is file:line
    """
    if not names:
        return {}
    module = load_module(source, MEASURES_FILE)
    functions = {name: getattr(module, name, None) for name in names}
    for name, function in functions.items():
        if not callable(function):
            known = [key for key, value in vars(module).items() if callable(value)]
            raise _missing(name, known, str(module.__file__))
    return functions  # type: ignore[return-value]  # all are callable


def load_module(source: RunDirectory | Path, file: str) -> ModuleType:
    """A Python file of a testbench as a module of its own.

    Raises
    ------
    CaseError: the file is missing or raises while it is imported; `where` is file:line
    """
    folder = (source.testbench if isinstance(source, RunDirectory) else source).resolve()
    path = folder / file
    if not path.is_file():
        raise CaseError(ErrorKind.MEASURE_ERROR, f"there is no {file}", where=str(folder))
    name = f"{_PRIVATE}{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CaseError(ErrorKind.MEASURE_ERROR, "not a Python file", where=str(path))
    module = module_from_spec(spec)
    with _neighbours_importable(folder):
        sys.modules[name] = module  # dataclasses and pickle look their module up there
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            del sys.modules[name]
            raise _import_error(error, folder, path) from error
    return module


def _missing(name: str, known: Sequence[str], where: str) -> CaseError:
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"write: def {name}(waves, case): ..."
    return CaseError(ErrorKind.MEASURE_ERROR, f"there is no function {name}()", where=where, hint=hint)


@contextlib.contextmanager
def _neighbours_importable(folder: Path) -> Iterator[None]:
    """Put a folder first on the import path; afterwards its modules are forgotten and everything is as before."""
    own = {path.stem for path in folder.iterdir()} - sys.stdlib_module_names
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in own}
    path, writes_nothing = list(sys.path), sys.dont_write_bytecode
    sys.path_importer_cache.pop(str(folder), None)  # it may remember the folder as it was
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.path[:] = path
        sys.dont_write_bytecode = writes_nothing
        for name in [name for name, module in sys.modules.items() if _is_neighbour(module, folder)]:
            del sys.modules[name]
        sys.modules.update(hidden)


def _is_neighbour(module: ModuleType, folder: Path) -> bool:
    """Whether a module was found in a folder under its own name, not loaded from there under a private one."""
    spec = getattr(module, "__spec__", None)
    if spec is None or spec.name.startswith(_PRIVATE):
        return False
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
    return any(Path(place).is_relative_to(folder) for place in places)


def _import_error(error: BaseException, folder: Path, path: Path) -> CaseError:
    """What went wrong while a file was imported, at the last line of the user's own code."""
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{error.filename}:{error.lineno}"
        return CaseError(ErrorKind.MEASURE_ERROR, f"{type(error).__name__}: {error.msg}", where=where)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(folder)]
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else str(path)
    return CaseError(ErrorKind.MEASURE_ERROR, f"{type(error).__name__}: {error}", where=where)
