"""Work that a forked process does while this one does something else, and what it comes to."""

from __future__ import annotations

import pickle
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Generic, Self, TypeVar

from simorc.workspace.child import Child

T = TypeVar("T")
Told = TypeVar("Told")


@contextmanager
def beside(work: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Have some work done while the body runs, which gets a function that waits for what it comes to.

    The process ends with this one, and with the body unless it has answered and is about to (`Child`). Where the system
    has no room for it the work is done here, when somebody waits for it.

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
    """A process that loads what some work needs, waits until it is told what to do it with, and does it.

    Parameters
    ----------
    load: what it does at once; gives the work, from and to what `pickle` can take, for each time that it is told

    Raises
    ------
    OSError: the system has no room for it
    """

    def __init__(self, load: Callable[[], Callable[[Told], T]]) -> None:
        self._has_answered = False
        self._line, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = Child(lambda: _serve(theirs, load), kept=[theirs.fileno()])
            except OSError:
                self._line.close()
                raise

    def told(self, what: Told) -> None:
        """Have it do what will be of use when it is asked; nobody waits for what that comes to."""
        with suppress(OSError):  # it has ended
            self._line.sendall(pickle.dumps(what))

    def asked(self, what: Told) -> Callable[[], T]:
        """Have it do the work for the last time; gives a function that waits for what it comes to.

        Raises
        ------
        ChildProcessError: by that function: it failed, with its own words, or was killed
        """
        self.told(what)
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_WR)
        return self._answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """End it, whatever it does; one that has answered is about to."""
        if self._has_answered:
            self._process.leave()
        else:
            self._process.kill()
        self._line.close()

    def _answer(self) -> T:
        try:
            with self._line.makefile("rb") as answer:
                failure, result = pickle.loads(answer.read())
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise ChildProcessError("the process that was to do it was killed") from error
        self._has_answered = True
        if failure:
            raise ChildProcessError(failure)
        return result  # type: ignore[no-any-return]


def _serve(line: socket.socket, load: Callable[[], Callable[[Any], Any]]) -> None:
    try:
        work = load()
        with line.makefile("rb") as told:
            if not told.peek(1):  # nobody has any use for it
                return
            while told.peek(1):
                result = work(pickle.load(told))
        said = pickle.dumps(("", result))
    except BaseException as error:  # an interrupt, too: this process has nobody else to tell
        said = pickle.dumps((str(error) or type(error).__name__, None))
    line.sendall(said)
    line.close()
