"""A CACE datasheet (format 5.x) as a project of ours: a testbench and a sweep for each parameter that ngspice measures.

Formats: CACE, reference manual, "Datasheet Format", "Template Format", "Supported Tools". Nothing is written here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from simorc.config.loader import load_yaml
from simorc.config.reference import setup_text
from simorc.core.errors import UsageError
from simorc.core.sweep import RESERVED_NAMES
from simorc.core.units import Quantity, Value
from simorc.importers.cace_template import Converted, Names, convert
from simorc.importers.cace_values import condition_values, limits
from simorc.importers.plain_units import plain_unit

_NGSPICE = "ngspice"
_NOT_CARRIED = {
    "pins": "pins are documentation there",
    "authorship": "who made it stands in the datasheet",
    "physical_parameters": "they are measured on the layout, by other tools",
}
_PLOTS = {"xyplot": {}, "semilogx": {"x_scale": "log"}, "semilogy": {"y_scale": "log"},
          "loglog": {"x_scale": "log", "y_scale": "log"}}  # fmt: skip
_KNOWN = {"spec", "tool", "simulate", "conditions", "plot", "variables", "display", "description", "unit", "name"}


@dataclass
class Imported:
    """What became of a datasheet.

    Parameters
    ----------
    files: path within the project -> text
    left: what could not be carried over, a sentence each
    setup: the sections of sim_setup.yaml, for a project that has one
    """

    files: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    setup: dict[str, Any] = field(default_factory=dict)


def import_cace(path: Path, target: Path) -> Imported:
    """The files of a project for a datasheet.

    Parameters
    ----------
    target: folder of the project, absolute; paths to what stays where it is are relative to it

    Raises
    ------
    UsageError: it is no datasheet of format 5.x, or nothing in it is measured by ngspice
    ConfigError: it is no YAML
    """
    sheet = _Datasheet.read(path)
    imported = Imported(left=[f"{key}: {why}" for key, why in _NOT_CARRIED.items() if key in sheet.data])
    imported.left += [f"{key}: unknown in format 5.2" for key in sheet.data if key not in _TOP_KEYS]
    names = []
    for name, parameter in sheet.parameters().items():
        tool, arguments = _tool(parameter)
        if tool != _NGSPICE:
            imported.left.append(f"{name}: measured by {tool or 'no tool'}, not by {_NGSPICE}")
            continue
        made = _Testbench(sheet, name, parameter, arguments, target)
        if made.write(imported):
            names.append(made.name)
    if not names:
        told = "\n".join(imported.left)
        raise UsageError(f"nothing of {path.name} can be carried over", where=str(path), hint=told)
    imported.setup = sheet.setup(names, target)
    imported.files["sim_setup.yaml"] = f"# Taken over from {_relative(path, target)}.\n{setup_text(imported.setup)}"
    return imported


_TOP_KEYS = {
    *("name", "description", "PDK", "cace_format", "paths", "default_conditions", "parameters", "category", "note"),
    *("electrical_parameters", "commit", "dependencies", *_NOT_CARRIED),
}


@dataclass(frozen=True)
class _Datasheet:
    path: Path
    data: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> _Datasheet:
        document = load_yaml(path)
        data = document.data
        if not isinstance(data, dict) or "cace_format" not in data:
            raise UsageError("not a datasheet of CACE: no key cace_format", where=str(path))
        version = str(data["cace_format"])
        if not version.startswith("5."):
            hint = "`cace old.txt new.yaml` of CACE itself makes a datasheet of format 5 of an older one"
            raise UsageError(f"cace_format {version}, expected 5.x", where=document.where(["cace_format"]), hint=hint)
        if not isinstance(data.get("name"), str):
            raise UsageError("the datasheet has no name", where=str(path))
        return cls(path, data)

    @property
    def is_bare(self) -> bool:
        """Whether placeholders stand without the word CACE."""
        return str(self.data["cace_format"]) == "5.0"

    def section(self, name: str) -> Mapping[str, Any]:
        return _mapping(self.data.get(name))

    def parameters(self) -> dict[str, Mapping[str, Any]]:
        """Name -> parameter; a list of parameters with names counts, too."""
        found: dict[str, Mapping[str, Any]] = {}
        for key in ("parameters", "electrical_parameters"):
            listed = self.data.get(key) or {}
            if isinstance(listed, list):
                listed = {str(e["name"]): e for e in listed if isinstance(e, dict) and e.get("name")}
            entries = listed.items() if isinstance(listed, dict) else ()
            found |= {str(name): _mapping(entry) for name, entry in entries if name}
        return found

    def folder(self, key: str, usual: str) -> Path:
        """One of `paths`, absolute."""
        paths = self.section("paths")
        root = self.path.absolute().parent / str(paths.get("root", ".."))
        return Path(os.path.normpath(root / str(paths.get(key, usual))))

    @property
    def templates(self) -> Path:
        """Where the templates are: `templates` beside the datasheet, or in `paths`."""
        if "templates" in self.section("paths"):
            return self.folder("templates", "")
        return self.path.absolute().parent / "templates"

    def setup(self, names: list[str], target: Path) -> dict[str, Any]:
        """The sections of sim_setup.yaml."""
        cell = str(self.data["name"])
        dut = {"netlist": _relative(self.folder("netlist", "netlist") / "schematic" / f"{cell}.spice", target)}
        schematic = self.folder("schematic", "xschem") / f"{cell}.sch"
        if schematic.is_file():
            dut["schematic"] = _relative(schematic, target)
        setup: dict[str, Any] = {
            "dut": dut,
            "testbenches": {name: f"./testbenches/{name}" for name in names},
            "sweeps": {name: f"./sweeps/{name}.yaml" for name in names},
        }
        folders = [folder for folder in (schematic.parent, self.templates) if any(folder.glob("*.sym"))]
        if folders:
            setup["netlister"] = {"libraries": [_relative(folder, target) for folder in folders]}
        return setup


@dataclass
class _Testbench:
    """One parameter on its way to a testbench and a sweep."""

    sheet: _Datasheet
    parameter: str
    data: Mapping[str, Any]
    arguments: Mapping[str, Any]
    target: Path
    left: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """A name fit for files: `dc_params`."""
        safe = re.sub(r"[^A-Za-z0-9_.-]", "_", self.parameter)
        return safe if safe[:1].isalpha() else f"p_{safe}"

    def write(self, imported: Imported) -> bool:
        """Add the files; False where the parameter cannot be carried over at all."""
        made = self._template(imported)
        if made is not None:
            axes, defaults = self._conditions(made)
            measures = self._measures(made)
            folder = f"testbenches/{self.name}"
            imported.files[f"{folder}/config.yaml"] = self._config(defaults, measures, axes)
            imported.files[f"sweeps/{self.name}.yaml"] = self._sweep(axes)
            self.left += [f"{key}: unknown" for key in self.data if key not in _KNOWN]
        imported.left += [f"{self.parameter}: {text}" for text in self.left]
        return made is not None

    @property
    def _path(self) -> Path:
        return self.sheet.templates / str(self.arguments.get("template", ""))

    def _template(self, imported: Imported) -> Converted | None:
        """The template; of a schematic the netlist beside it, if there is one, else the schematic itself."""
        path = self._path
        drawn = path.suffix == ".sch"
        if drawn and path.with_suffix(".spice").is_file():
            path, drawn = path.with_suffix(".spice"), False
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:  # no text, or no name of a file
            self.left.append(f"the template {path.name or '(none)'} cannot be read: {error}")
            return None
        names = Names(
            {key: values for key, (values, _, _) in self._declared.items()},
            self._reserved(path),
            self.sheet.is_bare,
            drawn,
        )
        made = convert(text, names, self._variables, str(self.arguments.get("suffix") or ""))
        self.left += made.left
        ending = "sch" if drawn else "spice.j2"
        imported.files[f"testbenches/{self.name}/tb_{self.name}.{ending}"] = made.text
        if drawn:
            symbol = f"{self.sheet.data['name']}.sym"
            self.left.append(f"{symbol} descends here: the DUT comes with the netlist, so drop the include of its path")
            self.left.append("type: simorc netlist --update")
        return made

    def _reserved(self, path: Path) -> dict[str, str]:
        folder = self.target / "testbenches" / self.name
        return {
            "filename": path.stem,
            "simpath": ".",
            "templates": ".",
            "root": _relative(self.sheet.folder("root", "."), folder),
            "DUT_path": "{{ dut.netlist }}",
            "include_DUT": "{{ dut.netlist }}",
            "DUT_name": str(self.sheet.data["name"]),
            "netlist_source": "schematic",
            "jobs": "1",
            "N": "{{ case.id }}",
            "random": "{{ case.seed }}",
            "PDK_ROOT": "{{ env.PDK_ROOT }}",
            "PDK": "{{ env.PDK }}",
        }

    @cached_property
    def _declared(self) -> dict[str, tuple[list[Value], Value | None, str]]:
        """Name -> values, typical value, and a remark, of the default conditions and of the parameter's own."""
        found = {}
        own = _mapping(self.data.get("conditions"))
        for name in dict.fromkeys([*self.sheet.section("default_conditions"), *own]):
            usual, stated = (_mapping(part.get(name)) for part in (self.sheet.section("default_conditions"), own))
            words = {"unit", "description", "display"}
            values = {key: value for key, value in stated.items() if key not in words} or usual
            unit = str(stated.get("unit") or usual.get("unit") or "")
            if not str(name).isidentifier() or name in RESERVED_NAMES:
                self.left.append(f"the condition {name}: no name for a parameter")
                continue
            try:
                listed, typical = condition_values(values, unit)
            except (ValueError, TypeError) as error:
                self.left.append(f"the condition {name}: {error}")
                continue
            remark = str(stated.get("description") or usual.get("description") or "")
            found[str(name)] = (listed, typical, ", ".join(part for part in (remark, plain_unit(unit).base) if part))
        return found

    def _conditions(self, made: Converted) -> tuple[dict[str, list[Value]], dict[str, tuple[Value, str]]]:
        """The axes of the sweep, and the parameters of the testbench with their defaults and remarks."""
        axes: dict[str, list[Value]] = {}
        defaults: dict[str, tuple[Value, str]] = {}
        for name, (values, typical, remark) in self._declared.items():
            if name not in made.used:
                continue
            if typical is None:
                self.left.append(f"the condition {name} has no value")
                continue
            defaults[name] = (typical, remark)
            if len(values) > 1 and name != self._collated:
                axes[name] = values
        for name, text in made.defaults.items():
            defaults.setdefault(name, (text, "default of the template"))
        return axes, defaults

    @property
    def _variables(self) -> list[str | None]:
        """What the columns of the file of results are called; None for one that counts for nothing."""
        listed = self.arguments.get("variables") or []
        names = listed if isinstance(listed, list) else [listed]
        return [str(name) if name not in (None, "null") else None for name in names]

    @property
    def _collated(self) -> str:
        return str(self.arguments.get("collate") or "")

    def _measures(self, made: Converted) -> dict[str, dict[str, Any]]:
        spec = _mapping(self.data.get("spec"))
        named = {"result": spec} if {"minimum", "typical", "maximum"} & spec.keys() else spec
        variables = [name for name in self._variables if name]
        measures = {}
        for name in dict.fromkeys([*named, *variables]):
            result = _mapping(named.get(name))
            if not str(name).isidentifier() or name in RESERVED_NAMES:
                self.left.append(f"the result {name}: no name for a measure")
                continue
            unit = str(result.get("unit") or self.data.get("unit") or "")
            told: list[str] = []
            keys: dict[str, Any] = {"unit": base} if (base := plain_unit(unit).base) else {}
            found = limits(result, unit, told)
            self.left += [f"{name}: {text}" for text in told]
            keys |= {"spec": found} if found else {}
            description = result.get("description") or result.get("display") or self.data.get("description")
            keys |= {"description": _line(str(description))} if description else {}
            if name not in made.printed:
                keys["optional"] = True
                self.left.append(f"{name}: the template prints no such value; add a `.meas {name}`, or measures.py")
            measures[str(name)] = keys
        if self.arguments.get("script"):
            self.left.append(f"the script {self.arguments['script']}: its results are functions of measures.py here")
        return measures

    def _plots(self, axes: Mapping[str, Any], measures: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        plots = _mapping(self.data.get("plot"))
        for name, keys in ({self.parameter: plots} if {"xaxis", "yaxis"} & plots.keys() else plots).items():
            kind, x, y = (_mapping(keys).get(key) for key in ("type", "xaxis", "yaxis"))
            kind, x, ys = kind or "xyplot", str(x), list(map(str, y if isinstance(y, list) else [y] if y else []))
            counted = [one for one in (x, *ys) if one in measures]
            if kind == "histogram" and counted:
                found[str(name)] = {"kind": "histogram", "y": counted[0]}
            elif str(kind) in _PLOTS and x in axes and ys and set(ys) <= set(measures):
                found[str(name)] = {"kind": "line", "x": x, "y": ys if len(ys) > 1 else ys[0], **_PLOTS[str(kind)]}
            else:
                self.left.append(f"the plot {name}: not of measures over a swept condition")
        return found

    def _config(
        self,
        defaults: Mapping[str, tuple[Value, str]],
        measures: Mapping[str, Mapping[str, Any]],
        axes: Mapping[str, Any],
    ) -> str:
        drawn = self._path.suffix == ".sch" and not self._path.with_suffix(".spice").is_file()
        title = str(self.data.get("description") or self.data.get("display") or self.parameter)
        origin = f"Taken over from {self.sheet.path.name}, parameter {self.parameter}."
        lines = [f"# {_line(title)}", f"# {_line(origin)}"]
        lines += [f"schematic: ./tb_{self.name}.sch"] if drawn else []
        lines += [f"template: ./tb_{self.name}.spice.j2", "", "parameters:" if defaults else "parameters: {}"]
        remarks = {key: f"   # {_line(remark)}" if remark else "" for key, (_, remark) in defaults.items()}
        lines += [f"  {_yaml(key)}: {_yaml(value)}{remarks[key]}" for key, (value, _) in defaults.items()]
        lines += ["", "measures:" if measures else "measures: {}"]
        lines += [f"  {_yaml(key)}: {_yaml(keys)}" for key, keys in measures.items()]
        plots = self._plots(axes, measures)
        lines += (
            ["", "plot_specs:", *(f"  {_yaml(key)}: {_yaml(keys)}" for key, keys in plots.items())] if plots else []
        )
        return "\n".join(lines) + "\n"

    def _sweep(self, axes: Mapping[str, list[Value]]) -> str:
        lines = [f"# Conditions of {_line(self.parameter)} in {self.sheet.path.name}.", f"testbench: {self.name}"]
        lines += ["parameters:" if axes else "parameters: {}"]
        lines += [f"  {_yaml(name)}: {_yaml(values)}" for name, values in axes.items()]
        if self._collated:
            samples = len(self._declared.get(self._collated, ([1], None, ""))[0])
            lines += [f"monte_carlo: {{samples: {samples}}}   # was: collate {self._collated}"]
        return "\n".join(lines) + "\n"


def _tool(parameter: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The tool that measures a parameter, and its arguments."""
    tool = parameter.get("tool")
    if isinstance(tool, dict) and tool:
        name = str(next(iter(tool)))
        return name, _mapping(tool[name])
    simulate = _mapping(parameter.get("simulate"))
    if simulate:
        return str(simulate.get("tool") or ""), simulate
    return (str(tool) if tool else ""), {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _relative(path: Path, folder: Path) -> str:
    text = os.path.relpath(path, folder)
    return text if text.startswith(".") else f"./{text}"


def _yaml(value: Any) -> str:
    """A value in YAML's flow style, on one line."""
    plain = yaml.safe_dump(_plain(value), default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return plain.removesuffix("\n").removesuffix("\n...").rstrip()


def _plain(value: Any) -> Any:
    if isinstance(value, Quantity):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
