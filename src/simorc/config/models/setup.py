"""The keys of sim_setup.yaml."""

from __future__ import annotations

from typing import Literal

from simorc.config.models.fields import (
    Allowed,
    Count,
    FilePath,
    Line,
    Named,
    OptionValue,
    Positive,
    Section,
    Texts,
    key,
)


class Dut(Section):
    """The circuit under test."""

    schematic: FilePath | None = key(None, "Schematic of the DUT.", example="./schematics/ldo.sch")
    netlist: FilePath | None = key(
        None,
        "Netlist of the DUT, a `.subckt`; a template reaches it as `{{ dut.netlist }}`.",
        example="./netlists/ldo.spice",
    )


class Overrides(Section):
    """Simulator settings that a testbench may state itself; they win over those of the setup."""

    timeout_s: Positive | None = key(300.0, "Seconds that one case may take, measure functions included.", example="60")
    init: Texts | None = key(
        (), "Lines of the init file that the simulator reads before the deck.", example="[set ngbehavior=hsa]"
    )
    retries: tuple[Named[OptionValue], ...] | None = key(
        (),
        "Simulator options for further attempts when a case does not converge, one set an attempt.",
        example="[{gmin: 1e-10}, {reltol: 5e-3, method: gear}]",
    )
    threads: Count | None = key(1, "Threads of one simulator process.", example="1")


class Simulator(Overrides):
    """How decks are run."""

    name: Line = key("ngspice", "The simulator, by its name.", example="ngspice")
    keep: Literal["all", "failed", "none"] = key(
        "all", "Whose result folders stay after the run: those of all cases, of failed ones, or none.", example="failed"
    )


class Netlister(Section):
    """How schematics become netlists."""

    name: Line = key("xschem", "The netlister, by its name.", example="xschem")
    timeout_s: Positive = key(60.0, "Seconds that one schematic may take.", example="20")
    libraries: Texts = key(
        (),
        "Folders that are searched for symbols, after the schematic's own and before the netlister's.",
        example="[./schematics]",
    )
    rcfile: FilePath | None = key(
        None,
        "Start-up file of the netlister, e.g. a PDK's; the one in the home folder is not read.",
        example="./xschemrc",
    )


class Compare(Section):
    """How `simorc compare` joins and judges; its options win."""

    baseline: Line | None = key(
        None,
        "What a run is compared with when it is named alone: a run, or a file of data.",
        example="./golden/results.csv",
    )
    nearest: Named[Positive] = key(
        {}, "How far apart the numbers of a condition may be to be joined.", example="{temp: 0.5, vin: 1m}"
    )
    agree: Named[Allowed] = key(
        {},
        "How far from the reference a measure may be: absolute, relative, or the sum; `*` stands for all others.",
        example="{vout: 5m, gain: 2%, id: 20%+5n}",
    )
    units: Named[Line] = key({}, "Units of columns and parameters that state none.", example="{w: um, vin: V}")


class Setup(Section):
    """The project: what is tested, by which testbenches, over which sweeps."""

    dut: Dut = key(Dut(), "The circuit under test.", example="{netlist: ./netlists/ldo.spice}")
    testbenches: Named[FilePath] = key({}, "Testbenches: name and folder.", example="{tempco: ./testbenches/tempco}")
    sweeps: Named[FilePath] = key({}, "Sweeps: name and file.", example="{pvt: ./sweeps/pvt.yaml}")
    benches: Named[FilePath] = key({}, "Benches of instruments: name and file.", example="{lab: ./benches/lab.yaml}")
    simulator: Simulator = key(Simulator(), "How decks are run.", example="{name: ngspice, timeout_s: 60}")
    netlister: Netlister = key(
        Netlister(), "How schematics become netlists.", example="{name: xschem, libraries: [./schematics]}"
    )
    compare: Compare = key(Compare(), "How `simorc compare` joins and judges.", example="{agree: {vout: 5m}}")
    output: FilePath = key("./simulations", "Folder of the run directories.", example="./simulations")
