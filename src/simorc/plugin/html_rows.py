"""Parameters, measures and curves in the rows of pytest-html."""

from __future__ import annotations

from collections.abc import Generator
from html import escape

import pytest

from simorc.plugin.reporting import SPARKLINES


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.CallInfo[None], None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    drawings = item.stash.get(SPARKLINES, [])
    if report.when == "call" and drawings:
        from pytest_html import extras

        report.extras = [*getattr(report, "extras", []), *(extras.html(f"<div>{svg}</div>") for svg in drawings)]


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_table_header(cells: list[str]) -> None:
    cells.insert(2, "<th>Parameters</th>")
    cells.insert(3, "<th>Measures</th>")


@pytest.hookimpl(optionalhook=True)
def pytest_html_results_table_row(report: pytest.TestReport, cells: list[str]) -> None:
    cells.insert(2, f"<td>{_listed(report, 'parameter.')}</td>")
    cells.insert(3, f"<td>{_listed(report, 'measure.')}</td>")


def _listed(report: pytest.TestReport, prefix: str) -> str:
    pairs = [(k.removeprefix(prefix), v) for k, v in report.user_properties if k.startswith(prefix)]
    return "<br>".join(f"{escape(str(name))} = {escape(str(value))}" for name, value in pairs)
