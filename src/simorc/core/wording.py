"""Pure: what is said of a name that does not exist; the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MOST_NAMES = 12
_LONGEST = 100


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """A suggestion for a misspelt name, or an empty text; upper and lower case make no difference.

    >>> did_you_mean("TMEP", ["temp", "vin"])
    "did you mean 'temp'?"
    """
    lower = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(str(name).lower()[:_LONGEST], lower, n=1)
    return f"did you mean {lower[close[0]]!r}?" if close else ""


def suggestion(name: object, known: Iterable[str]) -> str:
    """What was probably meant, else what there is.

    >>> suggestion("tmep", ["temp", "vin"]), suggestion("x", ["temp", "vin"]), suggestion("x", [])
    ("did you mean 'temp'?", 'there are: temp, vin', 'there are none')
    """
    names = list(dict.fromkeys(known))
    return did_you_mean(name, names) or (f"there are: {listed(names)}" if names else "there are none")


def listed(names: Iterable[str]) -> str:
    """Names in one line, the first ones where there are many.

    >>> listed(f"v{i}" for i in range(20))
    'v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, … (20 in all)'
    """
    every = list(names)
    more = f", … ({len(every)} in all)" if len(every) > _MOST_NAMES else ""
    return ", ".join(every[:_MOST_NAMES]) + more
