"""IC-CAP `.mdm` files: points with their conditions, and what is broken in a header or a block."""

from __future__ import annotations

from pathlib import Path

import pytest

from simorc.core.errors import UsageError
from simorc.importers.tables import is_table, read_table

TEXT = """! VERSION = 6.00
BEGIN_HEADER
 ICCAP_INPUTS
  VG V B GROUND SMU4 0.001 LIN 1 0 1.8 3 0.9
  VD V S GROUND SMU1 0.1 LIN 2 0.1 1.8 2 1.7
 ICCAP_OUTPUTS
  ID I S GROUND SMU1 B
END_HEADER

BEGIN_DB
 ICCAP_VAR VD 0.1

 #VG ID
  0 -9.5e-010
  0.9 1.5e-005
END_DB

BEGIN_DB
 ICCAP_VAR VD 1.8
 #VG ID
  0 1e-9
END_DB
"""


def made(folder: Path, text: str) -> Path:
    path = folder / "curve.mdm"
    path.write_text(text)
    return path


def test_points_of_all_blocks_with_their_conditions_and_units(tmp_path: Path) -> None:
    path = made(tmp_path, TEXT)
    assert is_table(path)
    table = read_table(path)
    assert table.conditions == ("vg", "vd")
    assert {name: (c.values.tolist(), c.unit) for name, c in table.columns.items()} == {
        "vg": ([0.0, 0.9, 0.0], "V"),
        "vd": ([0.1, 0.1, 1.8], "V"),
        "id": ([-9.5e-10, 1.5e-5, 1e-9], "A"),
    }


@pytest.mark.parametrize(
    ("before", "after", "line", "what"),
    [
        ("BEGIN_HEADER\n", "", 2, "expected BEGIN_HEADER: not an .mdm file"),
        ("END_HEADER\n", "", 9, "END_HEADER is missing"),
        (" ICCAP_OUTPUTS\n  ID I S GROUND SMU1 B\n", "", 5, "has no ICCAP_OUTPUTS"),
        ("  VG V B GROUND SMU4 0.001 LIN", "  VG", 4, "expected a name and its mode"),
        ("LIN 1 0", "XXX 1 0", 4, "the input VG does not say how it is swept"),
        ("  VD V", "  VG V", 5, "VG stands in the header twice"),
        (" ICCAP_VAR VD 0.1\n", "", 10, "the block that begins here has no value of VD"),
        ("VAR VD 0.1", "VAR VD", 11, "expected: ICCAP_VAR name value"),
        ("VAR VD 0.1", "VAR VD x", 11, "'x' is not a number"),
        (" #VG ID\n  0 -9.5e-010", "  0 -9.5e-010", 13, "numbers before the line of column names"),
        ("  0 -9.5e-010", "  0", 14, "1 numbers under 2 column names"),
        ("0.9 1.5e-005", "0.9 1.5e", 15, "'1.5e' is not a number"),
        ("  0.9 1.5e-005\nEND_DB\n", "", 16, "END_DB is missing"),
    ],
)
def test_what_is_broken_is_told_with_its_line(tmp_path: Path, before: str, after: str, line: int, what: str) -> None:
    assert before in TEXT
    path = made(tmp_path, TEXT.replace(before, after, 1))
    with pytest.raises(UsageError, match=what) as caught:
        read_table(path)
    assert caught.value.where == f"{path}:{line}"


@pytest.mark.parametrize(
    ("text", "what"),
    [("", "the file ends where BEGIN_HEADER"), (TEXT[: TEXT.index("BEGIN_DB")], "no block"), (TEXT[:-8], "END_DB")],
)
def test_a_file_that_ends_too_soon(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        read_table(made(tmp_path, text))
