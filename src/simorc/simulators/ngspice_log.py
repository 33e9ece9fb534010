"""Pure: what an ngspice log says: values of measures, measures that failed, and why a simulation broke.

ngspice's exit code proves nothing; every judgement is made from these lines. Real logs stand in tests/golden.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct, field

from simorc.core.errors import ErrorKind
from simorc.simulators.ngspice_deck import AGAIN, EXACT

_KINDS = "tran, ac, dc, sp"
_NUMBER = r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf)"
_VALUE = re.compile(
    rf"(?P<name>[^\s=]+)\s*=\s+(?P<value>{_NUMBER}|failed)(?:\s+(?:at|with|from|to|targ|trig)=\s+{_NUMBER})*\s*",
    re.IGNORECASE,
)
_MEASURED = "=  "
_FAILED_CARD = re.compile(r"\s*\.?meas(?:ure)?\s+\w+\s+(?P<name>\S+)\s.*failed!\s*", re.IGNORECASE)
_NOT_A_KIND = re.compile(r"Error: unrecognized analysis type '(?P<kind>[^']*)'", re.IGNORECASE)
_CARD = re.compile(r"\s*\.meas(?:ure)?\s+\w+\s+(?P<name>\S+)", re.IGNORECASE)
_STALE = re.compile(
    r"\s*s = \"\.meas(?:ure)?\s+\w+\s+(?P<name>\S+)\s+\w+=\s*(?P<first>\S+)\s*\" u=\"\s*(?P<now>\S+)", re.IGNORECASE
)
_REASON = re.compile(
    r"\s*(?:Error: |no such function|function '|bad syntax|invalid num|Undefined parameter)", re.IGNORECASE
)
_TELLS = re.compile(
    rf"{AGAIN}|\s*(?:\.?meas|s = \"|error: |no such function|function '|bad syntax|invalid num|undefined parameter)",
    re.IGNORECASE,
)
"""How every line begins that tells something of a measure, and is no value: few do."""
_OURS = re.compile(rf"simorc: (?P<kind>{'|'.join(ErrorKind)}): (?P<what>.*)")
# A device that has not found its file simulates on without.
_NOT_OPENED = r"Message: +cannot open file|failed to open state file|file was not read successfully"
_FATAL = re.compile(
    r"simulation\(s\) aborted|Simulation interrupted|fatal error in ngspice|Could not find include file|"
    rf"there aren't any circuits|incomplete or empty netlist|{_NOT_OPENED}",
    re.IGNORECASE,
)

_TELLING: tuple[tuple[ErrorKind, str], ...] = (
    (
        ErrorKind.MISSING_INCLUDE,
        rf"Could not find (?:include|library) file|section definition .* not found|{_NOT_OPENED}",
    ),
    (
        ErrorKind.MISSING_MODEL,
        r"unknown subckt|could not find a valid modelname|unable to find definition of model|unknown model type",
    ),
    (ErrorKind.TIMESTEP, r"doAnalyses: TRAN:  Timestep too small"),
    (ErrorKind.NO_CONVERGENCE, r"singular matrix"),
    (ErrorKind.NO_CONVERGENCE, r"transient op failed|no convergence|iteration limit"),
    (ErrorKind.NO_CONVERGENCE, r"doAnalyses: .*Timestep too small|(?:source|gmin) stepping failed"),
    (ErrorKind.TEMPLATE, r"Undefined parameter|Expression err|Mismatch of \.subckt"),
    (ErrorKind.TEMPLATE, r"Error on line|doAnalyses:"),
    (ErrorKind.TEMPLATE, r"^Error"),
)
"""Which line tells why, in order of precedence; of one kind the first line counts."""
_OF_MEASURES = (
    *("failed!", "error: ", "no such function", "function '", "bad syntax", "invalid num", "undefined parameter"),
    AGAIN,
)
"""One of these is in every log in which a line without a `=` tells something of a measure; in lower case."""
_OF_ERRORS = (
    *("simorc: ", "aborted", "interrupted", "fatal error", "could not find", "any circuits", "empty netlist"),
    *("cannot open", "failed to open", "not read successfully"),
)
"""One of these is in every log that `find_error` finds something in."""
_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _TELLING)


class LogReport(Struct, frozen=True):
    """What a log says.

    Parameters
    ----------
    values: name (lower case) -> the last value that was printed, None where the last word was that it failed
    messages: name -> why there is no value
    error: why the simulation as a whole failed: its kind and the telling line; None where it went through
    """

    values: Mapping[str, float | None] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    error: tuple[ErrorKind, str] | None = None


def parse_log(text: str) -> LogReport:
    """Everything that a log says."""
    lines = text.splitlines()
    reader = _Reader()
    lowered = text.lower()  # most logs have nothing to look for, and this stands between one case and the next
    is_suspect = any(map(lowered.__contains__, _OF_MEASURES))
    for line in lines:
        if is_suspect or "=" in line:
            reader.read(line)
    values, messages = reader.finished()
    error = find_error(lines) if any(map(lowered.__contains__, _OF_ERRORS)) else None
    return LogReport(values, messages, error)


class _Reader:
    """Goes through a log line by line, so that of several statements on a measure the last one counts.

    `.meas` and `meas` write two blanks behind the sign, `print` and `echo` one. What was measured is never replaced by
    what was only printed: `print all` may show a node of the same name.

    Where a further analysis of one kind evaluates measures anew, a measure has the value of the one that could evaluate
    it, and none where two gave different values.
    """

    def __init__(self) -> None:
        self.values: dict[str, float | None] = {}
        self.messages: dict[str, str] = {}
        self.measured: set[str] = set()
        self.stale: set[str] = set()
        self.earlier: dict[str, float] = {}
        self.refused: set[str] = set()
        self.reason = ""
        self.wrong_kind = ""

    def read(self, line: str) -> None:
        if "=" in line and (match := _VALUE.fullmatch(line)):
            name = match["name"].lower()
            is_measured = _MEASURED in line
            if is_measured:
                self.measured.add(name)
            if is_measured or name not in self.measured:
                self._value(name, match["value"].lower())
            self.wrong_kind = ""
            return
        if not _TELLS.match(line):
            self.wrong_kind = ""
            return
        if match := _FAILED_CARD.fullmatch(line):
            self._fail(match["name"].lower(), self.reason or line.strip())
        elif self.wrong_kind and (match := _CARD.match(line)):
            self._fail(match["name"].lower(), f"ngspice evaluates .meas of kind {_KINDS} alone, not {self.wrong_kind}")
        elif match := _STALE.match(line):
            # The number that ngspice cannot put in place of the one from before.
            self.stale |= {match["name"].lower()} if match["first"] != match["now"] else set()
        elif line.startswith(AGAIN):
            self.earlier = {name: value for name, value in self.values.items() if value is not None}
        self.wrong_kind = match["kind"] if (match := _NOT_A_KIND.match(line)) else ""
        if _REASON.match(line):
            self.reason = line.strip() if line[:1].isalpha() else f"{self.reason} {line.strip()}".strip()

    def _value(self, name: str, text: str) -> None:
        if text == "failed":
            self._fail(name, self.reason or "ngspice could not evaluate it")
            return
        number = float(text)
        if name in self.stale:
            self._refuse(name, "ngspice evaluates a param measure once, but its inputs changed in a further analysis")
        elif text.lstrip("+-") in ("nan", "inf"):
            self._fail(name, f"ngspice gave {text}")
        elif self.earlier.get(name, number) != number:
            gave = f"{self.earlier[name]:g} and {number:g}"
            self._refuse(name, f"two analyses of one kind gave {gave}; compute it in measures.py")
        elif name not in self.refused:
            self.values[name] = number
            self.messages.pop(name, None)

    def _refuse(self, name: str, message: str) -> None:
        """No value, whatever a later analysis says."""
        self.earlier.pop(name, None)
        self._fail(name, message)
        self.refused.add(name)

    def _fail(self, name: str, message: str) -> None:
        self.measured.add(name)
        if name not in self.earlier and name not in self.refused:
            self.values[name] = None
            self.messages[name] = " ".join(message.split())
        self.reason = ""

    def finished(self) -> tuple[dict[str, float | None], dict[str, str]]:
        """Values with all the digits there are, and the messages; without our own names."""
        own = {name for name in self.values if name.startswith(EXACT)}
        values = {name: self._exact(name, value) for name, value in self.values.items() if name not in own}
        return values, {name: text for name, text in self.messages.items() if name in values}

    def _exact(self, name: str, printed: float | None) -> float | None:
        """The value in full, provided that it agrees with every printed digit."""
        exact = self.values.get(EXACT + name)
        if printed is None or exact is None or float(f"{exact:.6e}") != printed:
            return printed
        return exact


def find_error(lines: list[str]) -> tuple[ErrorKind, str] | None:
    """Why a simulation as a whole failed, None where it went through; warnings alone fail nothing."""
    for line in lines:
        if match := _OURS.match(line):
            return ErrorKind(match["kind"]), match["what"]
    lines = [line for line in lines if not line.startswith("Circuit:")]  # a title may say anything
    if not any(_FATAL.search(line) for line in lines):
        return None
    for kind, pattern in _COMPILED:
        for number, line in enumerate(lines):
            if pattern.search(line):
                return kind, _telling(lines, number)
    return ErrorKind.TEMPLATE, next(line.strip() for line in lines if _FATAL.search(line))


def _telling(lines: list[str], number: int) -> str:
    """A telling line, with what ngspice says of its place in the lines around it."""
    before = lines[max(0, number - 2) : number]
    if lines[number].startswith("Error on line"):
        number, before = min(number + 2, len(lines) - 1), lines[number : number + 2]
    said = " ".join(lines[number].split())
    if len(before) == 2 and before[0].startswith("Error on line"):
        return f"{said}: {' '.join(before[1].split())}"
    if before and before[-1].startswith("Netlist line no.") and not before[-1].endswith(" 0:"):
        return f"{said} in netlist line {before[-1].rstrip(':').split()[-1]}"
    return said
