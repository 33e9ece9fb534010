"""Errors of simorc: one tree, each saying what is wrong, where, and what to do.

SimorcError                 exit 2
├── UsageError              exit 2   a command was given something that does not exist or does not fit
├── ConfigError             exit 2   one or more problems in the YAML files, all of them at once
├── TemplateError           exit 2   a netlist template that cannot be rendered
├── NetlistError            exit 2   a schematic that cannot be made into a netlist
├── RunDirectoryError       exit 2   a run directory that contradicts itself, or is in use
├── ToolMissingError        exit 3   something outside is missing: simulator, PDK, instrument
└── CaseError                        costs one case, never the run; carries an ErrorKind
    └── InstrumentError              an instrument did not do what it was told, or is out of reach
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct


class ExitCode:
    """Exit codes of the command line (the contract in docs/cli.md)."""

    DONE = 0
    NOT_IN_SPEC = 1
    USAGE = 2
    MISSING = 3
    INTERRUPTED = 130


class ErrorKind(StrEnum):
    """Why a case failed, as it stands in `error_kind` of its status file."""

    NO_CONVERGENCE = "no_convergence"
    TIMESTEP = "timestep"
    MISSING_MODEL = "missing_model"
    MISSING_INCLUDE = "missing_include"
    TIMEOUT = "timeout"
    KILLED = "killed"
    DISK_FULL = "disk_full"
    TEMPLATE = "template"
    MEASURE_ERROR = "measure_error"
    INSTRUMENT = "instrument"
    NEVER_SETTLED = "never_settled"
    LOST = "lost"


class SimorcError(Exception):
    """What is wrong, where (file, key, case, resource), and what to do about it.

    The command line prints these three as one block on stderr; a traceback appears only with `--debug`.
    """

    exit_code: int = ExitCode.USAGE

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what, where, hint)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.hint:
            lines.append(self.hint)
        return "\n".join(lines)


class UsageError(SimorcError):
    """A command was given something that does not exist or does not fit."""


class Problem(Struct, frozen=True):
    """One problem in a configuration file.

    Parameters
    ----------
    where: `file:line: key`, as precise as the file allows
    found: what stands there
    expected: what would be right
    hint: a suggestion such as `did you mean 'temp'?`, or empty
    """

    where: str
    found: str
    expected: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: found {self.found}, expected {self.expected}"
        return f"{text}, {self.hint}" if self.hint else text


class ConfigError(SimorcError):
    """One or more problems in the configuration, all of them at once, one line each."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class TemplateError(SimorcError):
    """A netlist template that cannot be rendered; `where` is `template:line`."""


class NetlistError(SimorcError):
    """A schematic that cannot be made into a netlist; `where` is the schematic."""


class RunDirectoryError(SimorcError):
    """A run directory that contradicts itself, was changed, or is in use."""


class ToolMissingError(SimorcError):
    """Something outside simorc is missing: a simulator, a PDK, an instrument."""

    exit_code = ExitCode.MISSING


class CaseError(SimorcError):
    """One case failed; the others go on.

    Parameters
    ----------
    kind: the `error_kind` of the status file
    what: the telling line of the log, or what the tool did
    where: path of the log, relative to the run directory where possible
    """

    def __init__(self, kind: ErrorKind, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.kind = kind


class InstrumentError(CaseError):
    """An instrument did not answer, answered nonsense, reported an error, or would have been told something forbidden.

    Parameters
    ----------
    what: what happened, with the text that was sent and the reply
    resource: name and VISA resource of the instrument
    out_of_reach: whether the instrument no longer answers at all, so that no further case can use the bench
    """

    exit_code = ExitCode.MISSING

    def __init__(
        self,
        what: str,
        *,
        resource: str = "",
        hint: str = "",
        kind: ErrorKind = ErrorKind.INSTRUMENT,
        out_of_reach: bool = False,
    ) -> None:
        super().__init__(kind, what, where=resource, hint=hint)
        self.out_of_reach = out_of_reach


class RefusedError(InstrumentError):
    """A text that an instrument was not sent, because the bench's limits forbid it."""

    exit_code = ExitCode.USAGE
