"""Pure: a deck that runs with plain ngspice as a template with parameters, and what it measures."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from simorc.core.sweep import RESERVED_NAMES
from simorc.core.units import parse_number
from simorc.simulators.deck_paths import PathRewriter, reference, section_begin

_ANALYSIS = re.compile(r"^[ \t]*\.?(?:op|dc|ac|tran|noise|tf|sens|pz|disto|sp|pss)\b", re.I)
_MEASURE = re.compile(r"^[ \t]*\.?meas(?:ure)?[ \t]+\w+[ \t]+([A-Za-z_]\w*)", re.I | re.M)
_SUBCKT = re.compile(r"^[ \t]*\.subckt[ \t]+(\S+)", re.I | re.M)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)([ \t]*=[ \t]*)([^\s={}'\"]+)(?=[ \t]|$)")
_TEMP = re.compile(r"^([ \t]*\.temp[ \t]+=?[ \t]*)([-+\w.]+)", re.I)
_OPTION_TEMP = re.compile(r"^([ \t]*\.opt\w*[ \t].*?\btemp[ \t]*=[ \t]*)([-+\w.]+)", re.I)
_JINJA = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
_OPENS = re.compile(r"^[ \t]*\.(?:subckt|control|if)\b", re.I)
_CLOSES = re.compile(r"^[ \t]*\.(?:ends|endc|endif)\b", re.I)
CORNERS = ("tt", "ff", "ss", "sf", "fs", "typ", "typical", "fast", "slow", "nom", "wcs", "wcp", "bcs")
"""Names that sections of model libraries have where they are process corners."""


@dataclass(slots=True)
class Adopted:
    """A testbench as far as it could be taken over.

    Parameters
    ----------
    template: netlist with placeholders, empty where a netlister makes it
    parameters: name -> default, as written
    axes: name -> values that a first sweep may take
    measures: name -> what is known of it, as in config.yaml
    remarks: what a person has to decide
    """

    template: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    axes: dict[str, list[str]] = field(default_factory=dict)
    measures: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def runs_something(text: str) -> bool:
    """Whether a netlist asks for an analysis, as a card or as a command; the title does not count."""
    return any(_ANALYSIS.match(line) for line in text.splitlines()[1:])


def subcircuits(text: str) -> list[str]:
    """Names of the subcircuits that a netlist defines."""
    return _SUBCKT.findall(text)


def measure_names(text: str) -> list[str]:
    """Names of what a netlist measures, as cards or as commands, without those that no column may have."""
    return [name.lower() for name in dict.fromkeys(_MEASURE.findall(text)) if usable(name)]


def usable(name: str) -> bool:
    """Whether a parameter or measure may have this name."""
    return name.lower() not in RESERVED_NAMES and not keyword.iskeyword(name)


def sections(library: str) -> list[str]:
    """The sections of a model library that look like process corners, all of them where none does."""
    found = dict.fromkeys(name for line in library.splitlines() if (name := section_begin(line)))
    return [name for name in found if name in CORNERS] or list(found)


def adopt_deck(text: str, change: Callable[[str], str], read: Callable[[str], str | None]) -> Adopted:
    """The template of a deck: numbers of `.param` and `.temp`, and the section of a model library, become parameters.

    Parameters
    ----------
    change: from a path in the deck to the path that means the same from the template's folder
    read: content of the file that a path in the deck means, None where it cannot be read
    """
    adopted = Adopted(measures={name: {} for name in measure_names(text)})
    title, *lines = text.splitlines() or [""]
    inside = False
    made = [_harmless(title)]
    for line in lines:
        inside = bool(_OPENS.match(line)) or (inside and not _CLOSES.match(line))
        plain = _harmless(line)
        made.append(plain if inside or line.lstrip().startswith("*") else _with_parameters(plain, adopted, read))
    if _JINJA.search(text):
        adopted.remarks.append("the deck has braces that Jinja2 would take for its own; they are written as texts")
    if not adopted.measures:
        adopted.remarks.append("the deck measures nothing: add .meas cards, or functions in measures.py")
    adopted.template = PathRewriter(change).rewrite("\n".join(made)) + "\n"
    return adopted


def _with_parameters(line: str, adopted: Adopted, read: Callable[[str], str | None]) -> str:
    if re.match(r"[ \t]*\.param\b", line, re.I):
        return _ASSIGNMENT.sub(lambda match: _parameter(match, adopted), line)
    if (match := _TEMP.match(line) or _OPTION_TEMP.match(line)) and _is_number(match[2]):
        adopted.parameters["temp"] = match[2]
        adopted.axes["temp"] = ["-40", "27", "125"]
        return f"{match[1]}{{{{ parameters.temp }}}}{line[match.end() :]}"
    if (found := reference(line)) and found[1]:
        return _with_corner(line, *found, adopted, read)
    return line


def _with_corner(line: str, path: str, section: str, adopted: Adopted, read: Callable[[str], str | None]) -> str:
    """The line with its section as `corner`, if its library has others, and those that `corner` has already."""
    known = sections(read(path) or "")
    if len(known) < 2 or section.lower() not in known:
        return line
    first = "corner" not in adopted.parameters
    swept = adopted.axes.get("corner", [])
    if not first and (section != adopted.parameters["corner"] or not set(swept) <= set(known)):
        adopted.remarks.append(f"`{line.strip()}` stays as it is while `corner` changes")
        return line
    if first:
        adopted.parameters["corner"], adopted.axes["corner"] = section, known
    at = line.index(section, line.index(path) + len(path))
    return f"{line[:at]}{{{{ parameters.corner }}}}{line[at + len(section) :]}"


def _parameter(match: re.Match[str], adopted: Adopted) -> str:
    name, equals, value = match.groups()
    taken = {*adopted.measures, *map(str.lower, adopted.parameters)}
    if not _is_number(value) or not usable(name) or name.lower() in taken:
        return match[0]
    adopted.parameters[name] = value
    return f"{name}{equals}{{{{ parameters.{name} }}}}"


def _is_number(text: str) -> bool:
    return parse_number(text) is not None


def _harmless(line: str) -> str:
    """A line as Jinja2 leaves it alone."""
    return _JINJA.sub(lambda match: f"{{{{ '{match[0]}' }}}}", line)


def tried_values(parameters: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """For every parameter that is a number other than 0: it, and 10 % to both sides."""
    for name, text in parameters.items():
        number = parse_number(text)
        if number:
            yield name, [f"{0.9 * number:.6g}", text, f"{1.1 * number:.6g}"]
