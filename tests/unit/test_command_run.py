"""What `simorc run` refuses before it executes anything."""

from __future__ import annotations

import pytest

from simorc.commands._options import RunOptions
from simorc.commands.run import run
from simorc.core.errors import UsageError
from simorc.workspace.layout import RunDirectory


def test_continue_needs_a_rule_that_could_have_stopped_the_run(ws_run: RunDirectory) -> None:
    with pytest.raises(UsageError, match="has no `stop_when`"):
        run(str(ws_run.path), RunOptions(goes_on=True))
