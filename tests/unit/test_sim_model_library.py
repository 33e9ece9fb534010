"""Models pruned to what a deck reaches. That ngspice gives the same on them is shown in tests/e2e/test_pruning.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.core.errors import CaseError
from simorc.simulators import model_library
from simorc.simulators.model_library import ModelLibrary, Models, with_models
from simorc.simulators.ngspice_modes import drops_bins

pytestmark = pytest.mark.req("SIM-12")

BINS = """
.subckt nfet d g s b
.param l=1 w=1 nf=1
m0 d g s b nfet_model l={l} w={w} nf={nf}
.model nfet_model.0 nmos level=54 lmin=1e-7 lmax=1e-6 wmin=1e-7 wmax=1e-6 vth0={v0}
* between
.model nfet_model.1 nmos level=54
+ lmin=1e-7 lmax=1e-6 wmin=1e-6 wmax=1e-5 rdswmin=0 vth0={v1}
.model nfet_model.2 nmos level=54 lmin=1e-6 lmax=1e-5 wmin=1e-7 wmax=1e-6
.model nfet_model.3 nmos level=54 lmin=1e-6 lmax=1e-5 wmin=1e-6 wmax=1e-5
.ends nfet
.param v0=0.4 v1=0.5
"""


class Files:
    """Model files in memory; counts how often each is read."""

    def __init__(self, **files: str) -> None:
        self.files = {f"/m/{name}.lib": text for name, text in files.items()}
        self.reads: list[str] = []

    def __call__(self, path: str) -> str:
        self.reads.append(path)
        if path not in self.files:
            raise FileNotFoundError(2, "No such file or directory", path)
        return self.files[path]


def models(deck: str, library: str, *, simulator_drops_bins: bool = True, **files: str) -> Models:
    made = ModelLibrary(Files(a=library, **files), simulator_drops_bins=simulator_drops_bins)
    return made.models(f"* t\n.include a.lib\n{deck}\n", "/m")


def pruned(deck: str, library: str, *, simulator_drops_bins: bool = True) -> str:
    found = models(deck, library, simulator_drops_bins=simulator_drops_bins)
    assert found.doubt == ""
    return found.pruned[0]


def bins(deck: str, library: str = BINS, *, simulator_drops_bins: bool = True) -> list[int]:
    text = pruned(deck, library, simulator_drops_bins=simulator_drops_bins)
    return [int(number) for number in re.findall(r"nfet_model\.(\d+)", text)]


def test_of_a_library_only_the_chosen_section_is_read() -> None:
    files = Files(
        a='.lib TT\n.include "b.lib"\n.param corner=1\n.endl TT\n.lib ff\n.include c.lib\n.endl\n.param outside=1\n',
        b=".model dx d\n",
        c="never read",
    )
    library = ModelLibrary(files)
    deck = "* t\n.LIB '/m/a.lib' tt\nd1 a 0 dx\nr1 a 0 {corner}\n"
    found = library.models(deck, "/elsewhere")
    assert [line for line in found.flat[0].splitlines() if line] == [".model dx d", ".param corner=1"]
    assert found.names == ("/m/a.lib tt",)
    library.models(deck.replace("{corner}", "5"), "/elsewhere")
    assert files.reads == ["/m/a.lib", "/m/b.lib"]


def test_what_a_deck_does_not_reach_is_left_out() -> None:
    library = (
        ".subckt used a b\nr1 a b {top}\nd1 a b dm\n.ends\n.subckt unused a b\nr1 a b {never}\n.ends\n"
        ".model dm d is={f(2)}\n.model other d\n.param top='base*2' never=1 base = {3}\n.func f(x) {x*base}\n"
        ".func g(x) {x}\n"
    )
    text = pruned("x1 a 0 USED", library)
    assert "unused" not in text
    assert "never" not in text
    assert "other" not in text
    assert "func g" not in text
    assert [
        word for word in (".subckt used", ".model dm", ".param top=", ".param base=", ".func f") if word in text
    ] == [
        ".subckt used",
        ".model dm",
        ".param top=",
        ".param base=",
        ".func f",
    ]


@pytest.mark.parametrize(
    "card",
    [
        ".option scale=1e-6",
        ".global vss",
        ".temp 50",
        ".ic v(a)=1",
        ".nodeset v(a)=1",
        "r1 a 0 1k",
        ".csparam c={2}",
        ".model odd-name d",
        ".param unknown=agauss(1,0.1,1)",
        ".param p='limit(1, 0.1)'",
        ".func draw(x) {x*gauss(1,0.1,1)}",
        ".model drawn r rsh={agauss(1,0.1,1)}",
    ],
)
def test_what_every_deck_needs_stays(card: str) -> None:
    assert card.split("=")[0] in pruned("v1 a 0 1", f"{card}\n.model gone d\n")
    assert "gone" not in pruned("v1 a 0 1", f"{card}\n.model gone d\n")


def test_parameters_that_draw_stay_with_all_that_leads_to_a_draw() -> None:
    library = ".param sigma=0.1 plain=1\n.func draw(x) {agauss(x,sigma,1)}\n.param drawn=draw(1) further='drawn+1'\n"
    text = pruned("v1 a 0 1", library)
    assert "plain" not in text
    assert all(name in text for name in ("sigma", "draw(x)", "drawn=", "further="))


def test_where_ngspice_evaluates_unused_models_it_goes_on_to() -> None:
    """It does so in a deck with any `.if`."""
    branch = ".subckt unused a\n.if (1)\nr1 a 0 1\n.endif\n.ends\n"
    drawn = ".model drawn r rsh={agauss(1,0.1,1)}\n"
    assert ".if" in pruned("v1 a 0 1", branch + drawn)
    assert ".if" not in pruned("v1 a 0 1", branch)
    assert ".if" not in pruned("v1 a 0 1", drawn)


def test_cards_are_read_as_ngspice_reads_them() -> None:
    library = (
        "  .MODEL DX D ; dy\n* .model dz d\n.subckt s a\n* comment\n\n+ params: r=1\nr1 a 0 {r} $ dw\n.ENDS\n"
        ".if(v0==1)\n.model dif d\n.else\n.model dif d is=1\n.endif\n.PARAMS v0=1\n.model d.2 d\n.end\n.model late d\n"
    )
    text = pruned("d1 a 0 dx\nx1 a s\nd2 a 0 dif\nd3 a 0 d.2\nd4 a 0 late", library)
    assert ".if(v0==1)\n.model dif d\n.else\n.model dif d is=1\n.endif" in text
    assert "+ params: r=1" in text
    assert "v0=1" in text
    assert ".model d.2 d" in text
    assert ".model late d" in text
    assert "dz" not in text


@pytest.mark.parametrize(
    ("library", "doubt"),
    [
        (".control\nrun\n.endc\n", "`.control`"),
        (".prot\nxyz\n.unprot\n", "`.prot`"),
        (".subckt s a\nr1 a 0 1\n", "without an end"),
        ("r1 a 0 1\n*# alter r1=2\n", "hidden command"),
        ("\0\1\2", "not text"),
        ("v1 a 0 pwl file=data.csv\n", "file of data"),
    ],
)
def test_what_cannot_be_analysed_is_used_as_a_whole(library: str, doubt: str) -> None:
    found = models("r9 a 0 1", f"{library}.model gone d\n")
    assert doubt in found.doubt
    assert found.pruned == found.flat
    assert "gone" in found.flat[0]


def test_a_file_inside_a_subcircuit_of_the_deck_is_used_as_a_whole() -> None:
    found = ModelLibrary(Files(a=".model dx d\n.model dy d\n")).models(
        "* t\n.subckt s a\n.include a.lib\nd1 a 0 dx\n.ends\nx1 a s\n", "/m"
    )
    assert "inside a subcircuit" in found.doubt
    assert "dy" in found.pruned[0]


def test_a_comment_box_is_no_hidden_command() -> None:
    assert "gone" not in pruned("r1 a 0 1", "*#####\n* text\n*#####\n.model gone d\n")


@pytest.mark.parametrize(
    ("deck", "kept"),
    [
        ("x1 d g s b nfet w=0.5u l=0.2u", [0]),
        ("x1 d g s b nfet w=5u l=5u", [3]),
        ("x1 d g s b nfet w=1u l=0.5u", [1]),
        ("x1 d g s b nfet w=1.0005u l=0.5u", [0, 1]),
        ("x1 d g s b nfet w=1.01u l=0.5u", [1]),
        ("x1 d g s b nfet w=1u l=1u", [3]),
        ("x1 d g s b nfet w=10u l=10u", [3]),
        ("x1 d g s b nfet w=2u l=0.5u nf=2", [1]),
        ("x1 d g s b nfet w=1.5u l=0.5u nf=2", [0, 1]),
        ("x1 d g s b nfet w=0.5u l=0.2u\nx2 d g s b nfet\n+ w=5u l=5u", [0, 3]),
        ("x1 d g s b nfet\n  + w=5u\n* remark\n\n+ l=5u", [3]),
        ("x1 d g s b nfet w=0.5u l='a*2'\n.param a=1", [0, 1, 2, 3]),
        ("x1 d g s b nfet w=0.5u l=unknown", [0, 1, 2, 3]),
        ("x1 d g s b nfet w=99u l=0.5u", [0, 1, 2, 3]),
        (".option scale=1e-6\nx1 d g s b nfet w=5 l=5", [3]),
        (".option scale=1e-6\n.option scale=1\nx1 d g s b nfet w=5 l=5", [0, 1, 2, 3]),
        (".option scale={s}\nx1 d g s b nfet w=5 l=5", [0, 1, 2, 3]),
        (".option scale=1e-6\nx1 d g s b nfet", [0, 1, 2, 3]),
        (".option scale=5e-6\nx1 d g s b nfet", [3]),
        ("x1 d g s b nfet w=5u l=5u\n.control\nalter x1 w=1u\n.endc", [0, 1, 2, 3]),
        (".save nfet", [0, 1, 2, 3]),
        # in parameters
        (".param wide=5u\nx1 d g s b nfet w=wide l=5u", [3]),
        (".param wide=5u\nx1 d g s b nfet w={wide} l='wide'", [3]),
        (".param wide = 5u + 1\nx1 d g s b nfet w={wide} l=5u", [0, 1, 2, 3]),
        (".param a=b b=5u\nx1 d g s b nfet w=a l=a", [3]),
        (".param a=b b=a\nx1 d g s b nfet w=a l=a", [0, 1, 2, 3]),
        (".subckt o a wide=0.5u\nx1 d g s b nfet w={wide} l=0.2u\n.ends\nx1 a o\nx2 a o wide=5u", [0, 1]),
        (".subckt o a w=0.5u\nx1 d g s b nfet w={w} l=0.2u\n.ends\nx1 a o\nx2 a o w='2*3'", [0, 1, 2, 3]),
    ],
)
def test_bins_in_range_stay_in_their_order(deck: str, kept: list[int]) -> None:
    assert bins(deck) == kept


def test_what_only_other_bins_need_is_left_out() -> None:
    text = pruned("x1 d g s b nfet w=0.5u l=0.2u", BINS)
    assert "v0=0.4" in text
    assert "v1=0.5" not in text


@pytest.mark.parametrize(
    "change",
    [
        ("m0 d g s b", "m1 d g s b nfet_model l=1 w=1\nm0 d g s b"),
        ("m0 d g s b nfet_model", "r1 d g nfet_model\nm0 d g s b nfet_model"),
        ("m0 d g s b", ".if (w==1)\nm0 d g s b"),
        ("m0 d g s b nfet_model", "m0 d g s b other"),
    ],
)
def test_bins_of_unusual_subcircuits_stay(change: tuple[str, str]) -> None:
    library = BINS.replace(*change)
    assert bins("x1 d g s b nfet w=0.5u l=0.2u", library)[-4:] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "library",
    [
        "x1 d g s b nfet w=5u l=5u\n",
        ".param wide=5u\nx1 d g s b nfet\n+ w={wide}\n+ l=wide\n",
        ".if (1)\n.subckt o d\nx1 d 0 0 0 nfet w=5u l=5u\n.ends\n.endif\n",
        ".subckt o d\n.subckt i d\nx1 d 0 0 0 nfet w=5u l=5u\n.ends\nx1 d i\n.ends\nxo d o\n",
    ],
)
def test_instances_in_files_choose_bins_too(library: str) -> None:
    """Such as a DUT's netlist that the deck includes."""
    assert bins("x9 d g s b nfet w=0.5u l=0.2u", BINS + library) == [0, 3]


def test_the_scale_of_a_file_counts() -> None:
    assert bins("x1 d g s b nfet w=5 l=5", f".option scale=1.0u\n{BINS}") == [3]
    assert bins(".option scale=1\nx1 d g s b nfet w=5 l=5", f".option scale=1.0u\n{BINS}") == [0, 1, 2, 3]


def test_a_wrapper_in_the_library_passes_its_geometry_on() -> None:
    library = BINS + ".subckt special d g s b\n.param w=9u l=9u\nxi d g s b nfet w={w} l={l}\n.ends\n"
    assert bins("x1 d g s b special w=0.5u l=0.2u", library) == [0, 1, 2, 3]
    assert bins("x1 d g s b special w=5u l=5u", library) == [3]


@pytest.mark.parametrize("text", ["agauss(0,1,1)", "AUNIF(0,1)", "draw(1)", "drawn"])
def test_bins_that_draw_stay_unless_ngspice_drops_them_first(text: str) -> None:
    library = BINS.replace("vth0={v1}", f"vth0={{{text}}}") + ".func draw(x) {x*agauss(0,1,1)}\n.param drawn=draw(1)\n"
    deck = "x1 d g s b nfet w=5u l=5u"
    assert bins(deck, library, simulator_drops_bins=True) == [3]
    assert bins(deck, library, simulator_drops_bins=False) == [1, 3]


@pytest.mark.parametrize(
    ("geometry", "kept"),
    [("w=5u l=5u", [3]), ("w=5u l=5u nf=1", [3]), ("w={five} l=5u", [1, 3]), ("w='five' l=5u", [1, 3])],
)
def test_ngspice_drops_bins_where_geometry_is_plain_alone(geometry: str, kept: list[int]) -> None:
    library = BINS.replace("vth0={v1}", "vth0={agauss(0,1,1)}") + ".param five=5u drawn={agauss(0,1,1)}\n"
    assert bins(f"x1 d g s b nfet {geometry}", library, simulator_drops_bins=True) == kept


@pytest.mark.parametrize(
    ("cards", "kept"),
    [
        (".param s=0", [3]),
        (".param s=0 e=1e0", [3]),
        (".param s=1", [1, 3]),
        (".param s='0*1'", [1, 3]),
        (".param s=0\n.param s=1", [1, 3]),
        (".param s=0 r={gauss(1,0.1,3)}", [1, 3]),
        (".param s=0\nb1 d 0 v=aunif(0,1)", [1, 3]),
        (".param s=0\nv1 d 0 trrandom(1 1n 0 1)", [1, 3]),
    ],
)
def test_bins_whose_draws_count_for_nothing_go_where_nothing_else_draws(cards: str, kept: list[int]) -> None:
    draw = "vth0={1+s*agauss(0,1,1)}"
    library = BINS.replace("vth0={v1}", draw).replace(".ends nfet", f"+ {draw}\n.ends nfet")
    assert bins(f"x1 d g s b nfet w=5u l=5u\n{cards}", library, simulator_drops_bins=False) == kept


def test_the_mode_in_which_ngspice_drops_bins() -> None:
    assert drops_bins("set num_threads=1\nset ngbehavior=hsa\n")
    assert not drops_bins("set ngbehavior=hsa\n set ngbehavior = ps\n")
    assert not drops_bins("* set ngbehavior=hsa\n")


def test_widths_and_parameters_of_a_sweep_give_the_models_they_need() -> None:
    """One library for all decks: what was found for one must not be taken for another."""
    library = ModelLibrary(Files(a=BINS), simulator_drops_bins=True)
    found = {}
    for wide in ("0.5u", "5u", "0.6u", "other", "5u"):
        deck = f"* t\n.include a.lib\n.param wide={wide} other=0.5u temperature={wide}\nx1 d g s b nfet w=wide l=5u\n"
        found[wide] = library.models(deck, "/m")
        assert ("nfet_model.3" in found[wide].pruned[0]) == (wide == "5u")
    assert found["0.5u"].key == found["0.6u"].key == found["other"].key != found["5u"].key
    assert found["0.5u"].pruned is found["0.6u"].pruned


def test_decks_that_differ_in_numbers_alone_share_their_models() -> None:
    library = ModelLibrary(Files(a=BINS))
    first, second = (
        library.models(f"* t\n.include a.lib\n.param vdd={v}\nx1 d g s b nfet w=5u l=5u\n.temp {v}\n", "/m")
        for v in (1, 2)
    )
    assert first is second


def test_sections_and_words_are_found_as_ngspice_finds_them() -> None:
    files = Files(a=".lib 'TT'\n.model dx d\n.model dy d\n.model dz d\n.endl\n")
    deck = "* t\n.lib 'a.lib' \"tt\"\nd1 a 0 dx ; dy\n.control\nop; showmod dy\n.endc\n"
    assert "dz" not in ModelLibrary(files).models(deck, "/m").pruned[0]
    assert "dy" in ModelLibrary(files).models(deck, "/m").pruned[0]


def test_the_key_tells_texts_apart() -> None:
    deck = "* t\n.include a.lib\nd1 a 0 dx\n"
    keys = {
        ModelLibrary(Files(a=text)).models(deck, "/m").key
        for text in (".model dx d\n", ".model dx d is=1\n", ".model dx d\n.model dy d\n")
    }
    assert len(keys) == 3


def test_paths_keep_their_letters_in_decks_with_continued_lines() -> None:
    files = Files()
    files.files["/m/Sub/Models.LIB"] = ".lib Typ\n.model dx d\n.model dy d\n.endl\n"
    deck = "* t\n.LIB Sub/Models.LIB TYP\nd1 a\n+ 0 DX\n"
    assert ModelLibrary(files).models(deck, "/m").pruned[0].split() == [".model", "dx", "d"]


@pytest.mark.parametrize(
    ("deck", "what"),
    [
        (".include b.lib", "cannot read /m/b.lib"),
        (".lib a.lib ss", "no section 'ss'"),
        (".include loop.lib", "includes itself"),
    ],
)
def test_a_file_or_section_that_is_missing_is_told(deck: str, what: str) -> None:
    with pytest.raises(CaseError, match=what):
        ModelLibrary(Files(a=".lib tt\n.endl\n", loop=".include loop.lib\n")).models(f"* t\n{deck}\n", "/m")


def test_a_deck_without_model_files() -> None:
    assert ModelLibrary(Files()).models("* .include a.lib\nr1 a 0 1\n", "/m") == Models()


def test_only_reference_lines_of_a_deck_change() -> None:
    deck = ".include title.inc\n.include a.lib ; why\n* .include c.lib\n  .LIB 'b.lib' tt\nr1 a 0 1\n+ tc=1\n.end"
    assert with_models(deck, ["/x/0", "/x/1"]) == (
        '.include title.inc\n.include "/x/0"\n* .include c.lib\n.include "/x/1"\nr1 a 0 1\n+ tc=1\n.end'
    )


def test_models_in_bytes_that_are_no_text_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.lib").write_bytes(b"* area in \xb5m\xb2\r\n.model dx d\r\n.model dy d\r\n")
    found = ModelLibrary().models("* t\n.include a.lib\nd1 a 0 dx\n", str(tmp_path))
    assert found.pruned[0].split() == [".model", "dx", "d"]


def test_memory_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_library, "_MOST_TEXT", 100)
    monkeypatch.setattr(model_library, "_MOST_CARDS", 10)
    files = Files(**{f"f{number}": f".model d{number} d\n.model gone d\n" for number in range(20)})
    library = ModelLibrary(files)
    for number in range(20):
        found = library.models(f"* t\n.include f{number}.lib\nd1 a 0 d{number}\n", "/m")
        assert found.pruned[0].split() == [".model", f"d{number}", "d"]
        assert library._texts.size < 200
        assert len(library._cards) <= 12


NAMES = [f"n{number}" for number in range(12)]
USES = st.lists(st.sampled_from(NAMES), max_size=3)
DEFINITIONS = st.lists(
    st.tuples(st.sampled_from(["param", "drawn", "func", "model", "subckt", "if"]), USES), min_size=12, max_size=12
)


def written(kind: str, name: str, uses: list[str]) -> str:
    value = "+".join(["1", *(use.upper() for use in uses)])
    return {
        "param": f".param {name}={{{value}}}",
        "drawn": f".PARAM {name} = 'aGauss(1,0.1,1)+{value}'",
        "func": f".func {name}(x) {{x+{value}}}",
        "model": f".model {name} r\n* remark\n+ rsh={{{value}}}",
        "subckt": f".subckt {name} a\nr1 a 0 {{{value}}}\n.ends {name}",
        "if": f".if ({value} > 0)\n.param {name}=1\n.else\n.param {name}=2\n.endif",
    }[kind]


@given(DEFINITIONS, USES)
def test_of_any_library_stays_what_is_reached_and_what_draws(
    definitions: list[tuple[str, list[str]]], uses: list[str]
) -> None:
    defined = dict(zip(NAMES, definitions, strict=True))
    library = "\n".join(written(kind, name, used) for name, (kind, used) in defined.items()) + "\n"
    deck = "r1 a 0 {" + "+".join(["1", *uses]) + "}"
    text = pruned(deck, library)

    drawing = {name for name, (kind, _) in defined.items() if kind == "drawn"}
    while more := {
        name
        for name, (kind, used) in defined.items()
        if name not in drawing and kind in ("param", "func", "if", "model") and not drawing.isdisjoint(used)
    }:
        drawing |= more
    reached, waiting = set(), {*uses, *drawing}
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.update(defined[name][1])
    kept = [name for name in NAMES if re.search(rf"^\.(?:param|func|model|subckt) {name}\b", text, re.M | re.I)]
    assert kept == [name for name in NAMES if name in reached]
    assert pruned(deck, text) == text


WIDTHS = st.floats(1e-7, 1e-5).map(lambda width: float(f"{width:.4g}"))


@given(st.lists(st.tuples(WIDTHS, WIDTHS, st.integers(1, 4)), min_size=1, max_size=4), st.booleans())
def test_the_bin_of_every_instance_stays(geometries: list[tuple[float, float, int]], by_parameter: bool) -> None:
    cards = [
        f".param w{n}={w} l{n}={long}\nx{n} d g s b nfet w={{w{n}}} l=l{n} nf={nf}"
        if by_parameter
        else f"x{n} d g s b nfet w={w} l={long} nf={nf}"
        for n, (w, long, nf) in enumerate(geometries)
    ]
    kept = bins("\n".join(cards))
    limits = {
        0: (1e-7, 1e-6, 1e-7, 1e-6),
        1: (1e-7, 1e-6, 1e-6, 1e-5),
        2: (1e-6, 1e-5, 1e-7, 1e-6),
        3: (1e-6, 1e-5, 1e-6, 1e-5),
    }
    for width, long, fingers in geometries:
        of_one = float(f"{width / fingers:.12g}")
        for number, (lmin, lmax, wmin, wmax) in limits.items():
            if lmin <= long < lmax and (wmin <= of_one < wmax or wmin <= width < wmax):
                assert number in kept
    assert kept == sorted(kept)


def test_reference_lines_alone_read_other_files() -> None:
    deck = ".include title\n  .INC a.inc\n* .lib b.lib tt\n.lib 'b.lib' tt\n.lib tt\nr1 a 0 1k\n.include c.inc"
    expected = deck.replace("  .INC a.inc", '.include "1"').replace(".lib 'b.lib' tt", '.include "2"')
    assert with_models(deck, ["1", "2", "3"]) == expected.replace(".include c.inc", '.include "3"')
