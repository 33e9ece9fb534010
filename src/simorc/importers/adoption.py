"""Pure: the files of a first simorc project, written for a person to go through."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simorc.config.reference import setup_text
from simorc.importers.deck import Adopted, tried_values
from simorc.importers.existing import Existing

_PLAIN = re.compile(r"[\w./+-][\w./+ -]*[\w./+-]|[\w./+-]")


def adopted_files(found: Existing, target: Path) -> dict[str, str]:
    """Path within the new project -> text.

    Parameters
    ----------
    target: folder of the new project, absolute; paths to the existing one are relative to where they stand
    """
    files = {"sim_setup.yaml": _setup(found, target), ".gitignore": "/simulations/\n__pycache__/\n"}
    for name, adopted in found.testbenches.items():
        folder = f"testbenches/{name}"
        files[f"{folder}/config.yaml"] = _config(name, adopted, found, target / folder)
        if name not in found.schematics:
            files[f"{folder}/{name}.spice.j2"] = adopted.template
        files[f"sweeps/{name}.yaml"] = _sweep(name, adopted)
    for datasheet in found.datasheets:
        files |= {path: text for path, text in datasheet.files.items() if path not in files}
    return files


def _setup(found: Existing, target: Path) -> str:
    dut = {key: _path(path, target) for key, path in found.dut.items()}
    if "schematic" in dut and "netlist" not in dut:
        dut["netlist"] = _quoted(f"./netlists/{found.dut['schematic'].stem}.spice")
    values: dict[str, Any] = {
        "dut": dut,
        "testbenches": {name: f"./testbenches/{name}" for name in found.testbenches},
        "sweeps": {name: f"./sweeps/{name}.yaml" for name in found.testbenches},
    }
    if found.schematics or "schematic" in dut:
        values["netlister"] = {"libraries": [_path(path, target) for path in found.libraries]}
        if found.rcfile is not None:
            values["netlister"]["rcfile"] = _path(found.rcfile, target)
    for datasheet in found.datasheets:
        _add(values, datasheet.setup)
    remarks = [f"Taken over from {_relative(found.root, target)}.", *map(_decide, found.remarks)]
    return _comments(remarks) + setup_text(values)


def _add(values: dict[str, Any], setup: Mapping[str, Any]) -> None:
    """The sections of a datasheet into those of the setup: its DUT is stated, ours was guessed."""
    for section in ("testbenches", "sweeps"):
        values[section] = dict(setup[section]) | values[section]
    values["dut"] = dict(setup["dut"])
    libraries = [*values.get("netlister", {}).get("libraries", []), *setup.get("netlister", {}).get("libraries", [])]
    if libraries:
        values["netlister"] = values.get("netlister", {}) | {"libraries": list(dict.fromkeys(libraries))}


def _config(name: str, adopted: Adopted, found: Existing, folder: Path) -> str:
    origin = found.origins[name]
    lines = [_comments([f"Taken over from {_relative(origin, folder)}.", *map(_decide, adopted.remarks)])]
    if name in found.schematics:
        lines.append(f"schematic: {_path(origin, folder)}\n")
    lines.append(f"template: ./{name}.spice.j2\n\n")
    lines.append("parameters:\n" if adopted.parameters else "parameters: {}\n")
    lines += [f"  {key}: {_quoted(value)}\n" for key, value in adopted.parameters.items()]
    lines.append("\nmeasures:\n" if adopted.measures else "\nmeasures: {}\n")
    lines += [_measure(key, known) for key, known in adopted.measures.items()]
    return "".join(lines)


def _measure(name: str, known: Mapping[str, Any]) -> str:
    missing = [] if "unit" in known else ["unit"]
    missing += [] if "spec" in known else ["spec, such as {min: 1, max: 2}"]
    remark = f"   # decide: {' and '.join(missing)}" if missing else ""
    return f"  {name}: {json.dumps(dict(known), ensure_ascii=False)}{remark}\n"


def _sweep(name: str, adopted: Adopted) -> str:
    axes = dict(adopted.axes) or dict(list(tried_values(adopted.parameters))[:1])
    left = [key for key in adopted.parameters if key not in axes]
    remarks = ["A first sweep: all combinations of these values; the first parameter varies slowest."]
    remarks += [_decide("which parameters to sweep, and over which values")]
    remarks += [f"Not swept: {', '.join(left)}."] if left else []
    shown = [f"  {key}: [{', '.join(map(_quoted, values))}]\n" for key, values in axes.items()]
    parameters = "".join(["parameters:\n", *shown]) if shown else "parameters: {}\n"
    return f"{_comments(remarks)}testbench: {name}\n{parameters}"


def _comments(lines: Iterable[str]) -> str:
    return "".join(f"# {line}\n" for text in lines for line in text.splitlines())


def _decide(text: str) -> str:
    return f"DECIDE: {text}"


def _relative(path: Path, folder: Path) -> str:
    text = os.path.relpath(path, folder)
    return text if text.startswith(".") else f"./{text}"


def _path(path: Path, folder: Path) -> str:
    return _quoted(_relative(path, folder))


def _quoted(text: str) -> str:
    """A text in YAML's flow style."""
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
