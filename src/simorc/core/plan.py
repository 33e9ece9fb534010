"""Pure: a sweep with everything resolved, as plain frozen data.

`config` makes a Plan from the YAML files; the workspace keeps it in the run directory, so that running and judging
need no YAML. Paths are absolute POSIX texts, or relative to the run directory where they begin with `inputs/`.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from simorc.core.aggregates import Aggregate
from simorc.core.bench import BenchSettings
from simorc.core.measurement import Measure
from simorc.core.stopping import StopRule, confidence
from simorc.core.sweep import Sweep


class PlotSpec(Struct, frozen=True):
    """One plot of the report; which fields count depends on `kind`.

    Parameters
    ----------
    kind: `line` (y against x, a line per value of group), `waveform` (vectors overlaid over cases), `histogram`
        (of y, with limits), `heatmap` (y over x and group), `box` (of y at each x), `tempco` (drift of y over x in
        ppm), `correlation` (of measures y, all where it is empty), `pareto` (what fails, or at which x)
    x: a parameter; for `waveform` a vector, by default the plot's own scale
    y: a measure or aggregate; for `waveform` one or more vectors
    group: the parameter that makes lines, or the second axis of a heat map; empty for none
    where: a condition over the parameters that chooses cases; empty for all
    analysis: for `waveform`: which plot (`ac`, `tran`, …); empty for the last that has the vector
    transform: for `waveform`: `none` (of a complex vector the magnitude), `db`, `phase`, `magnitude`, `real`, `imag`
    x_scale, y_scale: `linear` or `log`
    title: shown above; by default made from x and y
    """

    name: str
    kind: str = "line"
    x: str = ""
    y: tuple[str, ...] = ()
    group: str = ""
    where: str = ""
    analysis: str = ""
    transform: str = "none"
    x_scale: str = "linear"
    y_scale: str = "linear"
    title: str = ""


class Curve(Struct, frozen=True):
    """A waveform as a table, a row a point, for `simorc compare --curves`.

    Parameters
    ----------
    y: the vector that is compared
    over: names of the axes, each with the vector that holds its values
    analysis: which plot (`dc`, `ac`, …); empty for the last that has the vector
    """

    name: str
    y: str
    over: Mapping[str, str]
    analysis: str = ""


class SimulatorSettings(Struct, frozen=True):
    """How decks are run.

    Parameters
    ----------
    name: of the family `simulators` of the registry
    timeout_s: seconds that one case may take, measure functions included
    init: lines of the init file that the simulator reads before the deck
    keep: whose result folders stay: `all`, `failed`, `none`
    retries: simulator options added one set after the other when a case does not converge
    threads: threads of one simulator process
    """

    name: str = "ngspice"
    timeout_s: float = 300.0
    init: tuple[str, ...] = ()
    keep: str = "all"
    retries: tuple[Mapping[str, str], ...] = ()
    threads: int = 1


class Plan(Struct, frozen=True):
    """A sweep with everything resolved.

    Parameters
    ----------
    sweep: the axes and defaults; `sweep.name` names the run
    testbench: its name; `testbench_dir` its folder (absolute, the user's own, not the copy in inputs/)
    target: `spice` or `bench`
    template, procedure: file paths relative to the testbench folder, or empty
    sweep_file, setup_file: absolute
    dut: `netlist` and `schematic` (absolute) as far as given
    pdks: name -> {"path": folder, "lib": library file, "origin": where it was found}, as used by the template
    environment: the environment variables that the template reads, with their values
    bench: the bench that the target `bench` runs on, None for `spice`
    bench_file: its file (absolute), or empty
    stop_when: when Monte Carlo samples are enough, None where all are wanted; for `spice` alone
    """

    sweep: Sweep
    testbench: str
    target: str
    testbench_dir: str
    sweep_file: str
    setup_file: str
    template: str = ""
    procedure: str = ""
    dut: Mapping[str, str] = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    plot_specs: tuple[PlotSpec, ...] = ()
    curves: tuple[Curve, ...] = ()
    simulator: SimulatorSettings = SimulatorSettings()
    pdks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    bench: BenchSettings | None = None
    bench_file: str = ""
    stop_when: StopRule | None = None

    @property
    def confidence(self) -> float:
        """Of every interval that is told of this run, so that all that are looked at together have 95 %."""
        return confidence(self.stop_when, self.sweep.samples)

    @property
    def python_measures(self) -> list[str]:
        """Names of the measures of this target that are functions in measures.py; a procedure needs none."""
        if self.target == "bench":
            return []
        return [m.name for m in self.measures if m.source == "python" and self.target in m.targets]
