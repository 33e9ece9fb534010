"""Netlist templates: the names they use, their static check, and the deck of one case.

Nothing here reads a file but Jinja2's loader, which stays inside the testbench folder.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from simorc.core.case import Case
from simorc.core.errors import TemplateError
from simorc.core.plan import Plan
from simorc.core.units import value_to_text
from simorc.simulators.deck_paths import RUN, FromRun, PathRewriter
from simorc.simulators.model_files import ModelFiles, find_model_files
from simorc.simulators.template_names import TemplateNames, names_used, suggestion

_CASE_FIELDS = ("id", "seed")
_PDK_FIELDS = ("lib",)
_PLAIN = (str, int, float, bool)


class PdkPath(str):
    """The folder of a PDK's model files, as text; `.lib` is its library file."""

    __slots__ = ("lib",)
    lib: str

    def __new__(cls, fields: Mapping[str, str]) -> PdkPath:
        self = super().__new__(cls, fields["path"])
        self.lib = fields["lib"]
        return self


class Renderer:
    """Makes the deck of every case from a plan's template.

    A deck runs in `results/<id>/` of its run directory. Its relative paths (`.include`, `.lib`, `file=`, `pwlfile`)
    mean the template's own folder, also where they stand in a template that it includes; those inside the testbench
    folder, and the DUT's netlist, become `../../inputs/…`, the copy in the run directory; all others become absolute.

    Parameters
    ----------
    plan: parameters, DUT, PDKs and environment variables that templates see
    folder: where templates are read: the testbench folder, or its copy in the run directory
    run: the run directory, where there is one
    """

    def __init__(self, plan: Plan, folder: Path, run: Path | None = None) -> None:
        self.plan = plan
        self.folder = folder
        self.place = FromRun.of(plan, str(run or ""))
        self._paths = PathRewriter(self.place.map)
        self._environment = _environment(folder)
        self._fixed = {
            "dut": SimpleNamespace(**{name: self.place.map(path) for name, path in plan.dut.items()}),
            "pdk": SimpleNamespace(**{name: PdkPath(fields) for name, fields in plan.pdks.items()}),
            "env": SimpleNamespace(**plan.environment),
        }

    @classmethod
    def of_project(cls, plan: Plan) -> Renderer:
        """Reads templates from the user's testbench folder."""
        return cls(plan, Path(plan.testbench_dir))

    @classmethod
    def of_run(cls, plan: Plan, folder: Path) -> Renderer:
        """Reads templates from the copy in a run directory, `inputs/testbench`."""
        return cls(plan, folder, folder.parent.parent)

    def names(self) -> TemplateNames:
        """What the template, and whatever it includes, asks for.

        Raises
        ------
        TemplateError: syntax error, missing template, unknown top-level name
        """
        return names_used(self._environment, self.plan.template, self.folder)

    def check(self) -> None:
        """Look up every name that the template uses, also in branches that no case takes.

        Raises
        ------
        TemplateError: all names that are not there, each with `template:line`
        """
        names = self.names()
        known_parameters = {*self.plan.sweep.defaults, *self.plan.sweep.swept}
        problems = [
            *_unknown("parameter", names.parameters, known_parameters),
            *_unknown("environment variable", names.environment, self.plan.environment),
            *_unknown("PDK", names.pdks, self.plan.pdks),
            *_unknown("field of dut", names.dut, self.plan.dut),
            *_unknown("field of case", names.case, _CASE_FIELDS),
            *_unknown("field of a PDK", names.pdk_fields, _PDK_FIELDS),
        ]
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise TemplateError("\n".join(str(problem) for problem in problems))

    def render(self, case: Case) -> str:
        """The deck of one case, as the simulator's `prepare` takes it.

        Raises
        ------
        TemplateError: a name that is not there, an error in an expression
        """
        template = self._template
        try:
            text = template.render(
                parameters=SimpleNamespace(**case.parameters),
                case=SimpleNamespace(id=case.case_id, seed=case.seed),
                **self._fixed,
            )
        except Exception as error:  # an expression in a template may raise anything
            raise self._located(error) from error
        return self._paths.rewrite(text).replace(RUN, "../../")

    def files(self, decks: Iterable[str]) -> ModelFiles:
        """The files that decks read, directly and through others.

        Of a library (`.lib file section`) only the chosen section counts, though ngspice opens all of them.
        """
        return find_model_files(decks, self.place)

    @cached_property
    def _template(self) -> Template:
        try:
            return self._environment.get_template(self.plan.template)
        except (TemplateSyntaxError, TemplateNotFound) as error:
            raise self._located(error) from error

    def _located(self, error: Exception) -> TemplateError:
        """The error with the innermost template line that it passed through."""
        if isinstance(error, TemplateSyntaxError):
            return TemplateError(f"template syntax: {error.message}", where=f"{error.filename}:{error.lineno}")
        main = str(self.folder / self.plan.template)
        root = str(self.folder)
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(root)]
        where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else main
        if isinstance(error, TemplateNotFound):
            return TemplateError(f"no template {error.name!r} in the testbench folder", where=where)
        what = str(error) or type(error).__name__
        if isinstance(error, (RecursionError, MemoryError)):
            what = f"the template never ends: {type(error).__name__}"
        return TemplateError(what, where=where)


class _Sandbox(SandboxedEnvironment):
    """Jinja2's, with a short way to the plain values of which a deck is made."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """As there, which first looks at what kind of object it is: this stands between one case and the next."""
        if type(obj) is SimpleNamespace and attribute[:1] != "_":
            value = obj.__dict__.get(attribute)
            if type(value) in _PLAIN:
                return value
        return super().getattr(obj, attribute)


def _environment(folder: Path) -> SandboxedEnvironment:
    environment = _Sandbox(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        finalize=_written,
        autoescape=False,
        auto_reload=False,
        keep_trailing_newline=True,
    )
    # range is limited by the sandbox; lipsum and its like have no place in a netlist.
    environment.globals = {name: environment.globals[name] for name in ("range", "namespace")}
    return environment


def _written(value: Any) -> Any:
    """Switches as SPICE and metadata.csv write them; everything else prints as it is."""
    return value_to_text(value) if isinstance(value, bool) else value


def _unknown(kind: str, used: Mapping[str, str], known: Iterable[str]) -> list[TemplateError]:
    names = list(known)
    return [
        TemplateError(f"no {kind} {name!r}", where=where, hint=suggestion(name, names))
        for name, where in used.items()
        if name not in names
    ]
