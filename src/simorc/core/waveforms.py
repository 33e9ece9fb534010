"""Pure: waveforms as named vectors with units, grouped in plots (one analysis each)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, overload

from msgspec import Struct

from simorc.core.errors import UsageError
from simorc.core.wording import suggestion

if TYPE_CHECKING:  # whoever only reads what the simulator itself has measured does without numpy
    import numpy as np
    import numpy.typing as npt

    Vector = npt.NDArray[np.float64] | npt.NDArray[np.complex128]


class Plot(Struct, frozen=True, eq=False):
    """The vectors of one analysis.

    Parameters
    ----------
    name: what the simulator calls it, e.g. `AC Analysis`
    kind: `op`, `dc`, `ac`, `tran`, `noise`, … derived from the name
    vectors: name (lower case) -> array of shape (points,), float64, or complex128 for complex plots
    units: vector name -> `V`, `A`, `Hz`, `s`, or empty
    scale: name of the independent variable
    """

    name: str
    kind: str
    vectors: Mapping[str, Vector]
    units: Mapping[str, str]
    scale: str

    def __getitem__(self, name: str) -> Vector:
        """The vector of that name; case does not matter, `out` means `v(out)` or `i(out)` where only that exists."""
        key = self._key(name)
        if key is None:
            raise UsageError(f"no vector {name!r} in plot {self.name!r}", hint=suggestion(name, self.vectors))
        return self.vectors[key]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._key(name) is not None

    def __len__(self) -> int:
        return len(self.vectors[self.scale]) if self.scale in self.vectors else 0

    @property
    def x(self) -> Vector:
        """The independent variable."""
        return self[self.scale]

    def unit(self, name: str) -> str:
        """The unit of the vector that `plot[name]` gives; empty where it has none, or is not there."""
        return self.units.get(self._key(name) or "", "")

    def _key(self, name: str) -> str | None:
        key = name.lower()
        return next((k for k in (key, f"v({key})", f"i({key})") if k in self.vectors), None)


class Waveforms(Sequence[Plot]):
    """All plots of one case, in the order in which the simulator wrote them.

    `waves["v(out)"]` looks in the last plot that has the vector; `waves.plot("ac")` picks one analysis.
    """

    def __init__(
        self, plots: Sequence[Plot] | Callable[[], Sequence[Plot]] = (), content: Callable[[], object] | None = None
    ) -> None:
        """From plots, or from a function that reads them when one is first asked for.

        Parameters
        ----------
        content: gives what is the same for two sets of plots only if they are, bit for bit; costs less than the plots
        """
        self._given = plots
        self._content = content

    def is_copy_of(self, other: Waveforms) -> bool:
        """Whether both are known to be the same, bit for bit; where that is not known they may be all the same."""
        mine, others = self._content, other._content
        return mine is not None and others is not None and mine() == others()

    @cached_property
    def _plots(self) -> tuple[Plot, ...]:
        return tuple(self._given() if callable(self._given) else self._given)

    def __len__(self) -> int:
        return len(self._plots)

    def __iter__(self) -> Iterator[Plot]:
        return iter(self._plots)

    def __contains__(self, item: object) -> bool:
        """Whether a plot, or any vector of that name, is there."""
        return any(item is plot or item in plot for plot in self._plots)

    @overload
    def __getitem__(self, key: str) -> Vector: ...
    @overload
    def __getitem__(self, key: int) -> Plot: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Plot, ...]: ...
    def __getitem__(self, key: str | int | slice) -> Vector | Plot | tuple[Plot, ...]:
        """A vector by name, or a plot by position."""
        if not isinstance(key, str):
            return self._plots[key]
        for plot in reversed(self._plots):
            if key in plot:
                return plot[key]
        known = [vector for plot in self._plots for vector in plot.vectors]
        raise UsageError(f"no vector {key!r} in the waveforms", hint=suggestion(key, known))

    def plot(self, kind: str) -> Plot:
        """The last plot of one kind (`op`, `dc`, `ac`, `tran`, `noise`)."""
        for plot in reversed(self._plots):
            if plot.kind == kind:
                return plot
        raise UsageError(f"no {kind} plot in the waveforms", hint=suggestion(kind, [plot.kind for plot in self]))
