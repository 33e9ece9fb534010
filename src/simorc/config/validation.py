"""Check a document against a model, with every problem in the words of the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from simorc.config.document import Document, Key
from simorc.config.problems import Problems, one_of, printed
from simorc.core.errors import Problem
from simorc.core.wording import did_you_mean

Model = TypeVar("Model", bound=BaseModel)

_EXPECTED = {
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "string_type": "a text",
}


def validate(document: Document, model: type[Model], problems: Problems) -> Model:
    """The document as a model; what does not fit is noted and then left out, so that the rest can be checked."""
    while True:
        try:
            return model.model_validate(document.data)
        except ValidationError as error:
            locations = [tuple(item["loc"]) for item in error.errors(include_url=False, include_input=False)]
            problems.extend(_problem(dict(item), document, model) for item in error.errors(include_url=False))
            for location in locations:
                document = _without(document, location)


def _without(document: Document, location: Iterable[Key]) -> Document:
    """The document less what stands at a location, or as it is where that is gone already."""
    data, present = document.data, list[Key]()
    for key in location:
        if not isinstance(data, dict):
            break
        if key not in data:
            return document
        data = data[key]
        present.append(key)
    return document.without(present)


def _problem(item: Mapping[str, Any], document: Document, model: type[BaseModel]) -> Problem:
    location: tuple[Key, ...] = item["loc"]
    if item["type"] == "extra_forbidden":
        known = _keys_at(model, location[:-1])
        return Problem(document.where(location), "an unknown key", one_of(known), did_you_mean(location[-1], known))
    context = item.get("ctx") or {}
    expected = context.get("expected") or _EXPECTED.get(item["type"]) or item["msg"]
    hint = ""
    if item["type"] == "literal_error":
        choices = [text.strip("'") for text in expected.replace(" or ", ", ").split(", ")]
        expected, hint = one_of(choices), did_you_mean(item["input"], choices)
    return Problem(document.where(location), printed(item["input"]), expected, hint)


def _keys_at(model: type[BaseModel], location: Iterable[Key]) -> list[str]:
    """The keys that may stand at a location, which leads through sections, mappings and lists."""
    annotation: Any = model
    for key in location:
        annotation = part_of(annotation, key)
    section = section_of(annotation)
    return list(section.model_fields) if section else []


def part_of(annotation: Any, key: Key) -> Any:
    """The annotation of what stands under a key of something annotated so."""
    section = section_of(annotation)
    if section is not None:
        return section.model_fields[str(key)].annotation
    plain = plain_annotation(annotation)
    arguments = get_args(plain)
    return arguments[1] if get_origin(plain) is dict else arguments[0]


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The section that an annotation stands for, or None."""
    plain = plain_annotation(annotation)
    return plain if isinstance(plain, type) and issubclass(plain, BaseModel) else None


def plain_annotation(annotation: Any) -> Any:
    """An annotation without `Annotated` and `| None`."""
    part = required_part(annotation)
    return plain_annotation(part.__origin__) if hasattr(part, "__metadata__") else part


def required_part(annotation: Any) -> Any:
    """An annotation without `| None`."""
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    return next(part for part in get_args(annotation) if part is not NoneType)
