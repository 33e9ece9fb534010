"""`simorc bench list|query|check`: what benches there are, a word with one instrument, a look whether all is well."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from simorc.commands._common import bench_of
from simorc.core.bench import BenchSettings
from simorc.core.errors import ExitCode, InstrumentError, SimorcError, UsageError
from simorc.core.wording import suggestion
from simorc.instruments.bench import Bench
from simorc.instruments.interfaces import Instrument
from simorc.instruments.rack import calibration_warnings, open_bench

_TRIAL_V, _TRIAL_A = 1.0, 0.01
_PLAUSIBLE_DEGC = (-100.0, 300.0)


def bench_list(setup: Path | None, as_json: bool) -> int:
    """Print the benches of the project with their instruments, a line each."""
    from simorc.config.project import find_setup, load_project

    project = load_project(find_setup(Path.cwd(), setup))
    benches = [entry.settings for entry in project.benches.values()]
    if as_json:
        print(json.dumps([_described(bench) for bench in benches]))
        return ExitCode.DONE
    for bench in benches:
        kind = "simulated" if bench.simulated is not None else "real" if bench.real else "real, outputs stay off"
        parts = f", parts: {', '.join(bench.parts)}" if bench.parts else ""
        print(f"{bench.name} ({kind}){parts}")
        for i in bench.instruments:
            print(f"  {i.name:10} {i.driver:20} {i.resource}".rstrip())
    if not benches:
        print("no benches: name one under benches: in the setup", file=sys.stderr)
    return ExitCode.DONE


def bench_query(name: str, text: str, bench: str | None, setup: Path | None) -> int:
    """Send one text to an instrument: the reply goes to stdout, its error queue to stderr.

    Raises
    ------
    UsageError: no such instrument; the bench's limits forbid it
    ToolMissingError: the bench is in use or out of reach
    """
    settings = bench_of(bench, setup)
    names = [i.name for i in settings.instruments]
    if name not in names:
        raise UsageError(f"bench {settings.name!r} has no instrument {name!r}", hint=suggestion(name, names))
    opened = open_bench(settings, make_safe=False)  # a question switches nothing
    try:
        reply = opened.query(name, text)
        if reply is not None:
            print(reply)
        errors = opened.instruments[name].errors()
    finally:
        opened.close()
    for error in errors:
        print(error, file=sys.stderr)
    return ExitCode.NOT_IN_SPEC if errors else ExitCode.DONE


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the self-test."""

    instrument: str
    what: str
    passed: bool
    said: str


def bench_check(bench: str | None, setup: Path | None) -> int:
    """Look whether everything is there, answers, and can be made safe; the bench is left safe.

    Raises
    ------
    ToolMissingError: it is in use, out of reach, or not the one expected
    """
    settings = bench_of(bench, setup)
    opened = open_bench(settings, make_safe=False)  # what is wrong with it is told in the table
    try:
        checks = _checks(opened)
    finally:
        results = opened.make_safe()
        opened.close()
    checks += [Check(r.instrument, "safe state", r.done, r.said) for r in results]
    _show(settings, checks)
    return ExitCode.DONE if all(check.passed for check in checks) else ExitCode.NOT_IN_SPEC


def _checks(bench: Bench) -> list[Check]:
    overdue = {text.partition(":")[0]: text for text in calibration_warnings(bench.settings)}
    checks = []
    for record in bench.identities:
        name = record["name"]
        instrument = bench.instruments[name]
        checks.append(Check(name, "identity", True, record["idn"]))
        due = record["calibration_due"] or "no date"
        checks.append(Check(name, "calibration", name not in overdue, f"due {due}" if due != "no date" else due))
        checks.append(_tried(name, "error queue", partial(_no_errors, instrument)))
        trial = _TRIALS.get(instrument.kind)
        if trial is not None:
            checks.append(_tried(name, trial[0], partial(trial[1], bench, instrument)))
    return checks


def _tried(name: str, what: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, what, True, look())
    except SimorcError as error:
        return Check(name, what, False, error.what)


def _no_errors(instrument: Instrument) -> str:
    errors = instrument.errors()
    if errors:
        raise InstrumentError("; ".join(errors))
    return "empty"


def _reads_voltage(bench: Bench, meter: Any) -> str:
    return f"{float(meter.voltage().value):.4g} V"


def _reads_temperature(bench: Bench, chamber: Any) -> str:
    found = float(chamber.temperature().value)
    low, high = _PLAUSIBLE_DEGC
    if not low < found < high:
        raise InstrumentError(f"{found:g} degC is no temperature")
    return f"{found:.1f} degC"


def _follows(bench: Bench, supply: Any) -> str:
    """A small voltage on the first output, where nobody minds: it is what the supply itself sees then."""
    if not (bench.settings.real or bench.settings.simulated):
        return "not tried: outputs of real equipment stay off until the bench's file says `real: true`"
    channel = supply.channel(1)
    channel.apply(_TRIAL_V, _TRIAL_A)
    channel.on()
    said = f"{float(channel.voltage().value):.4g} V for {_TRIAL_V:g} V"
    channel.off()
    return said


def _loads(bench: Bench, load: Any) -> str:
    return f"{float(load.current().value):.3g} A with its input off"


_TRIALS: Mapping[str, tuple[str, Callable[[Bench, Any], str]]] = {
    "meter": ("reads", _reads_voltage),
    "chamber": ("reads", _reads_temperature),
    "supply": ("output 1 follows", _follows),
    "load": ("reads", _loads),
}


def _show(settings: BenchSettings, checks: list[Check]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"bench {settings.name}", title_justify="left")
    for heading in ("instrument", "check", "", "said"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        verdict = "[green]pass[/]" if check.passed else "[red]FAIL[/]"
        table.add_row(check.instrument, check.what, verdict, check.said.replace("[", r"\["))
    Console().print(table)


def _described(bench: BenchSettings) -> dict[str, Any]:
    return {
        "name": bench.name,
        "simulated": bench.simulated is not None,
        "real": bench.real,
        "parts": list(bench.parts),
        "instruments": [{"name": i.name, "driver": i.driver, "resource": i.resource} for i in bench.instruments],
    }
