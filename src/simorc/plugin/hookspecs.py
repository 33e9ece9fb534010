"""The pytest hooks of simorc: four moments in the life of a case.

Implement them in a `conftest.py` beside the generated module, or in a plugin given with `simorc run RUN -- -p NAME`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simorc.core.case import Case
    from simorc.core.measurement import Measurement
    from simorc.core.record import CaseRecord
    from simorc.core.waveforms import Waveforms


@pytest.hookspec
def pytest_simorc_cases(config: pytest.Config, cases: list[Case]) -> None:
    """Filter the cases of a run directory in place, before they become tests.

    Called once in every worker; the outcome must be the same in each. A case that is taken out stays `pending`.
    """


@pytest.hookspec
def pytest_simorc_case_start(case: Case) -> None:
    """A case is about to be simulated; it is recorded as `in_progress` already."""


@pytest.hookspec
def pytest_simorc_measured(case: Case, waves: Waveforms, measurements: list[Measurement]) -> None:
    """A case was simulated and measured; further measurements may be appended to the list.

    What is appended is recorded, judged by its own verdict and reported like the testbench's own measures. Counts
    towards the case's time limit.
    """


@pytest.hookspec
def pytest_simorc_case_done(case: Case, record: CaseRecord) -> None:
    """The outcome of a case was recorded."""
