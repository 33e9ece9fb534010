"""Pure: versions, times and hashes, as the manifest has them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from simorc.report.data import ReportData
from simorc.report.display import minute

_TOLD_ELSEWHERE = frozenset(
    {"schema", "run_id", "sweep", "testbench", "target", "cases", "versions", "pdks", "environment", "sha256"}
    | {
        "executions",
        "repeatable",
        "judged",
        "accepted_changes",
        "created",
        "instruments",
        "parts",
        "bench",
        "stopped_early",
    }
)
_WORDS = {"ended": "how it ended", "seed": "base seed", "git_commit": "git commit"}


def facts(data: ReportData, made: datetime) -> list[tuple[str, str]]:
    """Name and value of each thing worth knowing; an unknown entry of the manifest is shown as it is."""
    plan, manifest = data.plan, data.manifest
    rows = [("run", data.run_id), ("sweep", plan.sweep.name), ("testbench", plan.testbench), ("target", plan.target)]
    rows += [(name, str(version)) for name, version in _mapping(manifest.get("versions")).items() if version]
    rows += [(f"PDK {name}", _pdk(pdk)) for name, pdk in plan.pdks.items()]
    rows += [(f"${name}", value) for name, value in plan.environment.items()]
    rows += [("built", minute(manifest["created"]))] if manifest.get("created") else []
    rows += [*_executions(manifest), *_stopped(manifest)]
    rows += [(_WORDS.get(k, k.replace("_", " ")), _plain(v)) for k, v in manifest.items() if k not in _TOLD_ELSEWHERE]
    rows += [("report made", f"{made.astimezone(UTC):%Y-%m-%d %H:%M} UTC")]
    return [(name, value) for name, value in rows if value]


def inputs(data: ReportData) -> list[tuple[str, str]]:
    """Every input and model file with the first twelve digits of its sha256."""
    return [(name, str(digest)[:12]) for name, digest in _mapping(data.manifest.get("sha256")).items()]


def _executions(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    entries = [entry for entry in manifest.get("executions") or [] if isinstance(entry, Mapping)]
    if not entries:
        return []
    times = f"{minute(entries[0].get('started'))} to {minute(entries[-1].get('finished'))}"
    return [("executed", times if len(entries) == 1 else f"{times}, {len(entries)} times")]


def _stopped(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = _mapping(manifest.get("stopped_early"))
    return [("stopped early", f"{found.get('reached', '')}, {minute(found.get('time'))}")] if found else []


def _mapping(entry: Any) -> Mapping[str, Any]:
    return entry if isinstance(entry, Mapping) else {}


def _pdk(pdk: Mapping[str, str]) -> str:
    origin = pdk.get("origin", "")
    return f"{pdk.get('lib') or pdk.get('path', '')}{f' (found by {origin})' if origin else ''}"


def _plain(value: Any) -> str:
    """A value of the manifest in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(entry)}" for name, entry in value.items())
    if isinstance(value, list):
        return "; ".join(_plain(entry) for entry in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
