"""The schematics of a project and the netlists made of them, for `simorc netlist` and `simorc build`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from simorc.core.errors import SimorcError, UsageError
from simorc.core.netlister import Netlister, NetlistKind, NetlistState
from simorc.core.wording import suggestion
from simorc.netlisters.staleness import Finding, Pair, edited_by_hand, examine, write_record
from simorc.registry import netlister_class
from simorc.workspace.files import replace_file, storage_error

if TYPE_CHECKING:
    from simorc.config.project import Project

DUT = "dut"


def netlister_of(project: Project) -> Netlister:
    """The netlister that the setup names."""
    return netlister_class(project.netlister.name)(project.netlister)


def pairs_of(project: Project) -> dict[str, Pair]:
    """Everything in a project that names a schematic, by name: the DUT as `dut`, testbenches by theirs."""
    pairs = {
        entry.name: Pair(entry.name, NetlistKind.DECK, entry.schematic, entry.template)
        for entry in project.testbenches.values()
        if entry.schematic is not None
    }
    if "schematic" in project.dut:
        dut = Pair(DUT, NetlistKind.SUBCKT, project.dut["schematic"], project.dut.get("netlist"))
        pairs = {DUT: dut} | {name: pair for name, pair in pairs.items() if name != DUT}
    return pairs


def chosen_pairs(project: Project, target: str | None) -> list[Pair]:
    """The pairs that a person means: one by name, by default all.

    Raises
    ------
    UsageError: there is no testbench of that name, or it has no schematic
    """
    pairs = pairs_of(project)
    if target is None:
        return list(pairs.values())
    if target in pairs:
        return [pairs[target]]
    if target == DUT or target in project.testbenches:
        hint = f"`schematic:` in {project.setup_file.name if target == DUT else 'its config.yaml'} names one"
        raise UsageError(f"{target} has no schematic", where=str(project.setup_file), hint=hint)
    known = [DUT, *project.testbenches]
    raise UsageError(f"no testbench named {target!r}", where=str(project.setup_file), hint=suggestion(target, known))


def update(pairs: Sequence[Pair], netlister: Netlister, root: Path) -> Mapping[str, list[str] | SimorcError]:
    """Make the netlists of pairs anew, several at a time; a netlist is replaced only by a whole new one.

    Parameters
    ----------
    root: what is checked out or copied as a whole: files in it are recorded by relative paths

    Returns
    -------
    name of a pair -> warnings, or why there is no new netlist
    """
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        outcomes = [pool.submit(_updated, pair, netlister, root) for pair in pairs]
        try:
            return {pair.name: outcome.result() for pair, outcome in zip(pairs, outcomes, strict=True)}
        except BaseException:  # Ctrl-C: nobody shall wait for what may hang
            pool.shutdown(wait=False, cancel_futures=True)
            netlister.close()
            raise


def _updated(pair: Pair, netlister: Netlister, root: Path) -> list[str] | SimorcError:
    assert pair.netlist is not None
    try:
        made = netlister.netlist(pair.schematic, pair.kind)
        pair.netlist.parent.mkdir(parents=True, exist_ok=True)
        kept = _kept(pair, made.text)
        replace_file(pair.netlist, made.text.encode())
        write_record(pair, made.sources.files, netlister.version(), root)
    except SimorcError as error:
        return error
    except OSError as error:  # of one pair: the others go on
        return storage_error(error, pair.netlist)
    return [*made.warnings, *kept]


def _kept(pair: Pair, new: str) -> list[str]:
    """Keep a netlist that a person has worked on beside the one that takes its place, and say so."""
    assert pair.netlist is not None
    if not edited_by_hand(pair) or pair.netlist.read_bytes() == new.encode():
        return []
    aside = pair.netlist.with_name(f"{pair.netlist.name}.orig")
    replace_file(aside, pair.netlist.read_bytes())
    return [f"the netlist was written or edited by hand: it is kept as {aside.name}"]


def unfresh(project: Project, names: Sequence[str]) -> list[tuple[Pair, Finding]]:
    """Those of the named pairs whose netlist is not known to be as the schematic is; starts no process."""
    pairs = [pair for name, pair in pairs_of(project).items() if name in names]
    if not pairs:
        return []
    netlister = netlister_of(project)
    findings = [(pair, examine(pair, netlister)) for pair in pairs]
    return [(pair, finding) for pair, finding in findings if finding.state is not NetlistState.FRESH]
