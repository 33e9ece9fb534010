"""Pure: how far two values of one measure may be apart, and whether they agree."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from simorc.core.errors import UsageError
from simorc.core.units import parse_number

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_LAST_BITS = 4 * sys.float_info.epsilon
_HINT = "a number in the measure's unit (5m), a share of the reference (2%), or the sum of both (2%+5m)"


class Agreement(StrEnum):
    """What a tolerance says of a difference whose own error is bounded.

    `unclear`: the difference is inside, but by less than the error, or outside by less than it: the decision rule of
    ISO 14253-1, which proves neither in that zone.
    """

    AGREES = "agrees"
    UNCLEAR = "unclear"
    DIFFERS = "differs"
    NOT_JUDGED = "not judged"


class Tolerance(Struct, frozen=True):
    """A part of the reference value and an absolute part in the measure's unit, as datasheets of meters have them.

    >>> Tolerance.parse("2%+5m")
    Tolerance(relative=0.02, absolute=0.005)
    """

    relative: float = 0.0
    absolute: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Tolerance:
        """The tolerance that a text states.

        Raises
        ------
        UsageError: not of the form `5m`, `2%` or `2%+5m`, or negative
        """
        relative = absolute = 0.0
        for part in text.split("+") if "e+" not in text.lower() else [text]:
            number = parse_number(part.strip().removesuffix("%"))
            if number is None or number < 0:
                raise UsageError(f"{text!r} is not a tolerance", hint=_HINT)
            if part.strip().endswith("%"):
                relative += number / 100
            else:
                absolute += number
        return cls(relative, absolute)

    def allowed(self, reference: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """How far a value may be from each reference, in the measure's unit."""
        return self.absolute + self.relative * abs(reference)

    def __str__(self) -> str:
        relative = f"{self.relative * 100:g}%" if self.relative else ""
        absolute = f"{self.absolute:g}" if self.absolute or not self.relative else ""
        return "+".join(part for part in (relative, absolute) if part)


def agreements(
    apart: npt.NDArray[np.float64],
    allowed: npt.NDArray[np.float64] | None,
    error: npt.NDArray[np.float64],
    largest: npt.NDArray[np.float64] | float = 0.0,
) -> npt.NDArray[Any]:
    """The agreement of each difference.

    Without a tolerance two values agree when they are no further apart than their own errors explain, |En| <= 1 of
    ISO 13528; where there is neither tolerance nor error, nothing can be judged.

    Parameters
    ----------
    apart: differences, NaN where there is none
    allowed: the tolerance of each, None where none is stated
    error: bound of each difference's own error, NaN where none is known
    largest: the larger value without its sign; what is exactly at a limit is inside, whatever its last bits say

    >>> import numpy as np
    >>> agreements(np.array([1.0, 3.0, 5.0]), np.full(3, 3.0), np.full(3, 0.5)).tolist()
    ['agrees', 'unclear', 'differs']
    """
    import numpy as np  # whoever only reads a configuration does without

    size = np.abs(apart)
    found = np.full(len(apart), str(Agreement.NOT_JUDGED), dtype=object)
    known = ~np.isnan(error)
    slack = _LAST_BITS * np.nan_to_num(largest)
    if allowed is None:
        found[known & (size <= error + slack)] = str(Agreement.AGREES)
        found[known & (size > error + slack)] = str(Agreement.DIFFERS)
        return found
    bound = np.where(known, error, 0.0)
    slack = slack + 1e-12 * allowed
    found[~np.isnan(apart)] = str(Agreement.UNCLEAR)
    found[size + bound <= allowed + slack] = str(Agreement.AGREES)
    found[size - bound > allowed + slack] = str(Agreement.DIFFERS)
    return found
