"""Measures of the LDO that need waveforms."""

from __future__ import annotations

import numpy as np

from simorc import Case, Waveforms


def psrr(waves: Waveforms, case: Case) -> float:
    """Supply rejection at `f_psrr` in dB, positive: the supply carries 1 V of ac."""
    ac = waves.plot("ac")
    rejection_db = -20 * np.log10(np.abs(ac["v(out)"]))
    frequency = np.abs(ac.x)
    return float(np.interp(np.log(float(case.parameters["f_psrr"])), np.log(frequency), rejection_db))
