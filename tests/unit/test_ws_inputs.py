"""inputs/: what is copied, what is hashed, what counts as changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from simorc.core.errors import RunDirectoryError, UsageError
from simorc.core.plan import Plan
from simorc.workspace.inputs import accept_changed_inputs, changed_inputs, copy_inputs, input_hashes
from simorc.workspace.layout import RunDirectory
from simorc.workspace.manifest import read_manifest, update_manifest

Build = Callable[..., RunDirectory]


def copied(run: RunDirectory) -> list[str]:
    return sorted(str(path.relative_to(run.testbench)) for path in run.testbench.rglob("*") if path.is_file())


@pytest.fixture
def testbench(ws_plan: Plan) -> Path:
    return Path(ws_plan.testbench_dir)


PLAIN = ["helper.py", "measures.py", "tb.spice.j2"]


def test_the_whole_testbench_is_copied_save_what_is_no_input(testbench: Path, ws_build: Build) -> None:
    for folder in ("sub/deeper", "__pycache__", ".git", "sub/__pycache__"):
        (testbench / folder).mkdir(parents=True)
        (testbench / folder / "file").write_text("")
    os.mkfifo(testbench / "fifo")
    (testbench / ".#lock").symlink_to("user@host.1234")
    assert copied(ws_build()) == [*PLAIN[:2], "sub/deeper/file", PLAIN[2]]


def test_links_are_followed(tmp_path: Path, testbench: Path, ws_build: Build) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "stimulus.csv").write_text("1,2")
    (testbench / "shared").symlink_to(tmp_path / "shared")
    (testbench / "own.csv").symlink_to(tmp_path / "shared" / "stimulus.csv")
    (testbench / "again").symlink_to(tmp_path / "shared")  # twice the same folder is no circle
    run = ws_build()
    assert not any(path.is_symlink() for path in run.inputs.rglob("*"))
    assert (run.testbench / "own.csv").read_text() == (run.testbench / "shared" / "stimulus.csv").read_text() == "1,2"
    assert (run.testbench / "again" / "stimulus.csv").is_file()


@pytest.mark.parametrize("target", [".", "..", "../..", "/", "sub"])
def test_circles_of_links_are_refused(testbench: Path, ws_build: Build, target: str) -> None:
    (testbench / "sub").mkdir()
    (testbench / "sub" / "loop").symlink_to(Path("..") / target if target != "/" else "/")
    with pytest.raises(UsageError, match="leads back") as caught:
        ws_build()
    assert caught.value.where.endswith("sub/loop")


def test_two_folders_that_link_to_each_other_are_refused(tmp_path: Path, testbench: Path, ws_build: Build) -> None:
    for here, there in (("a", "b"), ("b", "a")):
        (tmp_path / here).mkdir()
        (tmp_path / here / "other").symlink_to(tmp_path / there)
    (testbench / "a").symlink_to(tmp_path / "a")
    with pytest.raises(UsageError, match="leads back"):
        ws_build()


def test_a_link_to_itself_is_refused(testbench: Path, ws_build: Build) -> None:
    (testbench / "self").symlink_to(testbench / "self")
    with pytest.raises(RunDirectoryError, match="symbolic links"):
        ws_build()


def test_a_testbench_that_holds_the_output_folder_does_not_copy_it(ws_plan: Plan, ws_build: Build) -> None:
    project = Path(ws_plan.setup_file).parent
    plan = structs.replace(ws_plan, testbench_dir=str(project))
    ws_build("first", plan=plan)
    run = ws_build("second", plan=plan)
    assert "testbenches/ldo/measures.py" in copied(run)
    assert not (run.testbench / "simulations").exists()


def test_a_read_only_original_can_be_deleted_with_its_run(testbench: Path, ws_build: Build) -> None:
    (testbench / "helper.py").chmod(0o444)
    assert (ws_build().testbench / "helper.py").stat().st_mode & 0o200


def test_without_a_dut_there_is_none(ws_plan: Plan, ws_build: Build) -> None:
    run = ws_build(plan=structs.replace(ws_plan, dut={}))
    assert not (run.inputs / "dut").exists()


@pytest.mark.parametrize("gone", ["pvt.yaml", "ldo.spice", "testbenches"])
def test_a_missing_original_is_a_clear_error(ws_plan: Plan, ws_build: Build, gone: str) -> None:
    path = Path(ws_plan.setup_file).parent / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(RunDirectoryError, match="cannot copy"):
        ws_build()


def test_a_changed_input_is_named(tmp_path: Path, ws_run: RunDirectory) -> None:
    model = tmp_path / "model.lib"
    model.write_text("r=1")
    update_manifest(ws_run, sha256=input_hashes(ws_run, [model]))
    assert changed_inputs(ws_run) == []
    model.write_text("r=2")
    (ws_run.testbench / "measures.py").write_text("")
    (ws_run.inputs / "dut" / "ldo.spice").unlink()
    assert sorted(changed_inputs(ws_run)) == sorted(
        ["inputs/testbench/measures.py", "inputs/dut/ldo.spice", str(model)]
    )


def test_the_user_s_own_files_may_change(testbench: Path, ws_run: RunDirectory) -> None:
    (testbench / "measures.py").write_text("")
    assert changed_inputs(ws_run) == []


def test_byte_code_is_no_input(ws_run: RunDirectory) -> None:
    before = input_hashes(ws_run)
    (ws_run.testbench / "__pycache__").mkdir()
    (ws_run.testbench / "__pycache__" / "helper.pyc").write_text("")
    assert input_hashes(ws_run) == before


def test_accepting_is_recorded(ws_run: RunDirectory) -> None:
    assert accept_changed_inputs(ws_run) == []
    assert "accepted_changes" not in read_manifest(ws_run)
    before = read_manifest(ws_run)["sha256"]["inputs/testbench/measures.py"]
    (ws_run.testbench / "measures.py").write_text("")
    (ws_run.testbench / "helper.py").unlink()
    assert accept_changed_inputs(ws_run) == ["inputs/testbench/helper.py", "inputs/testbench/measures.py"]
    manifest = read_manifest(ws_run)
    after = manifest["sha256"]["inputs/testbench/measures.py"]
    assert after != before
    assert manifest["accepted_changes"][1] == {"file": "inputs/testbench/measures.py", "was": before, "is": after}
    assert manifest["accepted_changes"][0]["is"] is None
    assert changed_inputs(ws_run) == []


def test_copying_twice_is_refused(ws_run: RunDirectory, ws_plan: Plan) -> None:
    with pytest.raises(RunDirectoryError, match="File exists"):
        copy_inputs(ws_run, ws_plan)
