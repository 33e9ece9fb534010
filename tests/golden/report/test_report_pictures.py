"""Plots of the fixed run: what they draw, say in their captions, and do with what is not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO

import matplotlib
import numpy as np
import pytest
from PIL import Image

import simorc.report.plots as plots
from simorc.core.aggregates import Aggregate
from simorc.core.measurement import Measure
from simorc.core.plan import PlotSpec
from simorc.core.spec import Spec
from simorc.core.sweep import Axis, Sweep, monte_carlo_axis
from simorc.core.waveforms import Plot, Waveforms
from simorc.report.data import ReportData
from simorc.report.plot_histogram import bin_edges
from simorc.report.plot_waveform import MOST_CASES, waveform_chart
from simorc.report.plots import Picture, default_specs, pictures

Make = Callable[..., ReportData]
Completed = Callable[..., object]
pytestmark = pytest.mark.req("SIM-16")


def one(data: ReportData, spec: PlotSpec) -> Picture:
    """The only picture of a plan with one plot spec."""
    (picture,) = pictures(data)
    return picture


def draw(report_data: Make, spec: PlotSpec, **others: object) -> Picture:
    return one(report_data(plot_specs=(spec,), **others), spec)


def words(picture: Picture) -> list[str]:
    """Every text in the picture."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", picture.inline)


def numbers(count: int) -> Axis:
    return Axis(("n",), tuple((i,) for i in range(count)))


def test_line_with_a_line_for_each_group(report_data: Make) -> None:
    picture = draw(report_data, PlotSpec("v", "line", "temp", ("vout",), "corner"))
    assert picture.problem == ""
    assert set(picture.files) == {"v.png", "v.svg"}
    assert "2 of 6 values are missing." in picture.caption
    shown = words(picture)
    assert {"temp", "vout [V]", "corner", "tt", "ff", "-40", "27", "125"} <= set(shown)
    assert "max 3.35 V" in shown


def test_line_marks_what_is_out_of_spec_and_names_limits_far_away(report_data: Make, completed: Completed) -> None:
    picture = draw(report_data, PlotSpec("iq", "line", "temp", ("iq",), "corner"))
    assert "Circled: out of spec (1 value)." in picture.caption
    measures = (Measure("v", "V", Spec(-100.0, None, 100.0)),)
    far = draw(
        report_data,
        PlotSpec("v", "line", "temp", ("v",)),
        measures=measures,
        aggregates=(),
        records=completed(lambda case: {"v": 1.0 + case.case_id / 1000}, measures),
    )
    assert "Limits outside the drawn range: min -100 V, max 100 V." in far.caption


def test_line_says_how_other_axes_are_drawn(report_data: Make, completed: Completed) -> None:
    assert (
        "One thin line for each combination of corner."
        in draw(report_data, PlotSpec("a", "line", "temp", ("gain",))).caption
    )
    measures = (Measure("v", "V"),)
    many = Sweep("many", (numbers(40), Axis(("temp",), ((1,), (2,)))), {})
    picture = draw(
        report_data,
        PlotSpec("a", "line", "temp", ("v",)),
        sweep=many,
        measures=measures,
        aggregates=(),
        records=completed(lambda case: {"v": float(case.case_id)}, measures),
    )
    assert "Line: median; band: minimum to maximum over n." in picture.caption


def test_line_over_texts_keeps_the_order_of_the_sweep(report_data: Make) -> None:
    shown = words(draw(report_data, PlotSpec("a", "line", "corner", ("vout",), "temp")))
    assert shown.index("tt") < shown.index("ff")


def test_line_of_several_measures_has_a_panel_each(report_data: Make) -> None:
    shown = words(draw(report_data, PlotSpec("a", "line", "temp", ("vout", "iq"), "corner")))
    assert {"vout [V]", "iq [µA]"} <= set(shown)


def test_line_of_an_aggregate(report_data: Make) -> None:
    picture = draw(report_data, PlotSpec("a", "line", "corner", ("vout_spread",)))
    assert "1 of 2 values are missing." in picture.caption
    assert "vout_spread [mV]" in words(picture)


def test_line_in_step_with_other_parameters(report_data: Make, completed: Completed) -> None:
    measures = (Measure("v", "V"),)
    sweep = Sweep("s", (Axis(("name", "x"), (("a", 1), ("b", 2), ("c", 2))),), {})
    picture = draw(
        report_data,
        PlotSpec("p", "line", "x", ("v",)),
        sweep=sweep,
        measures=measures,
        aggregates=(),
        records=completed(lambda case: {"v": float(case.case_id)}, measures),
    )
    assert "band" in picture.caption


def test_log_axes_have_engineering_prefixes(report_data: Make, completed: Completed) -> None:
    measures = (Measure("r", "Ohm"),)
    sweep = Sweep("s", (Axis(("load",), ((1e-9,), (1e-6,), (1e-3,))),), {})
    picture = draw(
        report_data,
        PlotSpec("p", "line", "load", ("r",), x_scale="log", y_scale="log"),
        sweep=sweep,
        measures=measures,
        aggregates=(),
        records=completed(lambda case: {"r": 1.0 / float(case.parameters["load"])}, measures),
    )
    assert {"1n", "1µ", "1m", "1 MΩ"} <= set(words(picture))


def test_histogram_counts_what_is_out_of_spec(report_data: Make) -> None:
    picture = draw(report_data, PlotSpec("h", "histogram", "", ("iq",)))
    assert "iq: 5 values, mean 92 µA, sigma 11.51 µA, 1 out of spec." in picture.caption
    assert "1 of 6 values are missing." in picture.caption
    assert "max 100 µA" in words(picture)


def test_histogram_of_equal_values_and_of_none(report_data: Make, completed: Completed) -> None:
    measures = (Measure("v", "V"),)
    made = completed(lambda case: {"v": 1.0}, measures)
    spec = PlotSpec("h", "histogram", "", ("v",), "corner")
    same = draw(report_data, spec, measures=measures, aggregates=(), records=made)
    assert "v: 6 values, mean 1 V, sigma 0 V." in same.caption
    none = draw(report_data, spec, measures=measures, aggregates=(), records=lambda case: None)
    assert "v: no values. 6 of 6 values are missing." in none.caption


def test_one_wild_value_leaves_a_histogram_its_sixty_bins() -> None:
    edges = bin_edges([*np.linspace(0.99, 1.01, 50), 1e9])
    assert (len(edges), edges[0], edges[-1]) == (61, 0.99, 1e9)
    values = np.random.default_rng(1).normal(size=200)
    assert bin_edges(list(values)) == pytest.approx(np.histogram_bin_edges(values, bins="fd"))


def test_heat_map_shows_the_worst_over_all_other_parameters(report_data: Make, completed: Completed) -> None:
    """corner x temp x n: the margin to the upper limit of 2 is smallest for the largest value."""
    measures = (Measure("v", "V", Spec(0.0, None, 2.0)),)
    sweep = Sweep("s", (Axis(("corner",), (("tt",), ("ff",))), Axis(("temp",), ((1,), (2,))), numbers(3)), {})
    picture = draw(
        report_data,
        PlotSpec("m", "heatmap", "temp", ("v",), "corner"),
        sweep=sweep,
        measures=measures,
        aggregates=(),
        records=completed(lambda case: {"v": 1.2 + case.case_id / 10}, measures),
    )
    assert {"1.400", "1.700", "2.000", "2.300"} <= set(words(picture))
    assert "Each cell: the worst value (smallest margin) over n." in picture.caption
    assert "Dashed frame: out of spec (1 cell)." in picture.caption


def test_heat_map_names_missing_cells(report_data: Make) -> None:
    picture = draw(report_data, PlotSpec("m", "heatmap", "temp", ("vout",), "corner"))
    assert words(picture).count("missing") == 2
    assert "2 of 6 values are missing." in picture.caption


def test_heat_map_without_limits_takes_the_median(report_data: Make) -> None:
    picture = draw(report_data, PlotSpec("m", "heatmap", "temp", ("gain",), "iload"))
    assert "Each cell: the median over corner." in picture.caption


def test_waveforms_of_complex_vectors(report_data: Make) -> None:
    for transform, label in (("db", "v(out) [dB]"), ("phase", "phase of v(out) [°]"), ("none", "|v(out)| [V]")):
        picture = draw(report_data, PlotSpec("w", "waveform", "", ("v(out)",), transform=transform))
        assert picture.problem == ""
        assert label in words(picture)
        assert {"1 Hz", "1 MHz", "frequency", "tt", "ff"} <= set(words(picture))
        assert picture.caption == "5 cases. 1 case without waveforms."


def test_waveforms_of_many_cases_are_a_selection(report_data: Make) -> None:
    data = report_data(sweep=Sweep("s", (numbers(1000),), {}), aggregates=(), records=lambda case: None)
    chart = waveform_chart(PlotSpec("w", "waveform", "", ("out",)), data)
    assert sum(mark.kind == "line" for mark in chart.panels[0].marks) == MOST_CASES
    assert chart.caption == "200 of 1,000 cases, evenly chosen."


def test_nested_dc_sweeps_are_not_joined_by_a_retrace(report_data: Make) -> None:
    x = np.array([0.0, 1.0, 2.0, 0.0, 1.0, 2.0])
    dc = Plot("DC", "dc", {"v-sweep": x, "v(out)": x * 2}, {"v-sweep": "V", "v(out)": "V"}, "v-sweep")
    data = report_data(sweep=Sweep("s", (), {"n": 1}), aggregates=(), waveforms=lambda case_id: Waveforms([dc]))
    chart = waveform_chart(PlotSpec("w", "waveform", "", ("v(out)",)), data)
    assert np.isnan(chart.panels[0].marks[0].y[3])


def test_a_large_picture_is_inlined_as_png_for_light_and_dark(
    report_data: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "MOST_INLINE_BYTES", 1000)
    picture = draw(report_data, PlotSpec("v", "line", "temp", ("vout",)))
    assert picture.inline.count("data:image/png;base64,") == 2
    assert 'media="(prefers-color-scheme: dark)"' in picture.inline


def test_png_has_twice_the_pixels_of_its_size_on_the_page(report_data: Make) -> None:
    picture = draw(report_data, PlotSpec("v", "line", "temp", ("vout",)))
    assert Image.open(BytesIO(picture.files["v.png"])).width == 1080


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (PlotSpec("p", "line", "tmp", ("vout",)), "vout has no parameter 'tmp'\ndid you mean 'temp'?"),
        (PlotSpec("p", "line", "temp", ("vuot",)), "no measure or aggregate 'vuot'\ndid you mean 'vout'?"),
        (PlotSpec("p", "line", "temp", ("vout",), where="tmp > 3"), "tmp"),
        (PlotSpec("p", "waveform", "", ("v(uot)",)), "no case has a vector 'v(uot)'\ndid you mean 'v(out)'?"),
        (PlotSpec("p", "waveform", "", ("v(out)",), "crner"), "no parameter 'crner'\ndid you mean 'corner'?"),
        (PlotSpec("p", "waveform", "", ("v(out)",), analysis="tran"), "no case has a vector 'v(out)'"),
        (PlotSpec("p", "heatmap", "temp", ("vout",)), "a heat map needs two parameters"),
    ],
    ids=lambda value: "",
)
def test_a_plot_that_cannot_be_drawn_says_why(report_data: Make, spec: PlotSpec, problem: str) -> None:
    picture = draw(report_data, spec)
    assert problem in picture.problem
    assert picture.files == {}


def test_waveforms_of_a_run_that_kept_none(report_data: Make) -> None:
    picture = draw(report_data, PlotSpec("p", "waveform", "", ("out",)), waveforms=lambda case_id: Waveforms())
    assert "no case has waveforms" in picture.problem


@pytest.mark.parametrize("kind", ["line", "histogram", "heatmap"])
def test_plots_of_an_empty_run(report_data: Make, kind: str) -> None:
    spec = PlotSpec("p", kind, "temp", ("vout",), "corner")
    picture = draw(report_data, spec, records=lambda case: None)
    assert picture.problem == ""
    assert "6 of 6 values are missing." in picture.caption


def test_default_plots_take_the_longest_numeric_axis_and_the_measures_with_limits(report_data: Make) -> None:
    assert default_specs(report_data()) == [
        PlotSpec("vout", "line", "temp", ("vout",), "corner"),
        PlotSpec("iq", "line", "temp", ("iq",), "corner"),
        PlotSpec("failures", "pareto"),
    ]


def test_default_plots_of_special_sweeps(report_data: Make) -> None:
    def specs(*axes: Axis) -> list[tuple[str, str, str]]:
        data = report_data(sweep=Sweep("s", axes, {}), measures=(Measure("v"),), aggregates=(), records=lambda c: None)
        return [(spec.kind, spec.x, spec.group) for spec in default_specs(data)]

    assert specs() == []
    assert specs(numbers(1)) == []
    assert specs(numbers(3)) == [("line", "n", "")]
    assert specs(Axis(("corner",), (("tt",), ("ff",)))) == [("line", "corner", "")]
    assert specs(monte_carlo_axis(10, 1)) == [("histogram", "", "")]


def test_drawing_leaves_matplotlib_as_it_was(report_data: Make) -> None:
    before = dict(matplotlib.rcParams)
    draw(report_data, PlotSpec("v", "line", "temp", ("vout",)))
    assert dict(matplotlib.rcParams) == before


def test_names_of_files_are_safe(report_data: Make) -> None:
    picture = draw(report_data, PlotSpec("../v out", "line", "temp", ("vout",)))
    assert set(picture.files) == {"plot0_v_out.png", "plot0_v_out.svg"}


def test_dollar_signs_are_no_formulas(report_data: Make) -> None:
    picture = draw(report_data, PlotSpec("v", "line", "temp", ("vout",), title=r"cost $ and \frac$"))
    assert picture.title == r"cost $ and \frac$"


def test_an_aggregate_over_all_cases_has_no_axis(report_data: Make) -> None:
    data = report_data(aggregates=(Aggregate("g", "max", "gain"),), plot_specs=(PlotSpec("p", "line", "temp", ("g",)),))
    assert "has no parameter 'temp'" in pictures(data)[0].problem
