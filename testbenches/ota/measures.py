"""Measures of the OTA that need waveforms."""

from __future__ import annotations

import numpy as np

from simorc import Case, Waveforms


def phase_margin(waves: Waveforms, case: Case) -> float | None:
    """180 degrees plus the phase where the gain falls through one, in degrees; None where it never does.

    Gain in dB and phase are taken as straight lines over the logarithm of frequency between two points.
    """
    transfer = waves.plot("ac")["v(out)"]
    gain_db = 20 * np.log10(np.abs(transfer))
    phase_deg = np.degrees(np.unwrap(np.angle(transfer)))
    falls = np.flatnonzero((gain_db[:-1] > 0) & (gain_db[1:] <= 0))
    if not falls.size:
        return None
    i = falls[0]
    # Both are straight over log f, so the share of the way in dB is the share in phase.
    share = gain_db[i] / (gain_db[i] - gain_db[i + 1])
    return float(180 + phase_deg[i] + share * (phase_deg[i + 1] - phase_deg[i]))
