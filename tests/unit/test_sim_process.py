from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simorc.simulators.process import RUN_VARIABLE, Finished, ask, kill_orphans, run_process

SHELL = ["/bin/sh", "-c"]


def run(script: str, folder: Path, timeout_s: float = 20) -> Finished:
    return run_process([*SHELL, script], folder, folder / "log", {"PATH": os.environ["PATH"]}, timeout_s)


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> bool:
    for _ in range(500):
        if not is_alive(pid):
            return True
        time.sleep(0.01)
    return False


@pytest.mark.req("SIM-12")
def test_a_process_runs_in_its_folder_with_its_environment_and_no_input(tmp_path: Path) -> None:
    finished = run('cat; echo out; echo err >&2; pwd; echo "$SIMORC_RUN"; exit 3', tmp_path)
    assert finished == Finished(3)
    assert (tmp_path / "log").read_text() == f"out\nerr\n{tmp_path}\n{tmp_path}\n"


def test_a_signal_is_told(tmp_path: Path) -> None:
    assert run("kill -SEGV $$", tmp_path) == Finished(-signal.SIGSEGV)


def test_at_the_time_limit_the_whole_group_is_killed(tmp_path: Path) -> None:
    finished = run("sleep 1000 & echo $! > child; sleep 1000", tmp_path, timeout_s=0.3)
    assert finished.timed_out
    assert wait_until_gone(int((tmp_path / "child").read_text()))


def test_what_a_finished_process_left_behind_is_killed(tmp_path: Path) -> None:
    assert run("sleep 1000 & echo $! > child", tmp_path) == Finished(0)
    assert wait_until_gone(int((tmp_path / "child").read_text()))


def test_an_exception_while_waiting_kills_the_group(tmp_path: Path) -> None:
    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            run("sleep 1000 & echo $! > child; sleep 1000", tmp_path)
    finally:
        signal.signal(signal.SIGALRM, former)
    assert wait_until_gone(int((tmp_path / "child").read_text()))


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run_process(["/nowhere/program"], tmp_path, tmp_path / "log", {}, 1)


def test_orphans_of_a_run_are_killed_and_nobody_else(tmp_path: Path) -> None:
    def start(folder: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sleep", "1000"], env={RUN_VARIABLE: str(folder)})

    orphan, other_case = start(tmp_path / "results" / "1"), start(tmp_path / "results" / "11")
    other_run, unmarked = start(tmp_path / "results2" / "1"), subprocess.Popen(["sleep", "1000"], env={})
    everybody = (orphan, other_case, other_run, unmarked)
    try:
        assert kill_orphans(tmp_path, tmp_path / "results" / "1") == [orphan.pid]
        assert orphan.wait(20) == -signal.SIGKILL
        assert kill_orphans(tmp_path) == [other_case.pid]
        assert other_case.wait(20) == -signal.SIGKILL
        assert (other_run.poll(), unmarked.poll()) == (None, None)
        assert kill_orphans(tmp_path) == []
    finally:
        for process in everybody:
            process.kill()
            process.wait()


def test_the_caller_itself_is_no_orphan(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from simorc.simulators.process import kill_orphans; print(kill_orphans(Path('.')))"
    )
    environment = os.environ | {RUN_VARIABLE: str(tmp_path / "results")}
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert said.stdout == "[]\n"


def test_a_command_is_asked_for_what_it_says() -> None:
    assert ask([*SHELL, "echo out; echo err >&2; exit 2"]) == (2, "out\nerr\n")
    with pytest.raises(subprocess.TimeoutExpired):
        ask(["sleep", "1000"], timeout_s=0.1)


def test_a_simulator_whose_worker_is_gone_ends_by_its_cpu_time(tmp_path: Path) -> None:
    """The kernel keeps the limit, so that nobody needs to be left to look at the clock."""
    script = "import resource; print(resource.getrlimit(resource.RLIMIT_CPU)[0])"
    wait = "import time; time.sleep(0.3)\n"
    run_process([sys.executable, "-c", wait + script], tmp_path, tmp_path / "log", dict(os.environ), 7.0)
    assert int((tmp_path / "log").read_text()) == 12 * (os.cpu_count() or 1)
