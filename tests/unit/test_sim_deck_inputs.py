"""What a deck depends on: whatever may change a result changes the key, nothing else does."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from simorc.core.plan import SimulatorSettings
from simorc.simulators.deck_inputs import DeckInputs
from simorc.simulators.model_library import ModelLibrary
from simorc.simulators.ngspice import Ngspice

Key = Callable[..., str]
RC = '* rc\n.include "{models}/parts.inc"\n.lib "{models}/lib.spice" tt\nv1 in 0 1\nr1 in 0 1k\n.op\n.end\n'


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "parts.inc").write_text("* parts\n.model d1 d is=1e-14\n")
    (folder / "lib.spice").write_text('.lib tt\n.include "tt.inc"\n.endl\n.lib ff\n.include "ff.inc"\n.endl\n')
    for name in ("tt.inc", "ff.inc", "wave.txt"):
        (folder / name).write_text(f"* {name}\n")
    return folder


@pytest.fixture
def key(models: Path, tmp_path: Path) -> Key:
    """The key of a deck, by an object that has seen nothing yet, unless one is given."""

    def key(
        text: str = RC,
        *,
        seed: int = 1,
        simulator: tuple[str, ...] = ("ngspice-39",),
        settings: SimulatorSettings | None = None,
        inputs: DeckInputs | None = None,
        case: int = 0,
    ) -> str:
        init = Ngspice(settings or SimulatorSettings()).init_file
        place = str(tmp_path / "results" / str(case))
        return (inputs or DeckInputs()).key(text.replace("{models}", str(models)), place, init, (*simulator, str(seed)))

    return key


def test_the_same_deck_has_the_same_key_in_every_case(key: Key) -> None:
    assert key() == key(case=5) != ""
    assert int(key(), 16) > 0


@pytest.mark.parametrize("name", ["parts.inc", "lib.spice", "tt.inc"])
def test_a_comment_in_a_file_that_it_reads_changes_the_key(key: Key, models: Path, name: str) -> None:
    before, state = key(), (models / name).stat()
    text = (models / name).read_text()
    (models / name).write_text(text.replace("\n", " $ x\n", 1))
    assert key() != before
    (models / name).write_text(text)
    os.utime(models / name, ns=(state.st_atime_ns, state.st_mtime_ns + 10**9))
    assert key() == before


def test_neither_a_section_that_is_not_chosen_nor_a_time_stamp_counts(key: Key, models: Path) -> None:
    before = key()
    (models / "ff.inc").write_text("* something else\n")
    os.utime(models / "tt.inc", (1, 1))
    assert key() == before


def test_deck_seed_settings_and_simulator_count(key: Key) -> None:
    keys = {
        key(),
        key(RC.replace("1k", "2k")),
        key(seed=2),
        key(simulator=("ngspice-42",)),
        key(settings=SimulatorSettings(init=("set ngbehavior=hsa",))),
        key(settings=SimulatorSettings(threads=2)),
    }
    assert len(keys) == 6
    assert key(settings=SimulatorSettings(keep="none", timeout_s=1)) == key()


def test_a_file_in_an_argument_counts_also_when_it_changes_meanwhile(key: Key, models: Path) -> None:
    text = RC.replace(".op", '.model f filesource (file="{models}/wave.txt")\n.op')
    inputs = DeckInputs()
    before = key(text, inputs=inputs)
    assert key(text, inputs=inputs) == before != ""
    state = (models / "wave.txt").stat()
    (models / "wave.txt").write_text("* WAVE.txt\n")
    os.utime(models / "wave.txt", ns=(state.st_atime_ns, state.st_mtime_ns))
    assert key(text, inputs=inputs) != before


def test_a_model_file_that_changes_while_cases_run_makes_nothing_certain(key: Key, models: Path) -> None:
    inputs = DeckInputs()
    library = ModelLibrary(inputs.read)
    before = key(inputs=inputs)
    assert key(inputs=inputs) == before != ""
    (models / "tt.inc").write_text("* changed while cases run\n")
    assert key(inputs=inputs) == before  # nothing has read it since
    library.flat(((str(models / "lib.spice"), "tt"),))
    assert key(inputs=inputs) == ""
    assert key() not in (before, "")


@pytest.mark.parametrize(
    "line",
    [
        ".include nowhere.inc",
        '.model f filesource (file="{models}/nowhere.txt")',
        '.model p d_process (process_file="/bin/true")',
        '.model p d_cosim (simulation="/tmp/x.so")',
        ".option seed=random",
        "v2 z 0 dc 0 trnoise(1m 10n 0 0)",
        "*#shell true",
        "  *# write /tmp/x.raw",
        ".control\nshell true\n.endc",
        ".control\nshell true",
        '.model f filesource (file=\n+ "{models}/wave.txt")',
        '.model f filesource (file\n+ = "{models}/wave.txt")',
        ".model f filesource (file={name})",
        '.model f filesource (file="{models}/Wave.txt")',
        '.model f filesource (file="$name")',
        ".control\nsource more.cmd\n.endc",
        ".control\nload more.raw\n.endc",
        ".control\nrun\nwrite /tmp/x.raw\n.endc",
        ".control\nrun\nwrdata ../x v(in)\n.endc",
        ".control\nrun\nwrdata $inputdir v(in)\n.endc",
        ".control\nlet x = `echo 1`\n.endc",
        ".control\nprint 1 > /tmp/x\n.endc",
        ".control\nset there = /tmp\nwrite $there\n.endc",
    ],
)
def test_what_cannot_be_known_has_no_key(key: Key, line: str) -> None:
    assert key(RC.replace(".op", f"{line}\n.op")) == ""


@pytest.mark.parametrize(
    "text",
    [
        ".control\nshell true\n.endc\n",
        ".model p d_process (x=1)\n",
        ".option seed=random\n",
        "*#shell true\n",
        '.model f filesource (file=\n+ "wave.txt")\n',
        "v2 z 0 dc 0 trnoise(1m 10n 0 0)\n",
    ],
)
def test_the_same_in_a_model_file(key: Key, models: Path, text: str) -> None:
    assert key()
    (models / "parts.inc").write_text(text)
    assert key() == ""


@pytest.mark.parametrize(
    "line",
    [
        ".control\nrun\nwrdata mine.txt v(in)/2\nlet x = v(in)/3\nprint x\n.endc",
        ".control\nforeach r 1 2\nalter r1=$r\nop\nend\nwrite mine.raw\n.endc",
        "* shell /bin/true, d_process\n",
        "* what is in this file\n",
    ],
)
def test_commands_that_stay_in_the_folder_have_one(key: Key, line: str) -> None:
    assert key(RC.replace(".op", f"{line}\n.op"))


@pytest.mark.parametrize(
    ("init", "has_key"),
    [("set x=1", True), ("codemodel {models}/wave.txt", True), ("codemodel x.cm", False), ("source x", False)],
)
def test_an_init_file_that_only_sets_or_loads_by_full_path_is_known(
    key: Key, models: Path, init: str, has_key: bool
) -> None:
    if init.startswith("source"):
        init = f"load {models}/x"
    settings = SimulatorSettings(init=(init.replace("{models}", str(models)),))
    before = key(settings=settings)
    assert bool(before) is has_key
    (models / "wave.txt").write_text("another model\n")
    assert (key(settings=settings) != before) is init.startswith("codemodel {")
