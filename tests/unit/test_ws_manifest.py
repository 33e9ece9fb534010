"""run.json, and the git commit without git."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from simorc.core.errors import RunDirectoryError
from simorc.workspace.layout import RunDirectory
from simorc.workspace.manifest import add_execution, git_commit, manifest_value, read_manifest, update_manifest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_changes_keep_the_rest(ws_run: RunDirectory) -> None:
    before = read_manifest(ws_run)
    update_manifest(ws_run, ended="completed", versions={"simulator": "ngspice-39"})
    assert read_manifest(ws_run) == {**before, "ended": "completed", "versions": {"simulator": "ngspice-39"}}


def test_executions_are_listed(ws_run: RunDirectory) -> None:
    add_execution(ws_run, {"started": "a"})
    add_execution(ws_run, {"started": "b"})
    assert read_manifest(ws_run)["executions"] == [{"started": "a"}, {"started": "b"}]


def test_a_truncated_manifest_is_a_clear_error(ws_run: RunDirectory) -> None:
    whole = ws_run.manifest.read_bytes()
    for length in range(0, len(whole) - 1, 11):
        ws_run.manifest.write_bytes(whole[:length])
        with pytest.raises(RunDirectoryError, match="not the manifest of a run"):
            read_manifest(ws_run)
    ws_run.manifest.unlink()
    with pytest.raises(RunDirectoryError, match="cannot read the manifest"):
        read_manifest(ws_run)


@pytest.mark.parametrize("text", ["[]", "{}", '{"schema": 2, "run_id": "a"}', '{"schema": 1, "run_id": 5}'])
def test_a_foreign_manifest_is_a_clear_error(ws_run: RunDirectory, text: str) -> None:
    ws_run.manifest.write_text(text)
    with pytest.raises(RunDirectoryError, match="not the manifest of a run"):
        read_manifest(ws_run)


def test_a_value_of_another_type_is_a_clear_error() -> None:
    assert manifest_value({"cases": 3}, "cases", int) == 3
    with pytest.raises(RunDirectoryError, match=r"run.json: cases: found 'x', expected int"):
        manifest_value({"cases": "x"}, "cases", int)


@pytest.fixture
def git(tmp_path: Path) -> Path:
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    folder = tmp_path / ".git"
    folder.mkdir()
    return folder


def test_a_branch(tmp_path: Path, git: Path) -> None:
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    assert git_commit(tmp_path) is None  # nothing is committed yet
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "refs" / "heads" / "main").write_text(COMMIT + "\n")
    assert git_commit(tmp_path / "sub" / "deep") == COMMIT


def test_a_packed_branch(tmp_path: Path, git: Path) -> None:
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text(f"# pack-refs with: peeled\n{'f' * 40} refs/heads/old\n{COMMIT} refs/heads/main\n")
    assert git_commit(tmp_path) == COMMIT


def test_a_detached_head(tmp_path: Path, git: Path) -> None:
    (git / "HEAD").write_text(COMMIT + "\n")
    assert git_commit(tmp_path) == COMMIT


def test_a_worktree(tmp_path: Path, git: Path) -> None:
    own = git / "worktrees" / "w"
    own.mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/topic\n")
    (own / "commondir").write_text("../..\n")
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "refs" / "heads" / "topic").write_text(COMMIT)
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / ".git").write_text("gitdir: ../.git/worktrees/w\n")
    assert git_commit(tmp_path / "w") == COMMIT


@pytest.mark.parametrize("head", [b"", b"\xff\xfe", b"ref: refs/heads/none"])
def test_a_damaged_repository_has_no_commit(tmp_path: Path, git: Path, head: bytes) -> None:
    (git / "HEAD").write_bytes(head)
    assert git_commit(tmp_path) is None
    (git / "HEAD").unlink()
    assert git_commit(tmp_path) is None


def test_what_git_itself_says(tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@example.com", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    run("init", "-q")
    run("commit", "-q", "--allow-empty", "-m", "first")
    assert git_commit(tmp_path) == run("rev-parse", "HEAD")
    run("pack-refs", "--all")
    assert git_commit(tmp_path) == run("rev-parse", "HEAD")
