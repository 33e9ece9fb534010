from __future__ import annotations

from pathlib import Path

from simorc.simulators.deck_paths import FromRun
from simorc.simulators.model_files import find_model_files


def project(root: Path) -> FromRun:
    """A testbench, a DUT's netlist and a model library that refer to each other."""
    files = {
        "testbenches/ota/load.inc": ".include ../../models/load.lib\n.include near.inc\n",
        "testbenches/ota/near.inc": "r1 a 0 1k\n",
        "netlists/dut.spice": ".include sub.spice\n.subckt dut\n.ends\n",
        "netlists/sub.spice": "* sub\n",
        "models/load.lib": "* load µ\n",
        "models/corners.lib": ".lib tt\n.include tt.inc\n.endl\n.lib ff\n.include ff.inc\n.endl\n",
        "models/tt.inc": ".include corners.lib\n* round and round: .include tt.inc\n",
        "models/ff.inc": "* fast\n",
        "models/noise.txt": "0 1\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="latin-1")
    bench = str(root / "testbenches/ota")
    return FromRun(bench, bench, str(root / "netlists/dut.spice"))


def deck(root: Path, section: str = "tt") -> str:
    return (
        '.include "../../inputs/testbench/load.inc"\n.include "../../inputs/dut/dut.spice"\n'
        f'.lib "{root}/models/corners.lib" {section}\n.model f filesource (file="{root}/models/noise.txt")\n'
    )


def test_files_are_followed_through_includes_and_the_chosen_section(tmp_path: Path) -> None:
    found = find_model_files([deck(tmp_path)], project(tmp_path))
    names = ("models/corners.lib", "models/load.lib", "models/noise.txt", "models/tt.inc", "netlists/sub.spice")
    assert found.outside == [str(tmp_path / name) for name in names]
    assert found.missing == []


def test_decks_of_several_corners_add_up(tmp_path: Path) -> None:
    found = find_model_files([deck(tmp_path), deck(tmp_path, "ff")], project(tmp_path))
    assert {str(tmp_path / "models/tt.inc"), str(tmp_path / "models/ff.inc")} <= set(found.outside)


def test_missing_files_are_told_with_the_file_that_asks_for_them(tmp_path: Path) -> None:
    place = project(tmp_path)
    (tmp_path / "models/load.lib").unlink()
    found = find_model_files([deck(tmp_path), '.include "/nowhere/x.inc"'], place)
    assert found.missing == sorted(
        [
            "/nowhere/x.inc (included by the template)",
            f"{tmp_path}/models/load.lib (included by {tmp_path}/testbenches/ota/load.inc)",
        ]
    )


def test_copies_that_would_lose_their_way_get_a_text_of_their_own(tmp_path: Path) -> None:
    found = find_model_files([deck(tmp_path)], project(tmp_path))
    assert found.copies == {
        "inputs/testbench/load.inc": f'.include "{tmp_path}/models/load.lib"\n.include near.inc\n',
        "inputs/dut/dut.spice": f'.include "{tmp_path}/netlists/sub.spice"\n.subckt dut\n.ends\n',
    }
