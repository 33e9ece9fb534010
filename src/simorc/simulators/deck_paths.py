"""Pure: the paths in a deck, made to mean the same wherever the case runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from msgspec import Struct

from simorc.core.plan import Plan

_MOST_LINES = 20_000
RUN = "\ue000"
"""Stands for `../../`, the run directory as seen from a case's folder, until a deck is complete."""

_PATH = r"""(?P<path>"[^"\n]+"|'[^'\n]+'|[^\s"';)]+)"""
_LINE = re.compile(r"^(?![ \t]*\*).*(?:\.inc|\.lib|file).*$", re.IGNORECASE | re.MULTILINE)
# Of these cards ngspice looks at the beginning of the word alone: `.incl`, `.library`, `.endls`.
_INCLUDE = re.compile(rf"(?P<head>\s*\.inc\w*\s+){_PATH}", re.IGNORECASE)
# With one argument `.lib name` begins a section; a comment after it is no argument.
_LIBRARY = re.compile(rf"(?P<head>\s*\.lib\w*\s+){_PATH}(?P<section>\s+(?![;$*]|//)[^\s;]+)", re.IGNORECASE)
_ARGUMENT = re.compile(
    rf"(?P<head>(?<![\w.])(?:(?:input_|state_)?file(?:name)?\s*=\s*|pwl_?file\s*=?\s*|pwl\s+file\s*=?\s*)){_PATH}",
    re.IGNORECASE,
)
_SECTION_BEGIN = re.compile(r"\s*\.lib\w*\s+(?P<name>\S+)", re.IGNORECASE)
_SECTION_END = re.compile(r"\s*\.endl", re.IGNORECASE)


class FromRun(Struct, frozen=True):
    """How files are reached from a case's folder, `results/<id>/` of a run directory.

    Parameters
    ----------
    testbench: the user's testbench folder, absolute; its copy is `inputs/testbench` in the run directory
    template_folder: the folder of the template, from which relative paths in decks are meant
    netlist: the DUT's netlist, absolute, or empty; its copy lies in `inputs/dut`
    run: the run directory, absolute, or empty while there is none
    """

    testbench: str
    template_folder: str
    netlist: str = ""
    run: str = ""

    @classmethod
    def of(cls, plan: Plan, run: str = "") -> FromRun:
        """The places that a plan names."""
        template = posixpath.join(plan.testbench_dir, plan.template)
        testbench = posixpath.normpath(plan.testbench_dir)
        return cls(testbench, posixpath.dirname(template), plan.dut.get("netlist", ""), run)

    def map(self, path: str) -> str:
        """The path as it stands in a deck: behind `RUN` where the run directory has a copy, else absolute."""
        if path.startswith(RUN):
            return path
        full = full_path(path, self.template_folder)
        if self.netlist and full == posixpath.normpath(self.netlist):
            return f"{RUN}inputs/dut/{posixpath.basename(full)}"
        if self._in_testbench(full):
            return f"{RUN}inputs/testbench/{posixpath.relpath(full, self.testbench)}"
        return self._outside(full)

    def original(self, path: str) -> str:
        """The user's own file, absolute, that a path in a deck (behind `RUN` or `../../`, or absolute) stands for."""
        inside = path.removeprefix(RUN).removeprefix("../../")
        if inside.startswith("inputs/testbench/"):
            return posixpath.normpath(posixpath.join(self.testbench, inside.removeprefix("inputs/testbench/")))
        return posixpath.normpath(self.netlist) if inside.startswith("inputs/dut/") else posixpath.normpath(path)

    def in_copy(self, file: str, text: str) -> str:
        """The text of a file that the run directory has a copy of, such that it reads the same files from there.

        Paths from one file of the testbench folder to another stay; all others become absolute.
        """
        folder = posixpath.dirname(file)

        def change(path: str) -> str:
            full = full_path(path, folder)
            stays = self._in_testbench(file) and self._in_testbench(full) and not posixpath.isabs(path)
            return path if stays else full

        return PathRewriter(change).rewrite(text)

    def _outside(self, full: str) -> str:
        """The absolute path, or a relative one that has no space: ngspice ends a `.lib` path there, quoted or not."""
        near = f"{RUN}{posixpath.relpath(full, self.run)}" if self.run and " " in full else full
        return full if " " in near else near

    def _in_testbench(self, full: str) -> bool:
        return full.startswith(self.testbench + "/")


def full_path(path: str, folder: str) -> str:
    """The absolute path that a path in a file of that folder means; `~` is the home folder."""
    if path.startswith("/"):
        return _normal(path)
    return _normal(posixpath.join(folder, posixpath.expanduser(path)))


@lru_cache(maxsize=1_000)
def _normal(path: str) -> str:
    """The path without `..`; the decks of a run bring in the same few files."""
    return posixpath.normpath(path)


class PathRewriter:
    """Rewrites decks; remembers what each line became, since the cases of a run share most of theirs.

    Parameters
    ----------
    change: from a path as written to the path that shall stand there
    """

    def __init__(self, change: Callable[[str], str]) -> None:
        self._change = change
        self._known: dict[str, str] = {}

    def rewrite(self, text: str) -> str:
        """The deck with every path changed.

        Looks at `.include`, `.inc`, `.lib file section`, and the arguments `file=`, `input_file=`, `state_file=`,
        `filename=`, `pwlfile`; comment lines stay. What ngspice would not read either (a path split over lines) is left
        alone.
        """
        return "\n".join([self._known.get(line) or self._line(line) for line in text.split("\n")])

    def _line(self, line: str) -> str:
        if len(self._known) > _MOST_LINES:
            self._known.clear()
        self._known[line] = changed = self._rewritten(line) if _LINE.fullmatch(line) else line
        return changed

    def _rewritten(self, line: str) -> str:
        for pattern in (_INCLUDE, _LIBRARY):
            found = pattern.match(line)
            if found:
                return f"{found['head']}{self._path(found['path'])}{line[found.end('path') :]}"
        return _ARGUMENT.sub(lambda found: found["head"] + self._path(found["path"]), line)

    def _path(self, written: str) -> str:
        path = written.strip("\"'")
        # An expression or a variable of the simulator's own is no path yet.
        changed = self._change(path) if path and not path.startswith(("$", "{")) else path
        return written if changed == path else f'"{changed}"'


def reference(line: str) -> tuple[str, str] | None:
    """The file that a line brings in: path as written, and section or empty; None for any other line.

    >>> reference('.lib "b.lib" tt'), reference(".lib tt"), reference("* .include a.inc")
    (('b.lib', 'tt'), None, None)
    """
    found = _LIBRARY.match(line) or _INCLUDE.match(line)
    return (found["path"].strip("\"'"), (found.groupdict().get("section") or "").strip()) if found else None


def is_library(line: str) -> bool:
    """Whether a line reads a library, or begins a section of one."""
    return line.lstrip()[:4].lower() == ".lib"


def section_begin(line: str) -> str | None:
    """The name, in lower case, of the section of a library that a line begins."""
    found = None if _LIBRARY.match(line) else _SECTION_BEGIN.match(line)
    return found["name"].strip("\"'").lower() if found else None


def is_section_end(line: str) -> bool:
    """Whether a line ends a section of a library."""
    return _SECTION_END.match(line) is not None


def file_references(text: str, section: str = "") -> Iterator[tuple[str, str]]:
    """The files that a deck, or one section of a library, reads: path as written, and section or empty.

    >>> list(file_references('.include a.inc\\n.lib "b.lib" tt\\n.lib ff\\n.include c.inc\\n.endl'))
    [('a.inc', ''), ('b.lib', 'tt')]
    >>> list(file_references('.include a.inc\\n.lib ff\\n.include c.inc\\n.endl', section="ff"))
    [('c.inc', '')]
    """
    inside = ""
    for match in re.finditer(r"^[ \t]*\.(?:inc|lib|endl).*$", text, re.IGNORECASE | re.MULTILINE):
        line = match.group()
        if _SECTION_END.match(line):
            inside = ""
        elif library := _LIBRARY.match(line):
            if inside == section.lower():
                yield library["path"].strip("\"'"), library["section"].strip()
        elif include := _INCLUDE.match(line):
            if inside == section.lower():
                yield include["path"].strip("\"'"), ""
        elif begin := _SECTION_BEGIN.match(line):
            inside = begin["name"].strip("\"'").lower()


def file_arguments(text: str) -> Iterator[str]:
    """The paths in arguments such as `file=` of a deck, as written."""
    for match in _LINE.finditer(text):
        for found in _ARGUMENT.finditer(match.group()):
            path = found["path"].strip("\"'")
            if path and not path.startswith(("$", "{")):
                yield path
