"""What all tests share: tools that may be missing, and the promise that CI skips nothing for want of one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Generator

import pytest
from hypothesis import settings

settings.register_profile("simorc", deadline=None)  # a timed test is no test
settings.load_profile("simorc")

pytest_plugins = ["pytester"]

IN_CI = bool(os.environ.get("CI"))


def _sky130_is_installed() -> bool:
    from simorc.core.errors import SimorcError
    from simorc.simulators.pdk import find_pdk

    try:
        find_pdk("sky130", os.environ)
    except SimorcError:
        return False
    return True


TOOLS: dict[str, tuple[Callable[[], object], str]] = {
    "ngspice": (lambda: shutil.which("ngspice"), "apt-get install ngspice"),
    "xschem": (lambda: shutil.which("xschem"), "apt-get install xschem"),
    "browser": (lambda: shutil.which("chromium"), "apt-get install chromium"),
    "pdk": (_sky130_is_installed, "simorc pdk install sky130"),
}


def pytest_configure() -> None:
    """A shell that starts tests in the background has them, and every child, ignore Ctrl-C; some tests press it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests whose tool is missing, saying what to type; in CI they run and fail."""
    for marker, (is_there, remedy) in TOOLS.items():
        concerned = [item for item in items if item.get_closest_marker(marker)]
        if not concerned or IN_CI or is_there():
            continue
        for item in concerned:
            item.add_marker(pytest.mark.skip(reason=f"{marker} is not installed: {remedy}"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """In CI the models are fetched by the first test that needs them."""
    if IN_CI and item.get_closest_marker("pdk") and not _sky130_is_installed():
        subprocess.run([sys.executable, "-m", "simorc", "pdk", "install", "sky130"], check=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test that needs a tool may not skip itself either."""
    report = yield
    needs_tool = any(item.get_closest_marker(marker) for marker in TOOLS)
    if IN_CI and needs_tool and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
