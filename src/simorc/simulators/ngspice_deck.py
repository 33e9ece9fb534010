"""Pure: what is added to a netlist so that `ngspice -b` runs every analysis, prints every measure, keeps the waves.

What ngspice does with a plain deck, measured (see `versions`), and what is done about it:

- `-b` alone runs no analysis that has neither `.print` nor `-r`, and evaluates no `.meas` with `-r`: a `.control` block
  runs the deck.
- `run` with several analyses evaluates the `.meas` cards of the last one only; given as commands, each analysis
  evaluates its own.
- `.meas` prints 7 digits; a `param` measure prints as many as `NGSPICE_MEAS_PRECISION` says. So each measure
  gets a second one, `simorc_<name>`, that repeats it in full.
- Of several `.option` lines the last one counts, except `seed`, where the first does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from simorc.core.errors import TemplateError
from simorc.core.protocols import Deck
from simorc.simulators.deck_paths import file_arguments
from simorc.simulators.lasting import lasting

EXACT = "simorc_"
"""Beginning of the names of measures and vectors that are ours."""

AGAIN = "simorc again:"
"""Beginning of the log line before a further analysis of a kind, which evaluates the measures of that kind anew."""

_ANALYSES = ("op", "dc", "ac", "tran", "noise", "tf", "sens", "pz", "disto", "sp", "pss")
_ANALYSIS = re.compile(rf"\.({'|'.join(_ANALYSES)})\b(.*)", re.IGNORECASE | re.DOTALL)
_ANALYSIS_LINE = re.compile(rf"^[ \t]*\.(?:{'|'.join(_ANALYSES)})\b", re.IGNORECASE | re.MULTILINE)
_COMMAND = re.compile(rf"^[ \t]*(?:run|{'|'.join(_ANALYSES)})\b", re.IGNORECASE | re.MULTILINE)
_OWN_OUTPUT = re.compile(r"^[ \t]*write\b", re.IGNORECASE | re.MULTILINE)
_ASKS = re.compile(rf"\.(?:meas(?:ure)?|{'|'.join(_ANALYSES)})\b", re.IGNORECASE)
_MEASURE = re.compile(r"\.meas(?:ure)?\s+(\w+)\s+([a-z_]\w*)\s+(\w+)", re.IGNORECASE)
# These print all digits themselves.
_EXACT_FUNCTIONS = ("param", "expr", "when", "rms", "integ")
_COMMENT = re.compile(r"\s*(?:;|\$\s|\$$|//).*")
_EXPRESSION = re.compile(r"\{([^{}]*)\}|'([^']*)'")
_SEED = re.compile(r"^[ \t]*\.opt\w*[ \t][^\n]*\bseed[ \t]*=", re.IGNORECASE | re.MULTILINE)
_CONTROL = re.compile(r"^[ \t]*\.control\b.*?^[ \t]*\.endc\b[^\n]*", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_OPEN_CONTROL = re.compile(r"^[ \t]*\.control\b(?!.*^[ \t]*\.endc\b)", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_END = re.compile(r"\n[ \t]*\.end[ \t]*$", re.IGNORECASE | re.MULTILINE)
# Characters that the command line takes for something else: redirection, history, variables, globs, quotes.
_UNSAFE = re.compile(r"[<>!$;`\"'\\{}^*?~&|]")

ADDED = "* added by simorc"
"""The line of a netlist after which everything is ours."""
_SESSION_PLOTS = {kind: (kind,) for kind in ("op", "dc", "ac", "tran", "tf")} | {"noise": ("noise", "noise_total")}
"""Of analyses that a session runs: the kinds of their plots."""

_KNOWN = 64
_WRITE = """\
set filetype=binary
foreach simorc_plot $plots
  strcmp simorc_const $simorc_plot const
  if $simorc_const ne 0
    setplot $simorc_plot
    write results.raw
    set appendwrite
  end
end"""
_NOTHING_RAN = """\
if $#plots < 2
  echo simorc: template: no analysis ran - the netlist needs a card such as .op or .dc or .ac or .tran
end"""


class Card(Struct, frozen=True):
    """A dot card of a netlist, continuation lines joined, comments gone."""

    text: str
    line: int


_Analysis = tuple[str, Card]
"""Its kind in lower case, and its card."""


class Script(Struct, frozen=True):
    """How a netlist runs in an ngspice that takes commands: the netlist without a control block, and the commands.

    Parameters
    ----------
    netlist: complete
    commands: run every analysis
    plots: what ngspice will call the plots of the analyses in a session that holds no others, e.g. `ac1`
    kinds: of which kind each of them is, as `Plot.kind`
    """

    netlist: str
    commands: tuple[str, ...]
    plots: tuple[str, ...]
    kinds: tuple[str, ...]


class PreparedDeck(Deck, frozen=True):
    """A deck for `ngspice -b`, and the same for a session where it can run in one.

    Parameters
    ----------
    script: None where the netlist has commands of its own, analyses whose plots cannot be told beforehand, or
        something that would last
    """

    script: Script | None = None


def prepare_deck(text: str, seed: int, options: Mapping[str, str], files: Mapping[str, str]) -> PreparedDeck:
    """The deck from a rendered template.

    Parameters
    ----------
    seed: written as `.option seed=` unless the netlist has one
    options: simulator options that win over the netlist's own; an empty value makes a switch
    files: further files of the case's folder by name

    Raises
    ------
    TemplateError: an analysis that ngspice could not be given as a command
    """
    ending = _END.search(text)
    body = (text[: ending.start()] if ending else text).rstrip("\n")
    lowered = body.lower()
    controls = "\n".join(_CONTROL.findall(body)) if ".control" in lowered else ""
    cards = dot_cards(_CONTROL.sub(_blank, body) if controls else body)
    asking = tuple(card for card in cards if _ASKS.match(card.text))
    chosen = [f".option {name}={value}" if value else f".option {name}" for name, value in options.items()]
    seeded = [] if "seed" in lowered and _SEED.search(body) else [f".option seed={seed}"]
    added = [ADDED, *seeded, *chosen]
    if controls:
        return PreparedDeck("\n".join([body, *added, *_after_own_control(controls, asking), ".end", ""]), files)
    extra, commands, plots = _asked(asking)
    added += extra
    netlist = "\n".join([body, *added, *_control(*commands, _WRITE, "quit"), ".end", ""])
    if not plots or apart("\n".join([body, *chosen])):
        return PreparedDeck(netlist, files)
    alone = "\n".join([body, *added, ".end", ""])
    names, kinds = zip(*plots, strict=True)
    return PreparedDeck(netlist, files, Script(alone, commands, names, kinds))


def apart(deck: str) -> str:
    """Why a deck that has no commands needs a process of its own all the same, or nothing.

    Names of data files ngspice writes in lower case, so that few absolute paths would do in the folder of a session. A
    control block without an end counts as none here, but ngspice executes what is in it.
    """
    lowered = deck.lower()
    if "file" in lowered and any(True for _ in file_arguments(deck)):
        return "it reads a file of data"
    return "a `.control` has no end" if ".control" in lowered and _OPEN_CONTROL.search(deck) else lasting(deck)


def apart_for_models(text: str) -> str:
    """The same of a text that a deck reads."""
    return lasting(text) or ("an analysis in a model file" if _ANALYSIS_LINE.search(text) else "")


def dot_cards(text: str) -> Iterator[Card]:
    """The dot cards of a netlist outside its title."""
    current: list[str] = []
    begin = 0
    for number, line in enumerate(text.splitlines()[1:], start=2):
        stripped = line.lstrip()
        first = stripped[:1]
        if first == "+" and current:
            current.append(_uncommented(stripped[1:]))
        elif first and first != "*":
            if current:
                yield Card(" ".join(current), begin)
            current = [_uncommented(stripped).rstrip()] if first == "." else []
            begin = number
    if current:
        yield Card(" ".join(current), begin)


def _uncommented(text: str) -> str:
    return _COMMENT.sub("", text) if ";" in text or "$" in text or "//" in text else text


def _blank(match: re.Match[str]) -> str:
    """As many empty lines, so that line numbers stay."""
    return "\n" * match.group().count("\n")


def _after_own_control(controls: str, cards: Sequence[Card]) -> list[str]:
    """What follows a control block of the user's own, unless that ends in `quit`.

    A block that runs analyses is left at that; without an end ngspice would run the cards once more. A block that
    only sets things up is followed by what a netlist without one gets.
    """
    if not _COMMAND.search(controls):
        analyses = _analyses(cards)
        return [*_extra_cards(cards, analyses), *_control("if $#plots < 2", *_run(analyses), "end", _WRITE, "quit")]
    return _control("quit") if _OWN_OUTPUT.search(controls) else _control(_WRITE, "quit")


def _control(*commands: str) -> list[str]:
    return [".control", *commands, ".endc"]


@lru_cache(maxsize=_KNOWN)
def _asked(cards: tuple[Card, ...]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Further cards, the commands that run all analyses, and their plots: the same for many cases of a run."""
    analyses = _analyses(cards)
    return tuple(_extra_cards(cards, analyses)), tuple(_run(analyses)), tuple(_plots(analyses))


def _analyses(cards: Sequence[Card]) -> list[_Analysis]:
    found = [(_ANALYSIS.match(card.text), card) for card in cards]
    return [(match.group(1).lower(), card) for match, card in found if match]


def _extra_cards(cards: Sequence[Card], analyses: Sequence[_Analysis]) -> list[str]:
    """Every measure once more with all its digits, and the expressions of analyses as vectors."""
    kinds = [kind for kind, _ in analyses]
    lines = []
    for match in filter(None, (_MEASURE.match(card.text) for card in cards)):
        kind, name, function = (word.lower() for word in match.groups())
        # ngspice evaluates a `param` measure once: after a second analysis of its kind it would be a stale number.
        if kinds.count(kind) == 1 and not function.startswith(_EXACT_FUNCTIONS):
            lines.append(f".meas {kind} {EXACT}{name} param='{name}'")
    if len(analyses) > 1:
        for number, (_, card) in enumerate(analyses):
            lines += [f".csparam {name}={{{text}}}" for name, text in _expressions(card, number).items()]
    return lines


def _expressions(card: Card, number: int) -> dict[str, str]:
    """The expressions among the arguments of an analysis, by the name of the vector that holds each."""
    found = [braced or quoted for braced, quoted in _EXPRESSION.findall(card.text)]
    return {f"{EXACT}{number}_{k}": text.strip() for k, text in enumerate(found)}


def _plots(analyses: Sequence[_Analysis]) -> list[tuple[str, str]]:
    """Name and kind of every plot that the analyses will leave; empty where that cannot be told.

    ngspice numbers plots with one counter, which goes on when a name is taken: ac1, ac2, op2.
    """
    names: list[str] = []
    kinds: list[str] = []
    number = 1
    for analysis, _ in analyses:
        for kind in _SESSION_PLOTS.get(analysis, ("",)):
            while f"{analysis}{number}" in names:
                number += 1
            names.append(f"{analysis}{number}")
            kinds.append(kind)
    return list(zip(names, kinds, strict=True)) if all(kinds) else []


def _run(analyses: Sequence[_Analysis]) -> list[str]:
    """The commands that run all analyses, in the order of their cards."""
    if len(analyses) < 2:
        return ["run", *([] if analyses else [_NOTHING_RAN])]
    commands: list[str] = []
    for number, (kind, card) in enumerate(analyses):
        if kind in (earlier for earlier, _ in analyses[:number]):
            commands.append(f"echo {AGAIN} {kind}")
        commands += _command(card, number)
    return commands


def _command(card: Card, number: int) -> list[str]:
    """An analysis card as a command.

    ngspice replaces expressions in cards alone. In a command they go through a vector, which prints 6 digits: enough
    for most arguments, and where it is not, the analysis is left out and the case fails.
    """
    names = list(_expressions(card, number))
    pending = iter(names)
    arguments = _EXPRESSION.sub(lambda match: f"\0{next(pending)}", card.text[1:])
    unsafe = _UNSAFE.search(arguments)
    if unsafe:
        raise TemplateError(
            f"{card.text!r} holds {unsafe.group()!r}, which ngspice's commands take for something else",
            where=f"netlist line {card.line}",
            hint="with one analysis a netlist this works; or write the analyses in a .control block",
        )
    command = arguments.replace("\0", "$&")
    if not names:
        return [command]
    exact = " & ".join(f"(abs(($&{name})-{name}) <= 1e-12*abs({name}))" for name in names)
    complaint = f"an argument of {card.text.split()[0]} has more than 6 digits - write it as a plain number"
    return [f"if {exact}", f"  {command}", "else", f"  echo simorc: template: {complaint}", "end"]
