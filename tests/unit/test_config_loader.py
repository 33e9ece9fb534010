"""YAML files: values as YAML 1.2 means them, positions, and everything that is refused."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from simorc.config.document import Document
from simorc.config.loader import MAX_DEPTH, load_yaml, parse_yaml
from simorc.config.scalars import plain_scalar
from simorc.core.errors import ConfigError
from simorc.core.units import Quantity


def parse(text: str) -> Document:
    return parse_yaml(text, "a.yaml", Path())


def told(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.req("SIM-08")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5e-05", 5e-05),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("-3", -3),
        ("+7", 7),
        ("0x1F", 31),
        ("0o17", 15),
        ("0777", "0777"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("190:20:30", "190:20:30"),
        ("2026-01-01", "2026-01-01"),
        ("10u", "10u"),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("y", "y"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("'5'", "5"),
        ('"true"', "true"),
        ("!!str 5", "5"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("1e400", math.inf),
        ("-1e400", -math.inf),
    ],
)
def test_scalars_are_what_yaml_1_2_says(text: str, value: object) -> None:
    found = parse(f"a: {text}").data["a"]
    assert found == value
    assert isinstance(found, bool) is isinstance(value, bool)


def test_not_a_number_is_read_as_one() -> None:
    assert math.isnan(parse("a: .nan").data["a"])


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_a_number(number: float) -> None:
    assert plain_scalar(repr(number)) == number


@given(st.integers(-(10**15) + 1, 10**15 - 1))
def test_every_whole_number_is_one(number: int) -> None:
    value = plain_scalar(str(number))
    assert value == number
    assert isinstance(value, int)


@given(st.from_regex(r"[-+]?(0|[1-9][0-9]{0,5})(\.[0-9]{0,4})?([eE][-+]?[0-9]{1,2})?", fullmatch=True))
def test_a_written_number_keeps_its_text(text: str) -> None:
    value = plain_scalar(text)
    assert isinstance(value, (int, float))
    assert value == float(text)
    assert str(value) == text


@given(st.text(alphabet="0123456789abcxXoO.eE+-_:~ntfu", max_size=10))
def test_numbers_and_texts_part_where_the_core_schema_says(text: str) -> None:
    value = plain_scalar(text)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    looks_decimal = math.isfinite(number) and "_" not in text
    assert isinstance(value, (int, float)) or not looks_decimal or text.lstrip("+-").startswith("0")
    assert value is None or isinstance(value, (str, int, float))


def test_written_forms_survive() -> None:
    assert [str(v) for v in parse("[5.0, 5.00, 1e3, -0]").data] == ["5.0", "5.00", "1e3", "-0"]
    assert isinstance(parse("a: 5.00").data["a"], Quantity)


def test_every_key_has_its_place() -> None:
    document = parse("a:\n  b: [1,\n      2]\n  'c d': {e: 1}\nf: |\n  text\n")
    assert document.where(["a", "b", 1]) == "a.yaml:3: a.b[1]"
    assert document.where(["a", "c d", "e"]) == "a.yaml:4: a.c d.e"
    assert document.where(["f"]) == "a.yaml:5: f"
    assert document.where([]) == "a.yaml:1"
    assert document.where(["a"], missing="x") == "a.yaml:1: a.x"
    assert document.where(["a", "values", "b", 0]) == "a.yaml:2: a.b[0]"


def test_aliases_share_their_value_and_stand_where_they_are_used() -> None:
    document = parse("a: &x {k: [1, 2]}\nb: *x\nc: &y 5\nd: *y\n")
    assert document.data == {"a": {"k": [1, 2]}, "b": {"k": [1, 2]}, "c": 5, "d": 5}
    assert document.where(["b"]) == "a.yaml:2: b"
    assert document.where(["b", "k"]) == "a.yaml:1: b.k"


@pytest.mark.req("SIM-08")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "a.yaml: found an empty file, expected a mapping of keys and values"),
        ("# only a comment\n", "a.yaml: found an empty file, expected a mapping of keys and values"),
        ("a:\n\tb: 1", "a.yaml:2: found a tab, expected spaces to indent with"),
        ("a: 1\n---\nb: 2", "a.yaml:2: found a second document, expected one document a file"),
        ("a: \x07", "a.yaml:1: found a control character, expected printable text"),
        ("a: 1\nb: \x00", "a.yaml:2: found a control character, expected printable text"),
        ("? [a]\n: 1", "a.yaml:1: found a key that is not a text, expected a text as key"),
        ("a: &b x\n*b : 2", "a.yaml:2: found a key that is not a text, expected a text as key"),
        ("a: *b", "a.yaml:1: found the alias *b, expected an anchor &b before it"),
        ("a: \ud800", "a.yaml: found a character that is not Unicode, expected text in UTF-8"),
    ],
)
def test_what_is_not_one_plain_document_is_refused(text: str, problem: str) -> None:
    assert told(text) == [problem]


@pytest.mark.parametrize(
    "text", ["a: [", "a: b: c", "a: 'x", "}", "%YAML 9.0\n--- a", 'a: "\\z"', "- a\nb: 1", "a: @x"]
)
def test_a_syntax_error_has_its_line(text: str) -> None:
    (problem,) = told(text)
    assert problem.startswith("a.yaml:")
    assert "found a syntax error (" in problem


@pytest.mark.req("SIM-08")
def test_duplicate_keys_are_all_told_with_both_lines() -> None:
    assert told("a: 1\nb: {c: 1,\n  c: 2}\na: 3\nl:\n- x: 1\n  x: 2\n") == [
        "a.yaml:3: b.c: found the same key as in line 2, expected each key once",
        "a.yaml:4: a: found the same key as in line 1, expected each key once",
        "a.yaml:7: l[0].x: found the same key as in line 6, expected each key once",
    ]


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!custom", "!!binary", "!!int"])
def test_tags_that_ask_for_more_than_plain_values_are_refused(tag: str) -> None:
    (problem,) = told(f"a: {tag} x")
    assert "found the tag" in problem
    assert "found the tag" in told(f"a: {tag} [x]")[0]


@pytest.mark.req("SIM-08")
def test_exploding_anchors_are_refused_without_expanding_them() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    (problem,) = told("\n".join(lines))
    assert problem.startswith("a.yaml:6: found more than 1,000,000 values once aliases are followed")


@pytest.mark.parametrize("text", ["a: &x [*x]", "&x {a: {b: *x}}", "&x [&y [*x]]"])
def test_an_anchor_that_holds_itself_is_refused(text: str) -> None:
    assert "inside its own anchor" in told(text)[0]


def test_deep_nesting_is_refused_also_through_aliases() -> None:
    assert parse("[" * MAX_DEPTH + "]" * MAX_DEPTH).data is not None
    assert f"more than {MAX_DEPTH} levels" in told("[" * 100_000)[0]
    chain = ["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 60))]
    assert "levels once aliases are followed" in told("\n".join(chain))[0]


@pytest.mark.req("SIM-08")
def test_files_that_cannot_be_read_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: caf\xe9\n")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    expected = {
        "none.yaml": "none.yaml: found no such file, expected a YAML file",
        "folder": "folder: found a folder or device, expected a YAML file",
        "pipe": "pipe: found a folder or device, expected a YAML file",
        "latin.yaml": "latin.yaml:2: found the byte 0xe9, which is not UTF-8, expected text in UTF-8",
        "x" * 300: f"{'x' * 300}: found a file that cannot be read (File name too long), expected a YAML file",
        "a\0b": "a\0b: found a file that cannot be read (embedded null byte), expected a YAML file",
    }
    for name, problem in expected.items():
        with pytest.raises(ConfigError) as caught:
            load_yaml(tmp_path / name)
        assert str(caught.value) == problem


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    document = load_yaml(tmp_path / "bom.yaml")
    assert document.data == {"a": 1}
    assert document.folder == tmp_path


def test_the_python_parser_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x [1, {b: 'c'}]\nd: *x\n"
    fast = parse(text)
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert parse(text) == fast
    assert "a control character" in told("a: \x07")[0]
    assert "found a syntax error" in told("a: [")[0]


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%#?, \n\t0.~", max_size=60))
def test_any_text_is_a_document_or_a_config_error(text: str) -> None:
    try:
        where = [parse(text).where([])]
    except ConfigError as error:
        where = [problem.where for problem in error.problems]
    assert where
    assert all(place.startswith("a.yaml") for place in where)


letters = st.text(alphabet="abcXYZ 019.-+:#'\"[]{}&*!~", max_size=8)
plain = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**12), 10**12),
        st.floats(allow_nan=False, allow_infinity=False),
        letters,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(letters, inner, max_size=3)),
    max_leaves=10,
)


@given(st.dictionaries(letters, plain, min_size=1))
def test_json_is_yaml(data: dict[str, object]) -> None:
    assert parse(json.dumps(data)).data == data
