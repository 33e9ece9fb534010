"""Pure: what an instrument read, with the bound of its error."""

from __future__ import annotations

from msgspec import Struct


class Reading(Struct, frozen=True):
    """One number that an instrument read, or that was computed from such numbers.

    Arithmetic keeps the uncertainty: bounds add up linearly, the worst case, as nothing is known of how the errors of
    one instrument correlate. A sum has the unit of its left operand, a product none: the measure states it.

    Parameters
    ----------
    value: in `unit`
    uncertainty: bound of the error in the same unit, from the instrument's one-year accuracy
    time_s: bench time of the reading in seconds, None for a computed one
    wall: UTC of the reading, ISO 8601
    source: instrument, function, range and aperture for people

    >>> a, b = Reading(3.3, "V", 2e-4), Reading(3.2, "V", 1e-4)
    >>> round((a - b).value, 6), round((a - b).uncertainty, 6)
    (0.1, 0.0003)
    """

    value: float
    unit: str = ""
    uncertainty: float = 0.0
    time_s: float | None = None
    wall: str = ""
    source: str = ""

    def __float__(self) -> float:
        return float(self.value)

    def __neg__(self) -> Reading:
        return Reading(-self.value, self.unit, self.uncertainty)

    def __abs__(self) -> Reading:
        return Reading(abs(self.value), self.unit, self.uncertainty)

    def __add__(self, other: Reading | float) -> Reading:
        b = _reading(other)
        return Reading(self.value + b.value, self.unit or b.unit, self.uncertainty + b.uncertainty)

    def __sub__(self, other: Reading | float) -> Reading:
        return self + -_reading(other)

    def __mul__(self, other: Reading | float) -> Reading:
        b = _reading(other)
        bound = abs(self.value) * b.uncertainty + abs(b.value) * self.uncertainty
        return Reading(self.value * b.value, "", bound + self.uncertainty * b.uncertainty)

    def __truediv__(self, other: Reading | float) -> Reading:
        b = _reading(other)
        value = self.value / b.value
        smallest = abs(b.value) - b.uncertainty
        if smallest <= 0:
            return Reading(value, "", float("inf"))
        return Reading(value, "", (self.uncertainty + abs(value) * b.uncertainty) / smallest)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other: float) -> Reading:
        return _reading(other) - self

    def __rtruediv__(self, other: float) -> Reading:
        return _reading(other) / self


def _reading(value: Reading | float) -> Reading:
    return value if isinstance(value, Reading) else Reading(float(value))
