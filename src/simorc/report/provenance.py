"""Pure: versions, times and hashes, as the manifest has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from simorc.report.data import ReportData

_SHOWN_ELSEWHERE = frozenset(
    {"schema", "run_id", "sweep", "target", "inputs", "models", "model_files", "versions", "executions", "repeatable"}
)
_WORDS = {"ended": "how it ended", "seed": "base seed", "git": "git commit"}


def facts(data: ReportData, made: datetime) -> list[tuple[str, str]]:
    """Name and value of each thing worth knowing; an unknown entry of the manifest is shown as it is."""
    plan, manifest = data.plan, data.manifest
    rows = [("run", data.run_id), ("sweep", plan.sweep.name), ("testbench", plan.testbench), ("target", plan.target)]
    rows += [(name, str(version)) for name, version in _mapping(manifest.get("versions")).items() if version]
    rows += [(f"PDK {name}", _pdk(pdk)) for name, pdk in plan.pdks.items()]
    rows += [(f"${name}", value) for name, value in plan.environment.items()]
    rows += [(_WORDS.get(k, k.replace("_", " ")), _plain(v)) for k, v in manifest.items() if k not in _SHOWN_ELSEWHERE]
    rows += [("report made", f"{made.astimezone(UTC):%Y-%m-%d %H:%M} UTC")]
    return [(name, value) for name, value in rows if value]


def inputs(data: ReportData) -> list[tuple[str, str]]:
    """Every input and model file with the first twelve digits of its sha256."""
    found: list[tuple[str, str]] = []
    for key in ("inputs", "models", "model_files"):
        found += [(name, digest[:12]) for name, digest in _hashes(data.manifest.get(key))]
    return found


def _hashes(entry: Any) -> Iterator[tuple[str, str]]:
    for name, digest in _mapping(entry).items():
        if isinstance(digest, str):
            yield name, digest


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
