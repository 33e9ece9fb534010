"""Measures of the NMOS."""

from __future__ import annotations

import numpy as np

from simorc import Case, Waveforms


def ion(waves: Waveforms, case: Case) -> float | None:
    """Drain current with gate and drain at 1.8 V, in A; None where no point is there."""
    plot = waves.plot("dc")
    at = np.isclose(np.real(plot["v(g)"]), 1.8) & np.isclose(np.real(plot["v(d)"]), 1.8)
    return float(np.real(plot["i(vid)"])[at][0]) if at.any() else None
