"""The project's own sweeps: through the command line, against what a hand calculation says."""

from __future__ import annotations

import csv
import json
import math
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simorc import Case, Plot, Waveforms

ROOT = Path(__file__).parents[2]
PROJECT = ("sim_setup.yaml", "sweeps", "testbenches", "netlists", "models", "benches", "schematics")
VT_300 = 0.025865
"""kT/q at 27 degC, V."""
CORNERS = {"tt": (1.0, 1.0), "ff": (0.88, 1.5), "ss": (1.12, 0.67)}
"""Sheet resistance and saturation current of models/simorc180.lib, relative to tt."""

Row = Mapping[str, str]


@dataclass(frozen=True)
class Finished:
    """A run that is over."""

    folder: Path
    exit_code: int
    output: str

    def rows(self, file: str = "results.csv") -> list[Row]:
        with (self.folder / file).open(newline="") as lines:
            return list(csv.DictReader(lines))

    def row(self, **conditions: object) -> Row:
        (found,) = (r for r in self.rows() if all(_same(r[name], value) for name, value in conditions.items()))
        return found


def _same(text: str, value: object) -> bool:
    return text == value if isinstance(value, str) else float(text) == value


def _simorc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simorc", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def _finished(project: Path, sweep: str) -> Finished:
    built = _simorc(project, "build", sweep, "--target", "spice")
    assert built.returncode == 0, built.stderr
    done = _simorc(project, "run", built.stdout.strip(), "-n", "2")
    return Finished(project / "simulations" / built.stdout.strip(), done.returncode, done.stdout + done.stderr)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    for name in PROJECT:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    return folder


@pytest.fixture(scope="module")
def ldo(project: Path) -> Finished:
    return _finished(project, "pvt_tempco")


@pytest.fixture(scope="module")
def ota(project: Path) -> Finished:
    return _finished(project, "pvt_ota")


@pytest.fixture(scope="module")
def inverter(project: Path) -> Finished:
    return _finished(project, "sky130_inverter")


# The regulator: pvt_tempco


@pytest.mark.ngspice
@pytest.mark.req("SIM-01", "SIM-12")
def test_the_demo_ends_in_spec(ldo: Finished) -> None:
    assert ldo.exit_code == 0, ldo.output
    rows = ldo.rows()
    assert [int(row["case_id"]) for row in rows] == list(range(75))
    assert {(row["status"], row["verdict"]) for row in rows} == {("completed", "pass")}


def _bandgap_output(corner: str, temp: float) -> float:
    """Output of an ideal Brokaw cell (Vbe + 2 Vt ln 8 r2/r1) behind the divider, with the SPICE rule for IS(T), V."""
    rskew, iskew = CORNERS[corner]
    ratio = (temp + 273.15) / 300.15
    vt, t = VT_300 * ratio, temp - 27
    is_ = 2.2e-17 * iskew * ratio**3.2 * math.exp((ratio - 1) * 1.165 / vt)
    r1 = 300 * rskew * 72 / 2 * (1 + 1.2e-4 * t + 5e-7 * t**2)
    current = vt * math.log(8) / r1
    return (vt * math.log(current / is_) + 2 * vt * math.log(8) * 362 / 72) * (1 + 204 / 120)


@pytest.mark.ngspice
def test_the_output_is_that_of_a_bandgap_at_every_point(ldo: Finished) -> None:
    """Base currents, gain and load account for less than 1 % of the output."""
    for row in ldo.rows():
        assert float(row["vout"]) == pytest.approx(_bandgap_output(row["corner"], float(row["temp"])), rel=0.01), row


@pytest.mark.ngspice
def test_the_quiescent_current_is_the_sum_of_its_branches(ldo: Finished) -> None:
    """Five PTAT branches, the reference's resistor, the divider, the start-up resistor; typical, 27 degC, 5 V."""
    ptat = VT_300 * math.log(8) / 10.8e3
    expected = 5 * ptat + 1.22 / 240e3 + 3.3 / 324e3 + 5 / 4e6
    assert float(ldo.row(corner="tt", vin=5.0, temp=27)["iq"]) == pytest.approx(expected, rel=0.03)


@pytest.mark.ngspice
def test_line_regulation_is_the_difference_between_two_supplies(ldo: Finished) -> None:
    for row in ldo.rows():
        if float(row["vin"]) > 5.5:
            continue
        higher = ldo.row(corner=row["corner"], vin=float(row["vin"]) + 0.5, temp=float(row["temp"]))
        difference = 1e3 * (float(higher["vout"]) - float(row["vout"])) / 0.5
        assert float(row["line_reg"]) == pytest.approx(difference, abs=0.02), row


@pytest.mark.ngspice
def test_load_lowers_the_output(ldo: Finished) -> None:
    """10 to 50 mA raise the pass device's Vgs by 0.1 to 0.6 V; the amplifier's gain of some 400 divides it by that,
    the divider multiplies by 2.7."""
    drops = [float(row["load_reg"]) for row in ldo.rows()]
    assert 2.7 * 0.1 / 1000 < min(drops) < max(drops) < 2.7 * 0.6 / 200


@pytest.mark.ngspice
def test_rejection_at_1_khz_is_below_that_at_dc(ldo: Finished) -> None:
    for row in ldo.rows():
        at_dc = -20 * math.log10(abs(float(row["line_reg"])) / 1e3)
        assert 40 < float(row["psrr"]) < at_dc, row


@pytest.mark.ngspice
@pytest.mark.req("DVT-12")
def test_tempco_is_the_box_and_the_end_points_of_every_corner_and_supply(ldo: Finished) -> None:
    aggregates = {(a["name"], a["corner"], float(a["vin"])): a for a in ldo.rows("aggregates.csv")}
    assert len(aggregates) == 30
    for corner in CORNERS:
        for vin in (4.0, 4.5, 5.0, 5.5, 6.0):
            members = [row for row in ldo.rows() if row["corner"] == corner and float(row["vin"]) == vin]
            temp, vout = np.array([(float(row["temp"]), float(row["vout"])) for row in members]).T
            box = np.ptp(vout) / 3.3 / 165 * 1e6
            end = (vout[-1] - vout[0]) / np.interp(25, temp, vout) / 165 * 1e6
            assert float(aggregates["tempco_box", corner, vin]["value"]) == pytest.approx(box)
            assert float(aggregates["tempco_endpoint", corner, vin]["value"]) == pytest.approx(end)
            assert aggregates["tempco_box", corner, vin]["verdict"] == "pass"


@pytest.mark.ngspice
def test_the_typical_output_has_its_apex_near_room_temperature(ldo: Finished) -> None:
    """So box and end-point tempco tell different things."""
    temp, vout = np.array(
        [(r["temp"], r["vout"]) for r in ldo.rows() if r["corner"] == "tt" and r["vin"] == "5.0"], float
    ).T
    bend, slope, _ = np.polyfit(temp, vout, 2)
    assert bend < 0
    assert 15 < -slope / (2 * bend) < 60


# The OTA: pvt_ota


@pytest.mark.ngspice
def test_one_case_of_the_ota_is_too_slow(ota: Finished) -> None:
    """Slow, low supply, hot: least current and least mobility."""
    assert ota.exit_code == 1, ota.output
    rows = ota.rows()
    assert len(rows) == 75
    assert {row["status"] for row in rows} == {"completed"}
    (slow,) = (row for row in rows if row["verdict"] != "pass")
    assert (slow["corner"], slow["vdd"], slow["temp"]) == ("ss", "1.62", "125")
    record = json.loads((ota.folder / f".status/case_{slow['case_id']}.json").read_text())
    assert [m["name"] for m in record["measurements"] if m["verdict"] == "fail"] == ["ugf"]


def _operating_point(folder: Path, corner: str, vdd: float, temp: float) -> dict[str, float]:
    """Small-signal values of the OTA as a follower, by a deck of our own and plain ngspice."""
    names = ["@m.x1.m2[gm]", "@m.x1.m2[gds]", "@m.x1.m4[gds]", "@m.x1.m3[gm]", "@m.x1.m3[cgs]", "i(vdd)", "v(x1.bias)"]
    deck = f"""* operating point
.lib models/simorc180.lib {corner}
.include "{ROOT}/netlists/ota.spice"
.temp {temp}
vdd vdd 0 {vdd}
vcm inp 0 {vdd / 2}
x1 inp out out vdd 0 ota
.control
op
print {" ".join(names)}
quit
.endc
.end
"""
    (folder / "models").symlink_to(ROOT / "models")  # a `.lib` path ends at a space, quoted or not
    (folder / "op.spice").write_text(deck)
    (folder / ".spiceinit").write_text("set num_threads=1\n")
    log = subprocess.run(["ngspice", "-b", "op.spice"], cwd=folder, capture_output=True, text=True, check=False).stdout
    values = dict(re.findall(r"^(\S+) = (\S+)$", log, re.MULTILINE))
    return {name: float(values[name]) for name in names}


@pytest.fixture(params=[("tt", 1.8, 27), ("ff", 1.98, -40), ("ss", 1.62, 125), ("sf", 1.8, 85), ("fs", 1.62, 0)])
def point(request: pytest.FixtureRequest, ota: Finished, tmp_path: Path) -> tuple[Row, dict[str, float]]:
    """A case of the run and the operating point of the same circuit."""
    corner, vdd, temp = request.param
    return ota.row(corner=corner, vdd=vdd, temp=temp), _operating_point(tmp_path, corner, vdd, temp)


@pytest.mark.ngspice
def test_ota_against_its_operating_point(point: tuple[Row, dict[str, float]]) -> None:
    """Gain gm (ro2 || ro4), three times the bias current; gm/(w C) is one at the unity-gain frequency once the mirror's
    doublet (pole at gm3/2 Cgs3, zero at twice that) is counted, and overlap capacitances take some percent."""
    row, op = point
    gm = op["@m.x1.m2[gm]"]
    gain_db = 20 * math.log10(gm / (op["@m.x1.m2[gds]"] + op["@m.x1.m4[gds]"]))
    assert float(row["gain"]) == pytest.approx(gain_db, abs=0.05)
    assert float(row["idd"]) == pytest.approx(-op["i(vdd)"], rel=1e-3)
    omega = 2 * math.pi * float(row["ugf"])
    ratio = omega * 2 * abs(op["@m.x1.m3[cgs]"]) / op["@m.x1.m3[gm]"]
    assert gm / (omega * 1.5e-12) * math.hypot(1, ratio / 2) / math.hypot(1, ratio) == pytest.approx(1, rel=0.06)
    phase_margin = 90 - math.degrees(math.atan(ratio) - math.atan(ratio / 2))
    assert float(row["phase_margin"]) == pytest.approx(phase_margin, abs=3)


@pytest.mark.ngspice
def test_offset_is_finite_gain_seen_from_the_output(ota: Finished) -> None:
    """The output stands where the mirror's input does not: the difference over the gain is the offset."""
    for row in ota.rows():
        headroom = float(row["vdd"]) / 2
        assert 0 < float(row["offset"]) < headroom / 10 ** (float(row["gain"]) / 20), row


def _phase_margin(waves: Waveforms) -> float | None:
    """What testbenches/ota/measures.py says."""
    measures = runpy.run_path(str(ROOT / "testbenches/ota/measures.py"))
    margin: float | None = measures["phase_margin"](waves, Case(0, {}, ()))
    return margin


def _ac(frequency: Any, transfer: Any) -> Waveforms:
    vectors = {"frequency": frequency.astype(complex), "v(out)": transfer}
    return Waveforms([Plot("AC Analysis", "ac", vectors, {}, "frequency")])


@pytest.mark.parametrize("second_pole", [2e5, 1e6, 3e6, 2e7, 1e9])
def test_phase_margin_of_two_poles_is_the_exact_one(second_pole: float) -> None:
    """Gain 1000, first pole at 1 kHz; the unity-gain frequency of the closed form."""
    frequency = np.logspace(1, 9, 321)

    def transfer(f: Any) -> Any:
        return 1000 / (1 + 1j * f / 1e3) / (1 + 1j * f / second_pole)

    a, b = 1 / (1e3 * second_pole) ** 2, 1 / 1e3**2 + 1 / second_pole**2
    unity = math.sqrt((-b + math.sqrt(b**2 - 4 * a * (1 - 1000**2))) / (2 * a))
    exact = 180 - math.degrees(math.atan(unity / 1e3) + math.atan(unity / second_pole))
    assert _phase_margin(_ac(frequency, transfer(frequency))) == pytest.approx(exact, abs=0.05)


def test_phase_margin_counts_beyond_180_degrees() -> None:
    """Three poles: the angle wraps, the margin goes on below zero."""
    frequency = np.logspace(1, 8, 281)
    margin = _phase_margin(_ac(frequency, 1e4 / (1 + 1j * frequency / 1e3) ** 3))
    assert margin == pytest.approx(180 - 3 * math.degrees(math.atan(math.sqrt(1e4 ** (2 / 3) - 1))), abs=0.1)


def test_an_amplifier_without_gain_has_no_phase_margin() -> None:
    frequency = np.logspace(1, 8, 281)
    assert _phase_margin(_ac(frequency, 0.5 / (1 + 1j * frequency / 1e3))) is None


# Random mismatch: mc_mirror


@pytest.mark.ngspice
@pytest.mark.req("SIM-16")
def test_sixteen_times_the_area_mismatches_a_quarter_as_much(project: Path) -> None:
    """Pelgrom: 10 mV um / sqrt(w l). With the same w / l, and so gm / I, the current varies as the threshold does."""
    built = _simorc(project, "build", "mc_mirror", "--run-id", "mirror")
    assert built.returncode == 0, built.stderr
    _simorc(project, "run", "mirror", "-n", "2", "--case", "0-99,1600-1699")
    with (project / "simulations" / "mirror" / "statistics.csv").open(newline="") as lines:
        rows = {(row["measure"], row["w"]): row for row in csv.DictReader(lines)}
    small, large = rows["error", "4u"], rows["error", "16u"]
    assert (small["n"], large["n"]) == ("100", "100")
    assert float(small["sigma"]) / float(large["sigma"]) == pytest.approx(4.0, rel=0.15)
    assert float(rows["", "4u"]["yield"]) < 0.94 < float(rows["", "16u"]["yield_low"])
    assert float(rows["vgs", "4u"]["sigma"]) == 0.0  # the current flows into an FET that is what it is


# Real SKY130 models: sky130_inverter


@pytest.mark.slow
@pytest.mark.pdk
@pytest.mark.ngspice
def test_sky130_corners(inverter: Finished) -> None:
    """Thresholds as an earlier, independent simulation of this inverter gave them."""
    assert inverter.exit_code == 0, inverter.output
    rows = {row["corner"]: row for row in inverter.rows()}
    known = {"tt": 0.892, "ff": 0.896, "ss": 0.888, "sf": 0.770, "fs": 1.028}
    assert {corner: float(row["threshold"]) for corner, row in rows.items()} == pytest.approx(known, abs=3e-3)
    for name in ("tphl", "tplh"):
        assert float(rows["ff"][name]) < float(rows["tt"][name]) < float(rows["ss"][name])
    assert float(rows["ff"]["ipeak"]) > float(rows["tt"]["ipeak"]) > float(rows["ss"]["ipeak"])
