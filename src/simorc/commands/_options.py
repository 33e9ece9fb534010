"""What the command line of `simorc run` says."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from simorc.core.errors import UsageError


class RunOptions(Struct, frozen=True):
    """What the command line of `simorc run` says; `goes_on` takes up what a run that was stopped early has spared."""

    setup: Path | None = None
    workers: str = "auto"
    case: str | None = None
    sample: int | None = None
    max_fail: int | None = None
    timeout_s: float | None = None
    html: bool = False
    dry_run: bool = False
    accept_changed: bool = False
    note: str = ""
    dut: str = ""
    lost: str | None = None
    verify: str = "1%"
    cache: bool = True
    goes_on: bool = False
    pytest_args: tuple[str, ...] = ()


def parse_verify(text: str) -> tuple[str, float]:
    """What `--verify` asks for: with which slow way results are compared (see `Verify`), and what share of them.

    Raises
    ------
    UsageError: neither a word that is known nor a percentage
    """
    known = {"none": ("none", 0.0), "all": ("models", 1.0), "original": ("original", 0.01)}
    if text in known:
        return known[text]
    number = text.removesuffix("%")
    if text.endswith("%") and number.replace(".", "", 1).isdecimal() and float(number) <= 100:
        return "models", float(number) / 100
    raise UsageError(f"--verify: found {text!r}, expected a percentage such as 1%, all, none or original")
