"""New run directories: complete, or not there at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs

from simorc.core.errors import RunDirectoryError, UsageError
from simorc.core.plan import Plan
from simorc.workspace import create, files
from simorc.workspace.create import create_run, put_back_replaced, unfinished_folders
from simorc.workspace.layout import RunDirectory, list_runs
from simorc.workspace.lock import run_lock
from simorc.workspace.manifest import read_manifest
from simorc.workspace.plan_file import read_plan

Build = Callable[..., RunDirectory]


def everything(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.req("SIM-10", "SIM-03")
def test_a_new_run_is_complete(ws_build: Build) -> None:
    run = ws_build()
    assert run.run_id == "pvt_20260101120000"
    assert sorted(everything(run.path)) == [
        ".status/metadata.sha256",
        "inputs/dut/ldo.spice",
        "inputs/plan.json",
        "inputs/sweep/pvt.yaml",
        "inputs/testbench/helper.py",
        "inputs/testbench/measures.py",
        "inputs/testbench/tb.spice.j2",
        "metadata.csv",
        "run.json",
        "test_pvt.py",
    ]
    assert list_runs(run.path.parent) == [run]
    assert [path.name for path in run.path.parent.iterdir()] == [run.run_id]


@pytest.mark.req("SIM-10")
def test_a_run_of_that_name_is_not_overwritten(ws_build: Build) -> None:
    run = ws_build()
    before = everything(run.path)
    with pytest.raises(UsageError, match="there is such a run already") as caught:
        ws_build()
    assert "--force" in caught.value.hint
    assert everything(run.path) == before


@pytest.mark.req("SIM-10")
def test_force_replaces_it(ws_build: Build) -> None:
    run = ws_build()
    (run.results / "0").mkdir()
    ws_build(force=True)
    assert list(run.results.iterdir()) == []
    assert [path.name for path in run.path.parent.iterdir()] == [run.run_id]
    ws_build("other", force=True)


@pytest.mark.req("SIM-10")
def test_force_never_replaces_an_active_run(ws_build: Build) -> None:
    run = ws_build()
    with run_lock(run):
        before = everything(run.path)
        with pytest.raises(RunDirectoryError, match="in use"):
            ws_build(force=True)
        assert everything(run.path) == before
    assert [path.name for path in run.path.parent.iterdir()] == [run.run_id]


def test_a_run_that_becomes_active_while_the_new_one_is_built_stays(
    ws_build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ws_build()
    before = read_plan(run)
    with run_lock(run):
        monkeypatch.setattr(create, "_check_place", lambda *_: None)
        with pytest.raises(RunDirectoryError, match="in use"):
            ws_build(force=True)
    assert read_plan(run) == before
    assert [path.name for path in run.path.parent.iterdir()] == [run.run_id]


def test_force_replaces_a_damaged_run_too(ws_build: Build) -> None:
    run = ws_build()
    shutil.rmtree(run.status_dir)
    run.manifest.write_text("{")
    ws_build(force=True)
    assert read_manifest(run)["run_id"] == run.run_id


@pytest.mark.parametrize("force", [True, False])
def test_what_is_no_run_is_never_replaced(ws_build: Build, force: bool) -> None:
    output = ws_build("first").path.parent
    (output / "compare").mkdir()
    (output / "compare" / "precious").write_text("")
    (output / "link").symlink_to(output / "first")
    for name in ("compare", "link"):
        with pytest.raises(UsageError, match="not a run"):
            ws_build(name, force=force)
    assert (output / "compare" / "precious").exists()
    assert (output / "link").is_symlink()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("step", range(6))
def test_a_disk_that_refuses_leaves_nothing_behind(
    ws_build: Build, monkeypatch: pytest.MonkeyPatch, number: int, step: int
) -> None:
    old = ws_build("old")
    before = everything(old.path.parent)
    calls = iter(range(100))
    real = os.fsync

    def refuse(fd: int) -> None:
        if next(calls) == step:
            raise OSError(number, os.strerror(number))
        real(fd)

    monkeypatch.setattr(os, "fsync", refuse)
    if step < 4:  # plan, metadata, module, manifest
        with pytest.raises(RunDirectoryError, match=os.strerror(number)):
            ws_build("old", force=True)
        assert everything(old.path.parent) == before
        assert [path.name for path in old.path.parent.iterdir()] == ["old"]
    else:
        ws_build("old", force=True)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, ws_plan: Plan, ws_build: Build) -> None:
    (Path(ws_plan.testbench_dir) / "large.dat").write_bytes(b"x" * 100_000)
    old = ws_build("old")
    code = f"""
import resource
from datetime import datetime, UTC
from pathlib import Path
from simorc.workspace.create import create_run
from simorc.workspace.layout import RunDirectory
from simorc.workspace.plan_file import read_plan
plan = read_plan(RunDirectory(Path({str(old.path)!r})))
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
create_run(Path({str(old.path.parent)!r}), "new", plan, list(plan.sweep.cases()), [], datetime.now(UTC))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "RunDirectoryError" in done.stderr
    assert "large.dat" in done.stderr
    assert [path.name for path in old.path.parent.iterdir()] == ["old"]


def test_ctrl_c_leaves_nothing_behind(ws_build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    output = ws_build("old").path.parent

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(create, "write_manifest", interrupt)
    with pytest.raises(KeyboardInterrupt):
        ws_build("new")
    assert [path.name for path in output.iterdir()] == ["old"]


def test_an_output_that_is_a_file_is_a_clear_error(tmp_path: Path, ws_build: Build) -> None:
    (tmp_path / "project" / "simulations").write_text("")
    with pytest.raises(RunDirectoryError, match="cannot build the run"):
        ws_build()


@pytest.fixture
def without_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that cannot let two folders change places in one step."""
    monkeypatch.setattr(files, "_exchanged", lambda *_: False)


@pytest.mark.usefixtures("without_exchange")
def test_force_replaces_it_also_where_folders_cannot_be_exchanged(ws_build: Build) -> None:
    run = ws_build()
    (run.results / "0").mkdir()
    ws_build(force=True)
    assert list(run.results.iterdir()) == []
    assert [path.name for path in run.path.parent.iterdir()] == [run.run_id]


@pytest.mark.usefixtures("without_exchange")
def test_a_rename_that_fails_puts_the_old_run_back(ws_build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    old = ws_build()
    before = everything(old.path)
    real = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name.startswith(".building"):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(RunDirectoryError, match="Read-only"):
        ws_build(force=True)
    assert everything(old.path) == before


KILLED = """
import os, sys
from datetime import datetime, UTC
from pathlib import Path
from simorc.workspace import files
from simorc.workspace.create import create_run
from simorc.workspace.layout import RunDirectory
from simorc.workspace.plan_file import read_plan
old = RunDirectory(Path(sys.argv[1]))
plan = read_plan(old)
if sys.argv[2] == "no exchange":
    files._exchanged = lambda *_: False
rename, shot = Path.rename, []
def killed(self, target):
    rename(self, target)
    os._exit(9)
Path.rename = killed
create_run(old.path.parent, old.run_id, plan, list(plan.sweep.cases()), [], datetime.now(UTC), force=True)
"""


def killed_while_replacing(run: RunDirectory, how: str) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(run.path), how], check=False)


@pytest.mark.req("SIM-10")
def test_a_kill_while_a_run_is_replaced_leaves_it_or_its_successor(ws_build: Build) -> None:
    run = ws_build()
    killed_while_replacing(run, "")
    assert read_manifest(run)["run_id"] == run.run_id


@pytest.mark.req("SIM-10")
def test_what_a_kill_took_away_is_put_back(ws_build: Build) -> None:
    run = ws_build()
    before = everything(run.path)
    killed_while_replacing(run, "no exchange")
    assert not run.path.exists()
    assert put_back_replaced(run.path.parent) == [run]
    assert everything(run.path) == before
    assert put_back_replaced(run.path.parent) == []


def test_what_was_replaced_is_not_put_back_over_its_successor(ws_build: Build) -> None:
    run = ws_build()
    old = run.path.with_name(f".replaced-999999999-{run.run_id}")
    shutil.copytree(run.path, old)
    old.with_name(".replaced-999999999-junk").mkdir()
    assert put_back_replaced(run.path.parent) == []
    assert old in unfinished_folders(run.path.parent)


def test_a_run_that_cannot_be_put_back_is_a_clear_error(ws_build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ws_build()
    run.path.rename(run.path.with_name(f".replaced-999999999-{run.run_id}"))

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(RunDirectoryError, match="cannot put the run back: Read-only"):
        put_back_replaced(run.path.parent)


def test_the_second_of_two_simultaneous_builds_is_refused(ws_build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    run = ws_build()
    before = everything(run.path)
    monkeypatch.setattr(create, "_check_place", lambda *_: None)
    with pytest.raises(UsageError, match="there is such a run already"):
        ws_build()
    assert everything(run.path) == before


def test_what_killed_builds_left_is_found(ws_build: Build) -> None:
    output = ws_build().path.parent
    for name in (".building-999999999-a", ".replaced-999999999-a", f".building-{os.getpid()}-b", ".cache"):
        (output / name).mkdir()
    assert [path.name for path in unfinished_folders(output)] == [
        ".building-999999999-a",
        ".replaced-999999999-a",
    ]
    assert unfinished_folders(output / "none") == []


@pytest.mark.req("SIM-10")
def test_the_manifest_says_where_the_run_comes_from(tmp_path: Path, ws_plan: Plan) -> None:
    model = tmp_path / "models.lib"
    model.write_text("")
    cases = list(ws_plan.sweep.cases())
    run = create_run(tmp_path / "out" / "deep", "r", ws_plan, cases, [model], datetime(2026, 1, 1, tzinfo=UTC))
    manifest = json.loads(run.manifest.read_text())
    hashes = manifest.pop("sha256")
    assert manifest.pop("versions").keys() == {"simorc", "python", "simulator"}
    assert manifest == {
        "schema": 1,
        "run_id": "r",
        "sweep": "pvt",
        "testbench": "ldo",
        "target": "spice",
        "cases": 6,
        "created": "2026-01-01T00:00:00.000Z",
        "seed": 1,
        "git_commit": None,
        "pdks": {"sky130": {"path": "/pdk", "lib": "/pdk/lib", "origin": "PDK_ROOT"}},
        "environment": {"VARIANT": "b"},
        "instruments": None,
        "executions": [],
        "ended": None,
    }
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert hashes[str(model)] == empty
    assert "inputs/plan.json" in hashes


def test_a_missing_model_file_leaves_nothing_behind(tmp_path: Path, ws_plan: Plan) -> None:
    with pytest.raises(RunDirectoryError, match="cannot read an input"):
        create_run(tmp_path / "out", "r", structs.replace(ws_plan), [], ["/nowhere.lib"], datetime.now(UTC))
    assert list((tmp_path / "out").iterdir()) == []
