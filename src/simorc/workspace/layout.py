"""Where things lie in a run directory, and how a run is found by what somebody typed."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from msgspec import Struct

from simorc.core.errors import UsageError
from simorc.workspace.files import entries, read_json

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_MOST_LISTED = 20
CATALOGUE = "catalogue.sqlite"
COMPARISONS = "compare"


class RunDirectory(Struct, frozen=True):
    """A run: one folder, by default in simulations/. Holds paths only; nothing is read, nothing made."""

    path: Path

    @property
    def run_id(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def metadata(self) -> Path:
        """metadata.csv: one row a case; written by build and gather alone."""
        return self.path / "metadata.csv"

    @property
    def manifest(self) -> Path:
        """run.json."""
        return self.path / "run.json"

    @property
    def test_module(self) -> Path:
        """test_<sweep>.py; its name comes from the manifest (RunDirectoryError where that is damaged)."""
        sweep = read_json(self.manifest, "the manifest of a run").get("sweep", "")
        return self.path / module_file_name(str(sweep))

    @property
    def inputs(self) -> Path:
        """inputs/: what the run was built from."""
        return self.path / "inputs"

    @property
    def testbench(self) -> Path:
        """inputs/testbench/: the testbench as it was at build time."""
        return self.path / "inputs" / "testbench"

    @property
    def plan(self) -> Path:
        """inputs/plan.json."""
        return self.path / "inputs" / "plan.json"

    @property
    def status_dir(self) -> Path:
        """.status/: one JSON a case."""
        return self.path / ".status"

    @property
    def history(self) -> Path:
        """.status/history/: what cases that ran again said before."""
        return self.path / ".status" / "history"

    @property
    def begun(self) -> Path:
        """.status/begun/: what each worker began last."""
        return self.path / ".status" / "begun"

    @property
    def packed(self) -> Path:
        """.status/packed/: the records of a large run once they are final."""
        return self.path / ".status" / "packed"

    @property
    def progress(self) -> Path:
        """.status/progress.json."""
        return self.path / ".status" / "progress.json"

    @property
    def metadata_digest(self) -> Path:
        """.status/metadata.sha256: of metadata.csv as it was written last."""
        return self.path / ".status" / "metadata.sha256"

    @property
    def lock(self) -> Path:
        """.status/lock: held while a run is active."""
        return self.path / ".status" / "lock"

    @property
    def results(self) -> Path:
        """results/: one folder a case."""
        return self.path / "results"

    @property
    def results_csv(self) -> Path:
        """results.csv: one row a case with its measures."""
        return self.path / "results.csv"

    @property
    def aggregates(self) -> Path:
        """aggregates.csv."""
        return self.path / "aggregates.csv"

    @property
    def statistics(self) -> Path:
        """statistics.csv."""
        return self.path / "statistics.csv"

    @property
    def measurements(self) -> Path:
        """measurements/: every measurement in long form, in parts."""
        return self.path / "measurements"

    @property
    def catalogue(self) -> Path:
        """catalogue.sqlite beside the run: it tells of all runs of that folder."""
        return self.path.parent / CATALOGUE

    @property
    def events(self) -> Path:
        """events.jsonl."""
        return self.path / "events.jsonl"

    @property
    def report(self) -> Path:
        """report/: the page and its plots."""
        return self.path / "report"

    def result_folder(self, case_id: int) -> Path:
        """results/<id>/: netlist, log and raw file of one case."""
        return self.path.joinpath("results", str(case_id))

    def repeat_folder(self, case_id: int) -> Path:
        """results/.again-<id>-<pid>: where this process simulates a case a second time, as deep as the case's own."""
        return self.path / "results" / f".again-{case_id}-{os.getpid()}"

    def own_folder(self, case_id: int, number: int) -> Path:
        """results/.own-<id>-<pid>-<number>: where this process simulates what a person's own test asks for."""
        return self.path / "results" / f".own-{case_id}-{os.getpid()}-{number}"

    @property
    def staging(self) -> RunDirectory:
        """.judging-<pid>/: where this process prepares the inputs/ of a new revision."""
        return RunDirectory(self.path / f".judging-{os.getpid()}")

    def status_file(self, case_id: int) -> Path:
        """.status/case_<id>.json."""
        return self.path / ".status" / f"case_{case_id}.json"


def module_file_name(sweep: str) -> str:
    """File name of the generated module: the sweep's name, save dots, which pytest takes for packages.

    >>> module_file_name("pvt-2.5")
    'test_pvt-2_5.py'
    """
    return f"test_{sweep.replace('.', '_')}.py"


def new_run_id(sweep: str, now: datetime) -> str:
    """The id of a run that starts now: `<sweep>_<YYYYMMDDhhmmss>` in UTC.

    >>> new_run_id("pvt_dc", datetime(2026, 1, 1, 12, tzinfo=UTC))
    'pvt_dc_20260101120000'
    """
    return f"{sweep}_{now.astimezone(UTC):%Y%m%d%H%M%S}"


def check_name(text: str) -> str:
    """A run id that somebody chose, as it is.

    Raises
    ------
    UsageError: not of the form `[A-Za-z][A-Za-z0-9_.-]*`, two dots in a row, longer than 200 characters, or the name
        of something else that lies among the runs
    """
    if text in (CATALOGUE, COMPARISONS):
        raise UsageError(f"{text!r} is not a run id: simorc keeps something else under that name")
    if _NAME.fullmatch(text) is None or ".." in text or len(text) > 200:
        hint = "a letter first, then letters, digits, `_`, `-` and single dots; at most 200 characters"
        raise UsageError(f"{text!r} is not a run id", hint=hint)
    return text


def is_run_directory(path: Path) -> bool:
    """Whether a folder is a run directory, perhaps a damaged one: at least two of four things are there."""
    try:
        return sum((path / name).exists() for name in ("run.json", "metadata.csv", ".status", "inputs/plan.json")) >= 2
    except OSError:  # a name too long for a file, a folder that may not be entered
        return False


def list_runs(output: Path) -> list[RunDirectory]:
    """The runs in an output folder, newest last; other folders and hidden ones are passed over."""
    return [run for run, _ in _dated_runs(output)]


def find_run(text: str, output: Path) -> RunDirectory:
    """The run that a text names: a path, an exact run id, a sweep (its newest run), a unique beginning, in this order.

    Raises
    ------
    UsageError: nothing fits, or several runs begin so; lists the candidates
    """
    if not text:
        raise UsageError("an empty text names no run", hint="give a path, a run id, a sweep or a unique beginning")
    path = Path(text)
    if is_run_directory(path):
        return RunDirectory(path.resolve())
    if path.name != text or text == "..":
        hint = "a run directory has run.json and metadata.csv; `simorc status` lists the runs"
        raise UsageError(f"{text} is not a run directory", hint=hint)
    if is_run_directory(output / text):
        return RunDirectory(output / text)
    return _by_sweep_or_beginning(text, output)


def _by_sweep_or_beginning(text: str, output: Path) -> RunDirectory:
    runs = _dated_runs(output)
    of_sweep = [run for run, sweep in runs if sweep == text]
    if of_sweep:
        return of_sweep[-1]
    ids = [run.run_id for run, _ in runs]
    candidates = [run_id for run_id in ids if run_id.startswith(text)]
    if len(candidates) == 1:
        return RunDirectory(output / candidates[0])
    if candidates:
        raise UsageError(f"{text!r} is the beginning of {len(candidates)} runs", hint=_listed(candidates))
    close = get_close_matches(text, ids, n=3)
    known = f"did you mean {' or '.join(close)}?" if close else _listed(ids) if ids else "there are no runs yet"
    raise UsageError(f"no run, sweep or beginning of a run named {text!r} in {output}", hint=known)


def _listed(ids: list[str]) -> str:
    more = f", … ({len(ids) - _MOST_LISTED} more)" if len(ids) > _MOST_LISTED else ""
    return "there are: " + ", ".join(ids[-_MOST_LISTED:]) + more


def _dated_runs(output: Path) -> list[tuple[RunDirectory, str]]:
    """Every run with its sweep's name, oldest first."""
    found = []
    for entry in entries(output):
        path = Path(entry.path)
        if not entry.name.startswith(".") and entry.is_dir() and is_run_directory(path):
            manifest = _manifest_or_nothing(path / "run.json")
            # A damaged manifest costs a run its date, never its place in the list.
            created = manifest.get("created") or _modified(entry.stat().st_mtime)
            found.append((str(created), entry.name, RunDirectory(path), str(manifest.get("sweep", ""))))
    return [(run, sweep) for _, _, run, sweep in sorted(found, key=lambda row: row[:2])]


def _manifest_or_nothing(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _modified(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
