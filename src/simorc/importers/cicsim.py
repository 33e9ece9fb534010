"""A cicsim testbench in our words: corners become parameters, its measurement file specs.

Source: the cicsim manual (run, corners, measurement file): `cicsim.yaml` of the folder and those above it name corners,
each a few SPICE lines; `NAME.spi` is the testbench, `NAME.meas` its measures, `NAME.yaml` their limits in scaled units.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simorc.config.loader import load_yaml
from simorc.core.errors import ConfigError
from simorc.importers.deck import Adopted, measure_names, usable
from simorc.importers.plain_units import plain_unit

CICSIM_FILE = "cicsim.yaml"
_PARAM = re.compile(r"\.param\s+([A-Za-z_]\w*)\s*=\s*(\S+)", re.I)
_TEMP = re.compile(r"\.(?:opt\w*\s+temp\s*=|temp)\s*(\S+)", re.I)
_IFDEF = re.compile(r"^#ifdef\b[^\n]*\n(.*?)(?:^#else\b[^\n]*\n(.*?))?^#endif\b[^\n]*\n?", re.M | re.S)
_MIRRORED = {"min": "max", "max": "min"}
"""Limits change places where a negative scale turned the sign."""
_COMMANDS = re.compile(r"^[ \t]*(?:write|quit|exit|load)\b[^\n]*\n", re.M | re.I)


def cicsim_files(folder: Path, root: Path) -> list[Path]:
    """The cicsim.yaml files that hold for a folder, the outermost first."""
    chain = [folder, *folder.parents]
    within = chain[: chain.index(root) + 1] if root in chain else [folder]
    return [path / CICSIM_FILE for path in reversed(within) if (path / CICSIM_FILE).is_file()]


def corner_values(files: Sequence[Path], remarks: list[str]) -> dict[str, list[str]]:
    """What the corners of cicsim.yaml files set: parameter, or `temp` -> all its values; the rest becomes remarks."""
    values: dict[str, list[str]] = {}
    for path in files:
        corners = _mapping(_mapping(_loaded(path, remarks)).get("corner"))
        for name, text in corners.items():
            for line in str(text or "").splitlines():
                _read_line(f"{path.name}: corner {name}", line.strip(), values, remarks)
    return values


def without_conditions(text: str) -> str:
    """The deck as cicsim renders it where nothing is defined: of every `#ifdef` the other branch."""
    return _IFDEF.sub(lambda match: match[2] or "", text)


def apply_cicsim(deck: Path, text: str, values: Mapping[str, Sequence[str]]) -> str:
    """The deck with what cicsim adds: its parameters after the title, its measures in the control block."""
    title, _, body = text.partition("\n")
    head = [f".temp {given[0]}" if name == "temp" else f".param {name}={given[0]}" for name, given in values.items()]
    measures = _measures(deck)
    if measures:
        cleared = _COMMANDS.sub("", body)
        body = re.sub(r"^(?=[ \t]*\.endc\b)", "\n".join([*measures, ""]), cleared, count=1, flags=re.M | re.I)
    return "\n".join([title, *head, body])


def specs(deck: Path, adopted: Adopted) -> None:
    """Limits and units of the measurement file beside a deck, for the measures that it knows."""
    path = deck.with_suffix(".yaml")
    if not path.is_file():
        return
    for name, entry in _mapping(_loaded(path, adopted.remarks)).items():
        keys = _mapping(entry)
        sources = keys.get("src", name)
        for source in sources if isinstance(sources, list) else [sources]:
            if usable(str(source)):
                adopted.measures[str(source).lower()] = _measure(str(source), keys, adopted.remarks)


def _measures(deck: Path) -> list[str]:
    path = deck.with_suffix(".meas")
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return [line.strip() for line in text.splitlines() if measure_names(line)]


def _measure(name: str, keys: Mapping[str, Any], remarks: list[str]) -> dict[str, Any]:
    """Unit and spec of one measure in plain units: cicsim compares after multiplying by `scale`."""
    scale = keys.get("scale", 1)
    factor = float(scale) if isinstance(scale, (int, float)) and scale and math.isfinite(scale) else 1.0
    spec = {}
    for key in ("min", "typ", "max"):
        there = _MIRRORED.get(key, key) if factor < 0 else key
        value = keys.get(there)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            spec[key] = float(f"{value / factor:.12g}")
        elif value is not None:
            remarks.append(f"{name}: {there} is {value!r} there, which is no number")
    unit = _plain_unit(str(keys.get("unit") or ""), factor)
    made: dict[str, Any] = {"unit": unit} if unit else {}
    if spec:
        made["spec"] = spec
    if keys.get("name"):
        made["description"] = str(keys["name"])
    return made


def _plain_unit(unit: str, factor: float) -> str:
    """The unit without the prefix that the scale stands for: 1e6 and uA is A.

    >>> _plain_unit("uA", 1e6), _plain_unit("uA", 1.0), _plain_unit("%", 100.0)
    ('A', 'uA', '')
    """
    plain = plain_unit(unit)
    return plain.base if math.isclose(plain.factor * abs(factor), 1.0) else unit


def _read_line(where: str, line: str, values: dict[str, list[str]], remarks: list[str]) -> None:
    if not line or line.startswith("*"):
        return
    found = _PARAM.fullmatch(line)
    name, value = (
        (found[1], found[2]) if found else ("temp", match[1]) if (match := _TEMP.fullmatch(line)) else ("", "")
    )
    if not name or not usable(name):
        remarks.append(f"{where}: `{line}` is not carried over; a parameter can choose among such lines")
    elif value not in values.setdefault(name, []):
        values[name].append(value)


def _loaded(path: Path, remarks: list[str]) -> Any:
    try:
        return load_yaml(path).data
    except ConfigError as error:
        remarks.append(f"{path.name} cannot be read: {str(error).splitlines()[0]}")
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return {str(key): item for key, item in value.items()} if isinstance(value, Mapping) else {}
