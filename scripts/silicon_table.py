"""Make data/silicon/*.csv from IC-CAP files of the SKY130 raw data set: scripts/silicon_table.py FOLDER.

The files are named `nfet_01v8_w<width>_l<length>_<module>_<source pad>_<drain pad>_<IDVG|IDVD>.mdm`, where `p` stands
for the point: no file states its own geometry. The first transistor of a geometry goes into one table, further ones
into another.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

from simorc.importers.mdm import read_mdm

TABLES = Path(__file__).parents[1] / "data" / "silicon"
NAME = re.compile(r"nfet_01v8_w(?P<w>[0-9p]+)u_l(?P<l>[0-9p]+)u_(?P<device>\w+)_(?P<curve>IDVG|IDVD)\.mdm")
CONDITIONS, MEASURES = ("vg", "vd", "vb"), ("id", "ig", "ib")
HEADING = ["device", "curve", "w [um]", "l [um]", *(f"{n} [V]" for n in CONDITIONS), *(f"{n} [A]" for n in MEASURES)]


def main(folder: Path) -> None:
    """Write both tables."""
    devices: dict[tuple[str, str], list[str]] = {}
    rows: tuple[list[list[str]], list[list[str]]] = ([], [])
    for path in sorted(folder.glob("*.mdm")):
        match = NAME.fullmatch(path.name)
        if match is None:
            raise SystemExit(f"{path.name}: not a name of this form: {NAME.pattern}")
        width, length = (match[key].replace("p", ".") for key in ("w", "l"))
        known = devices.setdefault((width, length), [])
        if match["device"] not in known:
            known.append(match["device"])
        table = read_mdm(path)
        points = zip(*(table.columns[name].values for name in (*CONDITIONS, *MEASURES)), strict=True)
        own = [match["device"], match["curve"].lower(), width, length]
        rows[known.index(match["device"]) > 0].extend([*own, *(f"{float(v):.9g}" for v in point)] for point in points)
    for name, found in zip(("sky130_nfet_01v8", "sky130_nfet_01v8_second_device"), rows, strict=True):
        with (TABLES / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([HEADING, *found])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
