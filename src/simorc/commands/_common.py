"""What several commands do alike: find the project, find the run."""

from __future__ import annotations

from pathlib import Path

from simorc.core.errors import UsageError
from simorc.workspace.layout import RunDirectory, find_run


def output_of(setup: Path | None) -> Path:
    """The output folder of the project here, in a parent folder, or of a given setup file."""
    from simorc.config.project import find_setup, output_folder

    return output_folder(find_setup(Path.cwd(), setup))


def open_run_directory(text: str, setup: Path | None) -> RunDirectory:
    """The run that a person means: a path, an exact id, a sweep's name, a unique beginning.

    A path works outside any project.

    Raises
    ------
    UsageError: there is none, or several
    """
    path = Path(text)
    if (path / "run.json").is_file() and (path / "metadata.csv").is_file():
        return RunDirectory(path.resolve())
    return find_run(text, output_of(setup))


def positive(text: str, what: str) -> int:
    """A whole number of at least one."""
    if not text.isdigit() or int(text) < 1:
        raise UsageError(f"{what} takes a whole number of at least 1, found {text!r}")
    return int(text)
