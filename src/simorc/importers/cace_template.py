"""Pure: a CACE template, schematic or netlist, as one of ours. Its syntax: CACE, reference manual, "Template Format".

`CACE{name}` is a condition or one of a few reserved names, `CACE{name=value}` one with a default, `CACE{name|maximum}`
the extreme of a condition, `CACE[expression]` arithmetic. Until format 5.0 the word CACE was left out. In a schematic
every brace has a backslash before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

_ARITHMETIC = re.compile(r"[\w.\s()+*/%-]+")
_CALL = re.compile(r"[A-Za-z_]\w*\s*\(")
_LIBRARY = "PDK_ROOT{0}/{1}PDK{0}/libs.tech/ngspice/sky130.lib.spice"
_ECHO = re.compile(r"(?P<indent>[ \t]*)echo[ \t]+(?P<items>[^\n>]+?)[ \t]*>{1,2}[ \t]*(?P<file>\S+)[ \t]*")
_WRDATA = re.compile(r"[ \t]*wrdata[ \t]+(?P<file>\S+)[ \t]+(?P<items>[^\n]+)")
_EXTREMES = ("minimum", "maximum", "stepsize", "steps")


@dataclass(frozen=True)
class Names:
    """What may stand in a template.

    Parameters
    ----------
    conditions: names of the conditions, each with its values in the deck's units
    reserved: name -> text of ours
    bare: whether the word CACE is left out (format 5.0)
    escaped: whether braces have backslashes (a schematic)
    """

    conditions: Mapping[str, Sequence[object]]
    reserved: Mapping[str, str]
    bare: bool = False
    escaped: bool = False


@dataclass
class Converted:
    """The text of the template, and what came to light.

    Parameters
    ----------
    used: conditions that it uses
    defaults: conditions that it states a default of, as text
    printed: results that it prints, under their names
    left: what could not be carried over
    """

    text: str
    used: set[str] = field(default_factory=set)
    defaults: dict[str, str] = field(default_factory=dict)
    printed: set[str] = field(default_factory=set)
    left: list[str] = field(default_factory=list)


def convert(text: str, names: Names, variables: Sequence[str | None], suffix: str) -> Converted:
    """A template of CACE as one of ours.

    Parameters
    ----------
    variables: what the columns of the file of results are called; None for a column that counts for nothing
    suffix: of that file's name
    """
    made = Converted(text)
    for step in (_library, _results(variables, suffix), _expressions, _placeholders):
        made.text = step(made, names)
    return made


def _braces(names: Names) -> tuple[str, str, str]:
    """What stands before a name, behind it, and the word before both."""
    escape = "\\" if names.escaped else ""
    return f"{escape}{{", f"{escape}}}", "" if names.bare else "CACE"


def _ours(inside: str, names: Names) -> str:
    left, right, _ = _braces(names)
    return f"{left}{left} {inside} {right}{right}"


def _library(made: Converted, names: Names) -> str:
    """The model library of SKY130, wherever it is installed."""
    left, right, word = _braces(names)
    path = word + left + _LIBRARY.format(right, word + left)
    return made.text.replace(path, _ours("pdk.sky130.lib", names))


def _results(variables: Sequence[str | None], suffix: str) -> Callable[[Converted, Names], str]:
    """Results that were echoed into a file are echoed into the log, by name, where they are read as measures."""

    def step(made: Converted, names: Names) -> str:
        def echoed(match: re.Match[str]) -> str:
            if suffix and not match["file"].rstrip('"').endswith(suffix):
                return match.group()
            items = match["items"].split()
            if len(items) != len(variables):
                made.left.append(
                    f"`{match.group().strip()}` writes {len(items)} columns for {len(variables)} variables"
                )
                return match.group()
            pairs = [(name, item) for name, item in zip(variables, items, strict=True) if name]
            made.printed |= {name for name, _ in pairs}
            return "\n".join(f"{match['indent']}echo {name} = {item}" for name, item in pairs)

        def waveforms(match: re.Match[str]) -> str:
            if not suffix or match["file"].rstrip('"').endswith(suffix):
                what = "waveforms, which are in results.raw; a measure of them is a function in measures.py"
                made.left.append(f"`{match.group().strip()}` writes {what}")
            return match.group()

        return _WRDATA.sub(waveforms, _ECHO.sub(echoed, made.text))

    return step


def _expressions(made: Converted, names: Names) -> str:
    left, right, word = _braces(names)
    inner = re.compile(rf"{word}{re.escape(left)}(?P<name>[^\\{{}}]+){re.escape(right)}")
    opening = re.escape(f"{word}[")

    def arithmetic(match: re.Match[str]) -> str:
        found = [m["name"] for m in inner.finditer(match["inside"])]
        inside = inner.sub(lambda m: f"parameters.{m['name']}", match["inside"])
        known = all(name in names.conditions for name in found)
        if names.bare and not found:
            return match.group()  # an index such as v[0]
        if not known or not _ARITHMETIC.fullmatch(inside) or _CALL.search(inside):
            made.left.append(f"the expression {match.group()}: write it in Jinja2, or as a `.param`")
            return match.group()
        made.used |= set(found)
        return _ours(f"({inside.strip()})", names)

    return re.sub(rf"{opening}(?P<inside>[^\]\n]+)\]", arithmetic, made.text)


def _placeholders(made: Converted, names: Names) -> str:
    left, right, word = _braces(names)
    pattern = (
        rf"{word}{re.escape(left)}(?P<name>[^\\{{}}\s|=]+)(?:(?P<kind>[|=])(?P<rest>[^\\{{}}]*))?{re.escape(right)}"
    )

    def replaced(match: re.Match[str]) -> str:
        name, kind, rest = match["name"], match["kind"], match["rest"]
        if name in names.reserved:
            return names.reserved[name].replace("{", left).replace("}", right)
        if kind == "|" and name in names.conditions and rest in _EXTREMES:
            return _extreme(names.conditions[name], rest)
        if kind == "=" and name.isidentifier():
            made.defaults[name] = rest
        if name in names.conditions or name in made.defaults:
            made.used.add(name)
            return _ours(f"parameters.{name}", names)
        if not names.bare:  # without the word CACE it is an expression of ngspice's
            made.left.append(f"{match.group()}: no condition of that name")
        return match.group()

    return re.sub(pattern, replaced, made.text)


def _extreme(values: Sequence[object], kind: str) -> str:
    """The smallest or largest value of a condition, the step between its values, or their number."""
    numbers = sorted(float(value) for value in values if isinstance(value, (int, float)))
    if kind == "steps" or not numbers:
        return str(len(values))
    if kind == "stepsize":
        return repr(numbers[1] - numbers[0]) if len(numbers) > 1 else "0"
    return repr(numbers[0] if kind == "minimum" else numbers[-1])
