"""Names of runs, and how a run is found."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from simorc.core.errors import RunDirectoryError, UsageError
from simorc.workspace.layout import (
    RunDirectory,
    check_name,
    find_run,
    is_run_directory,
    list_runs,
    module_file_name,
    new_run_id,
)

MakeRun = Callable[..., Path]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "simulations"


@pytest.fixture
def make(output: Path) -> MakeRun:
    def make_run(run_id: str, sweep: str = "pvt", minute: int = 0, folder: Path = output) -> Path:
        path = folder / run_id
        (path / ".status").mkdir(parents=True)
        (path / "metadata.csv").write_text("")
        manifest = {"schema": 1, "run_id": run_id, "sweep": sweep, "created": f"2026-01-01T12:{minute:02}:00.000Z"}
        (path / "run.json").write_text(json.dumps(manifest))
        return path

    return make_run


@pytest.mark.req("SIM-10")
def test_a_run_id_is_sweep_and_time_in_utc() -> None:
    now = datetime(2026, 1, 1, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))
    assert new_run_id("pvt_dc", now) == "pvt_dc_20251231230203"


@pytest.mark.parametrize("name", ["a", "pvt_dc_2026", "A.b-c_1", "x" * 200])
def test_good_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "../a", "a..b", "/a", "1a", "_a", ".a", "a b", "a\n", "ä", "a\\b", "-f", "a\0", "x" * 201],
)
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not a run id") as caught:
        check_name(name)
    assert "letter" in caught.value.hint


@pytest.mark.parametrize(
    ("sweep", "file"), [("pvt", "test_pvt.py"), ("pvt-dc_2", "test_pvt-dc_2.py"), ("a.b-c", "test_a_b-c.py")]
)
def test_the_module_keeps_the_sweep_s_name_save_dots(sweep: str, file: str) -> None:
    assert module_file_name(sweep) == file


def test_the_places_are_those_of_the_contract(tmp_path: Path, make: MakeRun) -> None:
    path = make("pvt_1")
    run = RunDirectory(path)
    places = {
        "metadata.csv": run.metadata,
        "test_pvt.py": run.test_module,
        "run.json": run.manifest,
        "inputs": run.inputs,
        "inputs/plan.json": run.plan,
        ".status/case_7.json": run.status_file(7),
        ".status/progress.json": run.progress,
        ".status/history": run.history,
        "results/7": run.result_folder(7),
        "results": run.results,
        "events.jsonl": run.events,
        "aggregates.csv": run.aggregates,
        "results.csv": run.results_csv,
        "report": run.report,
    }
    assert {name: path / name for name in places} == places
    run.manifest.write_text("{")
    with pytest.raises(RunDirectoryError):
        _ = run.test_module


def test_runs_are_listed_newest_last(output: Path, make: MakeRun) -> None:
    make("b", minute=1)
    make("a", minute=3)
    make("c", minute=2)
    assert [run.run_id for run in list_runs(output)] == ["b", "c", "a"]
    assert list_runs(output / "none") == []


def test_other_folders_are_no_runs(output: Path, make: MakeRun) -> None:
    make("pvt_1")
    (output / "compare" / "report").mkdir(parents=True)
    (output / ".cache").mkdir()
    (output / "silicon").mkdir()
    (output / "silicon" / "metadata.csv").write_text("the user's own")
    (output / "run.json").write_text("{}")
    shutil.copytree(output / "pvt_1", output / ".building-1-pvt_2")
    assert [run.run_id for run in list_runs(output)] == ["pvt_1"]


@pytest.mark.parametrize("damage", ["run.json", "metadata.csv", ".status", "inputs"])
def test_a_run_that_lost_one_thing_is_still_a_run(output: Path, make: MakeRun, damage: str) -> None:
    path = make("pvt_1")
    (path / "inputs").mkdir()
    (path / "inputs" / "plan.json").write_text("")
    lost = path / damage
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    assert is_run_directory(path)
    assert [run.run_id for run in list_runs(output)] == ["pvt_1"]


@pytest.mark.parametrize("text", ["{", "[]", '{"created": 5, "sweep": null}', "\0"])
def test_a_damaged_manifest_costs_only_the_date(output: Path, make: MakeRun, text: str) -> None:
    make("pvt_1")
    (make("pvt_2") / "run.json").write_text(text)
    assert {run.run_id for run in list_runs(output)} == {"pvt_1", "pvt_2"}


class TestLookUp:
    """A path, an exact id, a sweep's newest run, a unique beginning, in this order."""

    def test_path_wins_over_id(self, tmp_path: Path, output: Path, make: MakeRun, monkeypatch: object) -> None:
        make("pvt_1")
        elsewhere = make("pvt_1", folder=tmp_path / "elsewhere")
        here = Path.cwd()
        try:
            os.chdir(tmp_path / "elsewhere")
            assert find_run("pvt_1", output).path == elsewhere
            assert find_run("pvt_1/", output).path == elsewhere
            assert find_run("./pvt_1", output).path == elsewhere
            os.chdir(elsewhere)
            assert find_run(".", output) == RunDirectory(elsewhere)
        finally:
            os.chdir(here)
        assert find_run(str(elsewhere), output).path == elsewhere
        assert find_run("pvt_1", output).path == output / "pvt_1"

    def test_id_wins_over_sweep(self, output: Path, make: MakeRun) -> None:
        make("pvt_old", minute=1)
        make("other", sweep="pvt_old", minute=2)
        assert find_run("pvt_old", output).run_id == "pvt_old"

    def test_a_sweep_means_its_newest_run(self, output: Path, make: MakeRun) -> None:
        make("zz", sweep="pvt", minute=1)
        make("aa", sweep="pvt", minute=2)
        make("pvt_ota_9", sweep="pvt_ota", minute=3)
        assert find_run("pvt", output).run_id == "aa"

    def test_sweep_wins_over_beginning(self, output: Path, make: MakeRun) -> None:
        make("dc_1", sweep="dc")
        make("dc_more_1", sweep="dc_more")
        assert find_run("dc", output).run_id == "dc_1"

    def test_a_unique_beginning(self, output: Path, make: MakeRun) -> None:
        make("pvt_2026")
        make("ota_2026", sweep="ota")
        assert find_run("ot", output).run_id == "ota_2026"

    def test_an_ambiguous_beginning_lists_the_candidates(self, output: Path, make: MakeRun) -> None:
        make("pvt_1")
        make("pvt_2", minute=1)
        with pytest.raises(UsageError, match="beginning of 2 runs") as caught:
            find_run("pv", output)
        assert caught.value.hint == "there are: pvt_1, pvt_2"
        assert caught.value.exit_code == 2

    def test_many_candidates_are_cut(self, output: Path, make: MakeRun) -> None:
        for number in range(25):
            make(f"pvt_{number}", minute=number)
        with pytest.raises(UsageError) as caught:
            find_run("pv", output)
        assert "(5 more)" in caught.value.hint
        assert "pvt_24" in caught.value.hint

    def test_an_unknown_name_says_what_there_is(self, output: Path, make: MakeRun) -> None:
        with pytest.raises(UsageError, match="no run") as caught:
            find_run("x", output)
        assert "no runs yet" in caught.value.hint
        make("pvt_20260101")
        with pytest.raises(UsageError) as caught:
            find_run("pvt_2026010", output / "..")
        with pytest.raises(UsageError) as caught:
            find_run("pvt_20260102", output)
        assert caught.value.hint == "did you mean pvt_20260101?"
        with pytest.raises(UsageError) as caught:
            find_run("x", output)
        assert caught.value.hint == "there are: pvt_20260101"

    @pytest.mark.parametrize("text", ["../pvt_1", "..", "a/b", "/nowhere", "simulations", "x" * 5000, "a\0b"])
    def test_a_path_to_no_run_is_refused(self, output: Path, make: MakeRun, text: str) -> None:
        make("pvt_1")
        with pytest.raises(UsageError):
            find_run(text, output)

    def test_nothing_is_no_name(self, output: Path, make: MakeRun) -> None:
        make("pvt_1")
        with pytest.raises(UsageError, match="empty"):
            find_run("", output)


def test_utc_is_what_dates_are_in() -> None:
    assert new_run_id("a", datetime(2026, 1, 1, tzinfo=UTC)).endswith("_20260101000000")
