from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.core.case import Case
from simorc.core.errors import TemplateError
from simorc.core.plan import Plan
from simorc.core.sweep import Axis, Sweep
from simorc.core.units import Quantity, Value
from simorc.simulators import netlist
from simorc.simulators.netlist import Renderer

DEFAULTS: dict[str, Value] = {"corner": "tt", "vin": 5.0, "iload": Quantity("10m"), "fast": True}


def plan_for(folder: Path, template: str = "tb.spice.j2", **changes: object) -> Plan:
    fields: dict[str, object] = {
        "sweep": Sweep("s", (Axis(("vin",), ((4.0,), (6.0,))),), DEFAULTS),
        "testbench": "tb",
        "target": "spice",
        "testbench_dir": str(folder),
        "sweep_file": "/p/sweeps/s.yaml",
        "setup_file": "/p/sim_setup.yaml",
        "template": template,
        "dut": {"netlist": "/p/netlists/ldo.spice", "schematic": "/p/ldo.sch"},
        "pdks": {"sky130": {"path": "/pdk/sky130", "lib": "/pdk/sky130/models/sky130.lib.spice"}},
        "environment": {"MODELS": "/models"},
    }
    return Plan(**{**fields, **changes})  # type: ignore[arg-type]


def renderer_for(folder: Path, text: str, **changes: object) -> Renderer:
    (folder / "tb.spice.j2").write_text(text)
    return Renderer.of_project(plan_for(folder, **changes))


def case_of(case_id: int = 3, seed: int = 7, **values: Value) -> Case:
    return Case(case_id, {**DEFAULTS, **values}, ("vin",), seed)


@pytest.mark.req("SIM-07")
def test_a_template_sees_parameters_dut_pdk_case_and_environment(tmp_path: Path) -> None:
    text = (
        "* {{ parameters.corner }} {{ parameters['vin'] }} {{ parameters.iload }} {{ parameters.fast }}\n"
        "* {{ case.id }} {{ case.seed }} {{ env.MODELS }} {{ pdk.sky130 }} {{ pdk.sky130.lib }} {{ dut.schematic }}\n"
    )
    renderer = renderer_for(tmp_path, text)
    renderer.check()
    assert renderer.render(case_of(vin=4.0)) == (
        "* tt 4.0 10m true\n* 3 7 /models /pdk/sky130 /pdk/sky130/models/sky130.lib.spice /p/ldo.sch\n"
    )


def test_values_stand_as_written_and_compute_as_numbers(tmp_path: Path) -> None:
    renderer = renderer_for(tmp_path, "{{ parameters.iload }} {{ parameters.iload * 2 }} {{ parameters.vin / 2 }}")
    assert renderer.render(case_of()) == "10m 0.02 2.5"


@pytest.mark.parametrize("name", ["items", "copy", "values", "get"])
def test_a_parameter_may_have_the_name_of_a_dict_method(tmp_path: Path, name: str) -> None:
    renderer = renderer_for(tmp_path, "{{ parameters." + name + " }}")
    assert renderer.render(case_of(**{name: 4.0})) == "4.0"


def test_names_used_are_found_in_branches_not_taken_and_in_included_templates(tmp_path: Path) -> None:
    (tmp_path / "load.j2").write_text("I {{ parameters.iload }} {{ dut.netlist }}\n")
    renderer = renderer_for(
        tmp_path,
        "* t\n{% if parameters.corner == 'x' %}{{ pdk.sky130.lib }} {{ env['HOME'] }}{% endif %}\n"
        "{% include 'load.j2' %}{{ case.seed }}",
    )
    names = renderer.names()
    assert set(names.parameters) == {"corner", "iload"}
    assert (set(names.pdks), set(names.environment), set(names.dut)) == ({"sky130"}, {"HOME"}, {"netlist"})
    assert names.parameters["iload"] == f"{tmp_path / 'load.j2'}:1"
    assert names.environment["HOME"] == f"{tmp_path / 'tb.spice.j2'}:2"


@pytest.mark.req("SIM-07")
@pytest.mark.parametrize(
    ("text", "line", "what", "hint"),
    [
        ("* t\nV1 a 0 {{ parameters.vim }}", 2, "no parameter 'vim'", "did you mean 'vin'?"),
        ("{% if 0 %}\n{{ parameters.vim }}{% endif %}", 2, "no parameter 'vim'", "did you mean 'vin'?"),
        ("* t\n\n{{ parameter.vin }}", 3, "unknown name 'parameter'", "did you mean 'parameters'?"),
        ("{{ vin }}", 1, "unknown name 'vin'", "parameters.vin"),
        ("{{ dut.netlst }}", 1, "no field of dut 'netlst'", "did you mean 'netlist'?"),
        ("{{ case.number }}", 1, "no field of case 'number'", "there are: id, seed"),
        ("{{ env.HOMER }}", 1, "no environment variable 'HOMER'", ""),
        ("{{ pdk.sky130.libs }}", 1, "no field of a PDK 'libs'", "did you mean 'lib'?"),
        ("{{ parameters.__class__ }}", 1, "no parameter '__class__'", ""),
        ("* t\n{% if %}", 2, "template syntax", ""),
        ("* t\n{{ parameters.vin | nosuch }}", 2, "template syntax: No filter named 'nosuch'", ""),
        ("* t\n{% include 'none.j2' %}", 2, "no template 'none.j2'", ""),
        ("* t\n{% include '../secret.j2' %}", 2, "no template '../secret.j2'", ""),
        ("* t\n{% import '/etc/passwd' as p %}", 2, "no template '/etc/passwd'", ""),
        ("{{ lipsum() }}", 1, "unknown name 'lipsum'", ""),
    ],
)
def test_an_undefined_name_is_an_error_with_its_line(
    tmp_path: Path, text: str, line: int, what: str, hint: str
) -> None:
    (tmp_path.parent / "secret.j2").write_text("secret")
    with pytest.raises(TemplateError) as caught:
        renderer_for(tmp_path, text).check()
    assert caught.value.what.startswith(what)
    assert caught.value.where == f"{tmp_path / 'tb.spice.j2'}:{line}"
    assert hint in caught.value.hint


def test_all_undefined_names_are_listed_at_once(tmp_path: Path) -> None:
    with pytest.raises(TemplateError) as caught:
        renderer_for(tmp_path, "{{ parameters.a }}\n{{ dut.b }}\n{{ parameters.c }}").check()
    assert [part in str(caught.value) for part in (":1: no parameter 'a'", ":2: no field", ":3: no parameter 'c'")] == [
        True,
        True,
        True,
    ]


def test_names_that_a_template_sets_itself_are_no_error(tmp_path: Path) -> None:
    (tmp_path / "tail.j2").write_text("{{ width }}\n")
    (tmp_path / "macros.j2").write_text("{% macro double(x) %}{{ x * 2 }}{% endmacro %}")
    renderer = renderer_for(
        tmp_path,
        "{% from 'macros.j2' import double %}{% set width = 4 %}"
        "{% for k in range(2) %}{{ k }}{{ loop.last }} {% endfor %}{{ double(width) }} "
        "{% include 'tail.j2' %}{% include 'absent.j2' ignore missing %}",
    )
    renderer.check()
    assert renderer.render(case_of()) == "0false 1true 8 4\n"


def test_a_missing_field_of_the_dut_is_told_although_nothing_is_given(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="no field of dut 'netlist'"):
        renderer_for(tmp_path, "{{ dut.netlist }}", dut={}).check()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("* t\n{{ 1 / (parameters.vin - parameters.vin) }}", "division by zero"),
        ("* t\n{% for k in range(10**9) %}x{% endfor %}", "Range too big"),
        ("* t\n{{ parameters.corner + 1 }}", "concatenate"),
        ("* t\n{{ parameters[parameters.corner] }}", "has no attribute 'tt'"),
        ("* t\n{{ parameters.corner.__class__ }}", "unsafe"),
        ("{% macro f() %}{{ f() }}{% endmacro %}\n{{ f() }}", "never ends"),
        ("* t\n{% include parameters.corner %}", "no template 'tt'"),
        ("* t\n{% include '../' ~ parameters.corner %}", "no template '../tt'"),
    ],
)
def test_an_error_while_rendering_is_a_template_error_with_its_line(tmp_path: Path, text: str, what: str) -> None:
    renderer = renderer_for(tmp_path, text)
    with pytest.raises(TemplateError) as caught:
        renderer.render(case_of())
    assert what in caught.value.what
    assert caught.value.where.startswith(str(tmp_path / "tb.spice.j2"))
    assert caught.value.where.rpartition(":")[2] in ("1", "2")


@pytest.mark.parametrize(
    "text",
    [
        "{{ parameters.corner }} {{ parameters.iload }} {{ parameters.iload + 1 }} {{ parameters.fast }}",
        "{{ case.seed }} {{ parameters.nothing is defined }} {{ parameters._g is defined }}",
        "{{ parameters._g }}",
        "{{ parameters.nothing }}",
        "{{ parameters.__dict__ }}",
        "{{ parameters.corner.upper() }} {{ '{:5}'.format(parameters.corner) }}",
        "{{ parameters.corner.format.__globals__ }}",
        "{{ pdk.sky130.lib }} {{ pdk.sky130.upper() }} {{ pdk.other is defined }}",
        "{{ env.MODELS }} {{ parameters|attr('corner') }} {{ [parameters, parameters]|map(attribute='vin')|sum }}",
    ],
)
def test_names_are_looked_up_as_jinja2_itself_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    def rendered() -> tuple[str, str]:
        try:
            return renderer_for(tmp_path, text).render(case_of(_g=1.0)), ""
        except TemplateError as error:
            return "", error.what

    short = rendered()
    monkeypatch.delattr(netlist._Sandbox, "getattr")
    assert short == rendered()
    assert any(short)


def test_an_error_in_an_included_template_names_that_template(tmp_path: Path) -> None:
    (tmp_path / "inner.j2").write_text("a\nb {{ 1 // 0 }}\n")
    with pytest.raises(TemplateError) as caught:
        renderer_for(tmp_path, "* t\n{% include 'inner.j2' %}").render(case_of())
    assert caught.value.where == f"{tmp_path / 'inner.j2'}:2"


def test_syntax_error_and_missing_template_are_told_by_render_as_well(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="template syntax"):
        renderer_for(tmp_path, "{% for %}").render(case_of())
    with pytest.raises(TemplateError, match=r"no template 'gone\.j2'"):
        Renderer.of_project(plan_for(tmp_path, "gone.j2")).render(case_of())


@pytest.mark.req("SIM-02")
def test_paths_of_a_deck_resolve_from_the_template_in_any_folder(tmp_path: Path) -> None:
    text = (
        "* t\n.include models.inc\n.include '../shared/a b.inc' ; comment\n"
        '.lib "corners.lib" {{ parameters.corner }}\n'
        ".include {{ dut.netlist }}\n.INC /abs/x.inc\n.lib {{ pdk.sky130.lib }} tt\n* .include not.me\n"
        "a1 %v([a]) f\n.model f filesource (file=data.txt amploffset=[0])\n.lib tt $ a section\n.endl\n"
    )
    assert renderer_for(tmp_path, text).render(case_of()) == (
        f'* t\n.include "../../inputs/testbench/models.inc"\n.include "{tmp_path.parent}/shared/a b.inc" ; comment\n'
        '.lib "../../inputs/testbench/corners.lib" tt\n.include ../../inputs/dut/ldo.spice\n.INC /abs/x.inc\n'
        ".lib /pdk/sky130/models/sky130.lib.spice tt\n* .include not.me\n"
        'a1 %v([a]) f\n.model f filesource (file="../../inputs/testbench/data.txt" amploffset=[0])\n'
        ".lib tt $ a section\n.endl\n"
    )


def test_paths_resolve_from_the_templates_own_folder_below_the_testbench(tmp_path: Path) -> None:
    (tmp_path / "spice").mkdir()
    (tmp_path / "spice" / "tb.j2").write_text(".include a.inc\n.include ../b.inc\n")
    deck = Renderer.of_project(plan_for(tmp_path, "spice/tb.j2")).render(case_of())
    assert deck == '.include "../../inputs/testbench/spice/a.inc"\n.include "../../inputs/testbench/b.inc"\n'


def test_a_run_renders_from_its_copy_and_paths_mean_the_same(tmp_path: Path) -> None:
    copy = tmp_path / "run" / "inputs" / "testbench"
    copy.mkdir(parents=True)
    (copy / "tb.spice.j2").write_text(".include a.inc\n.include ../b.inc\n")
    plan = plan_for(tmp_path / "testbenches" / "tb")
    deck = Renderer.of_run(plan, copy).render(case_of())
    assert deck == f'.include "../../inputs/testbench/a.inc"\n.include "{tmp_path}/testbenches/b.inc"\n'


@given(st.lists(st.sampled_from(["* c\n", "R1 a 0 1k\n", "+ x\n", "\n", ".op\n", "é µ\n"]), max_size=20))
def test_text_without_placeholders_comes_out_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("t")
    (folder / "tb.spice.j2").write_text("".join(parts), encoding="utf-8")
    assert Renderer.of_project(plan_for(folder)).render(case_of()) == "".join(parts)
