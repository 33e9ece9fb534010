"""`simorc bench list`, `query`, `check` and `serve`'s arguments; `simorc pause`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import bench_project
import pytest

from simorc.commands.bench import bench_check, bench_list, bench_query
from simorc.commands.bench_serve import bench_serve
from simorc.commands.pause import pause, resume
from simorc.core.errors import ExitCode, SimorcError, ToolMissingError, UsageError

pytestmark = pytest.mark.req("DVT-13")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    bench_project.write_project(folder)
    monkeypatch.chdir(folder)
    return folder


def change(folder: Path, old: str, new: str) -> None:
    path = folder / "benches" / "virtual.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_list_names_benches_and_instruments(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_list(None, False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "virtual (simulated), parts: tt, ff, ss"
    assert lines[1].split() == ["psu", "keysight_e36312a"]
    bench_list(None, True)
    (bench,) = json.loads(capsys.readouterr().out)
    assert [i["name"] for i in bench["instruments"]] == list(bench_project.INSTRUMENTS)


def test_list_without_benches(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "sim_setup.yaml").write_text("output: ./runs\n")
    assert bench_list(None, False) == 0
    assert "no benches" in capsys.readouterr().err


def test_a_query_prints_the_reply_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_query("dmm", "*IDN?", None, None) == 0
    said = capsys.readouterr()
    assert re.fullmatch(r"Keysight Technologies,34461A,MY532\d{5},[\w.-]+\n", said.out)
    assert said.err == ""


def test_what_the_instrument_refuses_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_query("dmm", "NONSENSE", None, None) == ExitCode.NOT_IN_SPEC
    assert "-113" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("psu", "VOLT 9,(@2)", "the voltage would be 9 V, the bench's limit is 7 V"),
        ("psu", ":source:voltage:level:immediate:amplitude 9", "7 V"),
        ("psu", "volt 5;volt 9", "7 V"),
        ("psu", "CURR 1,(@1:3)", "limit is 0.15 A"),
        ("load", "MODE C;A 2", "limit is 0.15 A"),
        ("chamber", "SETP 200", "limit is 130 degC"),
        ("psu", "FROB 1", "not sent"),
        ("psu", "VOLT MAX", "not sent"),
    ],
)
def test_what_the_limits_forbid_is_refused(project: Path, name: str, text: str, why: str) -> None:
    with pytest.raises(SimorcError) as caught:
        bench_query(name, text, None, None)
    assert caught.value.exit_code == ExitCode.USAGE
    assert "was not sent" in caught.value.what
    assert why in caught.value.what


def test_a_query_of_an_unknown_instrument(project: Path) -> None:
    with pytest.raises(UsageError) as caught:
        bench_query("dmn", "*IDN?", None, None)
    assert caught.value.hint == "did you mean 'dmm'?"


def test_check_passes_and_leaves_the_bench_safe(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_check(None, None) == 0
    said = capsys.readouterr().out
    assert "FAIL" not in said
    for words in ("identity", "error queue", "output 1 follows", "safe state", "read back off"):
        assert words in " ".join(said.split())


@pytest.mark.parametrize(
    ("fault", "instrument", "words"),
    [("sensor_open", "chamber", "reads"), ("error_queue_full", "dmm", "error queue")],
)
def test_check_tells_what_is_wrong(
    project: Path, capsys: pytest.CaptureFixture[str], fault: str, instrument: str, words: str
) -> None:
    change(project, "seed: 1", f"faults: [{{fault: {fault}, instrument: {instrument}}}]\n  seed: 1")
    assert bench_check(None, None) == ExitCode.NOT_IN_SPEC
    failed = [line for line in capsys.readouterr().out.splitlines() if "FAIL" in line]
    assert any(instrument in line for line in failed)


def test_check_tells_an_overdue_calibration(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(project, "calibration_due: 2027-05-02", "calibration_due: 2020-05-02")
    assert bench_check(None, None) == ExitCode.NOT_IN_SPEC
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "FAIL" in line]
    assert "chamber" in line
    assert "2020-05-02" in line


def test_check_of_a_bench_that_is_not_there(project: Path) -> None:
    (project / "benches" / "real.yaml").write_text(
        "instruments: {dmm: {driver: scpi_dmm, timeout_s: 1, resource: 'TCPIP::127.0.0.1::1::SOCKET'}}\n"
    )
    bench_project.write_setup(project, "virtual", "real")
    with pytest.raises(ToolMissingError, match=r"cannot be reached|does not answer"):
        bench_check("real", None)


@pytest.mark.parametrize("ports", ["x", "0", "5025,5026", "70000", ""])
def test_serve_refuses_ports_that_are_none(project: Path, ports: str) -> None:
    with pytest.raises(UsageError, match="--ports"):
        bench_serve(None, None, ports, None, True)


def test_only_an_active_run_can_pause(project: Path) -> None:
    from simorc.commands.build import BuildOptions, build

    build("small", BuildOptions(run_id="r"))
    for command in (pause, resume):
        with pytest.raises(UsageError, match="not active"):
            command("r", None)
