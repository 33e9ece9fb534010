"""The measures of the LDO on a bench: the same names as in the template."""

from __future__ import annotations

from typing import Any

from simorc import Case

CURRENT_LIMIT_A = 0.1


def measure(bench: Any, case: Case) -> dict[str, Any]:
    """Output voltage, quiescent current, line and load regulation under the conditions of one case."""
    p = case.parameters
    vin, dvin = float(p["vin"]), float(p["dvin"])
    bench.select(p["corner"])
    supply, load = bench.psu.channel(2), bench.load

    load.set_current(float(p["iload"]))
    supply.apply(voltage=vin, current_limit=CURRENT_LIMIT_A)
    supply.on()
    load.on()
    bench.soak(p["temp"])
    vout = bench.settled(bench.dmm.voltage)
    iq = bench.ammeter.current()

    supply.set_voltage(vin + dvin)
    vout_line = bench.settled(bench.dmm.voltage)
    supply.set_voltage(vin)
    load.set_current(float(p["iload_heavy"]))
    vout_heavy = bench.settled(bench.dmm.voltage)

    return {
        "vout": vout,
        "iq": iq,
        "line_reg": 1000 * (vout_line - vout) / dvin,
        "load_reg": vout - vout_heavy,
    }
