"""README.md says what is there: its commands, its files, its first sweep."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simorc.cli import app

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.req("DVT-15")


def blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCK.findall(README) if found == kind]


def test_it_opens_with_the_two_commands() -> None:
    first, second = blocks("console")[0].splitlines()
    assert (first[:11], second[:11]) == ("$ make demo", "$ make test")
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert {"demo", "test"} <= set(targets)


def test_the_first_sweep_is_that_of_the_tutorial_which_is_followed_word_by_word() -> None:
    tutorial = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    files = blocks("yaml") + blocks("spice")
    assert len(files) == 4
    assert [text for text in files if text not in tutorial] == []


def test_the_first_sweep_takes_less_than_ten_lines_of_yaml() -> None:
    lines = [line for text in blocks("yaml") for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) < 10


def test_the_table_lists_every_command_and_no_other() -> None:
    commands = {command.name or command.callback.__name__.rstrip("_") for command in app.registered_commands}  # type: ignore[union-attr]
    groups = {str(group.name) for group in app.registered_groups}
    assert set(re.findall(r"^\| `simorc (\w+)` \|", README, flags=re.MULTILINE)) == commands | groups


@pytest.mark.parametrize("page", sorted(["README.md", *(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))]))
def test_links_lead_to_files(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs" / "images").glob("*.png"))
    assert pictures
    assert all(picture.stat().st_size < 300_000 for picture in pictures)
