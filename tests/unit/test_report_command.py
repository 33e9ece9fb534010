"""`simorc plot` and `open_run` on a run directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace

import simorc
from simorc.commands.build import BuildOptions, build
from simorc.commands.plot import plot
from simorc.core.errors import ConfigError, ErrorKind, RunDirectoryError, UsageError
from simorc.core.measurement import Measure
from simorc.core.plan import Plan, PlotSpec
from simorc.core.record import CaseRecord, Status
from simorc.core.spec import Spec
from simorc.core.waveforms import Plot, Waveforms
from simorc.report.load import judged_by, report_data, waveform_reader
from simorc.report.opened_run import open_run
from simorc.workspace.gather import look
from simorc.workspace.layout import RunDirectory
from simorc.workspace.lock import run_lock
from simorc.workspace.plan_file import write_plan
from simorc.workspace.status_store import write_record

Record = Callable[..., CaseRecord]
pytestmark = pytest.mark.req("SIM-16")


@pytest.fixture
def run(ws_run: RunDirectory, ws_record: Record) -> RunDirectory:
    """Six cases: four completed, one of them out of spec, one failed, one pending."""
    for case_id in range(3):
        write_record(ws_run, ws_record(case_id))
    write_record(ws_run, ws_record(3, vout=3.4))
    failed = ws_record(4, Status.FAILED, error_kind=ErrorKind.TIMEOUT, error_message="longer than 300 s")
    write_record(ws_run, failed)
    return ws_run


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def page(run: RunDirectory) -> str:
    return (run.report / "index.html").read_text(encoding="utf-8")


def test_plot_prints_the_path_of_the_page_alone(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    assert plot(str(run.path), None) == 0
    printed = capsys.readouterr().out
    assert printed == f"{run.report / 'index.html'}\n"
    assert ">FAIL</h2>" in page(run)
    assert (run.report / "p.png").read_bytes().startswith(b"\x89PNG")
    assert (run.report / "p.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_plot_finds_a_run_by_its_sweep(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.path.parent.parent)
    assert plot("pvt", None) == 0


def test_plot_gathers_first(run: RunDirectory) -> None:
    plot(str(run.path), None)
    assert "3,completed" in run.metadata.read_text(encoding="utf-8")
    assert "fail" in run.results_csv.read_text(encoding="utf-8")
    assert run.aggregates.exists()


def test_an_active_run_is_plotted_without_gathering(run: RunDirectory) -> None:
    before = run.metadata.read_text(encoding="utf-8")
    with run_lock(run):
        assert plot(str(run.path), None) == 0
    assert run.metadata.read_text(encoding="utf-8") == before
    assert "case-3" in page(run)


def test_results_parquet_has_the_columns_of_results_csv(run: RunDirectory) -> None:
    plot(str(run.path), None)
    parquet = pd.read_parquet(run.path / "results.parquet")
    assert list(parquet.columns) == list(pd.read_csv(run.results_csv).columns)
    assert parquet["vout"].tolist()[:4] == [3.3, 3.3, 3.3, 3.4]
    assert parquet["vin"].dtype == "float64"


def test_tables_beside_the_page(run: RunDirectory) -> None:
    plot(str(run.path), None, formats=["md", "csv"])
    assert "FAIL" in (run.report / "report.md").read_text(encoding="utf-8")
    assert len(pd.read_csv(run.report / "results.csv")) == 6


@pytest.mark.parametrize(("specs", "formats"), [("frozen", ["ods"]), ("frozen", ["md", "xls"]), ("latest", [])])
def test_unknown_formats_and_specs_are_refused_before_anything_is_made(
    run: RunDirectory, specs: str, formats: list[str]
) -> None:
    with pytest.raises(UsageError, match=r"no (format|specs)"):
        plot(str(run.path), None, specs, formats)
    assert not run.report.exists()


def test_an_unknown_run_is_refused(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.path.parent.parent)
    with pytest.raises(UsageError, match="no run"):
        plot("nonsense", None)


def test_a_damaged_run_is_found_by_its_path_outside_any_project(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    run.metadata.unlink()
    for opens in (lambda: plot(str(run.path), None), lambda: open_run(run.path)):
        with pytest.raises(RunDirectoryError, match="cannot read the table of cases"):
            opens()


def test_an_empty_text_is_not_the_run_one_stands_in(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.path)
    with pytest.raises(UsageError, match="names no run"):
        plot("", None)


def test_plots_of_an_earlier_report_go_and_a_person_s_own_files_stay(run: RunDirectory, ws_plan: Plan) -> None:
    run.report.mkdir()
    for name in ("mine.png", "mine.svg", "tests.html"):
        (run.report / name).write_text("mine")
    write_plan(run, replace(ws_plan, plot_specs=(PlotSpec("former", x="vin", y=("vout",)),)))
    plot(str(run.path), None)
    assert {"former.png", "former.svg"} <= names(run.report)
    write_plan(run, ws_plan)
    for _ in range(2):
        plot(str(run.path), None)
        assert names(run.report) - {".plots"} == {
            "corners.yaml",
            "index.html",
            "mine.png",
            "mine.svg",
            "p.png",
            "p.svg",
            "tests.html",
        }


def test_a_list_of_plots_deletes_nothing_elsewhere(run: RunDirectory) -> None:
    run.report.mkdir()
    for path in (run.path / "mine.png", run.report / "notes.txt"):
        path.write_text("mine")
    (run.report / ".plots").write_text(f"../mine.png\nnotes.txt\n{run.path / 'mine.png'}\ngone.png\n\n")
    plot(str(run.path), None)
    assert (run.path / "mine.png").exists()
    assert (run.report / "notes.txt").exists()


def test_a_report_that_cannot_be_written_is_an_error_that_names_it(run: RunDirectory) -> None:
    run.report.write_text("a file where the folder should be")
    with pytest.raises(RunDirectoryError, match="report"):
        plot(str(run.path), None)


def test_failed_cases_lead_to_their_log(run: RunDirectory) -> None:
    run.result_folder(4).mkdir(parents=True)
    (run.result_folder(4) / "ngspice.log").write_text("…")
    plot(str(run.path), None)
    assert 'href="../results/4/ngspice.log"' in page(run)


def test_todays_specs_judge_in_memory(run: RunDirectory, ws_plan: Plan) -> None:
    wider = tuple(replace(m, spec=Spec(3.0, 3.3, 3.6), corner_specs={}) for m in ws_plan.measures if m.name == "vout")
    gathered = look(run)
    today = replace(gathered.plan, measures=(*wider, Measure("new", "A", Spec(max=1.0))))
    data = report_data(run, judged_by(gathered, today))
    assert data.tally.out_of_spec == 0
    assert look(run).tally.out_of_spec == 1
    assert data.measurement(3, "vout") is not None
    assert data.measurement(3, "new") is None
    assert any("today's project" in note for note in data.notes)


def test_specs_current_reads_the_project_of_today(tmp_path: Path) -> None:
    config = "template: tb.spice.j2\nparameters: {vin: 1.0}\nmeasures: {vout: {unit: V, spec: {max: %s}}}\n"
    (tmp_path / "sim_setup.yaml").write_text("testbenches: {tb: ./tb}\nsweeps: {s: ./s.yaml}\n")
    (tmp_path / "s.yaml").write_text("testbench: tb\nparameters: {vin: [1.0, 2.0]}\n")
    (tmp_path / "tb").mkdir()
    (tmp_path / "tb" / "tb.spice.j2").write_text("* {{ parameters.vin }}\n.end\n")
    (tmp_path / "tb" / "config.yaml").write_text(config % "1.5")
    build("s", BuildOptions(setup=tmp_path / "sim_setup.yaml", run_id="r"))
    run = RunDirectory(tmp_path / "simulations" / "r")
    (tmp_path / "tb" / "config.yaml").write_text(config % "2.5")
    plot(str(run.path), None)
    assert "1.5 V" in page(run)
    assert "2.5 V" not in page(run)
    plot(str(run.path), None, "current")
    assert "2.5 V" in page(run)
    assert "1.5 V" not in page(run)
    (tmp_path / "tb" / "config.yaml").write_text("parameters: 3\n")
    with pytest.raises(ConfigError):
        plot(str(run.path), None, "current")


def test_open_run_in_a_notebook(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.path.parent.parent)
    opened = simorc.open_run("pvt")
    assert opened.run_id == run.run_id
    assert opened.results["vout"].tolist()[:4] == [3.3, 3.3, 3.3, 3.4]
    assert opened.case(3).parameters["corner"] == "ff, hot"
    assert opened.record(5) is None
    assert len(opened) == 6
    assert opened.verdict == "fail"
    assert opened.aggregates["name"].tolist() == ["spread"]
    assert opened.specs["measure"].tolist()[0] == "vout"
    assert opened.worst["case_id"].tolist() == [3]
    assert opened.failures["error_kind"].tolist() == ["timeout"]
    assert opened.failing["measure"].tolist()[-1] == "vout"
    assert opened.statistics["n"].tolist()[0] == 4
    assert "corner" in opened.sensitivity["axis"].tolist()
    assert repr(opened) == f"<run {run.run_id}: fail, 4 of 6 cases completed, 1 out of spec, 1 failed>"


def test_open_run_shows_itself_as_html(run: RunDirectory) -> None:
    html = open_run(run.path)._repr_html_()
    assert "<b style=" in html
    assert "FAIL" in html
    assert "<table" in html


def test_open_run_writes_nothing(run: RunDirectory) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    opened = open_run(run.path)
    assert len(opened.results) == 6
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*")} == before


def test_a_case_that_does_not_exist(run: RunDirectory) -> None:
    opened = open_run(run.path)
    for look_up in (opened.case, opened.record, opened.waveforms):
        with pytest.raises(UsageError, match="no case 6"):
            look_up(6)


def test_waveforms_of_a_case_that_kept_no_files(run: RunDirectory) -> None:
    with pytest.raises(UsageError, match="case 5 has no result files"):
        open_run(run.path).waveforms(5)


def test_waveforms_come_from_the_simulator_that_the_plan_names(
    run: RunDirectory, ws_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Reader:
        def __init__(self, settings: object) -> None: ...

        def read(self, folder: Path) -> object:
            plot = Plot("Transient", "tran", {"time": np.arange(3.0), "v(out)": np.full(3, 3.3)}, {}, "time")
            return type("Result", (), {"waves": Waveforms([plot])})

    monkeypatch.setattr("simorc.report.load.simulator_class", lambda name: Reader)
    run.result_folder(2).mkdir(parents=True, exist_ok=True)
    assert waveform_reader(run, ws_plan)(2)["out"].tolist() == [3.3, 3.3, 3.3]
