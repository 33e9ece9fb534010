"""`simorc clean`: deletes runs, and nothing else."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from simorc.commands.clean import clean
from simorc.core.errors import RunDirectoryError, SimorcError, UsageError
from simorc.core.plan import Plan
from simorc.core.record import CaseRecord, Status
from simorc.simulators.process import RUN_VARIABLE
from simorc.workspace.conclude import conclude
from simorc.workspace.layout import RunDirectory, check_name, list_runs
from simorc.workspace.lock import run_lock
from simorc.workspace.status_store import write_record

Build = Callable[..., RunDirectory]
MAKE = Callable[..., CaseRecord]


@pytest.fixture(autouse=True)
def in_project(ws_plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = Path(ws_plan.setup_file).parent
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def output(in_project: Path) -> Path:
    return in_project / "simulations"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.req("SIM-18")
@pytest.mark.parametrize("text", ["pvt_1", "simulations/pvt_1", "./simulations/pvt_1/"])
def test_one_run_by_id_or_path(ws_build: Build, output: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    run = ws_build("pvt_1")
    ws_build("pvt_2")
    size = sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file())
    (run.results / "raw").write_bytes(b"x" * 2_000_000)
    assert clean(text, None, False, False) == 0
    assert names(output) == ["pvt_2"]
    out = capsys.readouterr().out
    assert out.startswith("deleted pvt_1: 2.0 MB (")
    freed = int(out.split("(")[1].split()[0])
    assert 0 <= freed - size - 2_000_000 < 1000  # the lock file comes on top


@pytest.mark.req("SIM-18")
@pytest.mark.parametrize(
    "text", ["pvt", "pvt_", "pvt_2026010112000", "", " ", "..", ".", "/", "simulations", "*", "nope", "x" * 5000]
)
def test_anything_but_an_exact_id_or_path_is_refused(
    ws_build: Build, output: Path, in_project: Path, text: str
) -> None:
    ws_build()
    before = sorted(in_project.rglob("*"))
    with pytest.raises(UsageError, match="nothing is deleted"):
        clean(text, None, False, False)
    assert sorted(in_project.rglob("*")) == before


def test_a_beginning_suggests_the_ids(ws_build: Build) -> None:
    ws_build("pvt_1")
    with pytest.raises(UsageError) as caught:
        clean("pvt", None, False, False)
    assert caught.value.hint == "did you mean pvt_1?"


def test_an_unset_variable_does_not_delete_the_run_one_stands_in(
    ws_run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ws_run.path)
    with pytest.raises(UsageError):
        clean("", None, False, False)
    assert ws_run.metadata.exists()


@pytest.mark.req("SIM-18")
def test_an_active_run_is_refused_and_named(ws_run: RunDirectory) -> None:
    with run_lock(ws_run):
        with pytest.raises(RunDirectoryError, match="pvt_20260101120000 is in use by process"):
            clean(ws_run.run_id, None, False, False)
        assert ws_run.metadata.exists()


@pytest.mark.req("SIM-18")
def test_all_deletes_all_but_active_runs_and_what_is_no_run(
    ws_build: Build, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    active = ws_build("active")
    damaged = ws_build("damaged")
    damaged.manifest.write_text("{")
    ws_build("pvt_1")
    for folder in ("compare", ".cache", ".building-999999999-x", f".building-{os.getpid()}-y"):
        (output / folder).mkdir()
    with run_lock(active):
        assert clean(None, None, True, False) == 0
    assert names(output) == [f".building-{os.getpid()}-y", ".cache", "active", "compare"]
    told = capsys.readouterr()
    assert "active: stays, it is active" in told.err
    deleted = {line.split(":")[0] for line in told.out.splitlines()}
    assert deleted == {"deleted damaged", "deleted pvt_1", "deleted .building-999999999-x"}


@pytest.mark.req("SIM-18")
def test_a_run_that_a_killed_build_took_away_is_put_back_not_deleted(
    ws_build: Build, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ws_build("pvt_1")
    for name in (".building-999999999-pvt_1", ".replaced-999999999-pvt_1"):
        shutil.copytree(output / "pvt_1", output / name)
    (output / "pvt_1" / "results" / "new").touch()
    shutil.rmtree(output / "pvt_1")
    assert clean(None, None, True, False) == 0
    assert names(output) == ["pvt_1"]
    assert "pvt_1: stays, it was put back" in capsys.readouterr().err
    assert clean(None, None, True, False) == 0
    assert names(output) == []


@pytest.mark.req("SIM-18", "SIM-14")
@pytest.mark.parametrize("everything", [False, True])
def test_simulators_that_a_crash_left_end_before_their_run_is_deleted(ws_run: RunDirectory, everything: bool) -> None:
    environment = os.environ | {RUN_VARIABLE: str(ws_run.result_folder(3))}
    orphan = subprocess.Popen(["sleep", "60"], env=environment)
    try:
        while RUN_VARIABLE.encode() not in Path(f"/proc/{orphan.pid}/environ").read_bytes():
            assert orphan.poll() is None
            time.sleep(0.01)  # it is there a moment after the program has been started
        assert clean(None if everything else ws_run.run_id, None, everything, False) == 0
        assert orphan.wait(10) == -signal.SIGKILL
    finally:
        orphan.kill()
        orphan.wait()


@pytest.mark.req("SIM-18")
@pytest.mark.parametrize("lost", ["metadata.csv", "run.json"])
def test_elsewhere_only_a_whole_run_is_deleted(
    ws_run: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    elsewhere = tmp_path / "elsewhere" / "copy"
    shutil.copytree(ws_run.path, elsewhere)
    monkeypatch.chdir("/")  # no project here either
    kept = (elsewhere / lost).read_bytes()
    (elsewhere / lost).unlink()
    with pytest.raises(SimorcError):
        clean(str(elsewhere), None, False, False)
    assert elsewhere.exists()
    (elsewhere / lost).write_bytes(kept)
    assert clean(str(elsewhere), None, False, False) == 0
    assert not elsewhere.exists()
    assert ws_run.metadata.exists()


def test_a_damaged_run_goes_by_its_id(ws_run: RunDirectory) -> None:
    ws_run.manifest.unlink()
    ws_run.plan.write_text("")
    assert clean(ws_run.run_id, None, False, False) == 0
    assert not ws_run.path.exists()


def test_a_link_to_a_run_is_refused(
    ws_run: RunDirectory, output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path / "disk"
    ws_run.path.rename(elsewhere)
    (output / "linked").symlink_to(elsewhere)
    for text in ("linked", "simulations/linked", "simulations/linked/"):
        with pytest.raises(UsageError, match="symbolic link"):
            clean(text, None, False, False)
    assert clean(None, None, True, False) == 0
    assert "linked: stays" in capsys.readouterr().err
    assert (output / "linked").is_symlink()
    assert (elsewhere / "metadata.csv").exists()


def test_links_inside_a_run_are_not_followed(ws_run: RunDirectory, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_bytes(b"x" * 5_000_000)
    (ws_run.results / "link").symlink_to(precious)
    (ws_run.results / "file").symlink_to(precious / "file")
    assert clean(ws_run.run_id, None, False, False) == 0
    assert (precious / "file").exists()


def test_a_run_and_all_together_are_refused(ws_run: RunDirectory) -> None:
    with pytest.raises(UsageError, match="either"):
        clean(ws_run.run_id, None, True, False)


def test_what_cannot_be_deleted_is_an_error(
    ws_build: Build, output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ws_build("a")
    ws_build("b")
    real = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "a":
            raise PermissionError(13, "Permission denied")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(RunDirectoryError, match="cannot delete: Permission denied"):
        clean(None, None, True, False)
    assert names(output) == ["a"]


@pytest.mark.req("SIM-18")
def test_the_cache_alone(ws_run: RunDirectory, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert clean(None, None, False, True) == 0
    assert "no cache" in capsys.readouterr().err
    (output / ".cache" / "ab").mkdir(parents=True)
    (output / ".cache" / "ab" / "file").write_bytes(b"x" * 1500)
    assert clean(None, None, False, True) == 0
    assert names(output) == [ws_run.run_id]
    assert "1.5 kB (1500 bytes) freed" in capsys.readouterr().out


def test_a_cache_that_is_a_link_stays(ws_run: RunDirectory, output: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (output / ".cache").symlink_to(tmp_path / "shared")
    with pytest.raises(UsageError, match="symbolic link"):
        clean(None, None, False, True)
    assert (tmp_path / "shared").exists()


def test_all_and_cache(ws_run: RunDirectory, output: Path) -> None:
    (output / ".cache").mkdir()
    clean(None, None, True, True)
    assert names(output) == []


@pytest.mark.req("SIM-18")
def test_without_a_terminal_nobody_is_asked(ws_run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("all\n"))
    with pytest.raises(UsageError, match="no terminal") as caught:
        clean(None, None, False, False)
    assert caught.value.exit_code == 2
    assert ws_run.metadata.exists()


class Person(io.StringIO):
    """A terminal with somebody typing."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def set_answers(*lines: str) -> None:
        monkeypatch.setattr(sys, "stdin", Person("".join(f"{line}\n" for line in lines)))

    return set_answers


@pytest.fixture
def three_finished(ws_build: Build, ws_record: MAKE) -> Iterator[list[RunDirectory]]:
    """Three runs with nothing left to run, one of them with a failed case; and others that are not offered."""
    finished = [ws_build(f"done_{number}") for number in range(3)]
    for run in finished:
        for case_id in range(6):
            write_record(run, ws_record(case_id))
    write_record(finished[1], ws_record(5, Status.FAILED))
    crashed = ws_build("crashed")
    for case_id in range(5):
        write_record(crashed, ws_record(case_id))
    write_record(crashed, ws_record(5, Status.IN_PROGRESS))
    ws_build("pending")
    ws_build("damaged").manifest.write_text("")
    active = ws_build("active")
    for case_id in range(6):
        write_record(active, ws_record(case_id))
    with run_lock(active):
        yield finished


@pytest.mark.req("SIM-18")
@pytest.mark.parametrize(
    ("answers", "left"),
    [
        (["2"], ["done_0", "done_2"]),
        (["1,3"], ["done_1"]),
        (["1-3"], []),
        (["all"], []),
        ([""], ["done_0", "done_1", "done_2"]),
        ([], ["done_0", "done_1", "done_2"]),
        (["4", "0", "x", "3"], ["done_0", "done_1"]),
    ],
)
def test_one_is_asked_which_completed_runs(
    three_finished: list[RunDirectory],
    output: Path,
    types: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    answers: list[str],
    left: list[str],
) -> None:
    types(*answers)
    assert clean(None, None, False, False) == 0
    assert names(output) == sorted(["active", "crashed", "damaged", *left, "pending"])
    told = capsys.readouterr().err
    assert "  1  done_0: 6/6 completed (100.0%)" in told
    assert "  2  done_1: 5/6 completed (83.3%), 1 failed" in told
    for other in ("crashed", "pending", "damaged", "active"):
        assert other not in told


def test_with_nothing_completed_nobody_is_asked(
    ws_run: RunDirectory, types: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    types("all")
    assert clean(None, None, False, False) == 0
    assert "no completed runs" in capsys.readouterr().err
    assert ws_run.metadata.exists()


@pytest.mark.req("SIM-18", "DVT-10")
def test_what_lies_among_the_runs_is_no_run(
    ws_build: Build, ws_record: MAKE, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conclude(ws_build("pvt_1"))
    for folder in ("compare/a_vs_b", ".cache/x", ".bench/virtual", "notes"):
        (output / folder).mkdir(parents=True)
        (output / folder / "index.html").write_text("x")
    assert [run.run_id for run in list_runs(output)] == ["pvt_1"]
    for name in ("compare", "catalogue.sqlite", "notes", "simulations/compare", "simulations/catalogue.sqlite"):
        with pytest.raises(UsageError, match="nothing is deleted"):
            clean(name, None, False, False)
    assert clean(None, None, True, False) == 0
    assert names(output) == [".bench", ".cache", ".catalogue.sqlite.lock", "catalogue.sqlite", "compare", "notes"]
    assert capsys.readouterr().out.count("deleted") == 1


@pytest.mark.req("DVT-10")
@pytest.mark.parametrize("arguments", [("pvt_1", False), (None, True)], ids=["one", "all"])
def test_the_catalogue_follows(ws_build: Build, output: Path, arguments: tuple[str | None, bool]) -> None:
    runs = [ws_build("pvt_1"), ws_build("pvt_2")]
    for run in runs:
        conclude(run)
    run_id, everything = arguments
    clean(run_id, None, everything, False)
    with closing(sqlite3.connect(output / "catalogue.sqlite")) as db:
        left = [found for (found,) in db.execute("SELECT run_id FROM runs")]
    assert left == ([] if everything else ["pvt_2"])


def test_a_catalogue_that_cannot_be_written_deletes_nonetheless(
    ws_build: Build, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ws_build("pvt_1")
    (output / "catalogue.sqlite").mkdir()
    assert clean("pvt_1", None, False, False) == 0
    assert names(output) == [".catalogue.sqlite.lock", "catalogue.sqlite"]
    assert "warning: the catalogue of runs could not be brought up to date" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["compare", "catalogue.sqlite"])
def test_no_run_takes_a_name_that_is_in_use(name: str) -> None:
    with pytest.raises(UsageError, match="something else under that name"):
        check_name(name)
