"""`simorc netlist`: how netlists stand to their schematics, and new ones where they are stale."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from simorc.commands._netlists import chosen_pairs, netlister_of, update
from simorc.core.errors import ExitCode, SimorcError, ToolMissingError
from simorc.core.netlister import NetlistState
from simorc.netlisters.staleness import Finding, Pair, examine
from simorc.workspace.manifest import repository_of

_TO_BE_MADE = (NetlistState.STALE, NetlistState.NO_NETLIST)


def netlist(target: str | None, setup: Path | None, update_stale: bool, as_json: bool) -> int:
    """Print the state of every pair of schematic and netlist, one line each; exit 1 unless all are fresh in the end.

    Parameters
    ----------
    target: a testbench, or `dut`; by default all
    update_stale: run the netlister for those that are stale or have no netlist

    Raises
    ------
    UsageError: there is no such testbench, or it has no schematic
    ConfigError: every problem in the project's files
    """
    from simorc.config.project import find_setup, load_project

    project = load_project(find_setup(Path.cwd(), setup))
    netlister = netlister_of(project)
    pairs = chosen_pairs(project, target)
    findings = {pair.name: examine(pair, netlister) for pair in pairs}
    outcomes: Mapping[str, list[str] | SimorcError] = {}
    if update_stale:
        due = [pair for pair in pairs if findings[pair.name].state in _TO_BE_MADE and pair.netlist is not None]
        folder = project.setup_file.parent
        outcomes = update(due, netlister, repository_of(folder) or folder)
        findings |= {name: _after(findings[name], outcome) for name, outcome in outcomes.items()}
    if as_json:
        print(json.dumps([_row(pair, findings[pair.name], outcomes) for pair in pairs], indent=2))
    else:
        print("\n".join(_lines(pairs, findings, outcomes)) if pairs else "no schematics in this project")
    for name, outcome in outcomes.items():
        _say(name, outcome)
    if any(isinstance(outcome, ToolMissingError) for outcome in outcomes.values()):
        return ExitCode.MISSING
    fresh = all(finding.state is NetlistState.FRESH for finding in findings.values())
    return ExitCode.DONE if fresh else ExitCode.NOT_IN_SPEC


def _after(finding: Finding, outcome: list[str] | SimorcError) -> Finding:
    if isinstance(outcome, ToolMissingError):
        return replace(finding, state=NetlistState.NO_NETLISTER, reason=f"{finding.state}: {finding.reason}")
    return finding if isinstance(outcome, SimorcError) else Finding(NetlistState.FRESH)


def _lines(
    pairs: Sequence[Pair], findings: Mapping[str, Finding], outcomes: Mapping[str, list[str] | SimorcError]
) -> list[str]:
    width = max(len(pair.name) for pair in pairs)
    return [f"{pair.name:{width}}  {_state(findings[pair.name], outcomes.get(pair.name))}" for pair in pairs]


def _state(finding: Finding, outcome: list[str] | SimorcError | None) -> str:
    remarks = ["updated"] if isinstance(outcome, list) else ["by time"] if finding.by_time else []
    remarks += [finding.reason] if finding.reason else []
    return f"{finding.state}  {': '.join(remarks)}".rstrip()


def _row(pair: Pair, finding: Finding, outcomes: Mapping[str, list[str] | SimorcError]) -> dict[str, Any]:
    outcome = outcomes.get(pair.name)
    return {
        "name": pair.name,
        "state": str(finding.state),
        "reason": finding.reason,
        "by_time": finding.by_time,
        "schematic": str(pair.schematic),
        "netlist": str(pair.netlist) if pair.netlist is not None else None,
        "updated": isinstance(outcome, list),
        "error": outcome.what if isinstance(outcome, SimorcError) else "",
    }


def _say(name: str, outcome: list[str] | SimorcError) -> None:
    """Warnings, or the error, of one pair on stderr."""
    if isinstance(outcome, SimorcError):
        lines = [f"error: {name}: {outcome.what}"]
        lines += [f"  where: {os.path.relpath(outcome.where)}"] if outcome.where else []
        lines += ["  " + outcome.hint.replace("\n", "\n  ")] if outcome.hint else []
    else:
        lines = [f"warning: {name}: {warning}" for warning in outcome]
    if lines:
        print("\n".join(lines), file=sys.stderr)
