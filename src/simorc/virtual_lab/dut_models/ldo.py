"""Pure: a low-dropout regulator at its terminals, as a function of input, load and junction temperature."""

from __future__ import annotations

from collections.abc import Mapping

from simorc.core.equipment import ElectricalState

_LIMIT_BAND = 0.05
"""Over how much of the limit current the output falls to 0: a brick wall that a load line crosses at one point."""


class Ldo:
    """A regulator: reference, line and load regulation, dropout, ground current, current limit, thermal shutdown.

    With T the junction temperature, t = T - 25:

        regulated = vnom (1 + tc1 t + tc2 t^2 + tc3 t^3) + (line + line_t t) (vin - vin_nom) - (load + load_t t) iout
        dropout   = vdo (iout / vdo_at)^vdo_power (1 + vdo_t t)
        ground    = iq (1 + iq_t t + iq_t2 t^2) + iq_line (vin - vin_nom) + iq_load iout, and iq_dropout more in dropout

    Parameters are named so; SI units and degC; those that a set leaves out are 0 (`vdo_power`: 1). `rth_*` and `cth_*`
    (K/W, J/K) make the ladder: junction, case.
    """

    def __init__(self, parameters: Mapping[str, float], spread: Mapping[str, float]) -> None:
        self._p = {name: value + spread.get(name, 0.0) for name, value in parameters.items()}
        get = self._p.get
        self.ladder = (
            (get("rth_jc", 10.0), get("cth_junction", 0.01)),
            (get("rth_ca", 50.0), get("cth_case", 0.2)),
        )
        self._trip, self._recover = get("t_shutdown", 1e9), get("t_recover", 1e9)

    def solve(self, vin: float, iout: float, tj: float, shut_down: bool) -> ElectricalState:
        """Terminal values at a stiff supply and a stiff load current (see DutModel)."""
        p = self._p
        if shut_down or vin <= p.get("vin_off", 1.0):
            leak = p.get("iq_off", 1e-6) if vin > 0 else 0.0
            return ElectricalState(vin, leak, 0.0, 0.0, leak)
        limit = p.get("i_limit", 1e9)
        iout = min(max(iout, 0.0), limit * (1 + _LIMIT_BAND))
        regulated, room = self._regulated(vin, iout, tj), vin - self._dropout(iout, tj)
        vout = max(min(regulated, room), 0.0)
        if iout > limit:
            vout *= max(1 - (iout / limit - 1) / _LIMIT_BAND, 0.0)
        ignd = self._ground(vin, iout, tj, in_dropout=room < regulated)
        return ElectricalState(vin, iout + ignd, vout, iout, ignd)

    def shuts_down(self, tj: float, shut_down: bool) -> bool:
        """Thermal shutdown with hysteresis."""
        return tj > (self._recover if shut_down else self._trip)

    def _regulated(self, vin: float, iout: float, tj: float) -> float:
        get, t = self._p.get, tj - 25.0
        reference = 1 + get("tc1", 0.0) * t + get("tc2", 0.0) * t**2 + get("tc3", 0.0) * t**3
        line = (get("line", 0.0) + get("line_t", 0.0) * t) * (vin - get("vin_nom", vin))
        load = (get("load", 0.0) + get("load_t", 0.0) * t) * iout
        return self._p["vnom"] * reference + line - load

    def _dropout(self, iout: float, tj: float) -> float:
        get = self._p.get
        if iout <= 0 or "vdo" not in self._p:
            return 0.0
        part: float = (iout / self._p["vdo_at"]) ** get("vdo_power", 1.0)
        return self._p["vdo"] * part * (1 + get("vdo_t", 0.0) * (tj - 25.0))

    def _ground(self, vin: float, iout: float, tj: float, *, in_dropout: bool) -> float:
        get, t = self._p.get, tj - 25.0
        own = get("iq", 0.0) * (1 + get("iq_t", 0.0) * t + get("iq_t2", 0.0) * t**2)
        supply = get("iq_line", 0.0) * (vin - get("vin_nom", vin))
        return max(own + supply + get("iq_load", 0.0) * iout + get("iq_dropout", 0.0) * in_dropout, 0.0)
