"""Statistics on the page and as tables, of a run with random samples."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from simorc.core.case import Case
from simorc.core.measurement import Measure
from simorc.core.record import CaseRecord
from simorc.core.spec import Spec
from simorc.core.sweep import Axis, Sweep, monte_carlo_axis
from simorc.report.data import ReportData
from simorc.report.export import exports
from simorc.report.html import render_page
from simorc.report.table import failing_frame, sensitivity_frame, statistics_frame

Make = Callable[..., ReportData]
Completed = Callable[..., Callable[[Case], CaseRecord]]
MADE = datetime(2026, 1, 1, 13, tzinfo=UTC)
VOS = (Measure("vos", "V", Spec(-0.01, 0.0, 0.01)),)
SWEEP = Sweep("mc", (Axis(("n",), ((1,), (4,))), monte_carlo_axis(40, 1)), {"n": 1})


@pytest.fixture
def samples(report_data: Make, completed: Completed) -> ReportData:
    """Offsets of two sizes, 40 samples each: -11.7 to 11.7 mV, and a third of it; the first has one far out."""

    def offset(case: Case) -> dict[str, float | None]:
        step = (int(str(case.parameters["mc_sample"])) - 19.5) * 0.6e-3
        return {"vos": 0.5 if case.case_id == 0 else step / (1 if case.parameters["n"] == 1 else 3)}

    return report_data(sweep=SWEEP, measures=VOS, aggregates=(), records=completed(offset, VOS), logs={})


@pytest.mark.req("SIM-16")
def test_the_table_of_statistics_names_groups_and_a_column_of_the_same_name_twice(samples: ReportData) -> None:
    frame = statistics_frame(samples)
    assert frame["measure"].tolist() == ["", "", "vos", "vos"]
    assert frame["parameter_n"].tolist() == [1, 4, 1, 4]
    assert frame["n"].tolist() == [40, 40, 40, 40]
    assert frame["yield"].tolist() == [0.85, 1.0, 0.85, 1.0]  # one at 0.5 V, 2 too low, 3 too high
    assert frame["yield_high"].tolist()[1] == 1.0
    assert frame["margin_sigma"][3] == pytest.approx(
        0.01 / (0.2e-3 * (sum((k - 19.5) ** 2 for k in range(40)) / 39) ** 0.5)
    )
    assert exports(samples, ["csv"])["statistics.csv"].startswith(b"measure,parameter_n,unit,n,min,mean")


@pytest.mark.req("SIM-16")
def test_the_page_tells_the_yield_and_its_interval_and_where_a_sample_is_not_normal(samples: ReportData) -> None:
    text = render_page(samples, [], MADE)
    assert "Clopper and Pearson" in text
    assert "85 %" in text
    assert (
        "<dt>lowest yield, at n=1</dt><dd>85 % <small>70.1 to 94.3 %, 95 % confidence</small>" in text
    )  # the lowest, at the top
    assert '<td class="num">70.1 %</td><td class="num">94.3 %</td>' in text
    assert text.count('<span class="small near">not normal</span>') == 1


def test_a_mean_never_stands_above_the_largest_value(report_data: Make, completed: Completed) -> None:
    same = completed(lambda case: {"vos": 0.803806}, VOS)
    text = render_page(report_data(sweep=SWEEP, measures=VOS, aggregates=(), records=same, logs={}), [], MADE)
    cells = '<td class="num">40</td>' + '<td class="num">803.81 mV</td>' * 4
    assert text.count(cells) == 2


def test_a_grid_is_not_said_to_have_a_yield(report_data: Make) -> None:
    text = render_page(report_data(), [], MADE)
    assert "no random sample" in text
    assert "Clopper" not in text


GRID = Sweep(
    "s", (Axis(("corner",), (("tt",), ("ff",))), Axis(("temp",), ((-40,), (60,), (110,)))), {"corner": "tt", "temp": 27}
)


@pytest.mark.req("SIM-16")
def test_a_grid_has_statistics_by_corner_on_the_page_and_in_every_table(
    report_data: Make, completed: Completed
) -> None:
    """vos: -2, 1, 4 mV in corner tt; 0, 3, 6 mV in ff."""

    def offset(case: Case) -> dict[str, float | None]:
        return {"vos": -2e-3 + case.case_id % 3 * 3e-3 + (case.parameters["corner"] == "ff") * 2e-3}

    data = report_data(sweep=GRID, measures=VOS, aggregates=(), records=completed(offset, VOS), logs={})
    frame = statistics_frame(data)
    assert frame["corner"].tolist() == ["", "tt", "ff"]
    assert frame["n"].tolist() == [6, 3, 3]
    assert frame["median"].tolist() == pytest.approx([2e-3, 1e-3, 3e-3])
    assert frame["sigma"].tolist()[1:] == pytest.approx([3e-3, 3e-3])
    assert frame["margin_sigma"].tolist()[1:] == pytest.approx([3.0, 7 / 3])  # 9 and 7 mV to the limit of 10 mV
    assert frame["cpk"].isna().all()
    html = render_page(data, [], MADE)
    shown = re.search(r"<details open><summary>By corner: 2 rows</summary>(.*?)</details>", html, re.DOTALL)
    assert shown is not None
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in shown[1].split("<tr>")[2:]]
    assert [row[:4] for row in rows] == [["vos", "tt", "3", "-2 mV"], ["vos", "ff", "3", "0 V"]]
    files = exports(data, ["md"])
    assert b"| vos | ff | V | 3 |" in files["report.md"]


@pytest.mark.req("SIM-16")
def test_the_page_tells_what_drives_a_measure(report_data: Make, completed: Completed) -> None:
    """vos = 1 mV * temp / 100 degC (-40 to 60: 1 mV) + 2 mV in corner ff, and nothing together."""
    sweep = Sweep(
        "s", (Axis(("corner",), (("tt",), ("ff",))), Axis(("temp",), ((-40,), (60,)))), {"corner": "tt", "temp": 27}
    )

    def offset(case: Case) -> dict[str, float | None]:
        return {"vos": 1e-5 * float(case.parameters["temp"]) + 2e-3 * (case.parameters["corner"] == "ff")}

    data = report_data(sweep=sweep, measures=VOS, aggregates=(), records=completed(offset, VOS), logs={})
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", render_page(data, [], MADE)))
    assert "vos corner 80 % 2 mV tt ff vos temp 20 % 1 mV -40 60" in text
    assert "corner × temp" not in text
    frame = sensitivity_frame(data)
    assert frame["axis"].tolist() == ["corner", "temp", "corner", "three or more"]
    assert frame["with"].tolist() == ["", "", "temp", ""]
    assert frame["share"].tolist() == pytest.approx([0.8, 0.2, 0.0, 0.0], abs=1e-9)


def test_shares_of_a_grid_with_holes_are_called_approximate(report_data: Make) -> None:
    assert "Of vout, iq, gain not every combination has a value" in render_page(report_data(), [], MADE)


@pytest.mark.req("SIM-16")
def test_failing_cases_stand_first_with_seed_and_command(samples: ReportData) -> None:
    """0.5 V before 11.7 mV before 11.1 mV; of n=4 none is out."""
    frame = failing_frame(samples)
    assert frame["case_id"].tolist()[:2] == [0, 39]
    assert len(frame) == 6
    assert frame["seed"].tolist()[0] == samples.cases[0].seed
    assert frame["margin"].tolist()[0] == pytest.approx(-0.49)
    assert frame["rerun"].tolist()[0] == "simorc run pvt_ldo_20260101120000 --case 0"
    text = render_page(samples, [], MADE)
    assert f"seed={samples.cases[0].seed}" in text
    assert text.index("run pvt_ldo_20260101120000 --case 0") < text.index("run pvt_ldo_20260101120000 --case 39")


def test_a_case_that_failed_stands_before_those_out_of_spec(report_data: Make) -> None:
    """Case 4 did not converge, case 3 has no vout, case 1 has 10 % too much current."""
    frame = failing_frame(report_data())
    assert frame["case_id"].tolist() == [4, 3, 1]
    assert frame["error"].tolist() == ["no_convergence: doAnalyses: iteration limit reached", "", ""]
    assert frame["measure"].tolist() == ["", "vout", "iq"]
