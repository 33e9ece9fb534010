"""Schematics for tests: a tree of cells three levels deep, and a program that passes for xschem."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import pytest

HEAD = "v {xschem version=2.8.1 file_version=1.0}\n"
EMPTY = "G {}\nV {}\nS {}\nE {}\n"
SYMBOL = """\
G {{type={kind}
format="@name @pinlist @symname"
template="name=x1"}}
V {{}}
S {{}}
E {{}}
B 5 -42.5 -2.5 -37.5 2.5 {{name={first} dir=in}}
B 5 37.5 -2.5 42.5 2.5 {{name={second} dir=out}}
"""
FAKE = """\
    #!/bin/sh
    case "$*" in --version) echo "XSCHEM V${{FAKE_VERSION:-2.8.1}}"; exit 1 ;; esac
    printf '%s\\n' "$@" >'{folder}/arguments'
    echo start >>'{folder}/starts'
    while [ $# -gt 0 ]; do
        case "$1" in
        --rcfile) rc=$2; shift ;;
        -o) out=$2; shift ;;
        -N) name=$2; shift ;;
        *) schematic=$1 ;;
        esac
        shift
    done
    out=${{out:-$(sed -n 's/^set netlist_dir //p' "$rc")}}
    name=${{name:-$(basename "$schematic" .sch).spice}}
    cp "$rc" '{folder}/start_up'
    cat '{folder}/xschem_stderr' >&2
    does=$(cat '{folder}/xschem_does')
    case "$does" in
    hang) printf '**.subckt top\\n' >"$out/$name"; sleep 60 ;;
    crash) kill -11 $$ ;;
    half) head -2 '{folder}/xschem_netlist' >"$out/$name" ;;
    nothing) ;;
    edit*) cp '{folder}/xschem_netlist' "$out/$name"; sleep 0.02; echo 'G {{}}' >>"{folder}/${{does#edit }}" ;;
    *) cp '{folder}/xschem_netlist' "$out/$name" ;;
    esac
"""
NETLIST = "**.subckt top in out\n** sch_path: /somewhere/top.sch\nR1 in out {{ parameters.r }}\n**.ends\n.end\n"


def symbol(*, kind: str = "subcircuit", pins: Sequence[str] = ("A", "B")) -> str:
    """A symbol with two pins."""
    return HEAD + SYMBOL.format(kind=kind, first=pins[0], second=pins[1])


def schematic(*components: str) -> str:
    """A schematic with these components, e.g. `devices/res.sym|name=R1 value=1k`; the second and so on lie below."""
    placed = [
        f"C {{{reference}}} 0 {200 * row} 0 0 {{{attributes}}}"
        for row, (reference, _, attributes) in enumerate(text.partition("|") for text in components)
    ]
    return HEAD + EMPTY + "\n".join(placed) + "\n"


def labels(count: int) -> str:
    """Labels on the two pins of the first components of a schematic: `in` above, `0` below."""
    return "".join(
        f"C {{devices/lab_pin.sym}} 0 {200 * row + y} 0 0 {{name=l{row}{lab} lab={lab}}}\n"
        for row in range(count)
        for y, lab in ((-30, "in"), (30, "0"))
    )


def cell(inside: str) -> str:
    """The schematic of a cell with pins A and B and one component between them."""
    return (
        HEAD
        + EMPTY
        + f"{inside}\n"
        + textwrap.dedent("""\
        C {devices/ipin.sym} -40 0 0 0 {name=p1 lab=A}
        C {devices/opin.sym} 40 0 0 0 {name=p2 lab=B}
        """)
    )


RESISTOR = "N -40 0 -30 0 {}\nN 30 0 40 0 {}\nC {devices/res.sym} 0 0 1 0 {name=R1 value=1k}"
"""Between the pins of a cell."""


def write_tree(folder: Path) -> None:
    """top.sch reaches low.sch by way of mid and low, and deep.sym from there: three levels down."""
    (folder / "lib").mkdir(parents=True)
    (folder / "top.sch").write_text(cell("C {mid.sym} 0 0 0 0 {name=x1}"))
    for name, inside in (("mid", "low.sym"), ("low", "deep.sym")):
        (folder / "lib" / f"{name}.sym").write_text(symbol())
        (folder / "lib" / f"{name}.sch").write_text(cell(f"C {{{inside}}} 0 0 0 0 {{name=x1}}"))
    (folder / "lib" / "deep.sym").write_text(symbol(kind="primitive"))


def play_xschem(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    does: str = "",
    netlist: str = NETLIST,
    said: str = "",
    version: str = "2.8.1",
) -> None:
    """Put a program on PATH that passes for xschem; `does`: hang, crash, half, nothing, edit FILE; else it works."""
    program = folder / "bin" / "xschem"
    program.parent.mkdir(exist_ok=True)
    program.write_text(textwrap.dedent(FAKE).format(folder=folder))
    program.chmod(0o755)
    for name, text in (("xschem_does", does), ("xschem_netlist", netlist), ("xschem_stderr", said)):
        (folder / name).write_text(text)
    monkeypatch.setenv("FAKE_VERSION", version)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
