"""What the table in `simorc.simulators.versions` says of ngspice, asked of the one that is installed."""

from __future__ import annotations

import os
import select
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.ngspice

RC = "* low pass\nv1 in 0 dc 1 ac 1\nr1 in out 1k\nc1 out 0 1n\n"
MEASURES = ".meas ac gain find vdb(out) at=10k\n.meas dc half find v(out) at=0.5\n"


def said(folder: Path, text: str, *arguments: str, **environment: str) -> str:
    (folder / "deck").write_text(text)
    command = ["ngspice", "-b", *arguments, "deck"]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout + done.stderr


def control(*commands: str) -> str:
    return "\n".join([".control", *commands, "quit", ".endc", ".end", ""])


def told(folder: Path, *commands: str) -> str:
    """What an ngspice in pipe mode writes to its log; every command one line."""
    (folder / "rc").write_text(RC + ".end\n")
    (folder / "hot").write_text(RC + ".option temp=85\n.end\n")
    (folder / "broken").write_text(RC + "r9 out 0 {nope}\n.end\n")
    subprocess.run(
        ["ngspice", "-p", "-o", "log"],
        cwd=folder,
        input="\n".join([*commands, "quit", ""]),
        text=True,
        check=False,
        timeout=60,
        capture_output=True,
    )
    return (folder / "log").read_text()


def test_pipe_mode_tells_a_fifo_when_everything_before_is_in_the_log(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "done")
    end = os.open(tmp_path / "done", os.O_RDWR | os.O_NONBLOCK)
    (tmp_path / "rc").write_text(RC + ".end\n")
    with subprocess.Popen(["ngspice", "-p", "-o", "log"], cwd=tmp_path, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write("source rc\nop\nprint v(out)\necho 7 > done\n")
        process.stdin.flush()
        assert select.select([end], [], [], 30)[0]
        assert os.read(end, 10) == b"7\n"
        assert "v(out) = 1.000000e+00" in (tmp_path / "log").read_text()
        process.stdin.write("quit\n")
    os.close(end)


def test_plots_are_numbered_by_one_counter_that_destroying_them_begins_anew(tmp_path: Path) -> None:
    log = told(
        tmp_path,
        "source rc",
        "ac dec 1 1 10",
        "ac dec 1 1 10",
        "op",
        "echo 1: $plots",
        "destroy all",
        "op",
        "echo 2: $plots",
    )
    assert "1: const ac1 ac2 op2\n" in log
    assert "2: const op1\n" in log


def test_commands_on_one_line_run_in_turn_but_their_variables_are_filled_in_first(tmp_path: Path) -> None:
    log = told(
        tmp_path, "set a = old", "source rc;op;echo plots: $plots;set a = new;echo a: $a", "echo then: $a $plots"
    )
    assert "plots: const\n" in log
    assert "a: old\n" in log
    assert "then: new const op1\n" in log


def test_options_of_a_circuit_go_with_it(tmp_path: Path) -> None:
    log = told(tmp_path, "source hot", "op", "destroy all", "remcirc", "source rc", "op")
    assert [line.split()[5] for line in log.splitlines() if line.startswith("Doing analysis")] == [
        "85.000000",
        "27.000000",
    ]


def test_pipe_mode_asks_about_an_undefined_parameter_and_takes_a_command_for_the_answer(tmp_path: Path) -> None:
    assert "Run Spice anyway? y/n ?" in told(tmp_path, "source broken", "op")


def test_the_only_vector_of_a_plot_loses_its_name(tmp_path: Path) -> None:
    told(tmp_path, "source rc", "save v(out)", "op", "write one.raw op1.all", "write two.raw")
    assert b"v(op1.all)" in (tmp_path / "one.raw").read_bytes()
    assert b"v(all)" in (tmp_path / "two.raw").read_bytes()


def test_run_evaluates_the_measures_of_the_last_analysis_alone(tmp_path: Path) -> None:
    log = said(tmp_path, RC + ".ac dec 10 1k 1meg\n.dc v1 0 1 0.1\n" + MEASURES + control("run"))
    assert ("gain  " in log, "half  " in log) == (True, False) or ("gain  " in log, "half  " in log) == (False, True)


def test_an_analysis_as_a_command_evaluates_its_measures(tmp_path: Path) -> None:
    log = said(tmp_path, RC + MEASURES + control("ac dec 10 1k 1meg", "dc v1 0 1 0.1"))
    assert "gain  " in log
    assert "half  " in log


def test_batch_mode_alone_runs_no_ac_analysis(tmp_path: Path) -> None:
    assert "gain  " not in said(tmp_path, RC + ".ac dec 10 1k 1meg\n" + MEASURES + ".end\n")


def test_the_last_option_and_the_first_seed_count(tmp_path: Path) -> None:
    options = ".option temp=50\n.option temp=80\n"
    assert "TEMP = 80.0" in said(tmp_path, RC + options + control("op"))
    random = "* r\nv1 a 0 {agauss(1,0.1,1)}\nr1 a 0 1k\n"
    drawn = [
        said(tmp_path, random + seeds + control("op", "print v(a)")).partition("v(a) = ")[2][:12]
        for seeds in (".option seed=3\n", ".option seed=3\n.option seed=5\n", ".option seed=5\n")
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_vector_as_text_has_six_digits(tmp_path: Path) -> None:
    log = said(tmp_path, RC + ".csparam x=1.23456789\n" + control('echo "<$&x>"'))
    assert "<1.23457>" in log


def test_the_environment_sets_the_digits_of_param_measures(tmp_path: Path) -> None:
    text = RC + ".meas ac gain find vdb(out) at=10k\n.meas ac same param='gain'\n" + control("ac dec 10 1k 1meg")
    log = said(tmp_path, text, NGSPICE_MEAS_PRECISION="16")
    assert "=  -1.711150e-02" in log
    assert "=  -1.71115043445" in log


def test_a_second_evaluation_of_a_param_measure_repeats_the_first(tmp_path: Path) -> None:
    measures = ".meas dc a find v(out) at=0.5\n.meas dc b param='a*2'\n"
    text = RC + "r2 out 0 1k\n" + measures + control("dc v1 0 1 0.1", "alter r2=3k", "dc v1 0 1 0.1")
    log = said(tmp_path, text)
    assert log.count("=  5.00000e-01") == 2
    assert 's = ".meas dc b param=' in log


def test_output_to_a_file_is_in_order_line_by_line(tmp_path: Path) -> None:
    said(tmp_path, RC + control("echo one", "nosuchcommand", "echo two"), "-o", "log")
    log = (tmp_path / "log").read_text()
    assert log.index("one") < log.index("nosuchcommand") < log.index("two")


def test_the_init_file_of_the_folder_hides_that_of_the_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".spiceinit").write_text("echo FROM HOME\n")
    assert "FROM HOME" in said(tmp_path, RC + control("op"), HOME=str(home))
    (tmp_path / ".spiceinit").write_text("echo FROM HERE\n")
    log = said(tmp_path, RC + control("op"), HOME=str(home))
    assert "FROM HERE" in log
    assert "FROM HOME" not in log


def test_source_takes_a_plain_file_for_a_netlist(tmp_path: Path) -> None:
    (tmp_path / "more").write_text("echo FROM MORE\n")
    assert "Circuit: echo FROM MORE" in said(tmp_path, RC + control("source more"))


def test_write_says_nothing_of_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "x.raw").symlink_to("/dev/full")
    log = said(tmp_path, RC + control("ac dec 10 1k 1meg", "write x.raw"))
    assert "No space" not in log
