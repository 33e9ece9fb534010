"""Read one testbench: its folder, its config.yaml, its measures.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from simorc.config.document import Document
from simorc.config.files import resolved, with_plot_files
from simorc.config.judged import SECTIONS, JudgedReader
from simorc.config.loader import load_yaml
from simorc.config.models.testbench import Judged, Testbench
from simorc.config.names import check_column_names
from simorc.config.problems import Problems, printed
from simorc.config.project import SERVED_BY, TestbenchEntry
from simorc.config.user_functions import UserFunctions, read_functions
from simorc.config.validation import validate
from simorc.core.errors import ConfigError, Problem
from simorc.core.measurement import MEASURES_FILE
from simorc.core.plan import SimulatorSettings

CONFIG_FILE = "config.yaml"


@dataclass(frozen=True, slots=True)
class TestbenchFile:
    """A testbench as far as it could be read.

    Parameters
    ----------
    file: config.yaml
    keys: the same, validated; what did not fit is left out
    functions: what measures.py defines, None where there is no such file
    """

    __test__ = False

    name: str
    folder: Path
    file: Document
    keys: Testbench
    functions: UserFunctions | None

    def parameter_names(self) -> list[str]:
        """Names of all parameters, of those with a wrong default too."""
        return list(self.file.section("parameters"))

    def serves(self, target: str) -> bool:
        """Whether it states what the target needs; a file of another shape is not asked."""
        return not isinstance(self.file.data, dict) or SERVED_BY[target] in self.file.data

    def entry(self, simulator: SimulatorSettings) -> TestbenchEntry:
        """What the project keeps of it."""
        schematic, template, procedure = (
            resolved(self.folder, text) if text else None
            for text in (self.keys.schematic, self.keys.template, self.keys.procedure)
        )
        parameters = self.keys.parameters
        return TestbenchEntry(self.name, self.folder, self.file, schematic, template, procedure, parameters, simulator)


def read_testbench(name: str, folder: Path, problems: Problems) -> TestbenchFile | None:
    """The testbench in a folder, with its problems noted; None where its config.yaml cannot be read at all."""
    try:
        file = with_plot_files(load_yaml(folder / CONFIG_FILE), problems)
    except ConfigError as error:
        problems.extend(error.problems)
        return None
    keys = validate(file, Testbench, problems)
    check_column_names(file, "parameters", {}, problems)
    _check_inside(file, keys, folder, problems)
    testbench = TestbenchFile(name, folder, file, keys, _functions(folder, problems))
    read_judged(testbench, file.only(SECTIONS), problems)
    return testbench


def read_judged(testbench: TestbenchFile, file: Document, problems: Problems) -> JudgedReader:
    """A reader of measures, aggregates and plots that has noted all that does not fit."""
    keys = validate(file, Judged, problems)
    reader = JudgedReader(file, keys, testbench.parameter_names(), testbench.functions, problems)
    reader.check_names()
    for read in (reader.measures, reader.aggregates, reader.plot_specs, reader.curves):
        read()
    return reader


def _functions(folder: Path, problems: Problems) -> UserFunctions | None:
    try:
        return read_functions(folder / MEASURES_FILE)
    except ConfigError as error:
        problems.extend(error.problems)
        return UserFunctions({}, None)


def _check_inside(file: Document, keys: Testbench, folder: Path, problems: Problems) -> None:
    """A run keeps a copy of the testbench's folder: what it executes has to be in there."""
    for key, text in (("template", keys.template), ("procedure", keys.procedure)):
        if text and not resolved(folder, text).is_relative_to(folder):
            problems.add(Problem(file.where([key]), printed(text), "a file in the testbench's folder"))
