"""Paths that stand in YAML files, and files that take the place of a key."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from simorc.config.document import Document, Key
from simorc.config.loader import load_yaml
from simorc.config.problems import Problems, printed
from simorc.core.errors import ConfigError, Problem


def resolved(folder: Path, text: str) -> Path:
    """A path as a file means it: relative to the file's folder, without `.` and `..`; links stay as they are."""
    return Path(os.path.normpath(folder / text))


def is_file(path: Path) -> bool:
    """Whether there is a file; a path that cannot exist has none."""
    return _holds(path.is_file)


def is_folder(path: Path) -> bool:
    """Whether there is a folder; a path that cannot exist has none."""
    return _holds(path.is_dir)


def _holds(test: Callable[[], bool]) -> bool:
    try:
        return test()
    except (OSError, ValueError):
        return False


def load_referenced(file: Document, keys: Sequence[Key], text: str, what: str, problems: Problems) -> Document | None:
    """The YAML file that a key names, or None where it cannot be read; `what` it should be, for the message."""
    path = resolved(file.folder, text)
    if not is_file(path):
        problems.add(Problem(file.where(keys), f"{printed(text)}, where there is no file", what))
        return None
    try:
        return load_yaml(path)
    except ConfigError as error:
        problems.extend(error.problems)
        return None


def with_corners_file(file: Document, problems: Problems) -> Document:
    """The document with the content of a file in place of a path in `corners`."""
    text = file.data.get("corners") if isinstance(file.data, dict) else None
    if not isinstance(text, str):
        return file
    content = load_referenced(file, ["corners"], text, "a YAML file with corners", problems)
    return file.overlaid(["corners"], content.data, content.mark) if content else file.without(["corners"])


def with_plot_files(file: Document, problems: Problems) -> Document:
    """The document with the content of files in place of paths in `plot_specs`: for all plots, or for single ones."""
    plots = file.data.get("plot_specs") if isinstance(file.data, dict) else None
    entries = plots if isinstance(plots, dict) else {}
    places: list[tuple[list[str], object]] = [(["plot_specs"], plots)]
    places += [(["plot_specs", name], value) for name, value in entries.items()]
    for keys, value in places:
        if isinstance(value, str):
            content = load_referenced(file, keys, value, "a YAML file with plots", problems)
            file = file.overlaid(keys, content.data, content.mark) if content else file.without(keys)
    return file
