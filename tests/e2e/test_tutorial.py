"""docs/tutorial.md, followed word by word: every file is written, every command typed, every answer compared."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
_BLOCK = re.compile(r"^(<!-- not run[^\n]*-->\n)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE_NAME = re.compile(r"[#*] ([\w./-]+\.\w+)\n")
_VARIES = {"…": ".*", r"\d{14}": r"\\d{14}", r"on \d+ workers": r"on \\d+ workers?"}


@dataclass
class Reader:
    """Somebody who does what the tutorial says."""

    folder: Path

    def follow(self, kind: str, text: str) -> None:
        named = _FILE_NAME.match(text)
        if named:
            (self.folder / named.group(1)).write_text(text)
        elif kind == "python":
            self.type(f"{shlex.quote(sys.executable)} -c '{text}'", "")
        elif kind == "console":
            for command, answer in _commands(text):
                self.type(command, answer)

    def type(self, command: str, expected: str) -> None:
        if command.startswith("cd "):
            self.folder /= command.removeprefix("cd ")
            return
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=os.environ | {"PATH": programs},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        answer = done.stdout.rstrip("\n") + "\n" if done.stdout else ""
        assert re.fullmatch(_pattern(expected), answer), f"$ {command}\nprints\n{answer}\nthe tutorial says\n{expected}"


def _commands(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, answer = part.partition("\n")
        yield command, answer


def _pattern(expected: str) -> str:
    """A regular expression: `…` alone in a line is any number of lines, inside a line anything."""
    pattern = re.escape(expected).replace("\\\n", "\n").replace("\\ ", " ")
    for text, stand_in in _VARIES.items():
        pattern = re.sub(text, stand_in, pattern)
    return re.sub(r"^\.\*\n", r"(?:.*\\n)*?", pattern, flags=re.MULTILINE)


def follow(page: Path, folder: Path, at_least: int) -> None:
    """Do what a page says, and compare what it says about that."""
    reader = Reader(folder)
    blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
    assert len(blocks) > at_least
    for skipped, kind, text in blocks:
        if not skipped:
            reader.follow(kind, text)


@pytest.mark.slow
@pytest.mark.ngspice
@pytest.mark.req("SIM-01", "SIM-06", "SIM-08", "SIM-15", "DVT-12")
def test_the_tutorial_says_what_happens(tmp_path: Path) -> None:
    follow(TUTORIAL, tmp_path, 15)


@pytest.mark.slow
@pytest.mark.xschem
@pytest.mark.ngspice
@pytest.mark.req("SIM-07", "SIM-19", "SIM-20")
def test_from_a_schematic_to_a_report_in_a_checkout(tmp_path: Path) -> None:
    for name in ("sweeps", "testbenches", "netlists", "models", "benches", "schematics"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "sim_setup.yaml", tmp_path)
    follow(ROOT / "docs" / "schematics.md", tmp_path, 6)


def test_the_first_sweep_takes_less_than_ten_lines_of_yaml() -> None:
    own = TUTORIAL.read_text(encoding="utf-8").partition("## Build, run, plot")[0]
    files = [text for _, kind, text in _BLOCK.findall(own) if kind == "yaml"]
    lines = [line for text in files for line in text.splitlines() if not line.startswith("#")]
    assert len(files) == 3
    assert len(lines) < 10
