"""The fast way gives what a plain `ngspice -b` gives on the untouched deck, bit for bit; also after trouble."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simorc.core.case import Case
from simorc.core.errors import ErrorKind
from simorc.core.plan import SimulatorSettings
from simorc.core.protocols import SimulationResult
from simorc.simulators import fast_ngspice, ngspice_session
from simorc.simulators.fast_ngspice import FastNgspice
from simorc.simulators.ngspice import Ngspice

pytestmark = [pytest.mark.ngspice, pytest.mark.req("SIM-12")]
CORPUS = Path(__file__).parents[1] / "data" / "corpus"
DECKS = sorted(path.stem for path in CORPUS.glob("*.spice"))
CASE = Case(0, {}, (), seed=7)
RC = "* rc\nv1 in 0 {v}\nr1 in out 1k\nr2 out 0 1k\n.op\n.end\n"


@pytest.fixture(scope="module")
def shared() -> Iterator[FastNgspice]:
    """One simulator, so one session, for all decks."""
    made = FastNgspice(SimulatorSettings())
    yield made
    made.close()


@pytest.fixture
def fast() -> Iterator[FastNgspice]:
    made = FastNgspice(SimulatorSettings())
    yield made
    made.close()


def simulate(simulator: FastNgspice | Ngspice, text: str, folder: Path, timeout_s: float = 60) -> SimulationResult:
    result = simulator.run(simulator.prepare(text, CASE, {}), folder, timeout_s)
    len(result.waves)
    return result


def check_same(fast: SimulationResult, plain: SimulationResult) -> None:
    assert plain.error is None
    assert fast.error is None
    assert dict(fast.values) == dict(plain.values)
    assert dict(fast.messages) == dict(plain.messages)
    assert [plot.kind for plot in fast.waves] == [plot.kind for plot in plain.waves]
    for one, other in zip(fast.waves, plain.waves, strict=True):
        assert one.vectors.keys() == other.vectors.keys()
        for name in one.vectors:
            assert np.array_equal(one.vectors[name], other.vectors[name]), name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where decks lie, beside the corpus' model files."""
    for file in CORPUS.glob("*.*"):
        if file.suffix != ".spice":
            shutil.copy(file, tmp_path)
    return tmp_path


def in_corpus(text: str, folder: Path) -> str:
    """The deck as a case of a run has it: with absolute paths."""
    return text.replace('"models.lib"', f'"{folder}/models.lib"').replace('"parts.inc"', f'"{folder}/parts.inc"')


@pytest.mark.parametrize("name", [*DECKS, *reversed(DECKS)])
def test_every_deck_of_the_corpus_is_the_same_in_one_session_and_alone(
    name: str, shared: FastNgspice, folder: Path
) -> None:
    text = in_corpus((CORPUS / f"{name}.spice").read_text(), folder)
    plain = simulate(Ngspice(SimulatorSettings()), text, folder / "plain")
    found = simulate(shared, text, folder / "fast")
    check_same(found, plain)
    assert found.fast is (name not in ("subckt_include", "expressions", "keep_op"))  # the latter would last
    assert (folder / "fast" / "netlist.spice").read_text() == (folder / "plain" / "netlist.spice").read_text()
    check_same(shared.read(folder / "fast"), plain)


SOURCE = """* a source of data
a1 [d r] f
.model f d_source (input_file="../../inputs/testbench/{name}")
a2 [d] [q] dac
.model dac dac_bridge (out_low=1 out_high=3)
r1 q 0 1k
.tran 1m 4m
.end
"""


def test_data_files_are_read_or_the_case_fails(fast: FastNgspice, tmp_path: Path) -> None:
    """ngspice looks for them in lower case, and simulates on without those that it has not found."""
    data = tmp_path / "Project" / "inputs" / "testbench"
    data.mkdir(parents=True)
    for name in ("wave.txt", "Other.txt"):
        (data / name).write_text("0 0s 1s\n2e-3 1s 0s\n")
    results = tmp_path / "Project" / "results"
    plain = Ngspice(SimulatorSettings())
    found = simulate(fast, SOURCE.format(name="wave.txt"), results / "0")
    check_same(found, simulate(plain, SOURCE.format(name="wave.txt"), results / "1"))
    assert found.waves["q"][-1] == 3
    for name in ("Other.txt", "nothere.txt"):
        for simulator, folder in ((fast, "2"), (plain, "3")):
            error = simulate(simulator, SOURCE.format(name=name), results / f"{folder}{name}").error
            assert error is not None
            assert error.kind is ErrorKind.MISSING_INCLUDE
            assert f"cannot open file ../../inputs/testbench/{name.lower()}" in error.what
            assert "lower case" in error.hint


def test_the_users_init_file_changes_no_digit(tmp_path: Path) -> None:
    settings = SimulatorSettings(init=("set filetype=ascii", "set numdgt=3"))
    fast = FastNgspice(settings)
    for count, text in enumerate((RC.format(v="{1/3}"), PULSED)):
        found = simulate(fast, text, tmp_path / f"{count}")
        check_same(found, simulate(Ngspice(settings), text, tmp_path / f"plain{count}"))
        assert found.fast
    fast.close()


def test_the_session_is_what_runs_them(shared: FastNgspice, folder: Path) -> None:
    before = simulate(shared, RC.format(v=1), folder / "0").waves["out"]
    session = shared._session
    assert session is not None
    decks = session.decks
    assert simulate(shared, RC.format(v=2), folder / "1").waves["out"] == 2 * before
    assert shared._session is session
    assert session.decks == decks + 1


ELEMENTS = st.lists(
    st.one_of(
        st.builds("r{{n}} {} {} {}".format, st.sampled_from("ab"), st.sampled_from("bc0"), st.integers(1, 10**6)),
        st.builds("c{{n}} {} 0 {}p".format, st.sampled_from("abc"), st.integers(1, 999)),
        st.builds("d{{n}} {} 0 dx".format, st.sampled_from("abc")),
        st.builds("x{{n}} {} 0 part rr={}".format, st.sampled_from("abc"), st.integers(1, 99999)),
        st.builds("r{{n}} {} 0 {{{{p0*{}}}}}".format, st.sampled_from("abc"), st.integers(1, 99)),
    ),
    min_size=1,
    max_size=8,
)
ANALYSES = st.lists(
    st.sampled_from([".op", ".dc v1 0 1 0.25", ".ac dec 3 1 1meg", ".tran 10n 300n", ".noise v(a) v1 dec 2 1 1k"]),
    min_size=1,
    max_size=3,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(elements=ELEMENTS, analyses=ANALYSES, p0=st.integers(1, 10**5), seed=st.integers(1, 2**31 - 1))
def test_any_generated_deck_is_the_same_both_ways(
    elements: list[str], analyses: list[str], p0: int, seed: int, shared: FastNgspice, tmp_path: Path
) -> None:
    (tmp_path / "lib.inc").write_text(
        ".param drawn='agauss(1,0.1,1)'\n.model dx d is=1e-14\n.model dunused d\n"
        ".subckt part a b rr=1k\nr1 a b {rr*(1+agauss(0,0.1,1))}\n.ends\n.subckt other a\nr1 a 0 1\n.ends\n"
    )
    body = "\n".join(text.format(n=number) for number, text in enumerate(elements))
    text = (
        f'* generated\n.include "{tmp_path}/lib.inc"\n.param p0={p0}\n.option seed={seed}\n'
        f"v1 a 0 dc 1 ac 1 pulse(0 1 0 1n 1n 50n 100n)\nrb a b 1k\nrc b c 1k\nre c 0 1k\n{body}\n"
        + "\n".join(analyses)
        + "\n.end\n"
    )
    plain = simulate(Ngspice(SimulatorSettings()), text, tmp_path / "plain")
    if plain.error is None:
        check_same(simulate(shared, text, tmp_path / "fast"), plain)
    shutil.rmtree(tmp_path / "plain")
    shutil.rmtree(tmp_path / "fast", ignore_errors=True)


BROKEN = {
    "missing subcircuit": RC.replace("r1", "x1 out 0 nothing\nr1"),
    "missing model": RC.replace("r1", "m1 out in 0 0 nothing\nr1"),
    "undefined parameter": RC.replace("1k", "{nope}", 1),
    "unbalanced subcircuit": RC.replace("r1", ".subckt open a\nr1"),
    "missing file": RC.replace("r1", ".include nowhere.inc\nr1"),
    "missing section": RC.replace("r1", '.lib "models.lib" nowhere\nr1'),
    "singular": RC.replace("r1", "v2 in 0 3\nr1"),
    "an analysis that cannot run": RC.replace(".op", ".dc nothing 0 1 0.1"),
    "no analysis": RC.replace(".op\n", ""),
    "quits": RC.replace(".op", ".op\n.control\nquit 3\n.endc"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_after_a_deck_that_fails_the_next_is_right_and_the_failure_is_ngspices_own(
    what: str, shared: FastNgspice, folder: Path
) -> None:
    good = simulate(shared, RC.format(v=4), folder / "0")
    text = in_corpus(BROKEN[what].replace("{v}", "4"), folder)
    failed = simulate(shared, text, folder / "1")
    plain = Ngspice(SimulatorSettings())
    alone = simulate(plain, text, folder / "2")
    assert (failed.error is None) is (alone.error is None)
    if failed.error is not None and alone.error is not None:
        assert failed.error.kind is alone.error.kind
        assert failed.error.what == alone.error.what
    assert len(failed.waves) == len(alone.waves)
    check_same(simulate(shared, RC.format(v=4), folder / "3"), good)
    assert simulate(shared, RC.format(v=6), folder / "4").waves["out"] == 3


PULSED = "* pulsed\nv1 in 0 pulse(0 1 0 1n 1n 1u 2u)\nr1 in out 1k\nc1 out 0 1n\n.tran 10n 5u\n.end\n"
MEASURED = PULSED.replace(".end", ".meas tran late find stray at=1u\n.meas tran y max v(out)\n.end")
LASTING = {
    "interp": ".option reltol=1e-4 interp",
    "interp on a line of its own": ".OPTIONS reltol = 1e-4\n* why\n+ interp ; really",
    "cshunt": ".option cshunt=1e-12",
    "filetype": ".option filetype=ascii",
    "csparam": ".csparam stray=3",
    "hidden command": "*#set filetype=ascii interp",
    "trrandom": "v2 z 0 dc 0 trrandom(2 10n 0 1)",
}


@pytest.mark.parametrize(
    ("line", "place"),
    [
        pytest.param(line, place, id=f"{what}-{place}")
        for what, line in LASTING.items()
        for place in ("deck", "model file", "retry")
        if place != "retry" or line.startswith(".option ")
    ],
)
def test_nothing_of_a_deck_lasts_into_the_next(line: str, place: str, fast: FastNgspice, tmp_path: Path) -> None:
    options = dict[str, str]()
    if place == "retry":
        options = {name: value for name, _, value in (pair.partition("=") for pair in line.split()[1:])}
        line = ""
    (tmp_path / "more.inc").write_text(f"{line}\n")
    text = PULSED.replace(".tran", f"{line if place == 'deck' else f'.include {tmp_path}/more.inc'}\n.tran")
    plain = Ngspice(SimulatorSettings())
    for count in range(2):
        found = fast.run(fast.prepare(text, CASE, options), tmp_path / f"a{count}", 60)
        check_same(found, plain.run(plain.prepare(text, CASE, options), tmp_path / f"b{count}", 60))
        alone = simulate(plain, MEASURED, tmp_path / f"c{count}")
        check_same(simulate(fast, MEASURED, tmp_path / f"d{count}"), alone)


@pytest.mark.parametrize("place", ["deck", "model file"])
def test_noise_that_no_seed_governs_is_left_to_plain_ngspice(place: str, fast: FastNgspice, tmp_path: Path) -> None:
    source = "v2 z 0 dc 0 trnoise(1m 10n 0 0)"
    (tmp_path / "more.inc").write_text(f"{source}\n")
    text = PULSED.replace(".tran", f"{source if place == 'deck' else f'.include {tmp_path}/more.inc'}\n.tran")
    deck = fast.prepare(text, CASE, {})
    result = fast.run(deck, tmp_path / "0", 60)
    assert result.error is None
    assert result.fast is False
    assert fast.proof_key(deck, tmp_path / "0") == ""


LONG = "* long\nv1 in 0 pulse(0 1 0 1n 1n 1u 2u)\nr1 in out 1k\nc1 out 0 1n\n.tran 1n 10\n.end\n"


def test_a_deck_without_end_is_ended_twice_the_first_time_and_once_from_then_on(
    fast: FastNgspice, tmp_path: Path
) -> None:
    for number, at_most_s in enumerate((4.0, 1.8)):
        begin = os.times().elapsed
        failed = simulate(fast, LONG, tmp_path / str(number), timeout_s=1)
        assert os.times().elapsed - begin < at_most_s
        assert failed.error is not None
        assert failed.error.kind is ErrorKind.TIMEOUT
        assert simulate(fast, RC.format(v=2), tmp_path / f"good{number}").waves["out"] == 1


def test_a_killed_session_costs_no_case(fast: FastNgspice, tmp_path: Path) -> None:
    simulate(fast, RC.format(v=2), tmp_path / "0")
    assert fast._session is not None
    os.kill(fast._session._process.pid, signal.SIGKILL)
    after = simulate(fast, RC.format(v=8), tmp_path / "1")
    assert after.error is None
    assert after.waves["out"] == 4
    assert simulate(fast, RC.format(v=6), tmp_path / "2").fast


def test_a_stopped_session_costs_no_case(fast: FastNgspice, tmp_path: Path) -> None:
    simulate(fast, RC.format(v=2), tmp_path / "0")
    assert fast._session is not None
    os.kill(fast._session._process.pid, signal.SIGSTOP)
    assert simulate(fast, RC.format(v=8), tmp_path / "1", timeout_s=1).waves["out"] == 4
    assert simulate(fast, RC.format(v=6), tmp_path / "2").fast


@pytest.mark.parametrize("limit", ["_MOST_DECKS", "_GROWTH"])
def test_a_session_ends_after_many_decks_or_when_it_has_grown(
    limit: str, fast: FastNgspice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_ngspice, limit, 0 if limit == "_MOST_DECKS" else -(1 << 40))
    monkeypatch.setattr(fast_ngspice, "_LOOK_AT_MEMORY_EVERY", 2)
    seen = set()
    for number in range(6):
        assert simulate(fast, RC.format(v=number), tmp_path / str(number)).waves["out"] == number / 2
        assert fast._session is not None
        seen.add(fast._session._process.pid)
    assert len(seen) > 1


def test_nothing_is_left_running_and_nothing_left_lying(tmp_path: Path) -> None:
    simulator = FastNgspice(SimulatorSettings())
    simulate(simulator, in_corpus((CORPUS / "ac_chain.spice").read_text(), CORPUS), tmp_path / "0")
    assert simulator._session is not None
    assert simulator._folder is not None
    pid, folders = simulator._session._process.pid, [simulator._session.folder, simulator._folder]
    assert all(folder.exists() for folder in folders)
    simulator.close()
    simulator.close()
    assert not Path(f"/proc/{pid}").exists()
    assert not any(folder.exists() for folder in folders)


@pytest.mark.parametrize("keep", ["failed", "none"])
def test_what_is_not_to_be_kept_is_never_written(keep: str, tmp_path: Path) -> None:
    simulator = FastNgspice(SimulatorSettings(keep=keep))
    result = simulate(simulator, RC.format(v=2), tmp_path / "0")
    simulator.close()
    assert result.waves["out"] == 1
    assert not (tmp_path / "0").exists()


def test_the_same_seed_draws_the_same_sample_in_every_way_and_another_seed_another(folder: Path) -> None:
    text = in_corpus((CORPUS / "seeds.spice").read_text().replace(".option seed=17\n", ""), folder)
    fast, plain = FastNgspice(SimulatorSettings()), Ngspice(SimulatorSettings())
    drawn = {}
    for seed in (1, 2):
        case = Case(0, {}, (), seed=seed)
        runs = [s.run(s.prepare(text, case, {}), folder / f"{seed}{n}", 60) for n, s in enumerate((fast, fast, plain))]
        values = {float(run.waves["a"][0]) for run in runs}
        assert len(values) == 1
        drawn[seed] = values
    fast.close()
    assert drawn[1] != drawn[2]


def test_a_crash_in_the_middle_of_a_deck_costs_no_case(fast: FastNgspice, tmp_path: Path) -> None:
    slow = RC.replace("{v}", "sin(0 1 1meg)").replace(".op", ".tran 1n 400u")
    simulate(fast, RC.format(v=2), tmp_path / "0")
    assert fast._session is not None
    crash = threading.Timer(0.05, os.kill, (fast._session._process.pid, signal.SIGSEGV))
    crash.start()
    found = simulate(fast, slow, tmp_path / "1")
    crash.join()
    assert not found.fast
    check_same(found, simulate(Ngspice(SimulatorSettings()), slow, tmp_path / "2"))
    assert simulate(fast, RC.format(v=6), tmp_path / "3").fast


@pytest.mark.slow
def test_a_session_that_has_no_memory_left_costs_no_case(fast: FastNgspice, tmp_path: Path) -> None:
    large = RC.replace("{v}", "sin(0 1 1meg)").replace(".op", ".tran 1n 2m")
    simulate(fast, RC.format(v=2), tmp_path / "0")
    assert fast._session is not None
    resource.prlimit(fast._session._process.pid, resource.RLIMIT_AS, (60 << 20, 60 << 20))
    found = simulate(fast, large, tmp_path / "1")
    assert not found.fast
    check_same(found, simulate(Ngspice(SimulatorSettings()), large, tmp_path / "2"))
    assert simulate(fast, RC.format(v=6), tmp_path / "3").fast


def test_a_session_whose_disk_is_full_costs_no_case(fast: FastNgspice, tmp_path: Path) -> None:
    simulate(fast, RC.format(v=2), tmp_path / "0")
    assert fast._session is not None
    resource.prlimit(fast._session._process.pid, resource.RLIMIT_FSIZE, (100, 100))  # no file grows beyond that
    found = simulate(fast, RC.format(v=8), tmp_path / "1")
    assert found.error is None
    assert found.waves["out"] == 4


@pytest.mark.parametrize("what", ["the decks", "the models", "the session"])
def test_no_room_in_memory_costs_no_case(
    what: str, fast: FastNgspice, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f'* t\n.include "{folder}/parts.inc"\nv1 in 0 3\nr1 in 0 1k\n.op\n.end\n'
    simulate(fast, RC.format(v=2), folder / "0")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if what == "the decks":
        monkeypatch.setattr(ngspice_session, "write_bytes", full)
    else:
        fast.close()
        monkeypatch.setattr(fast_ngspice if what == "the models" else ngspice_session, "new_folder", full)
    found = simulate(fast, text, folder / "1")
    assert found.error is None
    assert not found.fast
    assert found.waves["in"] == 3
    deck = fast.prepare(text, CASE, {})
    assert fast.reference(deck, folder / "2", 60, original=False).error is None
    monkeypatch.undo()
    assert simulate(fast, text, folder / "3").fast


@pytest.mark.parametrize("what", ["the session's folder", "the models", "both"])
def test_somebody_cleans_up_under_a_run_and_it_costs_no_case(what: str, fast: FastNgspice, folder: Path) -> None:
    text = f'* t\n.include "{folder}/parts.inc"\nv1 in 0 3\nr1 in 0 1k\n.op\n.end\n'
    broken = text.replace(".op", "x9 in 0 nothing\n.op")  # which has the unpruned models written as well
    assert simulate(fast, text, folder / "0").fast
    assert simulate(fast, broken, folder / "1").error is not None
    assert fast._session is not None
    assert fast._folder is not None
    places = {"the session's folder": [fast._session.folder], "the models": [fast._folder]}
    for place in places.get(what, [fast._session.folder, fast._folder]):
        shutil.rmtree(place)
    for number in (2, 3):
        found = simulate(fast, text, folder / f"{number}")
        assert found.error is None
        assert found.waves["in"] == 3
    assert found.fast
    deck = fast.prepare(text, CASE, {})
    assert fast.reference(deck, folder / "4", 60, original=False).waves["in"] == 3


def test_models_that_differ_from_deck_to_deck_do_not_fill_the_memory(
    fast: FastNgspice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_ngspice, "_MOST_MODELS", 1000)
    text = "* t\n.include {}\nv1 in 0 2\nx1 in out part\nr2 out 0 1k\n.op\n.end\n"
    for number in [*range(40), 0]:
        model = tmp_path / f"part{number}.inc"
        model.write_text(f".subckt part a b\nr1 a b {number + 1}k\n.ends\n")
        assert simulate(fast, text.format(model), tmp_path / f"{number}").waves["out"] == pytest.approx(
            2 / (number + 2)
        )
    assert fast._folder is not None
    assert sum(file.stat().st_size for file in fast._folder.iterdir()) < 1200


def test_what_commands_write_beside_their_netlist_is_there(fast: FastNgspice, folder: Path) -> None:
    head = f'* t\n.include "{folder}/parts.inc"\nv1 in 0 3\nr1 in 0 1k\n'
    result = simulate(fast, f"{head}.control\nop\nwrdata $inputdir/mine v(in)\n.endc\n.end\n", folder / "1")
    assert result.fast
    names = {path.name for path in (folder / "1").iterdir()}
    assert names == {".spiceinit", "mine", "netlist.spice", "ngspice.log", "results.raw"}


def test_a_model_file_counts_as_it_was_when_the_worker_read_it_first(fast: FastNgspice, tmp_path: Path) -> None:
    """Cases of one run never come from two versions of a model; that the file changed is for the run to notice."""
    model = tmp_path / "part.inc"
    model.write_text(".subckt part a b\nr1 a b 1k\n.ends\n")
    text = f"* t\n.include {model}\nv1 in 0 2\nx1 in out part\nr2 out 0 1k\n.op\n.end\n"
    assert simulate(fast, text, tmp_path / "0").waves["out"] == 1
    model.write_text(".subckt part a b\nr1 a b 3k\n.ends\n")
    assert simulate(fast, text, tmp_path / "1").waves["out"] == 1
