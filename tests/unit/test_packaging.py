"""What is shipped: the wheel and the sdist, the version, the lock files."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import simorc

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["run.lock", "dev.lock"]

pytestmark = pytest.mark.req("DVT-15")


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def project_table() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", text, flags=re.MULTILINE))


def required(requirements: list[str]) -> set[str]:
    """Names of requirement lines, as a lock file writes them."""
    return {re.split(r"[^A-Za-z0-9._-]", line)[0].lower().replace("_", "-") for line in requirements}


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


def test_wheel_holds_the_package_its_licence_and_nothing_else(dist: Path) -> None:
    wheel = only(dist, "*.whl")
    assert load_script("try_dist").wheel_differences(wheel, ROOT / "src") == []
    assert "simorc/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_a_wheel_that_lacks_or_exceeds_is_noticed(dist: Path, tmp_path: Path) -> None:
    short = tmp_path / "short.whl"
    with zipfile.ZipFile(only(dist, "*.whl")) as whole, zipfile.ZipFile(short, "w") as archive:
        for name in whole.namelist():
            if name != "simorc/py.typed" and not name.endswith("LICENSE"):
                archive.writestr(name, whole.read(name))
        archive.writestr("tests/test_x.py", "")
    assert load_script("try_dist").wheel_differences(short, ROOT / "src") == [
        "simorc/py.typed is not in the wheel",
        "tests/test_x.py is in the wheel",
        "the wheel has no LICENSE",
    ]


def test_sdist_holds_sources_licence_and_changelog_but_no_runs(dist: Path) -> None:
    with tarfile.open(only(dist, "*.tar.gz")) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert {"src/simorc/__init__.py", "README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml"} <= names
    assert not [name for name in names if name.startswith(("simulations", "tests", ".venv"))]


def test_version_is_semantic_and_stands_in_one_place(dist: Path) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", simorc.__version__)
    assert only(dist, "*.whl").name.startswith(f"simorc-{simorc.__version__}-")
    table = project_table()
    assert "version" in table["project"]["dynamic"]
    assert table["tool"]["hatch"]["version"]["path"] == "src/simorc/__init__.py"
    said = subprocess.run([sys.executable, "-m", "simorc", "--version"], capture_output=True, text=True, check=True)
    assert said.stdout == f"simorc {simorc.__version__}\n"


def test_changelog_keeps_a_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", heading) for heading in headings[1:])


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_file_holds_names_versions_and_hashes_alone(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    lines = [line.strip().removesuffix("\\").strip() for line in text.splitlines() if not line.startswith("#")]
    allowed = re.compile(r"[a-z0-9][a-z0-9._-]*==[A-Za-z0-9.+!]+( ;.*)?|--hash=sha256:[0-9a-f]{64}")
    assert [line for line in lines if line and not allowed.fullmatch(line)] == []


def test_lock_files_cover_what_the_project_asks_for() -> None:
    table = project_table()
    run, dev = pins("run.lock"), pins("dev.lock")
    assert required(table["project"]["dependencies"] + table["build-system"]["requires"]) | {"editables"} <= set(run)
    assert required(table["dependency-groups"]["dev"]) <= set(dev)
    assert run.items() <= dev.items()
