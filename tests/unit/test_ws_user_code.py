"""Measure functions from inputs/: each load on its own, errors at their line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from simorc.core.errors import CaseError, ErrorKind
from simorc.workspace.layout import RunDirectory
from simorc.workspace.user_code import load_measure_functions, load_module


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def test_functions_come_from_the_run_s_own_copy(ws_run: RunDirectory) -> None:
    functions = load_measure_functions(ws_run, ["psrr"])
    assert functions["psrr"](None, None) == 42
    assert functions["psrr"].__code__.co_filename == str(ws_run.testbench / "measures.py")


def test_two_runs_may_have_helpers_of_the_same_name(tmp_path: Path) -> None:
    results = []
    for number in (1, 2):
        folder = write(
            tmp_path / str(number), measures="import helper\ndef m(w, c): return helper.N", helper=f"N = {number}"
        )
        results.append(load_measure_functions(folder, ["m"])["m"])
    assert [function(None, None) for function in results] == [1, 2]


def test_a_load_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("from . import inner")
    (tmp_path / "package" / "inner.py").write_text("N = 3")
    (tmp_path / "namespace").mkdir()
    (tmp_path / "namespace" / "deep.py").write_text("N = 4")
    text = "import helper, package, namespace.deep\ndef m(w, c): return package.inner.N + namespace.deep.N"
    write(tmp_path, measures=text, helper="import sys\nsys.path.append('/nowhere')", colorsys="N = 1")
    before = set(sys.modules), list(sys.path), sys.dont_write_bytecode
    function = load_measure_functions(tmp_path, ["m"])["m"]
    assert function(None, None) == 7
    left = {name for name in set(sys.modules) - before[0] if not name.startswith("_simorc_")}
    assert left == set()
    assert (list(sys.path), sys.dont_write_bytecode) == before[1:]
    assert not list(tmp_path.rglob("__pycache__"))


def test_a_module_that_the_process_has_already_is_neither_used_nor_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = type(sys)("helper")
    monkeypatch.setitem(sys.modules, "helper", theirs)
    write(tmp_path, measures="import helper\ndef m(w, c): return helper.N", helper="N = 5")
    assert load_measure_functions(tmp_path, ["m"])["m"](None, None) == 5
    assert sys.modules["helper"] is theirs


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    for number in (1, 2):
        write(tmp_path, measures="from helper import N\ndef m(w, c): return N", helper=f"N = {number}")
        assert load_measure_functions(tmp_path, ["m"])["m"](None, None) == number


def test_dataclasses_work_in_it(tmp_path: Path) -> None:
    text = """
from __future__ import annotations
from dataclasses import dataclass
@dataclass
class Point:
    x: int
def m(waves, case): return Point(3).x
"""
    assert load_measure_functions(write(tmp_path, measures=text), ["m"])["m"](None, None) == 3


def test_nothing_is_executed_where_nothing_is_asked_for(tmp_path: Path) -> None:
    assert load_measure_functions(tmp_path / "nowhere", []) == {}


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("def m(w, c)\n    return 1", "measures.py:1", "SyntaxError: expected ':'"),
        ("\n\nimport no_such_module", "measures.py:3", "No module named 'no_such_module'"),
        ("\nx = 1 / 0", "measures.py:2", "ZeroDivisionError"),
        ("import sys\nsys.exit(3)", "measures.py:2", "SystemExit: 3"),
        ("from broken import x", "broken.py:2", "NameError"),
        ("import invalid", "invalid.py:1", "SyntaxError"),
        ("\0", "measures.py", "null bytes"),
        ("def other(w, c): pass", "measures.py", "there is no function m()"),
        ("m = 5", "measures.py", "there is no function m()"),
    ],
)
def test_an_error_has_its_line(tmp_path: Path, text: str, where: str, what: str) -> None:
    write(tmp_path, measures=text, broken="y = 1\nx = y + z", invalid="def")
    before = set(sys.modules)
    with pytest.raises(CaseError) as caught:
        load_measure_functions(tmp_path, ["m"])
    assert caught.value.kind is ErrorKind.MEASURE_ERROR
    assert what in caught.value.what
    assert caught.value.where.endswith(where)
    imported = "no function" in what  # then the module itself was fine
    assert len(set(sys.modules) - before) == imported


def test_a_missing_function_suggests_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, measures="def psrr_dc(w, c): pass")
    with pytest.raises(CaseError) as caught:
        load_measure_functions(tmp_path, ["psr_dc"])
    assert caught.value.hint == "did you mean 'psrr_dc'?"


def test_a_missing_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"there is no measures\.py"):
        load_measure_functions(tmp_path, ["m"])


def test_another_file_is_no_module(tmp_path: Path) -> None:
    (tmp_path / "measures.txt").write_text("")
    with pytest.raises(CaseError, match="not a Python file"):
        load_module(tmp_path, "measures.txt")


def test_ctrl_c_is_not_swallowed(tmp_path: Path) -> None:
    path = list(sys.path)
    with pytest.raises(KeyboardInterrupt):
        load_module(write(tmp_path, measures="raise KeyboardInterrupt"), "measures.py")
    assert sys.path == path
