"""Pure: axes, and their lazy expansion into cases."""

from __future__ import annotations

import hashlib
import itertools
import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import overload

from msgspec import Struct

from simorc.core.case import Case
from simorc.core.errors import UsageError
from simorc.core.expression import compile_condition
from simorc.core.units import Value

MAX_CASES = 10_000_000
_MOST_HELD = 10_000
RESERVED_NAMES = frozenset(
    {"case_id", "status", "result_path", "error_message", "verdict", "corner_name", "mc_sample", "seed"}
)
"""Columns of metadata.csv and results.csv that no parameter may take."""

FIRST_SEED = 1
"""The seed of cases for which nobody chose one."""
SAMPLE_COLUMNS = ("mc_sample", "seed")
"""The columns of the Monte Carlo axis: the sample's number, and the seed that draws it."""


class Axis(Struct, frozen=True):
    """What is varied together: one parameter, several in step (`zip`), a set of corners, or Monte Carlo samples.

    Parameters
    ----------
    names: the columns, one or more
    rows: the points; every row has one value a name
    """

    names: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def __len__(self) -> int:
        return len(self.rows)


class Sweep(Struct, frozen=True, dict=True):
    """Axes over one testbench; the cases are their Cartesian product, the first axis slowest.

    Parameters
    ----------
    name: names the run directory
    axes: in the order of the file
    defaults: every parameter of the testbench with its default
    where: conditions that every case must meet
    exclude: conditions that no case may meet
    base_seed: from which cases without a seed axis take their common seed
    statistics_by: the varied names whose values make the groups of the statistics; None for those that are texts
    """

    name: str
    axes: tuple[Axis, ...]
    defaults: Mapping[str, Value]
    where: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    base_seed: int = FIRST_SEED
    statistics_by: tuple[str, ...] | None = None

    @property
    def swept(self) -> tuple[str, ...]:
        """All varied names in column order."""
        return tuple(name for axis in self.axes for name in axis.names)

    @property
    def size(self) -> int:
        """Number of points before `where` and `exclude`."""
        return math.prod(len(axis) for axis in self.axes)

    @property
    def samples(self) -> int:
        """Monte Carlo samples of every point of the other axes; 0 where the sweep draws none."""
        return next((len(axis) for axis in self.axes if axis.names == SAMPLE_COLUMNS), 0)

    @property
    def has_seed_axis(self) -> bool:
        """Whether the sweep draws random samples on purpose."""
        return "seed" in self.swept

    @cached_property
    def by_id(self) -> Sequence[Case]:
        """The cases by their id; up to 10,000 are made once, of more each one when it is asked for."""
        cases = Cases(self)
        return tuple(cases) if len(cases) <= _MOST_HELD else cases

    def cases(self) -> Iterator[Case]:
        """The cases, lazily, with ids from 0 in the order of the product; the same on every call.

        Raises
        ------
        UsageError: the product exceeds `MAX_CASES`, or a condition does not fit the parameters
        """
        if self.size > MAX_CASES:
            raise UsageError(
                f"sweep {self.name!r} has {self.size:,} points, at most {MAX_CASES:,} are possible",
                hint="use fewer values an axis, or `zip` axes that belong together",
            )
        swept = self.swept
        fits = self._condition()
        case_id = 0
        for point in itertools.product(*(axis.rows for axis in self.axes)):
            values = dict(self.defaults)
            values.update(zip(swept, itertools.chain.from_iterable(point), strict=True))
            if fits is None or fits(values):
                yield bind(case_id, values, swept, self.base_seed)
                case_id += 1

    def _condition(self) -> Callable[[Mapping[str, Value]], bool] | None:
        """Whether values make a case; None where all do."""
        keep = [compile_condition(text) for text in self.where]
        drop = [compile_condition(text) for text in self.exclude]
        if not keep and not drop:
            return None
        return lambda values: all(test(values) for test in keep) and not any(test(values) for test in drop)


class Cases(Sequence[Case]):
    """The cases of a sweep by their id, each made when it is asked for: a million take no memory.

    With conditions the sweep is gone through once, and four bytes a case are kept.
    """

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._axes = [axis.rows for axis in sweep.axes]
        self._swept = sweep.swept

    def __iter__(self) -> Iterator[Case]:
        return self._sweep.cases()

    def __len__(self) -> int:
        return self._sweep.size if self._points is None else len(self._points)

    @overload
    def __getitem__(self, index: int) -> Case: ...
    @overload
    def __getitem__(self, index: slice) -> list[Case]: ...
    def __getitem__(self, index: int | slice) -> Case | list[Case]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        case_id = range(len(self))[index]
        rest = case_id if self._points is None else self._points[case_id]
        values = dict(self._sweep.defaults)
        cells: list[tuple[Value, ...]] = []
        for rows in reversed(self._axes):
            rest, row = divmod(rest, len(rows))
            cells.append(rows[row])
        values.update(zip(self._swept, itertools.chain.from_iterable(reversed(cells)), strict=True))
        return bind(case_id, values, self._swept, self._sweep.base_seed)

    @cached_property
    def _points(self) -> array[int] | None:
        """The places of the cases in the product of the axes, where not every place is a case."""
        if not self._sweep.where and not self._sweep.exclude:
            return None
        everything = Cases(Sweep("", self._sweep.axes, self._sweep.defaults, base_seed=self._sweep.base_seed))
        fits = self._sweep._condition()
        return array("I", (case.case_id for case in everything if fits is None or fits(case.parameters)))


def bind(case_id: int, values: dict[str, Value], swept: tuple[str, ...], base_seed: int) -> Case:
    """A case from all its values; the seed is its `seed` column where the sweep has one, else the sweep's own."""
    seed = values.get("seed", base_seed) if "seed" in swept else base_seed
    return Case(case_id, values, swept, int(seed))


def monte_carlo_axis(samples: int, seed: int) -> Axis:
    """Samples 0, 1, … with the seeds that draw them.

    The seed of a sample depends on `seed` and its number alone, so that more samples leave the first ones as they
    were and every corner sees the same samples.
    """
    return Axis(SAMPLE_COLUMNS, tuple((k, sample_seed(seed, k)) for k in range(samples)))


def sample_seed(seed: int, sample: int) -> int:
    """A seed from 1 to 2**31 - 1, spread evenly over seeds and samples (BLAKE2b of both).

    >>> sample_seed(1, 0) == sample_seed(1, 0) != sample_seed(1, 1)
    True
    """
    digest = hashlib.blake2b(f"{seed}/{sample}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % (2**31 - 1) + 1
