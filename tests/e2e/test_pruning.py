"""Pruned models give what all of them give, bit for bit: asked of ngspice, with the models of real PDKs."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simorc.core.case import Case
from simorc.core.errors import SimorcError
from simorc.core.plan import SimulatorSettings
from simorc.simulators.fast_ngspice import FastNgspice
from simorc.simulators.model_cards import compact
from simorc.simulators.model_library import ModelLibrary, with_models
from simorc.simulators.ngspice import Ngspice
from simorc.simulators.ngspice_modes import by_finger, drops_bins
from simorc.simulators.pdk import find_pdk, install

pytestmark = [pytest.mark.ngspice, pytest.mark.req("SIM-12")]
HSPICE = "set ngbehavior=hsa"
NFET = "sky130_fd_pr__nfet_01v8"

FETS = {
    "nfet": f"x1 d g s b {NFET} w=5 l=1",
    "at limits of bins": f"x1 d g s b {NFET} w=1 l=0.15\nx2 d g s b {NFET} w=3 l=0.5",
    "fingers": f"x1 d g s b {NFET} w=4 l=0.15 nf=2",
    "expressions": f".param wide=5\nx1 d g s b {NFET} w={{wide/2}} l='wide/10'",
    "parameters of a subcircuit": (
        f".subckt pair d g s b wn=2 long=0.5\nx1 d g s b {NFET} w={{wn}} l={{long}}\n.ends\nx1 d g s b pair wn=7"
    ),
    "a wrapper": "x1 d g s b sky130_fd_pr__special_nfet_01v8 w=0.36 l=0.15",
    "others": (
        "x1 d g s b sky130_fd_pr__pfet_01v8 w=3 l=0.15\nx2 d g s b sky130_fd_pr__pfet_01v8_hvt w=1 l=0.5\n"
        "x3 d g s b sky130_fd_pr__nfet_01v8_lvt w=2 l=0.3\nx4 d g s b sky130_fd_pr__pfet_01v8_lvt w=2 l=0.5"
    ),
}
OTHERS = {
    "high voltage": (
        "x1 d g s b sky130_fd_pr__nfet_g5v0d10v5 w=5 l=0.5\nx2 d g s b sky130_fd_pr__pfet_g5v0d10v5 w=5 l=0.5\n"
        "x3 d g s b sky130_fd_pr__nfet_03v3_nvt w=10 l=0.5\nx4 d g s b sky130_fd_pr__nfet_20v0"
    ),
    "bipolar": (
        "x1 d g s b sky130_fd_pr__npn_05v5_w1p00l1p00\nx2 b g s sky130_fd_pr__pnp_05v5_w3p40l3p40\n"
        "x3 d g s b sky130_fd_pr__npn_11v0_w1p00l1p00"
    ),
    "diodes": (
        "x1 d b sky130_fd_pr__diode_pw2nd_05v5 area=1 perim=4\nx2 g b sky130_fd_pr__diode_pd2nw_11v0 area=1 perim=4\n"
        "d1 s b sky130_fd_pr__diode_pw2nd_05v5 area=1e12 pj=4e6"
    ),
    "capacitors": (
        "x1 d g sky130_fd_pr__cap_mim_m3_1 w=10 l=10\nx2 d g b sky130_fd_pr__cap_var_lvt w=5 l=5\n"
        "x3 d g s b sky130_fd_pr__cap_vpp_11p5x11p7_m1m2m3m4_shieldm5\n"
        "x4 d g b sky130_fd_pr__cap_vpp_08p6x07p8_m1m2m3_shieldl1"
    ),
    "resistors": (
        "x1 d g b sky130_fd_pr__res_xhigh_po_0p35 l=5\nx2 g s b sky130_fd_pr__res_high_po w=1 l=3\n"
        "x3 d s b sky130_fd_pr__res_generic_nd w=1 l=3\nr1 d s sky130_fd_pr__res_generic_m1 w=1 l=100"
    ),
    "RF": (
        "x1 d g s b sky130_fd_pr__rf_nfet_01v8_bm04w3p00l0p15\nx2 d g s b sky130_fd_pr__rf_pfet_01v8_bm02w5p00l0p15\n"
        "x3 d g s b sky130_fd_pr__rf_nfet_g5v0d10v5_bm04w5p00l0p50"
    ),
}
AROUND = """
vd d0 0 1.1 pulse(0.9 1.2 1n 1n 1n 5n 20n)
vg g0 0 0.8 ac 1
vb b0 0 0
rd d0 d 1k
rg g0 g 100
rs s 0 1k
rb b0 b 10
.temp 40
.op
.dc vg 0.5 0.9 0.1
.ac dec 3 1k 1g
.tran 0.5n 20n
.noise v(d) vg dec 2 1k 1meg
"""


def sky130() -> str:
    return find_pdk("sky130", os.environ).lib


def sg13g2() -> str:
    """The folder of the IHP models."""
    try:
        return find_pdk("sg13g2", os.environ).path
    except SimorcError:
        if not os.environ.get("CI"):
            pytest.skip("PDK models are not installed: simorc pdk install sg13g2")
        return install("sg13g2", os.environ).path


def deck(elements: str, section: str = "tt", seed: int = 1, around: str = AROUND) -> str:
    library = f'.lib "{sky130()}" {section}'
    return f"* pruning\n{library}\n.option scale=1e-6\n.option seed={seed}\n{elements}{around}.end\n"


def simulated(text: str, models: Sequence[str], folder: Path, init: Sequence[str]) -> bytes:
    """Everything that ngspice writes for a deck with other models, date and title apart."""
    folder.mkdir()
    for count, model in enumerate(models):
        (folder / f"m{count}.spice").write_text(model, errors="surrogateescape")
    if models:
        text = with_models(text, [f"{folder}/m{count}.spice" for count in range(len(models))])
    simulator = Ngspice(SimulatorSettings(init=tuple(init)))
    result = simulator.run(simulator.prepare(text, Case(0, {}, (), seed=1), {}), folder / "run", 300)
    assert result.error is None, result.log.read_text()[-1500:]
    return re.sub(rb"Date: [^\n]*", b"", (folder / "run" / "results.raw").read_bytes())


def check_same(
    text: str, tmp_path: Path, init: Sequence[str] = (HSPICE,), *, original: bool = False
) -> tuple[bytes, ModelLibrary]:
    said = "\n".join(init)
    library = ModelLibrary(simulator_drops_bins=drops_bins(said), by_finger=by_finger(said))
    models = library.models(text, str(tmp_path))
    assert models.doubt == ""
    pruned = simulated(text, list(map(compact, models.pruned)), tmp_path / "pruned", init)
    assert pruned == simulated(text, models.flat, tmp_path / "flat", init)
    assert pruned == simulated(text, library.mentioned(text, str(tmp_path)), tmp_path / "mentioned", init)
    if original:
        assert pruned == simulated(text, (), tmp_path / "original", init)
    assert sum(map(len, models.pruned)) < sum(map(len, models.flat))
    return pruned, library


@pytest.mark.pdk
def test_an_amplifier_of_many_parts_is_the_same(tmp_path: Path) -> None:
    elements = (
        f"x1 d g s b {NFET} w=5 l=1 nf=2\nx2 d d b b sky130_fd_pr__pfet_01v8 w=3 l=0.5\n"
        "x3 b g s sky130_fd_pr__pnp_05v5_w0p68l0p68\nx4 d s b sky130_fd_pr__res_xhigh_po_0p35 l=5\n"
        "x5 d g sky130_fd_pr__cap_mim_m3_1 w=5 l=5"
    )
    check_same(deck(elements), tmp_path)


@pytest.mark.pdk
@pytest.mark.slow
@pytest.mark.parametrize("elements", FETS.values(), ids=FETS)
@pytest.mark.parametrize("section", ["tt", "sf"])
def test_fets_are_the_same(elements: str, section: str, tmp_path: Path) -> None:
    check_same(deck(elements, section), tmp_path)


@pytest.mark.pdk
@pytest.mark.slow
@pytest.mark.parametrize("elements", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("section", ["tt", "ff", "ss_hl"])
def test_other_parts_are_the_same(elements: str, section: str, tmp_path: Path) -> None:
    check_same(deck(elements, section), tmp_path)


@pytest.mark.pdk
@pytest.mark.slow
@pytest.mark.parametrize("section", ["tt", "ff", "ss", "sf", "fs"])
def test_all_sections_are_the_same(section: str, tmp_path: Path) -> None:
    check_same(deck("\n".join([FETS["others"].replace("\nx", "\nxo"), FETS["at limits of bins"]]), section), tmp_path)


@pytest.mark.pdk
@pytest.mark.slow
def test_a_deck_through_the_whole_library_is_the_same(tmp_path: Path) -> None:
    check_same(deck(FETS["nfet"]), tmp_path, original=True)


MISMATCH = f"""\
.param own=agauss(1,0.1,1)
rown d s {{1k*own}}
rlate d b {{agauss(1k,10,1)}}
x1 d g s b {NFET} w=5 l=1 nf=2
x2 d d b b sky130_fd_pr__pfet_01v8 w=3 l=0.5
x3 s g b b sky130_fd_pr__npn_05v5_w1p00l1p00
x4 d s b sky130_fd_pr__res_xhigh_po l=5 w=1
"""


@pytest.mark.pdk
@pytest.mark.slow
@pytest.mark.parametrize("init", [(HSPICE,), ()], ids=["HSPICE mode", "no mode"])
@pytest.mark.parametrize("section", ["tt_mm", "ss_mm"])
def test_a_seeded_sample_of_mismatch_stays_the_same_sample(section: str, init: tuple[str, ...], tmp_path: Path) -> None:
    found = []
    for seed in (1, 2):
        (tmp_path / str(seed)).mkdir()
        found.append(check_same(deck(MISMATCH, section, seed), tmp_path / str(seed), init)[0])
    assert found[0] != found[1]


@pytest.mark.pdk
def test_bins_that_draw_stay_where_ngspice_would_draw_for_them(tmp_path: Path) -> None:
    text = deck(FETS["nfet"], "tt_mm")
    assert text.count("nf") >= 1
    sizes = [len(ModelLibrary(simulator_drops_bins=mode).models(text, "/").pruned[0]) for mode in (True, False)]
    assert sizes[0] * 10 < sizes[1]


MEETING = {0: (0.15, 0.25, 1, 4), 1: (0.25, 0.5, 1, 4), 2: (0.15, 0.25, 4, 10), 3: (0.25, 0.5, 4, 10)}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)], ids=str)
@pytest.mark.parametrize("init", [(), (HSPICE,), (HSPICE, "set wnflag=0"), ("set ngbehavior=ps",)], ids=str)
def test_of_bins_that_share_limits_the_one_stays_that_ngspice_takes(
    init: tuple[str, ...], order: tuple[int, ...], tmp_path: Path
) -> None:
    """Four bins meet at L 0.25 um and W 4 um, each with another threshold."""
    limits = {number: "lmin={}u lmax={}u wmin={}u wmax={}u".format(*of) for number, of in MEETING.items()}
    cards = [f".model n.{n} nmos level=14 version=4.5 vth0={0.3 + n / 10} {limits[n]}" for n in order]
    (tmp_path / "m.lib").write_text(
        "\n".join([".subckt s d g s b l=1 w=1 nf=1", "m d g s b n l={l} w={w} nf={nf}", *cards, ".ends", ""])
    )
    for count, (geometry, most) in enumerate(
        {
            "l=0.25 w=4": 1,
            "l=0.25 w=3": 1,
            "l=0.3 w=4": 1,
            "l=0.15 w=1": 1,
            "l=0.25 w=8 nf=2": 2,
            "l=0.25 w=4 nf=2": 2,
            "l=0.2499999999 w=4": 4,
            "l={long} w=wide": 4,
            "l={long/1} w=4": 4,
        }.items()
    ):
        parameters = ".param long=0.25 wide=4\n"
        text = f'* bins\n.include "{tmp_path}/m.lib"\n.option scale=1e-6\n{parameters}'
        text += f"x1 d g 0 0 s {geometry}\nvd d 0 1\nvg g 0 0.6\n.op\n.end\n"
        said = "\n".join(init)
        library = ModelLibrary(simulator_drops_bins=drops_bins(said), by_finger=by_finger(said))
        models = library.models(text, str(tmp_path))
        (tmp_path / str(count)).mkdir()
        first = simulated(text, models.flat, tmp_path / f"{count}/flat", init)
        assert simulated(text, models.pruned, tmp_path / f"{count}/pruned", init) == first, geometry
        assert models.pruned[0].count(".model") <= most, geometry


HBT = """\
vcc vcc 0 1.2
vin in 0 0.8 ac 1
r1 vcc c1 1k
x1 c1 in 0 0 npn13G2 Nx=2
r2 vcc c2 1k
x2 c2 in 0 0 npn13G2l Nx=1
r3 vcc c3 1k
x3 c3 in 0 0 npn13G2v Nx=2
r4 in e4 1k
x4 0 0 e4 pnpMPA
xc1 c1 0 cap_cmim w=10u l=10u
xc2 c2 0 0 cap_rfcmim w=10u l=10u
xd1 0 c1 dantenna
xs in vcc 0 schottky_nbl1
.op
.ac dec 5 1k 100g
.noise v(c1) vin dec 5 1k 1g
"""


@pytest.mark.pdk
@pytest.mark.parametrize(
    "sections",
    [
        ("hbt_typ", "cap_typ", "dio_tt"),
        ("hbt_bcs", "cap_wcs", "dio_ff"),
        ("hbt_typ_stat", "cap_typ_stat", "dio_tt_stat"),
        ("hbt_wcs_mismatch", "cap_bcs_mismatch", "dio_ss"),
    ],
)
def test_ihp_hbts_are_the_same(sections: tuple[str, str, str], tmp_path: Path) -> None:
    folder = sg13g2()
    files = zip(("cornerHBT.lib", "cornerCAP.lib", "cornerDIO.lib"), sections, strict=True)
    lines = "\n".join(f'.lib "{folder}/{file}" {section}' for file, section in files)
    found = []
    for seed in (1, 2):
        (tmp_path / str(seed)).mkdir()
        text = f"* hbt\n{lines}\n.option seed={seed}\n{HBT}.end\n"
        found.append(check_same(text, tmp_path / str(seed), (), original=True)[0])
    is_random = any("stat" in section or "mismatch" in section for section in sections)
    assert (found[0] != found[1]) == is_random


CARDS = [
    "r1 a b 1k $ tc=1",
    "r1 a b 1k $\n+ tc=0",
    "r1 a b 1k$ x",
    "r1 a b 1k ; more\n+ tc=0",
    "r1 a b '2k//2'",
    "r1 a b\n* remark\n\n  + 3k",
    "r1 a b\n; remark\n+ 3k",
    "r1 a b\n$ remark\n+ 3k",
    ".param p=2 $ q=3\nr1 a b {p*1k}",
    ".param p=2 ; q=3\n+ q=4\nr1 a b {p*q*1k}",
]


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("mode", ["hsa", "psa", "ltpsa"])
def test_models_in_one_line_a_card_mean_the_same(card: str, mode: str, tmp_path: Path) -> None:
    found = []
    for name, text in {"as it is": card, "in one line": compact(f"\n* title\n{card}\n* end\n")}.items():
        simulator = Ngspice(SimulatorSettings(init=(f"set ngbehavior={mode}",)))
        around = f"* t\nv1 a 0 1\nr2 b 0 1k\n{text}\n.op\n.end\n"
        result = simulator.run(simulator.prepare(around, Case(0, {}, ()), {}), tmp_path / name, 60)
        found.append(None if result.error else float(result.waves["b"][0]))
    assert found[0] == found[1]


DEFINITIONS = st.lists(
    st.tuples(
        st.sampled_from(["param", "drawn", "func", "model", "subckt", "if"]),
        st.lists(st.integers(0, 11), max_size=3),
    ),
    min_size=12,
    max_size=12,
)


def definition(kind: str, number: int, uses: list[int], kinds: Sequence[str]) -> str:
    """One that uses what stands before it."""
    terms = {"param": "n{}", "drawn": "n{}", "func": "n{}(2)", "if": "n{}"}
    value = "+".join(["1", *(terms[kinds[use]].format(use) for use in uses if use < number and kinds[use] in terms)])
    return {
        "param": f".param n{number}={{{value}}}",
        "drawn": f".PARAM n{number} = 'aGauss(1,0.1,1)+{value}'",
        "func": f".func n{number}(x) {{x*aunif(1,0.1)+{value}}}",
        "model": f".model n{number} r\n* remark\n+ rsh={{{value}}}",
        "subckt": f".subckt n{number} a\nr1 a 0 {{{value}}}\n.ends n{number}",
        "if": f".if (1 > 0)\n.param n{number}={{{value}}}\n.else\n.param n{number}=2\n.endif",
    }[kind]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(definitions=DEFINITIONS, used=st.sets(st.integers(0, 11)), seed=st.integers(1, 1000))
def test_any_generated_library_gives_the_same_samples(
    definitions: list[tuple[str, list[int]]], used: set[int], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("generated")
    kinds = [kind for kind, _ in definitions]
    library = [definition(kind, number, uses, kinds) for number, (kind, uses) in enumerate(definitions)]
    (folder / "a.lib").write_text("\n".join([*library, ".model gone d", ""]))
    uses = {
        "param": "r{0} a 0 {{n{0}}}",
        "drawn": "r{0} a 0 {{n{0}}}",
        "func": "r{0} a 0 {{n{0}(1)}}",
        "model": "r{0} a 0 n{0} l=1 w=1",
        "subckt": "x{0} a n{0}",
        "if": "r{0} a 0 {{n{0}}}",
    }
    elements = "\n".join(uses[kinds[number]].format(number) for number in sorted(used))
    own = "r99 a 0 {agauss(1k,10,1)}\nv1 a0 0 1\nr98 a0 a 1"
    text = f'* t\n.include "{folder}/a.lib"\n.option seed={seed}\n{elements}\n{own}\n.op\n.end\n'
    models = ModelLibrary().models(text, str(folder))
    assert "gone" not in models.pruned[0]
    flat = simulated(text, models.flat, folder / "flat", ())
    assert simulated(text, list(map(compact, models.pruned)), folder / "pruned", ()) == flat


def test_decks_with_branches_leave_the_samples_of_others_alone(tmp_path: Path) -> None:
    """ngspice evaluates unused models for a deck with `.if`, and for all that the same process loads after it."""
    drawn = ".model drawn r rsh={agauss(1,0.1,1)}\n"
    branch = ".if (1 > 0)\n.param q=1\n.else\n.param q=2\n.endif\n"
    (tmp_path / "a.lib").write_text(f".model used r rsh=1\n{branch}")
    plain, fast = Ngspice(SimulatorSettings()), FastNgspice(SimulatorSettings())
    found = []
    included = f'.include "{tmp_path}/a.lib"\nr1 a 0 used l=1 w=1\nr2 a 0 {{q}}\n'
    for number, cards in enumerate([drawn, drawn + branch, drawn, included + drawn, drawn]):
        text = f"* t\n{cards}r99 a 0 {{agauss(1k,10,1)}}\nv1 a0 0 1\nr98 a0 a 1\n.op\n.end\n"
        for simulator in (plain, fast):
            folder = tmp_path / f"{number}{type(simulator).__name__}"
            result = simulator.run(simulator.prepare(text, Case(0, {}, (), seed=3), {}), folder, 60)
            assert result.fast is (simulator is fast)
            found.append(float(result.waves["a"][0]))
    fast.close()
    assert found[::2] == found[1::2]
    assert found[0] != found[2]


@pytest.mark.pdk
@pytest.mark.slow
@pytest.mark.parametrize("init", [(HSPICE,), ()], ids=["HSPICE mode", "no mode"])
def test_mismatch_in_a_long_lived_ngspice_is_the_same_sample(init: tuple[str, ...], tmp_path: Path) -> None:
    fast = FastNgspice(SimulatorSettings(init=init))
    found = []
    for number, (section, seed) in enumerate([("tt_mm", 1), ("tt_mm", 2), ("ss_mm", 1), ("tt_mm", 1)]):
        prepared = fast.prepare(deck(MISMATCH, section, seed), Case(0, {}, (), seed=seed), {})
        result = fast.run(prepared, tmp_path / str(number), 300)
        assert result.fast
        plain = fast.reference(prepared, tmp_path / f"plain{number}", 300, original=False)
        assert [plot.kind for plot in result.waves] == [plot.kind for plot in plain.waves]
        for one, other in zip(result.waves, plain.waves, strict=True):
            assert all(np.array_equal(one.vectors[name], other.vectors[name]) for name in other.vectors)
        found.append(float(result.waves["d"][0]))
    fast.close()
    assert len(set(found)) == 3
    assert found[0] == found[3]
