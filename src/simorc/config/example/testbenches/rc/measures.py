"""Measures that a `.meas` line cannot give: one function each, which gets the waveforms and the case."""

from __future__ import annotations

import numpy as np

from simorc import Case, Waveforms


def rolloff(waves: Waveforms, case: Case) -> float:
    """Change of the gain from 10 kHz to 100 kHz, in dB."""
    ac = waves.plot("ac")
    gain_db = 20 * np.log10(np.abs(ac["v(out)"]))
    at_10k, at_100k = np.interp([1e4, 1e5], np.abs(ac.x), gain_db)
    return float(at_100k - at_10k)
