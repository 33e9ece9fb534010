"""A voltage reference on the bench: its output over supply and temperature."""

from typing import Any

from simorc import Case


def measure(bench: Any, case: Case) -> dict[str, Any]:
    """Readings by the names of the measures; `bench` has the instruments of the bench's file."""
    supply = bench.psu.channel(2)
    supply.apply(voltage=float(case.parameters["vin"]), current_limit=0.05)
    supply.on()
    bench.soak(case.parameters["temp"])
    return {"vref": bench.settled(bench.dmm.voltage)}
