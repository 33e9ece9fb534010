"""What simorc loads, and when: commands that people type often stay light."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"pandas", "matplotlib", "scipy", "pyarrow"}
CONFIG_ONLY = {"pydantic"}


AT_EXIT = """
import atexit, json, pathlib, sys
atexit.register(lambda: pathlib.Path("modules.json").write_text(json.dumps(sorted(sys.modules))))
"""


def loaded_by(folder: Path, code: str) -> set[str]:
    """Names of all modules that a new Python has loaded by its end; it must end well."""
    command = [sys.executable, "-c", AT_EXIT + code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return set(json.loads((folder / "modules.json").read_text(encoding="utf-8")))


def loaded_by_command(folder: Path, *arguments: str) -> set[str]:
    """The same for `simorc` with its arguments."""
    return loaded_by(folder, f"sys.argv = {['simorc', *arguments]}\nfrom simorc.cli import main\nmain()")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one run, built but not executed."""
    for arguments in (["init", "."], ["build", "rc_corner", "--run-id", "light"]):
        subprocess.run([sys.executable, "-m", "simorc", *arguments], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


def test_importing_simorc_imports_nothing_of_it(tmp_path: Path) -> None:
    modules = loaded_by(tmp_path, "import simorc; simorc.__version__")
    assert {name for name in modules if name.startswith("simorc.")} == set()
    assert not modules & (HEAVY | CONFIG_ONLY | {"numpy", "pytest"})


def test_names_of_simorc_load_their_module_when_they_are_used(tmp_path: Path) -> None:
    modules = loaded_by(tmp_path, "import simorc; simorc.Spec(max=1.0)")
    assert "simorc.core.spec" in modules
    assert not modules & (HEAVY | CONFIG_ONLY)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["run", "--help"], ["status", "--help"]], ids=" ".join
)
def test_help_is_light(tmp_path: Path, arguments: list[str]) -> None:
    modules = loaded_by_command(tmp_path, *arguments)
    assert "simorc.cli" in modules
    assert not modules & (HEAVY | CONFIG_ONLY | {"numpy", "pytest", "yaml"})


@pytest.mark.req("SIM-17")
@pytest.mark.parametrize("arguments", [["status"], ["status", "light"], ["status", "--json"]], ids=" ".join)
def test_status_is_light(project: Path, arguments: list[str]) -> None:
    modules = loaded_by_command(project, *arguments)
    assert "simorc.commands.status" in modules
    assert not modules & (HEAVY | CONFIG_ONLY | {"numpy"})


def test_what_only_plans_does_without_arrays(project: Path) -> None:
    assert not loaded_by_command(project, "list") & (HEAVY | {"numpy"})


def test_controller_of_a_run_is_light(project: Path) -> None:
    modules = loaded_by_command(project, "run", "light", "--dry-run")
    assert "simorc.commands.run" in modules
    assert not modules & HEAVY
    assert not {name for name in modules if name.startswith(("simorc.instruments", "simorc.virtual_lab"))}


AT_ANY_EXIT = """
import atexit, json, os, pathlib, sys
def told():
    pathlib.Path(f"modules-{os.getpid()}.json").write_text(json.dumps(sorted(sys.modules)))
def leave(code, really=os._exit):
    told()
    really(code)
os._exit = leave # forked processes end by it
atexit.register(told)
"""


@pytest.mark.ngspice
def test_no_process_of_a_run_loads_what_the_report_needs(project: Path) -> None:
    (project / "sitecustomize.py").write_text(AT_ANY_EXIT, encoding="utf-8")
    command = [sys.executable, "-m", "simorc", "run", "light", "-n", "2"]
    done = subprocess.run(command, cwd=project, env=os.environ | {"PYTHONPATH": str(project)}, check=False)
    assert done.returncode == 0
    loaded = [set(json.loads(file.read_text(encoding="utf-8"))) for file in project.rglob("modules-*.json")]
    assert len([modules for modules in loaded if "xdist" in modules]) == 3, "the session and its two workers"
    # The command writes the measurements at the end; to pyarrow alone that costs some 0.15 s once.
    (command_itself,) = [modules for modules in loaded if "pyarrow" in modules]
    assert "xdist" not in command_itself
    assert [modules & HEAVY - {"pyarrow"} for modules in loaded] == [set()] * len(loaded)


@pytest.mark.req("SIM-01")
def test_plugin_is_inert_without_a_run_directory(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text("def test_other():\n    pass\n", encoding="utf-8")
    modules = loaded_by(
        tmp_path, "import pytest\nsys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', 'test_other.py']))"
    )
    assert "simorc.plugin.plugin" in modules
    assert not modules & (HEAVY | CONFIG_ONLY | {"numpy", "yaml", "simorc.workspace"})
