"""Errors say what, where, and what to do."""

from __future__ import annotations

import pytest

from simorc.core.errors import (
    CaseError,
    ConfigError,
    ErrorKind,
    ExitCode,
    Problem,
    RunDirectoryError,
    SimorcError,
    TemplateError,
    ToolMissingError,
    UsageError,
)


def test_an_error_reads_where_what_and_what_to_do() -> None:
    error = TemplateError("'vdda' is undefined", where="tb.spice.j2:7", hint="it has vin")
    assert str(error) == "tb.spice.j2:7: 'vdda' is undefined\nit has vin"
    assert str(UsageError("no sweep 'x'")) == "no sweep 'x'"


@pytest.mark.parametrize(
    ("kind", "code"),
    [(UsageError, 2), (TemplateError, 2), (RunDirectoryError, 2), (ToolMissingError, 3), (SimorcError, 2)],
)
def test_exit_codes(kind: type[SimorcError], code: int) -> None:
    assert kind("x").exit_code == code
    assert ExitCode.INTERRUPTED == 130


@pytest.mark.req("SIM-08")
def test_a_config_error_lists_every_problem_on_a_line() -> None:
    problems = [
        Problem("a.yaml:7: parameters.tmep", "an unknown parameter", "one of temp, vin", "did you mean 'temp'?"),
        Problem("b.yaml:1", "a list", "a mapping"),
    ]
    error = ConfigError(problems)
    assert error.problems == tuple(problems)
    assert str(error).splitlines() == [
        "a.yaml:7: parameters.tmep: found an unknown parameter, expected one of temp, vin, did you mean 'temp'?",
        "b.yaml:1: found a list, expected a mapping",
    ]


def test_a_case_error_carries_its_kind() -> None:
    error = CaseError(ErrorKind.TIMEOUT, "killed after 3 s", where="results/3/ngspice.log")
    assert (error.kind, str(error)) == ("timeout", "results/3/ngspice.log: killed after 3 s")
