"""The keys of a testbench's config.yaml, and those that it shares with a sweep."""

from __future__ import annotations

from typing import Literal

from simorc.config.models.fields import (
    FilePath,
    Line,
    Named,
    NotNegative,
    Number,
    Scalar,
    Section,
    Switch,
    Text,
    Texts,
    key,
)
from simorc.config.models.setup import Overrides

Target = Literal["spice", "bench"]


class Limits(Section):
    """Limits in the measure's unit, both inclusive; a key that is absent limits nothing."""

    min: Number | None = key(None, "Lower limit.", example="3.25")
    typ: Number | None = key(None, "Typical value; it judges nothing.", example="3.3")
    max: Number | None = key(None, "Upper limit.", example="3.35")
    guard_band: NotNegative = key(
        0.0, "Multiples of a reading's uncertainty by which both limits are tightened.", example="1"
    )


class MeasureKeys(Section):
    """One measure: what is asked of every case."""

    unit: Text = key("", "Unit of the value, its limits and its margin.", example="V")
    spec: Limits = key(Limits(), "Limits that hold for every case.", example="{min: 3.25, typ: 3.3, max: 3.35}")
    corner_specs: Named[Limits] = key(
        {},
        "Limits by corner (value of `corner_name`, else of `corner`); keys that are absent are taken from `spec`.",
        example="{ss: {max: 150u}}",
    )
    source: Literal["meas", "python"] = key(
        "meas",
        "Where the number comes from: the simulator's `.meas`, or the function in measures.py, of that name.",
        example="python",
    )
    targets: tuple[Target, ...] = key(("spice", "bench"), "Targets that measure it.", example="[spice]")
    optional: Switch = key(False, "Whether it may be missing without failing the case.", example="true")
    description: Text = key("", "One line for the report.", example="Output voltage at full load")


class AggregateKeys(Section):
    """One aggregate: a value over several cases."""

    function: Line = key(
        "",
        "tempco_box, tempco_endpoint, min, max, mean, median, spread or sigma; over `mc_sample` also yield (the share "
        "in spec, from 0 to 1), cp or cpk, by the limits of the measure.",
        example="tempco_box",
        shown="required",
    )
    of: Line = key("", "The measure that it is computed from.", example="vout", shown="required")
    over: Line | None = key(
        None, "The swept parameter that it runs over.", example="temp", shown="all cases of the sweep"
    )
    unit: Text | None = key(
        None,
        "Unit of the value and its limits.",
        example="ppm/degC",
        shown="ppm/degC for a tempco, none for yield, cp, cpk, else the measure's",
    )
    spec: Limits = key(Limits(), "Limits of the value.", example="{max: 50}")
    nominal: Number | None = key(
        None,
        "Reference value of a tempco, in the measure's unit.",
        example="3.3",
        shown="the measure's `typ`, else the value at 25 degC, where `over` spans that",
    )
    description: Text = key("", "One line for the report.", example="Box method")


class PlotKeys(Section):
    """One plot of the report."""

    kind: Literal["line", "waveform", "histogram", "heatmap", "box", "tempco", "correlation", "pareto"] = key(
        "line",
        "line (y against x), waveform (vectors overlaid over cases), histogram (of y), heatmap (y over x and group), "
        "box (of y at each x), tempco (drift of y over a temperature x, in ppm), correlation (of the measures y), "
        "pareto (what fails, or at which x).",
        example="line",
    )
    x: Line | None = key(None, "A parameter; for a waveform a vector.", example="temp", shown="none")
    y: Texts = key(
        (), "Measures or aggregates, one or a list; for a waveform vectors.", example="vout", shown="required"
    )
    group: Line | None = key(
        None, "The parameter that makes the lines, or the second axis of a heat map.", example="vin", shown="none"
    )
    where: Line | None = key(None, "A condition that chooses the cases.", example="corner == 'tt'", shown="all cases")
    analysis: Line | None = key(
        None,
        "For a waveform: the analysis (op, dc, ac, tran, noise).",
        example="ac",
        shown="the last that has the vector",
    )
    transform: Literal["none", "db", "phase", "magnitude", "real", "imag"] = key(
        "none", "For a waveform: what is drawn of a vector; with none the magnitude of a complex one.", example="db"
    )
    x_scale: Literal["linear", "log"] = key("linear", "Scale of the x axis.", example="log")
    y_scale: Literal["linear", "log"] = key("linear", "Scale of the y axis.", example="log")
    title: Text = key("", "Shown above the plot.", example="Output voltage", shown="made from x and y")


class CurveKeys(Section):
    """One curve: a waveform as a table, a row a point, for `simorc compare --curves`."""

    y: Line = key("", "The vector that is compared.", example="i(vd)", shown="required")
    over: Named[Line] = key(
        {}, "The axes: names of conditions, each with its vector.", example="{vg: v(g), vd: v(d)}", shown="required"
    )
    analysis: Line | None = key(
        None, "The analysis (op, dc, ac, tran, noise).", example="dc", shown="the last that has the vector"
    )


class Judged(Section):
    """What is measured, summed up and drawn; a sweep's keys win over the testbench's, key by key."""

    measures: Named[MeasureKeys] = key(
        {}, "Measures by name.", example="{vout: {unit: V, spec: {min: 3.25, max: 3.35}}}"
    )
    aggregates: Named[AggregateKeys] = key(
        {}, "Aggregates by name.", example="{tempco: {function: tempco_box, of: vout, over: temp, spec: {max: 50}}}"
    )
    plot_specs: Named[PlotKeys] = key(
        {},
        "Plots by name; also the path of a YAML file that holds them, for all or for one.",
        example="{vout_vs_temp: {x: temp, y: vout, group: vin}}",
    )
    curves: Named[CurveKeys] = key(
        {}, "Waveforms that `simorc compare --curves` compares.", example="{id: {y: i(vd), over: {vg: v(g), vd: v(d)}}}"
    )


class Testbench(Judged):
    """A folder of `testbenches/`: stimulus around the DUT, its parameters and measures."""

    schematic: FilePath | None = key(None, "Schematic of the testbench.", example="./tb_tempco.sch")
    template: FilePath | None = key(
        None, "Netlist template in this folder: serves the target spice.", example="./tb_tempco.spice.j2"
    )
    procedure: FilePath | None = key(
        None,
        "Python file in this folder with `measure(bench, case)`: serves the target bench.",
        example="./procedure.py",
    )
    parameters: Named[Scalar] = key(
        {}, "Parameters and their defaults.", example="{corner: tt, vin: 5.0, temp: 27, iload: 10m}"
    )
    simulator: Overrides = key(
        Overrides(),
        "`timeout_s`, `init`, `retries` and `threads`, which win over the setup's.",
        example="{init: [set ngbehavior=hsa]}",
    )
