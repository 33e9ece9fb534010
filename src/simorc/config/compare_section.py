"""The section `compare` of sim_setup.yaml, read alone: a comparison needs no other file of the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from simorc.config.files import is_file, resolved
from simorc.config.loader import load_yaml
from simorc.config.models.setup import Setup
from simorc.config.problems import Problems
from simorc.config.validation import validate
from simorc.core.tolerance import Tolerance


@dataclass(frozen=True, slots=True)
class CompareSettings:
    """What the project says of comparisons.

    Parameters
    ----------
    baseline: a run's name, or the path of a file; empty for none
    where: where the baseline is stated, as `file:line: key`
    """

    baseline: str = ""
    where: str = ""
    nearest: Mapping[str, float] = field(default_factory=dict)
    agree: Mapping[str, Tolerance] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)


def compare_settings(setup_file: Path) -> CompareSettings:
    """The settings of a project.

    Raises
    ------
    ConfigError: every problem of the section
    """
    problems = Problems()
    file = load_yaml(setup_file).only(["compare"])
    keys = validate(file, Setup, problems).compare
    problems.raise_all()
    path = resolved(file.folder, keys.baseline or "")
    baseline = str(path) if keys.baseline and (is_file(path) or path.is_dir()) else keys.baseline or ""
    return CompareSettings(baseline, file.where(["compare", "baseline"]), keys.nearest, keys.agree, keys.units)
