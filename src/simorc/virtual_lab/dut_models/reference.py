"""Pure: a series voltage reference at its terminals."""

from __future__ import annotations

from collections.abc import Mapping

from simorc.core.equipment import ElectricalState


class Reference:
    """A buffered reference: parabola over temperature, line and load regulation, headroom, short-circuit current.

        curve = 1 + tc2 ((T - apex)^2 - (25 - apex)^2)
        vout  = vnom curve (1 + line (vin - vin_nom) - load iout), at most vin - headroom

    `line` is in 1/V, `load` in 1/A; `iq` in A; beyond `i_short` the output falls to 0.
    """

    def __init__(self, parameters: Mapping[str, float], spread: Mapping[str, float]) -> None:
        self._p = {name: value + spread.get(name, 0.0) for name, value in parameters.items()}
        self.ladder = ((self._p["rth_jc"], self._p["cth_junction"]), (self._p["rth_ca"], self._p["cth_case"]))

    def solve(self, vin: float, iout: float, tj: float, shut_down: bool) -> ElectricalState:
        """Terminal values at a stiff supply and a stiff load current (see DutModel)."""
        p = self._p
        if vin <= p["headroom"]:
            return ElectricalState(vin, 0.0, 0.0, 0.0, 0.0)
        iout = min(max(iout, 0.0), p["i_short"])
        curve = 1 + p["tc2"] * ((tj - p["apex"]) ** 2 - (25.0 - p["apex"]) ** 2)
        vout = p["vnom"] * curve * (1 + p["line"] * (vin - p["vin_nom"]) - p["load"] * iout)
        vout = min(vout, vin - p["headroom"]) if iout < p["i_short"] else 0.0
        return ElectricalState(vin, iout + p["iq"], vout, iout, p["iq"])

    def shuts_down(self, tj: float, shut_down: bool) -> bool:
        """It has no thermal shutdown."""
        return False
