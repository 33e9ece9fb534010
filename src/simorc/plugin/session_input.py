"""What a controller tells its workers besides pytest's own options."""

from __future__ import annotations

PARENT = "SIMORC_PARENT"
"""Environment variable, and key of a worker's input: the process with which this one ends."""
SINCE = "SIMORC_SINCE"
"""Key of a worker's input: when the session began."""
