"""Check what `make dist` made: a wheel of the package and nothing else, which works in an empty environment elsewhere.

Usage: python scripts/try_dist.py DIST_FOLDER
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def package_files(source: Path) -> set[str]:
    """The files of the package as they lie in the checkout, relative to `src`."""
    found = (path for path in (source / "simorc").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(source).as_posix() for path in found}


def wheel_differences(wheel: Path, source: Path) -> list[str]:
    """What a wheel lacks or holds too much of, one line each, compared with the package in the checkout."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    info = {name for name in names if name.split("/")[0].endswith(".dist-info")}
    wanted = package_files(source)
    lacking = [f"{name} is not in the wheel" for name in sorted(wanted - names)]
    surplus = [f"{name} is in the wheel" for name in sorted(names - info - wanted)]
    licence = [] if any(name.endswith("/licenses/LICENSE") for name in info) else ["the wheel has no LICENSE"]
    return lacking + surplus + licence


def install(wheel: Path, folder: Path) -> Path:
    """Install a wheel and its locked dependencies into a new environment; returns the folder of its programs."""
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-qq"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements" / "run.lock")], check=True)
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True)
    return folder / "bin"


def try_commands(programs: Path, folder: Path, version: str) -> None:
    """Run `--version`, `init`, `list` and `build` of an installed simorc in a folder far from the checkout."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SIMORC_", "VIRTUAL_ENV"))
    }

    def simorc(*arguments: str) -> str:
        command = [str(programs / "simorc"), *arguments]
        return subprocess.run(
            command, cwd=folder, env=environment, check=True, text=True, stdout=subprocess.PIPE
        ).stdout

    said = simorc("--version")
    if version not in said:
        raise SystemExit(f"simorc --version said {said.strip()!r}, the wheel is {version}")
    simorc("init", ".")
    sweep = json.loads(simorc("list", "--json"))["sweeps"][0]["name"]
    run = simorc("build", sweep).strip()
    if not (folder / "simulations" / run / "metadata.csv").is_file():
        raise SystemExit(f"simorc build made no run directory simulations/{run}")


def main(dist: Path) -> None:
    """Check the one wheel in a folder."""
    (wheel,) = dist.resolve().glob("*.whl")
    if differences := wheel_differences(wheel, ROOT / "src"):
        raise SystemExit("\n".join(differences))
    with tempfile.TemporaryDirectory(prefix="simorc dist ") as folder:
        project = Path(folder, "project")
        project.mkdir()
        try_commands(install(wheel, Path(folder, "environment")), project, wheel.name.split("-")[1])
    print(f"{wheel.name} works outside the checkout")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
