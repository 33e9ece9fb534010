"""Settings from the environment: `SIMORC_<SECTION>__<KEY>` wins over every file."""

from __future__ import annotations

from collections.abc import Mapping

from simorc.config.document import Document
from simorc.config.loader import parse_yaml
from simorc.config.problems import Problems
from simorc.core.errors import ConfigError

PREFIX = "SIMORC_"
SEPARATOR = "__"


def overrides(environment: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """The variables that set a key: path of the key in lower case -> name of the variable, sorted by name.

    `SIMORC_OUTPUT` sets the one key that stands in no section.

    >>> overrides({"SIMORC_SIMULATOR__TIMEOUT_S": "60", "SIMORC_OUTPUT": "/scratch", "SIMORC_DEBUG": "1"})
    {('output',): 'SIMORC_OUTPUT', ('simulator', 'timeout_s'): 'SIMORC_SIMULATOR__TIMEOUT_S'}
    """
    names = sorted(name for name in environment if name.startswith(PREFIX))
    return {
        tuple(name.removeprefix(PREFIX).lower().split(SEPARATOR)): name
        for name in names
        if (SEPARATOR in name or name == f"{PREFIX}OUTPUT") and environment[name].strip()
    }


def with_environment(setup: Document, environment: Mapping[str, str], problems: Problems) -> Document:
    """The setup with the environment's values laid over it; they are read as YAML, an empty one sets nothing."""
    if not isinstance(setup.data, dict):
        return setup
    for keys, name in overrides(environment).items():
        try:
            value = parse_yaml(environment[name], name, setup.folder)
        except ConfigError as error:
            problems.extend(error.problems)
            continue
        setup = setup.overlaid(_spelt_as_in(setup, keys), value.data, value.mark)
    return setup


def _spelt_as_in(setup: Document, keys: tuple[str, ...]) -> list[str]:
    """The keys in the spelling of the file, where a name there has upper-case letters."""
    data, spelt = setup.data, list[str]()
    for key in keys:
        names = {str(name).lower(): str(name) for name in data} if isinstance(data, dict) else {}
        spelt.append(names.get(key, key))
        data = data.get(spelt[-1]) if isinstance(data, dict) else None
    return spelt
