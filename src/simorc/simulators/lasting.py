"""Pure: what a long-lived ngspice would carry from one deck into the next, so that the deck needs a process of its own.

Measured: `destroy all` and `remcirc` take everything of a circuit away save some options, which live in variables of
the program (`interp`, `cshunt`), vectors of `.csparam`, which stay in the constants, whatever commands set, and the
state of the generator behind `trrandom`. Of options those count as safe that were tried. `keepopinfo`, which leaves a
plot that nobody expects, and `maxord`, with which XSPICE's devices write beyond their memory, are not among them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from simorc.simulators.model_cards import has_hidden_commands, plain

NO_SEED = "trnoise"
"""Sources whose noise ngspice draws by its process id: no two simulations are the same, whatever the seed."""

_SAFE_OPTIONS = """
    abstol acct altinit autostop badmos3 brief bypass chgtol convabsstep convlimit convstep dcon defad defas defl
    defw dyngmin gmin gmindc gminsteps gshunt ingold itl1 itl2 itl3 itl4 itl5 itl6 list lvltim
    maxevtiter maxopalter measdgt method minbreak mode newtrunc noacct node noinit nomod noopac noopalter
    noopiter nopage numdgt opts parhier pivrel pivtol post probe ramptime reltol rshunt savecurrents scale seed
    seedinfo srcsteps temp tnom trtol trytocompact vntol warn width wnflag xmu
"""
_SAFE = frozenset(_SAFE_OPTIONS.split())
_SUSPECT = (".opt", ".csparam", "*#", "trrandom", "trnoise")
_BRANCH = re.compile(r"\n[ \t]*\.if\b", re.IGNORECASE)
_CARD = re.compile(r"^[ \t]*\.opt(?:[^\n]|\n(?:[ \t]*(?:\*[^\n]*)?\n)*[ \t]*\+)*", re.IGNORECASE | re.MULTILINE)
_OPTION = re.compile(r"""([a-z_]\w*)(?:\s*=\s*(?:'[^'\n]*'|\{[^}\n]*\}|"[^"\n]*"|[^\s'"{}]+))?""", re.IGNORECASE)


def lasting(text: str) -> str:
    """Why a netlist, or a text that it reads, is not for a long-lived ngspice; empty where nothing of it would last.

    >>> lasting("* rc\\n.option reltol=1e-6\\nr1 a 0 1k"), lasting("* rc\\n.option interp\\nr1 a 0 1k")
    ('', 'option interp would last')
    """
    lowered = text.lower()
    if not any(map(lowered.__contains__, _SUSPECT)):
        return ""
    if has_hidden_commands(text):
        return "what hidden commands (`*#`) set would last"
    for word in (NO_SEED, "trrandom", ".csparam"):
        if word in lowered:
            return f"{word} would last"
    return next((f"option {name} would last" for card in _CARD.findall(text) for name in _unknown(card)), "")


def has_branches(text: str) -> bool:
    """Whether a text has an `.if`, with which ngspice evaluates what nothing uses; it remembers that there was one."""
    return _BRANCH.search(f"\n{text}") is not None


@lru_cache(maxsize=256)
def _unknown(card: str) -> tuple[str, ...]:
    names = _OPTION.findall(plain(card).partition(" ")[2])
    return tuple(name for name in names if name not in _SAFE)
