"""`simorc init`: scaffold a project that builds and runs as it stands."""

from __future__ import annotations

from pathlib import Path

from simorc.core.errors import ExitCode, UsageError


def init(folder: Path) -> int:
    """Make the files of a new project; a file that is there already is left alone.

    Raises
    ------
    UsageError: a folder or file cannot be made
    """
    from simorc.config.scaffold import FOLDERS, project_files

    made: list[str] = []
    kept: list[str] = []
    try:
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name, text in project_files().items():
            (made if _write_new(folder / name, text) else kept).append(name)
    except OSError as error:
        raise UsageError(f"cannot make {error.filename}: {error.strerror}", where=str(folder)) from error
    for name in made:
        print(f"made        {folder / name}")
    for name in kept:
        print(f"left alone  {folder / name}")
    return ExitCode.DONE


def _write_new(path: Path, text: str) -> bool:
    """Write a file unless there is one, or a link or folder, of that name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True
