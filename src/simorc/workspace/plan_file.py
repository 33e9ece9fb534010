"""`inputs/plan.json`: the resolved sweep, so that running and judging need no YAML. Reading gives an equal plan back.

Two things that JSON does not know are written as objects of one key: `{"quantity": "10u"}`, and `{"float": "inf"}`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import Enum
from functools import cache, lru_cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from msgspec import Struct, structs

from simorc.core.errors import RunDirectoryError
from simorc.core.plan import Plan
from simorc.core.units import Quantity
from simorc.workspace.files import file_state, read_json, replace_file
from simorc.workspace.layout import RunDirectory

SCHEMA = 1
_SCALARS = (bool, int, float, str, type(None))


def write_plan(run: RunDirectory, plan: Plan) -> None:
    """Write the plan into inputs/.

    Raises
    ------
    RunDirectoryError: disk full, read-only folder …
    """
    replace_file(run.plan, [json.dumps({"schema": SCHEMA, "plan": encode(plan)}, allow_nan=False), "\n"])


def read_plan(run: RunDirectory) -> Plan:
    """The plan of a run; the same one as long as the file is the same.

    Raises
    ------
    RunDirectoryError: missing, truncated, of another version of simorc, or not a plan at all
    """
    try:
        state = file_state(run.plan.stat())
    except OSError:
        return _read.__wrapped__(run)  # which tells why
    return _read(run, *state)


@lru_cache(maxsize=1)
def _read(run: RunDirectory, *state: int) -> Plan:
    data = read_json(run.plan, "the plan of a run")
    if data.get("schema") != SCHEMA:
        hint = "the run was built by another version of simorc: run it with that one, or build it again"
        raise RunDirectoryError(f"schema {data.get('schema')!r}, expected {SCHEMA}", where=str(run.plan), hint=hint)
    try:
        plan: Plan = decode(Plan, data["plan"], "plan")
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise RunDirectoryError(f"not the plan of a run: {error}", where=str(run.plan)) from error
    return plan


def encode(value: Any) -> Any:
    """A value of the plan as plain JSON data."""
    if isinstance(value, Quantity):
        return {"quantity": value.text}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if isinstance(value, Struct):
        return {name: encode(item) for name, item in structs.asdict(value).items()}
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def decode(hint: Any, data: Any, where: str) -> Any:
    """The value of a type that JSON data stand for.

    Parameters
    ----------
    hint: a struct, an enum, `tuple[X, ...]`, `Mapping[str, X]`, or a union of plain types
    where: path inside the plan, for the error

    Raises
    ------
    TypeError, ValueError: the data do not fit the type
    """
    origin = get_origin(hint)
    parts = get_args(hint) if origin in (Union, UnionType) else ()
    composed = [part for part in parts if _is_struct(part) or get_origin(part) is tuple]
    if composed:
        return None if data is None else decode(composed[0], data, where)
    if _is_struct(hint):
        return _decode_object(hint, data, where)
    if origin is tuple:
        item = get_args(hint)[0]
        return tuple([decode(item, element, where) for element in _expect(list, data, where)])
    if origin is not None and issubclass(origin, Mapping):
        item = get_args(hint)[1]
        return {key: decode(item, element, f"{where}.{key}") for key, element in _expect(dict, data, where).items()}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(data)
    return _decode_scalar(hint, data, where)


def _decode_object(hint: Any, data: Any, where: str) -> Any:
    """A struct; what the simorc that wrote it did not know yet has its default."""
    known = _fields(hint)
    found = _expect(dict, data, where)
    if not {name for name, field in known.items() if field.required} <= found.keys() <= known.keys():
        raise ValueError(f"{where}: found {', '.join(found)}, expected {', '.join(known)}")
    return hint(**{name: decode(known[name].type, item, f"{where}.{name}") for name, item in found.items()})


def _decode_scalar(hint: Any, data: Any, where: str) -> Any:
    if isinstance(data, dict) and len(data) == 1:
        ((kind, text),) = data.items()
        if kind == "quantity":
            return Quantity(text)
        if kind == "float":
            return float(text)
    allowed = get_args(hint) or (hint,)
    # A limit may be written as a whole number; True is no number in JSON either.
    if type(data) in allowed or (type(data) is int and float in allowed):
        return data
    raise TypeError(f"{where}: found {data!r}, expected {hint}")


def _expect(kind: type, data: Any, where: str) -> Any:
    if not isinstance(data, kind):
        raise TypeError(f"{where}: found {type(data).__name__}, expected {kind.__name__}")
    return data


def _is_struct(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Struct)


@cache
def _fields(cls: type[Struct]) -> dict[str, structs.FieldInfo]:
    return {field.name: field for field in structs.fields(cls)}
