"""Write docs/reference.md from the models of the YAML files."""

from __future__ import annotations

from pathlib import Path

from simorc.config.reference import reference_text

if __name__ == "__main__":
    Path(__file__).with_name("reference.md").write_text(reference_text(), encoding="utf-8")
