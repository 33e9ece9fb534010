"""scripts/setup.sh on machines where things are missing; Python, pip and apt are played by a few lines of shell."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BORROWED = ["cat", "cut", "dirname", "env", "ls", "mkdir", "cp", "rm", "sh", "sha256sum", "chmod"]

PYTHON = """#!/bin/sh
case "$*" in
*version_info\\ \\<*) [ ! -e "$MACHINE/python_is_old" ] ;;
*ensurepip*) [ ! -e "$MACHINE/no_venv" ] ;;
*version_info*) echo python3.11-venv ;;
-V) echo Python 3.9.2 ;;
-m\\ venv\\ --clear\\ *) rm -rf .venv && mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
*pip*) echo "$*" >>"$MACHINE/pip.log" && [ ! -e "$MACHINE/pip_fails" ] ;;
esac
"""
APT = """#!/bin/sh
echo "$*" >>"$MACHINE/apt.log"
case "$*" in
*install*) rm -f "$MACHINE/no_venv" ;;
esac
"""


class Machine:
    """A checkout in a folder with a space, and a PATH with nothing but what a test put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "bin"
        self.programs.mkdir()
        for name in BORROWED:
            self.programs.joinpath(name).symlink_to(str(shutil.which(name)))
        self.install("id", "#!/bin/sh\necho 1000\n")
        self.checkout = folder / "my checkout"
        for name in ["scripts/setup.sh", "requirements/run.lock", "requirements/dev.lock"]:
            self.write(name, (ROOT / name).read_text(encoding="utf-8"))
        self.write("pyproject.toml", "")
        self.write("src/simorc/__init__.py", "")

    def write(self, name: str, text: str) -> None:
        path = self.checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def install(self, name: str, text: str) -> None:
        self.programs.joinpath(name).write_text(text, encoding="utf-8")
        self.programs.joinpath(name).chmod(0o755)

    def state(self, name: str) -> None:
        (self.folder / name).touch()

    def log(self, name: str) -> list[str]:
        path = self.folder / f"{name}.log"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def set_up(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        shell = str(self.programs / "sh")
        return subprocess.run(
            [shell, "scripts/setup.sh", *arguments],
            cwd=self.checkout,
            env={"PATH": str(self.programs), "MACHINE": str(self.folder), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def refusal(self, *arguments: str, **environment: str) -> str:
        """What it says when it refuses: one line, before it made anything."""
        done = self.set_up(*arguments, **environment)
        assert done.returncode == 3
        assert not (self.checkout / ".venv").exists()
        (line,) = (done.stdout + done.stderr).splitlines()
        return line


@pytest.fixture
def bare(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def machine(bare: Machine) -> Machine:
    bare.install("python3", PYTHON)
    return bare


def test_without_python_one_line_says_what_to_type(bare: Machine) -> None:
    assert bare.refusal("run").endswith("type: sudo apt-get install python3 python3-venv")


def test_an_old_python_is_named(machine: Machine) -> None:
    machine.state("python_is_old")
    line = machine.refusal("run")
    assert "Python 3.11 or newer is needed" in line
    assert "Python 3.9.2" in line


def test_a_python_asked_for_is_taken_or_refused_never_replaced(machine: Machine) -> None:
    assert "PYTHON=/nowhere/python" in machine.refusal("run", PYTHON="/nowhere/python")


def test_all_that_is_missing_is_said_in_one_line(machine: Machine) -> None:
    machine.state("no_venv")
    assert machine.refusal("run", "ngspice").endswith("type: sudo apt-get install python3.11-venv ngspice")


def test_root_gets_what_is_missing_by_apt(machine: Machine) -> None:
    machine.state("no_venv")
    machine.install("id", "#!/bin/sh\necho 0\n")
    machine.install("apt-get", APT)
    assert machine.set_up("run", "ngspice").returncode == 0
    assert machine.log("apt")[-1].endswith("install --no-install-recommends python3.11-venv ngspice")


def test_nothing_is_installed_but_what_the_lock_says(machine: Machine) -> None:
    assert machine.set_up("run").returncode == 0
    locked, project = machine.log("pip")
    assert locked.endswith("--require-hashes -r requirements/run.lock")
    assert project.endswith("--no-deps --no-build-isolation --editable .")


def test_a_second_time_does_nothing(machine: Machine) -> None:
    machine.set_up("dev")
    before = machine.log("pip")
    for kind in ["dev", "run"]:
        done = machine.set_up(kind)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert machine.log("pip") == before


def test_development_adds_to_an_environment_for_running(machine: Machine) -> None:
    machine.set_up("run")
    machine.set_up("dev")
    assert [line for line in machine.log("pip")[2:] if "requirements" in line] == [
        "-m pip --disable-pip-version-check install -qq --require-hashes -r requirements/dev.lock"
    ]


@pytest.mark.parametrize("lock", ["run.lock", "dev.lock"])
def test_a_changed_lock_makes_the_environment_anew(machine: Machine, lock: str) -> None:
    machine.set_up("dev")
    (machine.checkout / ".venv" / "left-over").touch()
    machine.write(f"requirements/{lock}", "other==1.0\n")
    assert machine.set_up("dev").returncode == 0
    assert not (machine.checkout / ".venv" / "left-over").exists()


def test_a_moved_checkout_makes_the_environment_anew(machine: Machine) -> None:
    machine.set_up("run")
    machine.checkout = machine.checkout.rename(machine.folder / "elsewhere")
    assert "setting up" in machine.set_up("run").stdout


def test_an_interrupted_set_up_is_begun_again(machine: Machine) -> None:
    machine.state("pip_fails")
    assert machine.set_up("run").returncode != 0
    (machine.folder / "pip_fails").unlink()
    assert "setting up" in machine.set_up("run").stdout
    assert machine.set_up("run").stdout == ""


def test_a_changed_version_installs_the_project_again(machine: Machine) -> None:
    machine.set_up("run")
    machine.write("src/simorc/__init__.py", '__version__ = "9.9.9"\n')
    machine.set_up("run")
    assert machine.log("pip")[2:] == [
        "-m pip --disable-pip-version-check install -qq --no-deps --no-build-isolation --editable ."
    ]
