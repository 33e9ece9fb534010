from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from simorc.core.case import Case
from simorc.core.errors import CaseError, ErrorKind, ToolMissingError, UsageError
from simorc.core.plan import SimulatorSettings
from simorc.core.protocols import Deck, SimulationResult
from simorc.simulators import ngspice as room
from simorc.simulators.ngspice import Ngspice

pytestmark = pytest.mark.ngspice

RC = """* low pass
v1 in 0 dc 1 ac 1 pulse(0 1 1n 1n 1n 5u 10u)
r1 in out 1k
c1 out 0 1n
"""
ALL = """.ac dec 10 1k 1meg
.dc v1 0 1 0.1
.tran 10n 5u
.op
.noise v(out) v1 dec 10 1k 1meg
.meas ac gain find vdb(out) at=10k
.meas dc half find v(out) at=0.5
.meas tran settled find v(out) at=4u
"""
HANG = "* never ends\n.control\nwhile 1\nend\n.endc\n"


def run(
    text: str,
    folder: Path,
    *,
    options: dict[str, str] | None = None,
    settings: SimulatorSettings | None = None,
    seed: int = 1,
    timeout_s: float = 60,
) -> SimulationResult:
    simulator = Ngspice(settings or SimulatorSettings())
    folder.mkdir(parents=True, exist_ok=True)
    deck = simulator.prepare(text, Case(0, {}, (), seed), options or {})
    result = simulator.run(deck, folder, timeout_s)
    again = simulator.read(folder)
    assert (again.values, again.messages, str(again.error)) == (result.values, result.messages, str(result.error))
    simulator.close()
    return result


def failed(result: SimulationResult) -> CaseError:
    assert result.error is not None
    return result.error


@pytest.mark.req("SIM-12")
def test_a_plain_deck_gives_measures_and_waves_of_every_analysis(tmp_path: Path) -> None:
    result = run(RC + ALL, tmp_path)
    assert result.error is None
    assert result.values["gain"] == pytest.approx(-10 * np.log10(1 + (2 * np.pi * 1e4 * 1e-6) ** 2), rel=1e-6)
    assert result.values["half"] == 0.5
    assert result.values["settled"] == pytest.approx(1 - np.exp(-4), rel=1e-3)
    assert [plot.kind for plot in result.waves] == ["ac", "dc", "tran", "op", "noise", "noise_total"]
    assert {path.name for path in tmp_path.iterdir()} == {"netlist.spice", ".spiceinit", "ngspice.log", "results.raw"}


def test_measures_agree_with_the_waves_to_the_last_digit(tmp_path: Path) -> None:
    result = run(RC + ".ac dec 10 1k 1meg\n.meas ac top find vm(out) at=1k\n.meas ac sum param='top*2'\n", tmp_path)
    exact = abs(result.waves["out"][0])
    assert result.values["top"] == pytest.approx(exact, rel=1e-15)
    assert result.values["sum"] == pytest.approx(2 * exact, rel=1e-15)


@pytest.mark.req("SIM-12")
def test_the_deck_runs_by_hand_the_same_way(tmp_path: Path) -> None:
    result = run(RC + ALL, tmp_path)
    waves = {name: np.array(vector) for name, vector in result.waves.plot("tran").vectors.items()}
    (tmp_path / "results.raw").rename(tmp_path / "first.raw")
    subprocess.run(["ngspice", "-b", "netlist.spice"], cwd=tmp_path, capture_output=True, check=True)
    again = Ngspice(SimulatorSettings()).read(tmp_path)
    for name, vector in again.waves.plot("tran").vectors.items():
        assert np.array_equal(vector, waves[name])
    raw = [re.sub(rb"Date: .*", b"", (tmp_path / name).read_bytes()) for name in ("first.raw", "results.raw")]
    assert raw[0] == raw[1]


@pytest.mark.parametrize("ending", ["", ".end\n", ".END"])
def test_a_deck_needs_no_end(tmp_path: Path, ending: str) -> None:
    assert run(RC + ALL + ending, tmp_path).values["half"] == 0.5


def test_expressions_are_arguments_of_analyses(tmp_path: Path) -> None:
    text = RC + ".param f=2meg n=5 step=0.25\n.dc v1 0 {4*step} 'step'\n.ac dec {n} 1k {f/2}\n"
    result = run(text + ".meas ac gain find vm(out) at=1k\n.meas dc half find v(out) at=0.5\n", tmp_path)
    assert result.waves.plot("ac").x[-1] == pytest.approx(1e6)
    assert len(result.waves.plot("dc")) == 5
    assert result.values.keys() == {"gain", "half"}


def test_own_control_blocks_run_with_and_without_quit_and_write(tmp_path: Path) -> None:
    block = ".control\nac dec 10 1k 1meg\nmeas ac gain find vdb(out) at=10k\n{}\n.endc\n"
    for number, ending in enumerate(("quit", "", "write mine.raw", "write mine.raw\nquit")):
        result = run(RC + ".ac dec 5 1 10\n" + block.format(ending), tmp_path / str(number))
        assert (result.error, list(result.values)) == (None, ["gain"])
        assert len(result.waves) == (0 if ending == "quit" else 1)


def test_a_control_block_that_only_sets_things_up_is_followed_by_the_analyses(tmp_path: Path) -> None:
    result = run(RC + ALL + ".control\nsave v(out)\n.endc\n", tmp_path)
    assert result.values["half"] == 0.5
    assert "v(in)" not in result.waves.plot("ac")


def test_a_measure_fails_and_the_others_stand(tmp_path: Path) -> None:
    result = run(RC + ALL + ".meas tran never when v(out)=7\n", tmp_path)
    assert (result.error, result.values["never"], result.values["half"]) == (None, None, 0.5)
    assert "out of interval" in result.messages["never"]


def test_the_seed_of_the_case_draws_the_numbers(tmp_path: Path) -> None:
    text = "* random\nv1 a 0 {agauss(1,0.1,1)}\nr1 a 0 1k\n.dc v1 0 1 1\n.op\n"

    def drawn(name: str, seed: int, extra: str = "") -> float:
        return float(run(text + extra, tmp_path / name, seed=seed).waves.plot("op")["a"][0])

    assert drawn("a", 3) == drawn("b", 3) != drawn("c", 4)
    assert drawn("d", 4, ".option seed=3\n") == drawn("a2", 3)


def test_options_of_a_retry_win_over_the_decks_own(tmp_path: Path) -> None:
    text = RC + ".options temp=50 reltol=1e-3\n.op\n.control\nop\noption\n.endc\n"
    result = run(text, tmp_path, options={"temp": "80", "method": "gear"})
    log = result.log.read_text()
    assert "TEMP = 80.000000" in log
    assert "Integration Method = GEAR" in log
    assert "reltol      (current) = 0.001" in log


@pytest.mark.req("SIM-12")
def test_the_users_init_file_is_read_only_where_the_setup_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".spiceinit").write_text("echo FROM HOME\nset ngbehavior=hsa\n")
    monkeypatch.setenv("HOME", str(home))
    plain = run(RC + ".op\n", tmp_path / "plain")
    assert "FROM HOME" not in plain.log.read_text()
    sourced = run(RC + ".op\n", tmp_path / "own", settings=SimulatorSettings(init=("source ~/.spiceinit", "echo MORE")))
    log = sourced.log.read_text()
    assert log.index("FROM HOME") < log.index("MORE")
    assert "Compatibility modes selected: hs" in log
    assert (tmp_path / "own" / ".spiceinit").read_text().splitlines() == [
        "set num_threads=1",
        f"* from {home}/.spiceinit",
        "echo FROM HOME",
        "set ngbehavior=hsa",
        "echo MORE",
    ]


def test_an_init_file_that_is_not_there_is_told() -> None:
    simulator = Ngspice(SimulatorSettings(init=("source /nowhere/init",)))
    with pytest.raises(UsageError, match="/nowhere/init"):
        simulator.prepare(RC, Case(0, {}, ()), {})


def test_the_process_has_one_thread_and_is_marked(tmp_path: Path) -> None:
    log = run(RC + ".control\nop\nshell env\necho threads $num_threads\n.endc\n", tmp_path).log.read_text()
    assert "OMP_WAIT_POLICY=passive" in log
    assert "OMP_NUM_THREADS=1" in log
    assert f"SIMORC_RUN={tmp_path}" in log
    assert "threads 1" in log


def test_a_hanging_deck_costs_its_time_limit_and_says_so(tmp_path: Path) -> None:
    error = failed(run(HANG, tmp_path, timeout_s=0.5))
    assert error.kind is ErrorKind.TIMEOUT
    assert error.what == "no result after 0.5 s; ngspice was killed"
    assert error.where == f"{tmp_path.parent.name}/{tmp_path.name}/ngspice.log"
    assert "timeout_s" in error.hint


def test_what_a_deck_starts_ends_with_it(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("sleep 1000 & echo $! > child")
    run(RC + ".control\nop\nshell sh ./script\n.endc\n", tmp_path)
    pid = int((tmp_path / "child").read_text())
    for _ in range(500):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or " Z " in state.read_text():
            break
        time.sleep(0.01)
    else:
        pytest.fail("the child is still alive")


def test_a_killed_simulator_is_told(tmp_path: Path) -> None:
    (tmp_path / "script").write_text(
        "p=$PPID\nuntil grep -q ngspice /proc/$p/comm; do p=$(cut -d ' ' -f 4 /proc/$p/stat); done\nkill -9 $p\n"
    )
    error = failed(run(RC + ".control\nshell sh ./script\n.endc\n", tmp_path))
    assert (error.kind, error.what) == (ErrorKind.KILLED, "ngspice ended by signal 9 (SIGKILL)")


def test_a_truncated_raw_file_is_an_error_and_never_a_number(tmp_path: Path) -> None:
    run(RC + ".ac dec 10 1k 1meg\n", tmp_path)
    raw = tmp_path / "results.raw"
    raw.write_bytes(raw.read_bytes()[:-8])
    error = failed(Ngspice(SimulatorSettings()).read(tmp_path))
    assert "8 bytes are missing" in error.what
    assert error.where.endswith("results.raw")
    raw.write_bytes(b"")
    assert "empty" in failed(Ngspice(SimulatorSettings()).read(tmp_path)).what


def test_a_raw_file_cut_by_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(RC + ".ac dec 10 1k 1meg\n", tmp_path)
    raw = tmp_path / "results.raw"
    raw.write_bytes(raw.read_bytes()[:-8])
    monkeypatch.setattr(room, "_is_full", lambda folder: True)
    assert failed(Ngspice(SimulatorSettings()).read(tmp_path)).kind is ErrorKind.DISK_FULL


def test_a_disk_that_is_full_before_the_start_is_told(tmp_path: Path) -> None:
    (tmp_path / "netlist.spice").symlink_to("/dev/full")
    simulator = Ngspice(SimulatorSettings())
    error = failed(simulator.run(simulator.prepare(RC, Case(0, {}, ()), {}), tmp_path, 10))
    assert error.kind is ErrorKind.DISK_FULL
    assert os.strerror(errno.ENOSPC) in error.what


def test_a_log_cut_by_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = run(RC + ALL, tmp_path).log
    log.write_text(log.read_text()[:200])
    simulator = Ngspice(SimulatorSettings())
    assert simulator.read(tmp_path).error is None
    monkeypatch.setattr(room, "_is_full", lambda folder: True)
    assert failed(simulator.read(tmp_path)).kind is ErrorKind.DISK_FULL


def test_of_an_endless_log_beginning_and_end_are_read(tmp_path: Path) -> None:
    error = failed(run(RC + ".control\nop\nprint v(out)\nwhile 1\necho endless\nend\n.endc\n", tmp_path, timeout_s=1))
    assert error.kind is ErrorKind.TIMEOUT
    with (tmp_path / "ngspice.log").open("ab") as log:
        log.truncate(1 << 34)  # a hole, which takes no room
    result = Ngspice(SimulatorSettings()).read(tmp_path)
    assert result.values == {"v(out)": 1.0}


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_deck(tmp_path: Path) -> None:
    simulator = Ngspice(SimulatorSettings())
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OSError, match="File exists"):
        simulator.run(simulator.prepare(RC, Case(0, {}, ()), {}), tmp_path / "taken", 10)


def test_a_folder_without_a_log_has_no_result(tmp_path: Path) -> None:
    with pytest.raises(CaseError) as caught:
        Ngspice(SimulatorSettings()).read(tmp_path)
    assert caught.value.kind is ErrorKind.LOST


def test_the_waves_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    result = run(RC + ".op\n", tmp_path)
    shutil.copy(tmp_path / "results.raw", tmp_path / "kept")
    (tmp_path / "results.raw").unlink()
    with pytest.raises(FileNotFoundError):
        len(result.waves)
    (tmp_path / "kept").rename(tmp_path / "results.raw")
    assert result.waves.plot("op")["out"].tolist() == [1.0]


def test_the_version_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    simulator = Ngspice(SimulatorSettings())
    name = simulator.version()
    assert name.startswith("ngspice-")
    monkeypatch.setenv("PATH", "/nowhere")
    assert simulator.version() == name


def test_a_missing_ngspice_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for call in (lambda s: s.version(), lambda s: s.run(Deck(RC), tmp_path, 1)):
        with pytest.raises(ToolMissingError) as caught:
            call(Ngspice(SimulatorSettings()))
        assert "apt-get install ngspice" in caught.value.hint
        assert caught.value.exit_code == 3


def test_cases_keep_the_order_of_their_rows() -> None:
    simulator = Ngspice(SimulatorSettings())
    assert [simulator.order_key(Case(k, {}, ())) for k in (0, 10, 2)] == [(0,), (10,), (2,)]
