"""Plots as data: the numbers that both the picture and the page's script draw."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

import simorc.report.case_columns as case_columns
import simorc.report.chart as chart_module
from simorc.core.case import Case
from simorc.core.errors import UsageError
from simorc.core.measurement import Measure
from simorc.core.plan import PlotSpec
from simorc.core.record import CaseRecord
from simorc.core.spec import Spec
from simorc.core.sweep import Axis, Sweep, monte_carlo_axis
from simorc.core.waveforms import Plot, Waveforms
from simorc.report.chart import Chart, Mark, for_page
from simorc.report.data import ReportData
from simorc.report.html import render_page
from simorc.report.plots import CHARTS

Make = Callable[..., ReportData]
Completed = Callable[..., Callable[[Case], CaseRecord]]
pytestmark = pytest.mark.req("SIM-16")

MEASURES = (Measure("v", "V", Spec(0.0, None, 9.5)), Measure("w", "A"))
SWEEP = Sweep(
    "s",
    (Axis(("corner",), (("tt",), ("ff",))), Axis(("temp",), ((-40,), (25,), (125,))), Axis(("n",), ((0,), (1,)))),
    {},
)


@pytest.fixture
def data(report_data: Make, completed: Completed) -> ReportData:
    """Twelve cases: v counts from 1 to 12, w is its square in negative."""
    records = completed(lambda case: {"v": case.case_id + 1.0, "w": -((case.case_id + 1.0) ** 2)}, MEASURES)
    return report_data(sweep=SWEEP, measures=MEASURES, aggregates=(), records=records, logs={})


def chart(data: ReportData, spec: PlotSpec) -> Chart:
    return CHARTS[spec.kind](spec, data)


def marks(chart: Chart, kind: str) -> list[Mark]:
    return [mark for mark in chart.panels[0].marks if mark.kind == kind]


def test_boxes_stand_on_the_quartiles(data: ReportData) -> None:
    made = chart(data, PlotSpec("p", "box", "corner", ("v",)))
    bars, stems, dots = (marks(made, kind) for kind in ("bars", "stems", "dots"))
    assert [(bar.y[0], bar.y2[0]) for bar in bars] == [(2.25, 4.75), (8.25, 10.75)]  # numpy.quantile of 1…6, 7…12
    assert [(stem.y[0], stem.y2[0]) for stem in stems] == [(1.0, 6.0), (7.0, 12.0)]
    assert bars[0].texts == ["6 values: minimum 1 V, quartile 2.25 V, median 3.5 V, quartile 4.75 V, maximum 6 V"]
    assert [(list(dot.y), list(dot.cases)) for dot in dots] == [([10.0, 11.0, 12.0], [9, 10, 11])]


def test_drift_is_relative_to_each_lines_own_value_at_room_temperature(data: ReportData) -> None:
    made = chart(data, PlotSpec("p", "tempco", "temp", ("v",), where="n == 0"))
    first, second = marks(made, "line")
    assert first.y == pytest.approx([(1 / 3 - 1) * 1e6, 0.0, (5 / 3 - 1) * 1e6])
    assert second.y == pytest.approx([(7 / 9 - 1) * 1e6, 0.0, (11 / 9 - 1) * 1e6])
    assert made.panels[0].y.label == "v [ppm]"
    assert made.caption.startswith("Relative to each line's value at temp nearest to 25.")
    assert "out of spec" not in made.caption  # the limits are those of v itself


def test_correlation_is_pearsons(data: ReportData) -> None:
    (cells,) = marks(chart(data, PlotSpec("p", "correlation")), "cells")
    v = np.arange(1.0, 13.0)
    assert cells.texts[1] == f"v and w: r = {np.corrcoef(v, -(v**2))[0, 1]:.3f}"
    assert cells.labels[0] == "1.00"


def test_correlation_without_spread_is_none(report_data: Make, completed: Completed) -> None:
    records = completed(lambda case: {"v": 1.0, "w": float(case.case_id)}, MEASURES)
    even = report_data(sweep=SWEEP, measures=MEASURES, aggregates=(), records=records)
    (cells,) = marks(chart(even, PlotSpec("p", "correlation")), "cells")
    assert list(cells.labels) == ["–", "–", "–", "1.00"]


def test_what_fails_most_stands_first(report_data: Make) -> None:
    """The fixed run: vout and iq out of spec or not evaluated in one case each, one case not converged."""
    (bars,) = marks(chart(report_data(), PlotSpec("p", "pareto")), "bars")
    assert sorted(bars.texts) == [
        "iq: 1 failure, 33%; with all before it 33%",
        "no convergence: 1 failure, 33%; with all before it 100%",
        "vout: 1 failure, 33%; with all before it 67%",
    ]


def test_failures_by_the_values_of_a_parameter(data: ReportData) -> None:
    made = chart(data, PlotSpec("p", "pareto", "temp"))
    (bars,) = marks(made, "bars")
    assert [text for _, text in made.panels[0].x.ticks] == ["temp=125", "temp=25"]
    assert list(bars.y2) == [2.0, 1.0]
    assert made.caption == "3 failures; a case with two failures counts twice. Line: running sum."


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (PlotSpec("p", "box", "tmp", ("v",)), "v has no parameter 'tmp'"),
        (PlotSpec("p", "tempco", "tmp", ("v",)), "v has no parameter 'tmp'"),
        (PlotSpec("p", "pareto", "tmp"), "no parameter 'tmp'"),
        (PlotSpec("p", "pareto", "", ("w",)), "nothing failed"),
        (PlotSpec("p", "pareto", "", ("u",)), "no measure or aggregate 'u'"),
        (PlotSpec("p", "correlation", "", ("v",)), "a correlation needs two measures"),
    ],
    ids=lambda value: "",
)
def test_what_cannot_be_drawn_says_why(data: ReportData, spec: PlotSpec, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        chart(data, spec)


def test_the_curve_over_a_histogram_is_the_normal_density(report_data: Make, completed: Completed) -> None:
    sweep = Sweep("s", (monte_carlo_axis(100, 1),), {})
    values = np.random.default_rng(1).normal(2.0, 0.5, 100)
    records = completed(lambda case: {"v": float(values[case.case_id])}, MEASURES[:1])
    many = report_data(sweep=sweep, measures=MEASURES[:1], aggregates=(), records=records)
    made = chart(many, PlotSpec("p", "histogram", "", ("v",)))
    inside, _ = marks(made, "bars")
    (curve,) = marks(made, "line")
    width = inside.x2[0] - inside.x[0]
    top = 100 * width / (values.std(ddof=1) * np.sqrt(2 * np.pi))
    assert max(curve.y) == pytest.approx(top, rel=2e-3)
    assert sum(high - low for low, high in zip(inside.y, inside.y2, strict=True)) == 100


@pytest.mark.parametrize(
    "axes",
    [(Axis(("n",), tuple((i,) for i in range(100))),), (Axis(("n",), ((1,), (2,))), monte_carlo_axis(50, 1))],
    ids=["grid", "samples of two points"],
)
def test_what_is_no_random_sample_has_no_normal_curve(
    report_data: Make, completed: Completed, axes: tuple[Axis, ...]
) -> None:
    records = completed(lambda case: {"v": float(case.case_id)}, MEASURES[:1])
    many = report_data(sweep=Sweep("s", axes, {}), measures=MEASURES[:1], aggregates=(), records=records)
    made = chart(many, PlotSpec("p", "histogram", "", ("v",)))
    assert marks(made, "line") == []
    assert "normal" not in made.caption


def test_what_an_early_stop_spared_is_not_missing(report_data: Make, completed: Completed) -> None:
    done = completed(lambda case: {"v": float(case.case_id)}, MEASURES[:1])
    early = report_data(
        sweep=Sweep("s", (monte_carlo_axis(40, 1),), {}),
        measures=MEASURES[:1],
        aggregates=(),
        records=lambda case: done(case) if case.case_id < 30 else None,
        manifest={
            "stopped_early": {"samples": 30, "spared": 10, "reached": "round 1 of 2", "time": "2026-01-01T12:00Z"}
        },
    )
    caption = chart(early, PlotSpec("p", "histogram", "", ("v",))).caption
    assert "10 of 40 values are spared." in caption
    assert "missing" not in caption
    page = render_page(early, [], datetime(2026, 1, 1, tzinfo=UTC))
    assert "<dt>stopped early</dt><dd>round 1 of 2, 2026-01-01 12:00 UTC</dd>" in page
    assert "rule:" not in page
    (row,) = re.findall(r'<tr><th scope="row">v<.*?</tr>', page[page.index('id="specs"') :], re.DOTALL)[:1]
    assert re.findall(r'"num[^>]*>([^<]*)</td>', row)[-4:] == ["30", "20", "0", "0"]  # n, out, failed, missing


def test_many_waveforms_have_their_envelope(report_data: Make) -> None:
    def wave(case_id: int) -> Waveforms:
        grid = np.linspace(0.0, 1.0, 5 if case_id else 9)
        vectors = {"time": grid, "v(out)": grid * (case_id + 1)}
        return Waveforms([Plot("T", "tran", vectors, {"time": "s", "v(out)": "V"}, "time")])

    sweep = Sweep("s", (Axis(("corner",), (("tt",), ("ff",))), Axis(("n",), tuple((i,) for i in range(8)))), {})
    data = report_data(sweep=sweep, measures=(), aggregates=(), records=lambda case: None, waveforms=wave)
    made = chart(data, PlotSpec("w", "waveform", "", ("v(out)",), "corner"))
    low, high = marks(made, "band")
    assert (len(low.x), len(high.x)) == (9, 5)  # on the finest grid of each colour
    assert (list(low.y)[-1], list(low.y2)[-1]) == (1.0, 8.0)
    assert (list(high.y)[-1], list(high.y2)[-1]) == (9.0, 16.0)


def test_the_page_carries_the_extremes_of_long_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_module, "MOST_POINTS", 100)
    y = [0.0] * 1000
    y[337], y[338] = 5.0, -5.0
    line = Mark("line", [float(i) for i in range(1000)], y, cases=(3,))
    axis = chart_module.PlotAxis("t")
    made: dict[str, Any] = for_page(Chart([chart_module.Panel(axis, axis, [line])], ""))
    kept = made["panels"][0]["marks"][0]
    assert len(kept["x"]) <= 102
    assert {337.0, 338.0, 0.0, 999.0} <= set(kept["x"])
    assert json.loads(json.dumps(made)) == made


def test_of_too_many_cases_the_page_carries_those_that_tell_most(
    data: ReportData, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = case_columns.case_columns(data)
    assert whole["ids"] is None
    assert whole["measures"][0]["values"] == [float(i) for i in range(1, 13)]
    assert whole["measures"][0]["kinds"] == "i" * 9 + "o" * 3
    monkeypatch.setattr(case_columns, "MOST_CELLS", 36)  # six columns: six cases
    some = case_columns.case_columns(data)
    assert len(some["ids"]) == 6
    assert {9, 10, 11} <= set(some["ids"])
    assert some["total"] == 12
