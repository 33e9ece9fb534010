"""What is generated from the models: the reference, and the default setup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simorc.config.loader import parse_yaml
from simorc.config.models.setup import Setup
from simorc.config.problems import Problems, one_of, printed
from simorc.config.reference import FILES, reference_text, setup_text, yaml_text
from simorc.config.validation import section_of, validate
from simorc.core.wording import did_you_mean

REFERENCE = Path(__file__).parents[2] / "docs" / "reference.md"


@pytest.mark.req("DVT-09")
def test_the_committed_reference_is_what_the_models_say() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == reference_text(), "run: python docs/generate_reference.py"


def _keys(model: Any) -> list[tuple[str, Any]]:
    return [(name, field) for name, field in model.model_fields.items()]


@pytest.mark.req("DVT-09")
@pytest.mark.parametrize(("file", "model"), FILES)
def test_every_key_has_a_row_with_a_meaning_and_an_example_that_is_right(file: str, model: Any) -> None:
    section = reference_text().partition(f"\n## {file}\n")[2]
    for name, field in _keys(model):
        assert f"| `{name}` | " in section
        assert field.description.endswith(".")
        example = field.json_schema_extra["example"]
        problems = Problems()
        document = parse_yaml(f"{name}: {example}", "example.yaml", Path())
        validate(document, model, problems)
        assert not problems, f"{name}: {example}"


@pytest.mark.req("DVT-09", "SIM-19")
def test_the_default_setup_has_every_key_and_its_default() -> None:
    text = setup_text({})
    problems = Problems()
    made = validate(parse_yaml(text, "sim_setup.yaml", Path()), Setup, problems)
    assert not problems
    assert made == Setup(dut={}, simulator={})  # type: ignore[arg-type]
    for name, field in _keys(Setup):
        assert f"\n{name}:" in text
        inner = section_of(field.annotation)
        for key, _ in _keys(inner) if inner else ():
            assert f" {key}: " in text


@pytest.mark.req("SIM-19")
def test_given_values_take_the_place_of_defaults() -> None:
    text = setup_text({"dut": {"netlist": "./a.spice"}, "sweeps": {"a": "./a.yaml"}})
    data = parse_yaml(text, "sim_setup.yaml", Path()).data
    assert (data["dut"], data["sweeps"], data["testbenches"]) == ({"netlist": "./a.spice"}, {"a": "./a.yaml"}, {})
    assert "# Netlist of the DUT" in text
    assert "  # schematic: ./schematics/ldo.sch" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "none"), (True, "true"), (300.0, "300"), ((), "[]"), ("", "''"), ({"a": (1, "b")}, "{a: [1, b]}")],
)
def test_values_in_yaml(value: object, text: str) -> None:
    assert yaml_text(value) == text


def test_messages_stay_short() -> None:
    assert len(printed("x" * 10_000)) == 60
    assert one_of(map(str, range(100))).endswith("9, 10, 11, … (100 in all)")
    assert one_of([]) == "none, as there are none here"
    assert did_you_mean("x" * 10_000, ["y"]) == ""
    assert did_you_mean("TEMP", ["temp"]) == "did you mean 'temp'?"
