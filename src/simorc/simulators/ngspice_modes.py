"""Pure: what the compatibility mode of ngspice (`set ngbehavior=`) changes in how it reads model files."""

from __future__ import annotations

import re

_MODE = re.compile(r"^[ \t]*set\b[^\n]*\bngbehavior[ \t]*=[ \t]*(\w+)", re.MULTILINE)

SAYS_WIDTH = "wnflag"
"""The option that says whether limits of bins mean the width of one finger, or of all."""


def drops_bins(init: str) -> bool:
    """Whether ngspice with this init file leaves out bins that no instance needs before it draws for them.

    >>> drops_bins("set ngbehavior=hsa"), drops_bins("set ngbehavior=psa"), drops_bins("")
    (True, False, False)
    """
    return "hs" in _mode(init)


def by_finger(init: str) -> bool:
    """Whether limits of bins mean the width of one finger with this init file, if no option says otherwise.

    >>> by_finger("set ngbehavior=hsa"), by_finger("set ngbehavior=hsa wnflag=0"), by_finger("")
    (True, False, False)
    """
    return drops_bins(init) and SAYS_WIDTH not in init


def has_sections(init: str) -> bool:
    """Whether `.lib FILE NAME` reads a section of a file; in the modes of PSPICE and LTspice it reads whole files.

    >>> has_sections("set ngbehavior=ltps"), has_sections("set ngbehavior=hsa"), has_sections("")
    (False, True, True)
    """
    mode = _mode(init)
    return "ps" not in mode and "lt" not in mode


def _mode(init: str) -> str:
    modes = _MODE.findall(init)
    return modes[-1].lower() if modes else ""
