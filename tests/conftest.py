"""What all tests share: tools that may be missing, and the promise that CI skips nothing."""

from __future__ import annotations

import os
import shutil

import pytest

TOOLS = {"ngspice": ("ngspice", "apt-get install ngspice"), "browser": ("chromium", "apt-get install chromium")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests whose tool is missing, saying what to type; in CI a missing tool is a failure."""
    for marker, (program, remedy) in TOOLS.items():
        if shutil.which(program) or os.environ.get("CI"):
            continue
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=f"{program} is not installed: {remedy}"))
