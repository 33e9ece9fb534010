"""What is remembered of comparisons between a fast way and a slow one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from simorc.workspace import files
from simorc.workspace.layout import RunDirectory
from simorc.workspace.proof import read_proof, write_proof


@pytest.fixture(params=["links", "no links"])
def run(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    """A run on a file system with hard links, or without."""

    def refused(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if request.param == "no links":
        monkeypatch.setattr(files.os, "link", refused)
    return RunDirectory(tmp_path / "run")


@pytest.mark.req("SIM-12")
def test_a_difference_is_never_forgotten(run: RunDirectory) -> None:
    """Not even where another worker compares a case of the same kind at the same moment and finds it identical."""
    write_proof(run, "key", "identical", "", "1")
    write_proof(run, "key", "different", "vector out", "2")
    write_proof(run, "key", "identical", "", "3")
    assert read_proof(run, "key") == {"outcome": "different", "reason": "vector out", "since": "2"}
    assert [path.name for path in (run.path.parent / ".cache" / "verified").iterdir()] == ["key.json"]
