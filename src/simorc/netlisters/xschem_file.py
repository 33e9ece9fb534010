"""Pure: what stands in a schematic or symbol of xschem.

Source: file format version 1.0, "Developer info" in the xschem manual: a record a line, which begins with a letter;
texts stand in braces and may span lines; a backslash takes the meaning of a brace, or of another backslash, away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_TEXT = re.compile(r"\{((?:[^\\{}]|\\.)*)\}", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_ATTRIBUTE = re.compile(r'([A-Za-z_]\w*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|(\S*))', re.DOTALL)
_TAGS = "vGVKFSELBPATNC"
PLACEHOLDER = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
"""What Jinja2 takes for its own."""


class FormatError(ValueError):
    """A text that is no file of xschem; the message begins with `line N: `."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A placed component.

    Parameters
    ----------
    reference: the symbol as the schematic names it, e.g. `devices/vsource.sym`
    attributes: name -> value, e.g. `{"name": "V1", "value": "{{ parameters.vdd }}"}`
    """

    reference: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A schematic or a symbol.

    Parameters
    ----------
    instances: the components placed in it
    pins: of a symbol, in the order in which a netlist lists them
    attributes: of the whole: a symbol's type, format and template
    """

    instances: tuple[Instance, ...]
    pins: tuple[str, ...]
    attributes: Mapping[str, str]


def parse_drawing(text: str) -> Drawing:
    """What stands in a file of xschem.

    Raises
    ------
    FormatError: a brace without its partner or without the backslash before it, or no file of xschem at all
    """
    instances: list[Instance] = []
    pins: list[str] = []
    attributes: dict[str, str] = {}
    found = False
    for tag, texts in _records(text):
        found = found or tag in _TAGS
        if tag == "C" and len(texts) >= 2:
            instances.append(Instance(texts[0], parse_attributes(texts[1])))
        elif tag == "B" and texts and "dir" in (pin := parse_attributes(texts[-1])) and "name" in pin:
            pins.append(pin["name"])
        elif tag in "GK" and texts and texts[0].strip():
            attributes |= parse_attributes(texts[0])
    if not found:
        raise FormatError("line 1: no record of xschem, such as `v {xschem version=…}`")
    return Drawing(tuple(instances), tuple(pins), attributes)


def parse_attributes(text: str) -> dict[str, str]:
    """Attributes by name.

    >>> parse_attributes('name=V1 value="{{ parameters.vdd }}"')
    {'name': 'V1', 'value': '{{ parameters.vdd }}'}
    """
    return {
        match[1]: match[3] if match[2] is None else _ESCAPED.sub(r"\1", match[2]) for match in _ATTRIBUTE.finditer(text)
    }


def placeholders(drawing: Drawing) -> Iterator[tuple[str, str]]:
    """Name of the component and placeholder, for all that stand in attributes of components."""
    for instance in drawing.instances:
        for value in instance.attributes.values():
            for match in PLACEHOLDER.finditer(value):
                yield instance.attributes.get("name", instance.reference), match[0]


def _records(text: str) -> Iterator[tuple[str, list[str]]]:
    """Letter and texts of every record."""
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        tag, texts = text[position], []
        position += 1
        while position < len(text) and text[position] != "\n":
            if text[position] != "{":
                if text[position] == "}":
                    raise FormatError(
                        f"line {_line(text, position)}: a brace closes that none opened; in a text: `\\}}`"
                    )
                position += 1
                continue
            match = _TEXT.match(text, position)
            if match is None:
                raise FormatError(_what_is_wrong(text, position))
            texts.append(_ESCAPED.sub(r"\1", match[1]))
            position = match.end()
        yield tag, texts


def _what_is_wrong(text: str, position: int) -> str:
    """Why the text that opens at a position does not end as it should."""
    inside = re.compile(r"(?:[^\\{}]|\\.)*", re.DOTALL).match(text, position + 1)
    end = inside.end() if inside else position
    if end < len(text) and text[end] == "{":
        return f"line {_line(text, end)}: a brace within a text has no backslash before it, write `\\{{`"
    return f"line {_line(text, position)}: a text begins that never ends; is the file whole?"


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
