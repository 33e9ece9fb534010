"""Work that a forked process does while this one does something else, and what it comes to."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Generic, Self, TypeVar

from simorc.workspace.child import Child

T = TypeVar("T")
Told = TypeVar("Told")


@contextmanager
def beside(work: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Have some work done while the body runs, which gets a function that waits for what it comes to.

    The process ends with this one, and at the latest with the body (`Child`). Where the system has no room for it the
    work is done here, when somebody waits for it.

    Raises
    ------
    ChildProcessError: by that function: the work failed, with its own words, or its process was killed
    """
    try:
        process = Ahead[None, T](lambda: lambda _: work())
    except OSError:
        yield work
        return
    with process:
        yield process.asked(None)


class Ahead(Generic[Told, T]):
    """A process that loads what some work needs, waits until it is told what to do it with, and does it once.

    Parameters
    ----------
    load: what it does at once; gives the work, from and to what `pickle` can take

    Raises
    ------
    OSError: the system has no room for it
    """

    def __init__(self, load: Callable[[], Callable[[Told], T]]) -> None:
        told, self._tell = os.pipe()
        self._answered, answer = os.pipe()
        try:
            self._process = Child(lambda: _serve(told, answer, load), kept=[told, answer])
        except OSError:
            self._forget()
            raise
        finally:
            os.close(told)
            os.close(answer)

    def asked(self, told: Told) -> Callable[[], T]:
        """Have it begin; gives a function that waits for what the work comes to.

        Raises
        ------
        ChildProcessError: by that function: it failed, with its own words, or was killed
        """
        with suppress(BrokenPipeError):  # it has ended, and there will be no answer
            os.write(self._tell, pickle.dumps(told))
        return self._answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._forget()

    def _answer(self) -> T:
        chunks = []
        while chunk := os.read(self._answered, 1 << 20):
            chunks.append(chunk)
        if not chunks:
            raise ChildProcessError("the process that was to do it was killed")
        failure, result = pickle.loads(b"".join(chunks))
        if failure:
            raise ChildProcessError(failure)
        return result  # type: ignore[no-any-return]

    def _forget(self) -> None:
        for descriptor in (self._tell, self._answered):
            os.close(descriptor)


def _serve(told: int, answer: int, load: Callable[[], Callable[[Any], Any]]) -> None:
    failure, result = "", None
    try:
        work = load()
        with os.fdopen(told, "rb") as asked:
            what = pickle.load(asked)
        result = work(what)
    except EOFError:  # nobody has any use for it
        return
    except BaseException as error:  # an interrupt, too: this process has nobody else to tell
        failure = str(error) or type(error).__name__
    with os.fdopen(answer, "wb") as file:
        pickle.dump((failure, result), file)
