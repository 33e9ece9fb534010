"""Pure: rows of cells as lines of CSV, lazily, so that 100,000 rows never stand in memory twice."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence


class _Echo:
    """A file that hands back what is written into it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    r"""One line of CSV a row, quoted only where needed.

    >>> list(csv_lines([("a", 1), ("b, c", None)]))
    ['a,1\n', '"b, c",\n']
    """
    writer = csv.writer(_Echo(), lineterminator="\n")
    for row in rows:
        yield writer.writerow(row)  # it returns what `write` returns


def number_cell(value: float | None) -> str:
    """A number to full precision; the empty text where there is none."""
    return "" if value is None else repr(value)


def one_line(text: str, most: int = 1000) -> str:
    r"""A message as it fits in a cell: one line of limited length.

    >>> one_line("singular matrix\n  at node out")
    'singular matrix at node out'
    """
    line = " ".join(text.replace("\0", " ").split())
    return line if len(line) <= most else line[: most - 1] + "…"
