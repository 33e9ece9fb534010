"""The pytest plugin (entry point `pytest11`): inert unless the session touches a run directory.

In a run directory every function that asks for the fixture `case` becomes one test a row of metadata.csv, in the same
order in every worker.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simorc.plugin import hookspecs
from simorc.plugin.fixtures import case, measure, simorc_context, simulator, waves
from simorc.plugin.session_input import PARENT, SINCE

if TYPE_CHECKING:
    from simorc.plugin.run_context import RunContext

__all__ = ["case", "measure", "simorc_context", "simulator", "waves"]

_CONTEXTS = pytest.StashKey[dict[Path, "RunContext | None"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("simorc")
    group.addoption(
        "--simorc-rerun",
        action="store_true",
        help="execute completed cases of a run directory again, instead of replaying their recorded outcome",
    )
    group.addoption(
        "--simorc-selected",
        action="store_true",
        help="execute the cases that `simorc run` chose (used by `simorc run` alone)",
    )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_CONTEXTS] = {}
    runs = _runs_under(config)
    if not runs:
        return
    # Several runs of one sweep hold modules of the same name.
    config.option.importmode = "importlib"
    # Taken out of the environment: a pytest that a test starts is nobody's worker.
    parent = _session(config).get(PARENT) or os.environ.pop(PARENT, None)
    if parent is not None:
        from simorc.workspace.parent import die_with_parent

        die_with_parent(int(parent))
    if config.getoption("htmlpath", None):
        from simorc.plugin import html_rows

        config.pluginmanager.register(html_rows, "simorc_html")
    if not _session(config) and not config.option.collectonly:
        from simorc.plugin.controller import Controller
        from simorc.workspace.layout import RunDirectory

        config.pluginmanager.register(Controller(config, [RunDirectory(path) for path in runs]), "simorc_controller")


def pytest_unconfigure(config: pytest.Config) -> None:
    _close_contexts(config)


def _close_contexts(config: pytest.Config) -> None:
    for context in config.stash.get(_CONTEXTS, {}).values():
        if context is not None:
            context.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" not in metafunc.fixturenames:
        return
    context = context_of(metafunc.config, metafunc.definition.path)
    if context is not None:
        cases = context.cases
        ids = [f"{case.case_id}-{case.label}" if case.swept else str(case.case_id) for case in cases]
        metafunc.parametrize("case", cases, ids=ids, indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Under `simorc run` the generated module may become blocks of cases."""
    if not parent.config.getoption("simorc_selected"):
        return None
    context = context_of(parent.config, module_path)
    if context is None or context.selection is None or not context.selection.block:
        return None
    from simorc.plugin import blocks

    parent.config.pluginmanager.register(blocks, "simorc_blocks")
    return blocks.BlockFile.of(parent, context)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Start nothing further once somebody asked to stop."""
    context = item.config.stash[_CONTEXTS].get(item.path.parent)
    if context is None:
        return None
    if not context.goes_on():
        item.session.shouldstop = "asked to stop"
        return True
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Before a worker says that it has finished, after which it is given little time: leave everything safe."""
    _close_contexts(session.config)


def context_of(config: pytest.Config, module: Path) -> RunContext | None:
    """What this process knows of the run directory that holds a test module; None outside one."""
    contexts = config.stash[_CONTEXTS]
    folder = module.parent
    if folder not in contexts:
        contexts[folder] = _make_context(config, module)
    return contexts[folder]


def _make_context(config: pytest.Config, module: Path) -> RunContext | None:
    from simorc.core.errors import SimorcError
    from simorc.plugin.run_context import RunContext, enclosing_run
    from simorc.workspace.clock import utc_text

    run = enclosing_run(module)
    if run is None:
        return None
    session = _session(config)
    name = f"{session.get('workerid', 'main')}:{os.getpid()}"
    since = session.get(SINCE) or utc_text(datetime.now(UTC))
    selected, rerun = config.getoption("simorc_selected"), config.getoption("simorc_rerun")
    try:
        context = RunContext(run, name, config.hook, since=since, selected=selected, rerun=rerun)
        if context.selection is not None and context.selection.block:
            return context
        config.hook.pytest_simorc_cases(config=config, cases=context.cases)
    except SimorcError as error:
        raise pytest.UsageError(f"{run.run_id}: {error}") from error
    return context


def _session(config: pytest.Config) -> dict[str, Any]:
    """What the controller told this worker; empty in the controller itself and without xdist."""
    return getattr(config, "workerinput", {})


def _runs_under(config: pytest.Config) -> list[Path]:
    """Run directories that the session's arguments name, lie in, or hold up to two levels down."""
    found: dict[Path, None] = {}
    for argument in config.args:
        path = Path(config.invocation_params.dir, str(argument).split("::")[0])
        folders = [path, *path.glob("*/"), *path.glob("*/*/")] if path.is_dir() else [path.parent]
        for folder in folders:
            if (folder / "run.json").is_file() and (folder / "metadata.csv").is_file():
                found[folder.resolve()] = None
    return list(found)
