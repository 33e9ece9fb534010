"""Look at a project that exists, and say what a first simorc project of it would be. Nothing is written here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simorc.config.project import SETUP_FILE
from simorc.core.errors import NetlistError, SimorcError, UsageError
from simorc.importers.cace import Imported, import_cace
from simorc.importers.cicsim import apply_cicsim, cicsim_files, corner_values, specs, without_conditions
from simorc.importers.deck import Adopted, adopt_deck, measure_names, runs_something, subcircuits, usable
from simorc.netlisters.xschem_file import Drawing, placeholders
from simorc.netlisters.xschem_reach import read_drawing, resolve
from simorc.simulators.deck_paths import file_references

DECKS = (".spice", ".cir", ".ckt", ".sp", ".spi", ".net")
_SKIPPED = {"simulations", "results", "build", "venv", "node_modules", "__pycache__"}
_MOST_FILES = 20_000
_LARGEST = 1_000_000
_PINS = ("ipin", "opin", "iopin")
_PARAMETER = re.compile(r"\bparameters\.(\w+)")
_USUAL = {"corner": "tt", "temp": "27"}
_FOR_CACE = "CACE{"
"""Begins a placeholder in a template of CACE, which is read by way of its datasheet."""
_NETLISTED = re.compile(r"^\*\* sch_path:|^\*\*\.subckt\b", re.M)
"""Stands in what xschem made of a schematic."""
_CACE = re.compile(r"^cace_format\s*:", re.M)


@dataclass(slots=True)
class Existing:
    """What an existing project holds.

    Parameters
    ----------
    testbenches: name -> what could be taken over of it
    origins: name -> the deck or schematic that it comes from
    schematics: names whose template a netlister makes
    dut: `netlist` and `schematic` as far as found
    libraries: folders with symbols
    rcfile: start-up file of xschem, None where there is none
    datasheets: what CACE's datasheets become
    remarks: what a person has to decide, beyond single testbenches
    """

    root: Path
    testbenches: dict[str, Adopted] = field(default_factory=dict)
    origins: dict[str, Path] = field(default_factory=dict)
    schematics: set[str] = field(default_factory=set)
    dut: dict[str, Path] = field(default_factory=dict)
    libraries: list[Path] = field(default_factory=list)
    rcfile: Path | None = None
    datasheets: list[Imported] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def look_at(root: Path, target: Path) -> Existing:
    """What a folder holds that simorc can take over.

    Parameters
    ----------
    root: of the existing project, absolute
    target: folder of the new one, absolute, which may be the same

    Raises
    ------
    UsageError: there is no such folder, or nothing in it
    """
    if not root.is_dir():
        raise UsageError(f"no folder {root}", hint="`--from DIR` is a folder with decks, schematics or configurations")
    found = Existing(root)
    files = list(_files(root, target, found.remarks))
    sheets = [path for path in files if path.suffix in (".yaml", ".yml") and _CACE.search(_text(path))]
    for sheet in sheets:
        _take_datasheet(found, sheet, target)
    files = [path for path in files if not any(path.is_relative_to(sheet.parent / "templates") for sheet in sheets)]
    drawings = dict(_drawings(files, root, found.remarks))
    _take_schematics(found, files, drawings)
    _take_decks(found, files, target)
    if not (found.testbenches or found.datasheets or found.dut or found.remarks):
        hint = f"looked for {', '.join(DECKS)}, .sch, cicsim.yaml and CACE's YAML"
        raise UsageError(f"nothing to take over in {root}", hint=hint)
    return found


def _take_datasheet(found: Existing, sheet: Path, target: Path) -> None:
    try:
        imported = import_cace(sheet, target)
    except SimorcError as error:
        found.remarks.append(f"{sheet.relative_to(found.root)}: {error.what}")
        return
    taken = {name for other in found.datasheets for name in other.setup["testbenches"]}
    twice = [name for name in imported.setup["testbenches"] if name in taken]
    found.remarks += [f"{sheet.name}: {left}" for left in imported.left]
    found.remarks += [f"{sheet.name}: {name} is left out: another datasheet has one of that name" for name in twice]
    found.datasheets.append(imported)


def _files(root: Path, target: Path, remarks: list[str]) -> Iterator[Path]:
    """The files of a project in order of their paths, without results and without what is ours."""
    seen = 0
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        ours = here == target and (here / SETUP_FILE).exists()
        skipped = _SKIPPED | ({"testbenches", "sweeps", "netlists", "benches"} if ours else set())
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in skipped)
        for name in sorted(names):
            seen += 1
            if seen > _MOST_FILES:
                remarks.append(f"only the first {_MOST_FILES:,} files were looked at")
                return
            path = here / name
            if path.is_file() and path.stat().st_size <= _LARGEST:
                yield path


def _drawings(files: Sequence[Path], root: Path, remarks: list[str]) -> Iterator[tuple[Path, Drawing]]:
    for path in files:
        if path.suffix == ".sch":
            try:
                yield path, read_drawing(path)
            except NetlistError as error:
                remarks.append(f"{path.relative_to(root)}: {error.what}")


def _take_schematics(found: Existing, files: Sequence[Path], drawings: Mapping[Path, Drawing]) -> None:
    symbols = sorted({path.parent for path in files if path.suffix == ".sym"})
    found.libraries = symbols
    found.rcfile = next((path for path in files if path.name == "xschemrc"), None)
    cells = [path for path, drawing in drawings.items() if _has_pins(drawing) and not _runs(drawing)]
    used: list[Path] = []
    for path, drawing in drawings.items():
        text = "\n".join(value for item in drawing.instances for value in item.attributes.values())
        if _FOR_CACE in text or not _runs(drawing):
            continue
        name = _free_name(path.stem, found)
        adopted = Adopted(measures={measure: {} for measure in measure_names(text)})
        named = [n for _, placeholder in placeholders(drawing) for n in _PARAMETER.findall(placeholder)]
        adopted.parameters = {name: _USUAL.get(name, "1") for name in dict.fromkeys(named) if usable(name)}
        if adopted.parameters:
            adopted.remarks.append("the defaults of the parameters are made up")
        else:
            adopted.remarks.append("no placeholder is drawn yet: write {{ parameters.vdd }} where a value is swept")
        if any(not Path(file).is_absolute() for file, _ in file_references(text)):
            adopted.remarks.append("relative paths in the schematic are meant from the template's folder")
        found.testbenches[name], found.origins[name] = adopted, path
        found.schematics.add(name)
        used += [cell for item in drawing.instances if (cell := _cell(item.reference, path, symbols)) in cells and cell]
    choice = used or cells
    if choice:
        found.dut["schematic"] = choice[0]
        _name_others(found, [path for path in dict.fromkeys([*used, *cells]) if path != choice[0]])


def _name_others(found: Existing, others: Sequence[Path]) -> None:
    if others and not found.datasheets:  # which state their DUT
        found.remarks.append(f"the DUT may also be one of: {', '.join(path.stem for path in others[:10])}")


def _take_decks(found: Existing, files: Sequence[Path], target: Path) -> None:
    drawn = {path.stem for path in files if path.suffix == ".sch"}
    cells: list[Path] = []
    for path in files:
        text = _text(path) if path.suffix in DECKS else ""
        if not text or _FOR_CACE in text or (path.stem in drawn and _NETLISTED.search(text)):
            continue
        configured = cicsim_files(path.parent, found.root) if path.suffix == ".spi" else []
        if runs_something(text) or (configured and measure_names(_text(path.with_suffix(".meas")))):
            name = _free_name(path.stem, found)
            found.testbenches[name] = _deck(path, text, configured, target / "testbenches" / name)
            found.origins[name] = path
        elif subcircuits(text):
            cells.append(path)
    if cells and not found.dut:
        found.dut["netlist"] = cells[0]
        _name_others(found, cells[1:])


def _deck(path: Path, text: str, configured: Sequence[Path], folder: Path) -> Adopted:
    """A deck as a testbench of that folder."""

    def read(written: str) -> str | None:
        return _text(path.parent / Path(written).expanduser()) or None

    def change(written: str) -> str:
        full = Path(written).expanduser()
        return written if full.is_absolute() else os.path.relpath(path.parent / full, folder)

    remarks: list[str] = []
    values = corner_values(configured, remarks)
    if configured:
        text = apply_cicsim(path, without_conditions(text), values)
    adopted = adopt_deck(text, change, read)
    adopted.axes |= {name: given for name, given in values.items() if name in adopted.parameters}
    adopted.remarks += remarks
    if configured:
        specs(path, adopted)
    return adopted


def _has_pins(drawing: Drawing) -> bool:
    return any(Path(item.reference).stem in _PINS for item in drawing.instances)


def _runs(drawing: Drawing) -> bool:
    """Whether a block of SPICE text asks for an analysis; a source's value `dc 1` or a net called `op` does not."""
    values = [value for item in drawing.instances for value in item.attributes.values()]
    return any(runs_something(f"\n{value}") for value in values if "\n" in value or value.lstrip().startswith("."))


def _cell(reference: str, schematic: Path, libraries: Sequence[Path]) -> Path | None:
    """The schematic behind a symbol."""
    symbol = resolve(reference, ".sym", (schematic.parent, *libraries))
    return symbol.with_suffix(".sch") if symbol is not None else None


def _free_name(stem: str, found: Existing) -> str:
    """A name for a testbench that no other has."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", stem)
    name = name if name[:1].isalpha() else f"tb_{name}"
    sheets = (sheet.setup[section] for sheet in found.datasheets for section in ("testbenches", "sweeps"))
    taken = {*found.testbenches, "dut", *(name for names in sheets for name in names)}
    return next(free for free in (name, *(f"{name}_{n}" for n in range(2, 1000))) if free not in taken)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.stat().st_size <= _LARGEST else ""
    except (OSError, ValueError):
        return ""
