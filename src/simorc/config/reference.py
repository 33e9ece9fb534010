"""The reference of every YAML key, and the documented default setup, both generated from the models."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from simorc.config.models.bench import BenchKeys
from simorc.config.models.fields import Kind, Section
from simorc.config.models.setup import Setup
from simorc.config.models.sweep import SweepKeys
from simorc.config.models.testbench import Testbench
from simorc.config.validation import plain_annotation, required_part, section_of

FILES: tuple[tuple[str, type[Section]], ...] = (
    ("sim_setup.yaml", Setup),
    ("config.yaml of a testbench", Testbench),
    ("The file of a sweep", SweepKeys),
    ("The file of a bench", BenchKeys),
)
_INTRODUCTION = """\
# Every key of the YAML files

Generated from the models by `python docs/generate_reference.py`.

- Relative paths resolve from the file that holds them.
- YAML 1.2 core rules: `5e-05` is a number; `no`, `on` and `0777` are texts. Where a number is wanted, a text with a
  SPICE scale factor is one: `10u`, `2.5meg`. A lone `M` is none, as SPICE reads it as milli. A parameter's value
  reaches the deck as it is written.
- An unknown key, a key given twice and a value of another type are errors. All problems of all files are told at
  once.
- `SIMORC_<SECTION>__<KEY>` in the environment wins over every file: `SIMORC_SIMULATOR__TIMEOUT_S=60`.
  `SIMORC_OUTPUT` sets `output`. Values are read as YAML.
- `measures`, `aggregates` and `plot_specs` of a sweep win over those of its testbench, key by key; `null` takes a limit
  away. An aggregate or plot of the testbench that needs a parameter which the sweep does not vary is left out.
"""


def reference_text() -> str:
    """The reference in Markdown: a section a file, a table a mapping."""
    parts = [_INTRODUCTION]
    described: set[str] = set()
    for name, model in FILES:
        parts.append(f"\n## {name}\n\n{_first_line(model)}\n\n{_table(model)}")
        for section in _sections_in(model):
            if _title(section) not in described:
                described.add(_title(section))
                parts.append(f"\n### {_title(section)}\n\n{_first_line(section)}\n\n{_table(section)}")
    return "".join(parts)


def setup_text(values: Mapping[str, Any]) -> str:
    """A sim_setup.yaml with every key: `values` where given, else its default, or a comment where that is none."""
    head = "# A simorc project. Every key stands here, with its meaning and its default; paths resolve from this file."
    return "\n".join([head, *_setup_lines(Setup, values, "")]) + "\n"


def _setup_lines(model: type[BaseModel], values: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, field in _fields(model).items():
        if not indent:
            yield ""
        section = section_of(field.annotation)
        if section is not None:
            yield f"{indent}# {field.description}"
            yield f"{indent}{name}:"
            yield from _setup_lines(section, values.get(name, {}), f"{indent}  ")
            continue
        default = default_text(field)
        yield f"{indent}# {field.description} Default: {default}"
        mute = "# " if name not in values and field.default is None else ""
        shown = yaml_text(values[name]) if name in values else _example(field) if mute else default
        yield f"{indent}{mute}{name}: {shown}"


def default_text(field: FieldInfo) -> str:
    """How a default reads in the documentation."""
    return str(_extra(field)["shown"]) or yaml_text(field.default)


def yaml_text(value: Any) -> str:
    """A value in YAML's flow style.

    >>> yaml_text({"a": ("x", 300.0), "b": False}), yaml_text("./chip #1, old")
    ('{a: [x, 300], b: false}', '"./chip #1, old"')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, BaseModel):
        return "{}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(str(key))}: {yaml_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(map(yaml_text, value)) + "]"
    return _text(str(value)) if isinstance(value, str) else str(value)


def _text(text: str) -> str:
    """A text, in quotes where YAML would take it for something else."""
    try:
        is_plain = yaml.safe_load(f"[{text}]") == [text]
    except yaml.YAMLError:
        is_plain = False
    return text if is_plain else json.dumps(text, ensure_ascii=False) if text else "''"


def _extra(field: FieldInfo) -> Mapping[str, Any]:
    extra = field.json_schema_extra
    return extra if isinstance(extra, dict) else {}


def _example(field: FieldInfo) -> str:
    return str(_extra(field)["example"])


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").partition("\n")[0]


def _title(model: type[BaseModel]) -> str:
    """The heading of a mapping; what a testbench may override stands with the simulator."""
    name = model.__name__.removesuffix("Keys")
    return {"Dut": "DUT", "MonteCarlo": "Monte Carlo", "Overrides": "Simulator"}.get(name, name)


def _sections_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The sections inside a model, the nearest first."""
    for hint in _hints(model).values():
        for section in _sections_of(hint):
            yield section
            yield from _sections_in(section)


def _sections_of(hint: Any) -> Iterator[type[BaseModel]]:
    section = section_of(hint)
    if section is not None:
        yield section
    else:
        for part in get_args(plain_annotation(hint)):
            if not isinstance(part, str):
                yield from _sections_of(part)


def _hints(model: type[BaseModel]) -> dict[str, Any]:
    hints = get_type_hints(model, include_extras=True)
    return {name: hints[name] for name in _fields(model)}


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model, its own before those it shares with others."""
    own = [name for name in inspect.get_annotations(model) if name in model.model_fields]
    return {name: model.model_fields[name] for name in [*own, *model.model_fields]}


def _table(model: type[BaseModel]) -> str:
    rows = ["| key | type | default | meaning | example |", "|---|---|---|---|---|"]
    hints = _hints(model)
    for name, field in _fields(model).items():
        example = f"`{name}: {_example(field)}`"
        default = default_text(field)
        shown = default if _extra(field)["shown"] or default == "none" else f"`{default}`"
        rows.append(f"| `{name}` | {_type_text(hints[name])} | {shown} | {field.description} | {example} |")
    return "\n".join(rows) + "\n"


def _type_text(hint: Any) -> str:
    """What a key may hold, in words."""
    hint = required_part(hint)
    metadata = getattr(hint, "__metadata__", ())
    kind = next((item for item in metadata if isinstance(item, Kind)), None)
    if kind is not None:
        return kind.expected
    section = section_of(hint)
    if section is not None:
        title = _title(section)
        link = f"a mapping: [{title}](#{title.lower().replace(' ', '-')})"
        return f"a list, a value or {link}" if metadata else link
    plain = plain_annotation(hint)
    arguments = get_args(plain)
    if get_origin(plain) is Literal:
        return f"one of {', '.join(arguments)}"
    if get_origin(plain) is dict:
        return f"a mapping of names, each to {_type_text(arguments[1])}"
    return f"{_type_text(arguments[0])}, or a list" if metadata else f"a list, each {_type_text(arguments[0])}"
