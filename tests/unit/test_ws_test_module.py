"""The generated module: short, readable, valid for every sweep's name."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simorc.workspace.test_module import module_text


@pytest.mark.req("SIM-11")
def test_it_is_short_and_says_how_to_run_it() -> None:
    text = module_text("pvt_dc", "pvt_dc_20260101120000", 1000)
    assert len(text.splitlines()) <= 15
    assert "1000 cases" in text
    assert "simorc run pvt_dc_20260101120000" in text
    assert "def test_pvt_dc(case, measure):" in text


@pytest.mark.req("SIM-11")
@given(st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]*", fullmatch=True))
def test_it_is_valid_python_with_one_test(sweep: str) -> None:
    tree = ast.parse(module_text(sweep, f"{sweep}_1", 1))
    (function,) = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert function.name.startswith("test_")
    assert [argument.arg for argument in function.args.args] == ["case", "measure"]
    assert ast.get_docstring(tree)
