"""Fit the LDO model to a simulated run of `pvt_tempco`: writes one parameter set a corner.

    python scripts/fit_ldo.py simulations/<run>

The simulation knows no self-heating, so its temperatures are the junction's. Thermal numbers and spreads are assumed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

SETS = Path("src/simorc/virtual_lab/dut_models/sets")
ILOAD, IHEAVY, VIN = 10e-3, 50e-3, 5.0
ASSUMED = {
    "rth_jc": (8.0, "K/W"),
    "rth_ca": (22.0, "K/W"),
    "cth_junction": (0.01, "J/K"),
    "cth_case": (0.3, "J/K"),
    "i_limit": (0.12, "A"),
    "t_shutdown": (165.0, "degC"),
    "t_recover": (150.0, "degC"),
    "vdo": (0.15, "V"),
    "vdo_at": (0.05, "A"),
    "vdo_power": (1.0, "1"),
    "vdo_t": (0.003, "1/K"),
    "vin_off": (2.0, "V"),
    "iq_off": (2e-6, "A"),
}


def solve(columns: list[np.ndarray], wanted: np.ndarray) -> tuple[np.ndarray, float]:
    """Least squares: coefficients, and the largest residual."""
    matrix = np.stack(columns, axis=1)
    found = np.linalg.lstsq(matrix, wanted, rcond=None)[0]
    return found, float(np.abs(matrix @ found - wanted).max())


def fit(data: pd.DataFrame) -> tuple[dict[str, tuple[float, str]], str]:
    """Parameters with units from the cases of one corner, and how well they fit."""
    t, v, one = data.temp.to_numpy() - 25.0, data.vin.to_numpy() - VIN, np.ones(len(data))
    (load, load_t), load_miss = solve([one, t], data.load_reg.to_numpy() / (IHEAVY - ILOAD))
    unloaded = data.vout.to_numpy() + (load + load_t * t) * ILOAD
    (vnom, a1, a2, a3, line, line_t), vout_miss = solve([one, t, t**2, t**3, v, v * t], unloaded)
    iq = data.iq.to_numpy()
    (iq0, b1, b2, iq_line), iq_miss = solve([one, t, t**2, v], iq)
    numbers = {
        "vnom": (vnom, "V"),
        "tc1": (a1 / vnom, "1/K"),
        "tc2": (a2 / vnom, "1/K^2"),
        "tc3": (a3 / vnom, "1/K^3"),
        "vin_nom": (VIN, "V"),
        "line": (line, "V/V"),
        "line_t": (line_t, "V/V/K"),
        "load": (load, "ohm"),
        "load_t": (load_t, "ohm/K"),
        "iq": (iq0, "A"),
        "iq_t": (b1 / iq0, "1/K"),
        "iq_t2": (b2 / iq0, "1/K^2"),
        "iq_line": (iq_line, "A/V"),
    }
    misses = (
        f"largest residuals: vout {vout_miss * 1e6:.0f} uV, iq {iq_miss * 1e6:.2f} uA, load {load_miss * 1e3:.2f} mohm"
    )
    return numbers, misses


def text(corner: str, numbers: dict[str, tuple[float, str]], misses: str) -> str:
    """The parameter set as TOML."""
    fitted = f"fit to the simulated pvt_tempco, corner {corner}"
    lines = [
        f"# The netlist LDO at corner {corner}: written by scripts/fit_ldo.py.",
        f"# {misses}",
        f'title = "3.3 V LDO of netlists/ldo.spice, corner {corner}"',
        "",
        "[parameters]",
    ]
    for name, (value, unit) in numbers.items():
        spread = ", spread = 1e-3" if name == "vnom" else ""
        lines.append(f'{name} = {{ value = {value:.9g}, unit = "{unit}", source = "{fitted}"{spread} }}')
    lines += [f'{n} = {{ value = {v:g}, unit = "{u}", source = "assumed" }}' for n, (v, u) in ASSUMED.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    data = pd.read_csv(Path(sys.argv[1]) / "results.csv")
    for corner, cases in data.groupby("corner"):
        numbers, misses = fit(cases)
        (SETS / f"simorc180_{corner}.toml").write_text(text(str(corner), numbers, misses), encoding="utf-8")
        print(corner, misses)


if __name__ == "__main__":
    main()
