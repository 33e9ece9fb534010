"""Pure: what depends on the version of ngspice, in one table, and the versions that were tested."""

from __future__ import annotations

from msgspec import Struct

INSTALL_HINT = "type: apt-get install ngspice"
TESTED = ("39",)
"""Versions of ngspice that the tests have run with, as `ngspice --version` says them (Debian 12: 39.3)."""


class Behaviour(Struct, frozen=True):
    """Something ngspice does that simorc relies on or works around.

    Parameters
    ----------
    what: the behaviour, as measured
    measured: versions it was measured on
    place: the module that depends on it
    """

    what: str
    place: str
    measured: tuple[str, ...] = TESTED


BEHAVIOURS = (
    Behaviour("`run` evaluates the .meas cards of the last analysis only; an analysis as a command its own", "deck"),
    Behaviour("`-b` runs no analysis without .print, .plot, .fourier or -r; a .control block does", "deck"),
    Behaviour("of several .option lines the last counts, of several seeds the first", "deck"),
    Behaviour("`$&vector` prints 6 digits", "deck"),
    Behaviour("NGSPICE_MEAS_PRECISION sets the digits of param, when, rms, integ measures; others have 7", "deck"),
    Behaviour("a second evaluation of a param measure repeats the first number", "log"),
    Behaviour("an unknown function in .meas ends in signal 11", "log"),
    Behaviour("`-o FILE` writes stdout and stderr by lines, in order", "ngspice"),
    Behaviour(".spiceinit of the working folder keeps that of the home folder from being read", "ngspice"),
    Behaviour("`source FILE` takes a file without `*ng_script` for a netlist", "ngspice"),
    Behaviour("`-p` takes commands from stdin; `echo > FIFO` comes after all that was printed before it", "session"),
    Behaviour("`destroy all` begins the numbers of plots anew; one counter serves all kinds of them", "session"),
    Behaviour("a circuit loaded after `remcirc` knows nothing of the options of the one before", "session"),
    Behaviour(
        "the options interp and cshunt, `.csparam`, what commands set, and trrandom's state outlast it", "lasting"
    ),
    Behaviour("`trnoise` draws by the process id, whatever the seed", "lasting"),
    Behaviour("`file=`, `input_file=` are taken in lower case; a device that finds no file simulates on", "deck, log"),
    Behaviour("a comment `*#command` is executed", "model_cards"),
    Behaviour("after an undefined parameter `-p` asks `y/n ?` and takes the next command for the answer", "session"),
    Behaviour(
        "`write FILE op1.all` loses the name of a plot's only vector, `write FILE` after `setplot` too", "session"
    ),
    Behaviour("every line of commands has ngspice read /proc/meminfo, 60 us; of a library every section", "session"),
    Behaviour("commands with `;` between them run in turn, but the variables of all are filled in first", "session"),
    Behaviour("`write` says nothing of a full disk and leaves a short file", "rawfile"),
)
"""What a new version has to be looked at for; tests/e2e/test_ngspice_behaviour.py does."""
