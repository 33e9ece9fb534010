from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.simulators.deck_paths import RUN, FromRun, PathRewriter, file_arguments, file_references

PLACE = FromRun("/p/testbenches/ota", "/p/testbenches/ota", "/p/netlists/dut.spice")


@pytest.mark.parametrize(
    ("line", "rewritten"),
    [
        (".include a.inc", '.include "<a.inc>"'),
        ("  .INC 'a b.inc' $ why", '  .INC "<a b.inc>" $ why'),
        ('.include "a;b.inc"', '.include "<a;b.inc>"'),
        (".lib lib/x.lib tt", '.lib "<lib/x.lib>" tt'),
        ('.LIB "x y.lib" tt ; fast', '.LIB "<x y.lib>" tt ; fast'),
        (".lib tt", ".lib tt"),
        (".lib tt ; the slow corner", ".lib tt ; the slow corner"),
        (".lib tt $ the slow corner", ".lib tt $ the slow corner"),
        (".endl tt", ".endl tt"),
        ("* .include a.inc", "* .include a.inc"),
        ('.model m filesource (file="a.txt")', '.model m filesource (file="<a.txt>")'),
        (".model m d_source (input_file = a.txt)", '.model m d_source (input_file = "<a.txt>")'),
        ("+ state_file=a.txt)", '+ state_file="<a.txt>")'),
        ("v1 a 0 PWLFILE='a.txt'", 'v1 a 0 PWLFILE="<a.txt>"'),
        ('v1 a 0 pwlfile "a.txt"', 'v1 a 0 pwlfile "<a.txt>"'),
        ("v1 a 0 pwl file a.txt", 'v1 a 0 pwl file "<a.txt>"'),
        (".include $HOME/a.inc", ".include $HOME/a.inc"),
        (".param profile=3 filexyz=2", ".param profile=3 filexyz=2"),
        ("rfile a 0 1k", "rfile a 0 1k"),
        ("xfile file out", "xfile file out"),
        (".include", ".include"),
    ],
)
def test_paths_are_found_in_includes_libraries_and_file_arguments(line: str, rewritten: str) -> None:
    assert PathRewriter(lambda path: f"<{path}>").rewrite(line) == rewritten


@pytest.mark.parametrize(
    ("path", "mapped"),
    [
        ("models/n.inc", f"{RUN}inputs/testbench/models/n.inc"),
        ("./n.inc", f"{RUN}inputs/testbench/n.inc"),
        ("/p/testbenches/ota/n.inc", f"{RUN}inputs/testbench/n.inc"),
        ("../other/n.inc", "/p/testbenches/other/n.inc"),
        ("../ota2/n.inc", "/p/testbenches/ota2/n.inc"),
        ("../../netlists/dut.spice", f"{RUN}inputs/dut/dut.spice"),
        ("/models/n.inc", "/models/n.inc"),
        (f"{RUN}inputs/dut/dut.spice", f"{RUN}inputs/dut/dut.spice"),
    ],
)
def test_a_path_leads_to_the_copy_in_the_run_directory_or_is_absolute(path: str, mapped: str) -> None:
    assert PLACE.map(path) == mapped


@pytest.mark.req("SIM-02")
@pytest.mark.parametrize(
    ("run", "path", "mapped"),
    [
        ("/p p/simulations/r", "/p p/models/n.lib", f"{RUN}../../models/n.lib"),
        ("/p p/simulations/r", "/models/n.lib", "/models/n.lib"),
        ("/out/r", "/p p/models/n.lib", "/p p/models/n.lib"),
        ("", "/p p/models/n.lib", "/p p/models/n.lib"),
    ],
)
def test_a_path_with_a_space_becomes_one_without_if_there_is_one(run: str, path: str, mapped: str) -> None:
    assert FromRun("/p p/testbenches/ota", "/p p/testbenches/ota", run=run).map(path) == mapped


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert PLACE.map("~/models/n.inc") == "/home/me/models/n.inc"


_NAMES = st.text("abc.-", min_size=1, max_size=5).filter(lambda name: name not in (".", ".."))


@given(st.lists(_NAMES, min_size=1, max_size=4), st.integers(0, 4))
def test_mapped_paths_lead_back_to_the_original(parts: list[str], up: int) -> None:
    path = "../" * up + "/".join(parts)
    mapped = PLACE.map(path)
    assert PLACE.original(mapped.replace(RUN, "../../")) == PLACE.original(mapped)
    assert PLACE.map(PLACE.original(mapped)) == mapped


@pytest.mark.parametrize(
    ("file", "text", "copy"),
    [
        ("/p/testbenches/ota/m.inc", ".include sub/n.inc", ".include sub/n.inc"),
        ("/p/testbenches/ota/m.inc", ".include ../../models/n.inc", '.include "/p/models/n.inc"'),
        ("/p/netlists/dut.spice", ".include n.inc", '.include "/p/netlists/n.inc"'),
        ("/p/netlists/dut.spice", "r1 a b 1k", "r1 a b 1k"),
    ],
)
def test_a_copied_file_reads_the_same_files_as_the_original(file: str, text: str, copy: str) -> None:
    assert PLACE.in_copy(file, text) == copy


LIBRARY = """* corners
.include always.inc
.lib tt
.include tt.inc
.lib 'other.lib' typical
.endl tt
.LIB FF
.include ff.inc
.endl
"""


def test_of_a_library_the_chosen_section_counts() -> None:
    assert list(file_references(LIBRARY)) == [("always.inc", "")]
    assert list(file_references(LIBRARY, "TT")) == [("tt.inc", ""), ("other.lib", "typical")]
    assert list(file_references(LIBRARY, "ff")) == [("ff.inc", "")]
    assert list(file_references(LIBRARY, "ss")) == []


def test_arguments_that_name_files_are_listed() -> None:
    assert list(file_arguments('* file=no.txt\n.model m f (file="a b.txt" x=1)\nv1 a 0 pwlfile=c.txt')) == [
        "a b.txt",
        "c.txt",
    ]
