"""Pure: rows of named columns with units, as they come out of a foreign file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

UNCERTAINTY = "_uncertainty"
"""Behind a measure's name it names the column of its uncertainties, as in results.csv."""


class Column(Struct, frozen=True, eq=False):
    """One column: shape (rows,), float64 with NaN where nothing stands, or objects (texts, values as written).

    `unit` is empty where none is known.
    """

    values: npt.NDArray[Any]
    unit: str = ""

    @property
    def is_numeric(self) -> bool:
        """Whether it holds numbers alone."""
        return self.values.dtype == np.float64


class Table(Struct, frozen=True, eq=False):
    """Rows of named columns.

    Parameters
    ----------
    name: what people call it, such as the file's name
    columns: all of one length
    conditions: the columns that the file itself says were set, not measured; empty where it does not say
    """

    name: str
    columns: Mapping[str, Column]
    conditions: tuple[str, ...] = ()

    def __len__(self) -> int:
        return next((len(column.values) for column in self.columns.values()), 0)
