"""Check conditions (`where`, `exclude`) before any case is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from simorc.config.document import Document, Key
from simorc.config.problems import Problems, one_of, printed
from simorc.core.errors import Problem, UsageError
from simorc.core.expression import compile_condition, names_in
from simorc.core.sweep import Sweep
from simorc.core.units import Value
from simorc.core.wording import did_you_mean


def check_condition(text: str, file: Document, keys: Sequence[Key], known: Sequence[str], problems: Problems) -> bool:
    """Whether a condition is of the grammar and uses known names alone; what is wrong is noted."""
    try:
        names = names_in(text)
    except UsageError as error:
        problems.add(Problem(file.where(keys), printed(text), "a condition such as temp > 85", _reason(error, text)))
        return False
    unknown = [name for name in names if name not in known]
    for name in unknown:
        problems.add(Problem(file.where(keys), f"the name {name!r}", one_of(known), did_you_mean(name, known)))
    return not unknown


def check_sweep_conditions(sweep: Sweep, parameters: Sequence[str], file: Document, problems: Problems) -> None:
    """Note conditions of a sweep that are no conditions, or do not fit the values, such as text compared with a number.

    `parameters` are the testbench's, also those whose default is wrong.
    """
    known = list(dict.fromkeys([*parameters, *sweep.swept]))
    probes = list(_probes(sweep)) if sweep.where or sweep.exclude else []
    for section, texts in (("where", sweep.where), ("exclude", sweep.exclude)):
        for position, text in enumerate(texts):
            keys: list[Key] = [section, position]
            if check_condition(text, file, keys, known, problems) and names_used(text) <= probes[0].keys():
                _probe(text, probes, file, keys, problems)


def names_used(text: str) -> set[str]:
    """The names in a condition; none where it is no condition."""
    try:
        return set(names_in(text))
    except UsageError:
        return set()


def _probe(
    text: str, probes: Sequence[Mapping[str, Value]], file: Document, keys: Sequence[Key], problems: Problems
) -> None:
    try:
        test = compile_condition(text)
        for values in probes:
            test(values)
    except UsageError as error:
        expected = "a condition that fits the values of the parameters"
        problems.add(Problem(file.where(keys), printed(text), expected, _reason(error, text)))


def _reason(error: UsageError, text: str) -> str:
    """What is wrong, less the condition itself, which the message quotes already."""
    return error.what.removeprefix(f"condition {text!r}").lstrip(": ")


def _probes(sweep: Sweep) -> Iterator[Mapping[str, Value]]:
    """Each value of each axis once, with the first values of the others."""
    first = dict(sweep.defaults)
    for axis in sweep.axes:
        first.update(zip(axis.names, axis.rows[0], strict=True))
    yield first
    for axis in sweep.axes:
        for row in axis.rows[1:]:
            yield {**first, **dict(zip(axis.names, row, strict=True))}
