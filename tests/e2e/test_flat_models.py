"""What stands behind the files that a deck reads is what ngspice makes of them, also where they are odd."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from simorc.core.case import Case
from simorc.core.plan import SimulatorSettings
from simorc.core.protocols import SimulationResult
from simorc.plugin.verification import same
from simorc.simulators.deck_inputs import DeckInputs
from simorc.simulators.fast_ngspice import FastNgspice
from simorc.simulators.ngspice import Ngspice

pytestmark = [pytest.mark.ngspice, pytest.mark.req("SIM-12")]
CASE = Case(0, {}, (), seed=7)
PART = ".subckt part a b\nr1 a b {k}\n.ends\n"
LIB = '.lib "{here}/l.lib" tt'
INCLUDE = '.include "{here}/m.inc"'
N_LIB = ".lib ff\n.param k=%d\n.endl\n"
FILES: dict[str, tuple[str, dict[str, str]]] = {
    "the first of two sections of a name": (LIB, {"l.lib": ".lib tt\n.param k=1\n.endl\n.lib TT\n.param k=2\n.endl\n"}),
    "a section in a section": (LIB, {"l.lib": ".lib tt\n.param k=1\n.lib ff\n.param k=2\n.endl\n.endl\n"}),
    "a section without an end": (LIB, {"l.lib": ".lib ff\n.endl\n.lib tt\n.param k=1\n"}),
    "a section behind one without an end": (LIB, {"l.lib": ".lib ff\n.param k=2\n.lib tt\n.param k=1\n.endl\n"}),
    "outside the section": (LIB, {"l.lib": ".lib tt\n.param k=1\n.endl\n.param k=2\n"}),
    "sections in a whole file": (INCLUDE, {"m.inc": ".param k=1\n.lib tt\n.param k=2\n.endl\n"}),
    "a library of the library's folder": (
        LIB,
        {
            "l.lib": ".lib tt\n.include d/m.inc\n.endl\n",
            "d/m.inc": ".lib n.lib ff\n",
            "n.lib": N_LIB % 1,
            "d/n.lib": N_LIB % 2,
        },
    ),
    "a library of the deck's folder": (
        INCLUDE,
        {"m.inc": '.lib "n.lib" ff\n', "n.lib": N_LIB % 2},
    ),
    "longer words": (
        LIB.replace(".lib", ".library"),
        {"l.lib": ".libs tt\n.incs m.inc\n.endls\n.param k=3\n", "m.inc": ".param k=1\n"},
    ),
    "carriage returns": (INCLUDE, {"m.inc": ".param k=1\r\n.param j=2\r\n"}),
    "a carriage return that ends no line": (INCLUDE, {"m.inc": ".param k=1\n.param j=2\r.param k=3\n"}),
    "an end": (INCLUDE, {"m.inc": ".param k=1\n.end\n.param k=2\n"}),
    "an analysis": (INCLUDE, {"m.inc": ".param k=1\n.dc v1 0 2 1\n"}),
    "the same analysis": (INCLUDE, {"m.inc": ".param k=1\n.op\n"}),
    "the middle of a card": (INCLUDE, {"m.inc": "+ k=1\n"}),
}


@pytest.fixture(scope="module")
def shared() -> Iterator[FastNgspice]:
    made = FastNgspice(SimulatorSettings())
    yield made
    made.close()


@pytest.mark.parametrize("what", FILES)
def test_files_mean_what_they_mean_to_ngspice(what: str, shared: FastNgspice, tmp_path: Path) -> None:
    line, files = FILES[what]
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text.encode())
    head = f"* t\n.param j=1\n{line.replace('{here}', str(tmp_path))}\n{PART}"
    text = f"{head}v1 in 0 2\nx1 in 0 part\n.op\n.end\n"
    plain = simulated(Ngspice(SimulatorSettings()), text, tmp_path / "1")
    deck = shared.prepare(text, CASE, {})
    whole = shared.reference(deck, tmp_path / "2", 60, original=False)
    for found in (simulated(shared, text, tmp_path / "3"), whole):
        assert (found.error is None) is (plain.error is None), found.error
        assert plain.error is not None or same(found, plain)


def simulated(simulator: FastNgspice | Ngspice, text: str, folder: Path) -> SimulationResult:
    result = simulator.run(simulator.prepare(text, CASE, {}), folder, 60)
    len(result.waves)
    return result


@pytest.mark.parametrize("line", ['.includes "{here}/m.inc"', '.library "{here}/l.lib" tt'])
def test_such_files_are_part_of_what_a_deck_depends_on(line: str, tmp_path: Path) -> None:
    text = f"* t\n{line.replace('{here}', str(tmp_path))}\nr1 a 0 1\n.op\n.end\n"
    keys = []
    for k in (1, 2):
        (tmp_path / "m.inc").write_text(f".param k={k}\n")
        (tmp_path / "l.lib").write_text(".libs tt\n.incs m.inc\n.endls\n")
        keys.append(DeckInputs().key(text, str(tmp_path), "", ()))
    assert keys[0] != keys[1]
    assert all(keys)
    (tmp_path / "m.inc").write_text(".lib n.lib ff\n")
    (tmp_path / "n.lib").write_text(N_LIB % 1)
    assert not DeckInputs().key(text, str(tmp_path), "", ())


@pytest.mark.parametrize("mode", ["ps", "ltps", "hsa"])
@pytest.mark.parametrize("line", ['.lib "{here}/l.lib" tt', '.lib "{here}/whole.lib"', '.include "{here}/whole.lib"'])
def test_a_mode_may_take_a_library_for_an_include(line: str, mode: str, tmp_path: Path) -> None:
    settings = SimulatorSettings(init=(f"set ngbehavior={mode}",))
    (tmp_path / "l.lib").write_text(N_LIB.replace("ff", "tt") % 1)
    text = f"* t\n{line.replace('{here}', str(tmp_path))}\n{PART}v1 in 0 2\nx1 in 0 part\n.op\n.end\n"
    plain = Ngspice(settings)
    keys = []
    for k in (1, 2):
        (tmp_path / "whole.lib").write_text(f".param k={k}\n")
        fast = FastNgspice(settings)
        found, alone = simulated(fast, text, tmp_path / f"a{k}"), simulated(plain, text, tmp_path / f"b{k}")
        assert (found.error is None) is (alone.error is None)
        assert alone.error is not None or same(found, alone)
        keys.append(fast.content_key(text, CASE, {}, tmp_path))
        fast.close()
    if "whole" in line and alone.error is None:
        assert keys[0] != keys[1] or keys == ["", ""]
