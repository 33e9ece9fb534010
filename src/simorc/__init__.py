"""One sweep, characterised in simulation and on the bench, judged against spec.

Importing simorc costs nothing: the names below load what they need when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from simorc.core.case import Case
    from simorc.core.errors import SimorcError
    from simorc.core.measurement import Measure, Measurement
    from simorc.core.spec import Spec, Verdict
    from simorc.core.units import Quantity
    from simorc.core.waveforms import Plot, Waveforms
    from simorc.report.opened_run import OpenedRun, open_run

_HOMES = {
    "Case": "simorc.core.case",
    "SimorcError": "simorc.core.errors",
    "Measure": "simorc.core.measurement",
    "Measurement": "simorc.core.measurement",
    "Spec": "simorc.core.spec",
    "Verdict": "simorc.core.spec",
    "Quantity": "simorc.core.units",
    "Plot": "simorc.core.waveforms",
    "Waveforms": "simorc.core.waveforms",
    "OpenedRun": "simorc.report.opened_run",
    "open_run": "simorc.report.opened_run",
}

__all__ = [
    "Case",
    "Measure",
    "Measurement",
    "OpenedRun",
    "Plot",
    "Quantity",
    "SimorcError",
    "Spec",
    "Verdict",
    "Waveforms",
    "__version__",
    "open_run",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'simorc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
